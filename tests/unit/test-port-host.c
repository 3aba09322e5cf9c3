/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/names.h"
#include "common/port-host.h"

#define MS 1000

/* What happens in a guest, a letter each, in order:
 *   D  data, with a host behind them        d  data, with no host behind them, then that end
 *   O  a host is there                      C  no host is there
 *   H  the host hung up, not read           T  the time for leaving is over, then the end again
 *   e  NEGO_PORT_EARLY_MS pass              .  a millisecond passes
 * and what must come of each: '-' nothing, 'F' what was said before is forgotten (a 'd' or 'T' that
 * forgets does so in one of its two steps). */
typedef struct {
  const char *name, *events, *expected;
  gboolean present, leaving; /* at the end */
} Row;

static const Row rows[] = {
  { "first", "O", "F", TRUE, FALSE },
  { "first-with-data", "D", "F", TRUE, FALSE },
  { "still-there", "ODODO", "F----", TRUE, FALSE },
  { "leaves-in-silence", "OC", "FF", FALSE, FALSE },
  { "away-stays-away", "OCCC", "FF--", FALSE, FALSE },
  { "leaves-long-after-data", "ODeC", "F--F", FALSE, FALSE },
  /* The first words come before their host. */
  { "early", "dO", "--", TRUE, FALSE },
  { "early-in-two-parts", "d.dO", "----", TRUE, FALSE },
  { "early-and-never", "deO", "--F", TRUE, FALSE },
  { "early-of-two-hosts", "dedO", "--F-", TRUE, FALSE },
  /* A host's last words, or the next one's first. */
  { "leaves-behind-data", "OD.C", "F---", TRUE, TRUE },
  { "left-behind-data", "OD.CT", "F---F", FALSE, FALSE },
  { "last-words", "Od", "F-", TRUE, TRUE },
  { "last-words-and-gone", "OdT", "F-F", FALSE, FALSE },
  { "next-host-whose-words-came-first", "ODCO", "F---", TRUE, FALSE },
  { "next-host-whose-words-came-between", "OdO", "F--", TRUE, FALSE },
  { "next-host-in-two-parts", "ODCd.O", "F-----", TRUE, FALSE },
  { "next-host-seen-by-its-data", "ODCD", "F---", TRUE, FALSE },
  { "next-host-after-the-time", "ODCTO", "F--FF", TRUE, FALSE },
  /* Of early words, their host's leaving is no sooner believed. */
  { "early-then-leaves", "dOC", "---", TRUE, TRUE },
  { "hangs-up", "ODH", "F-F", FALSE, FALSE },
  { "hangs-up-while-leaving", "ODCH", "F--F", FALSE, FALSE },
  { "hangs-up-twice", "OHH", "FF-", FALSE, FALSE },
};

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  NegoPortHost host = { 0 };
  gint64 now = 1;
  gsize i;

  for (i = 0; row->events[i] != '\0'; i++) {
    gboolean forget = FALSE;

    switch (row->events[i]) {
    case 'D':
      forget = nego_port_host_take_data (&host, FALSE, now);
      break;
    case 'd':
      forget = nego_port_host_take_data (&host, TRUE, now);
      forget |= nego_port_host_take_end (&host, now);
      break;
    case 'O':
      forget = nego_port_host_take_open (&host, now);
      break;
    case 'C':
      forget = nego_port_host_take_end (&host, now);
      break;
    case 'H':
      forget = nego_port_host_take_hangup (&host);
      break;
    case 'T':
      now += NEGO_PORT_LEAVING_MS * MS;
      nego_port_host_take_timeout (&host);
      forget = nego_port_host_take_end (&host, now);
      break;
    case 'e':
      now += NEGO_PORT_EARLY_MS * MS;
      break;
    default:
      now += MS;
    }
    g_test_message ("%c at %zu", row->events[i], i);
    g_assert_cmpint (forget, ==, row->expected[i] == 'F');
  }
  g_assert_cmpint (host.present, ==, row->present);
  g_assert_cmpint (host.leaving, ==, row->leaving);
}

int
main (int argc, char **argv)
{
  gsize i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strconcat ("/port-host/", rows[i].name, NULL);

    g_test_add_data_func (path, &rows[i], test_row);
  }
  return g_test_run ();
}
