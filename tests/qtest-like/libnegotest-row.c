/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/qtest-like/libnegotest.h"

#include <string.h>

typedef struct {
  NegoTest *test;
  const NegoTestRow *row;
} RowCase;

static gboolean
is_reply (const char *line, const char *reply)
{
  return g_str_equal (line, reply) || (nego_test_is_qga () && nego_test_json_equal (line, reply));
}

static gboolean
are_replies (char **lines, const char *const *replies)
{
  gsize i;

  for (i = 0; lines[i] != NULL && i < NEGO_TEST_ROW_REPLIES && replies[i] != NULL; i++)
    if (!is_reply (lines[i], replies[i]))
      return FALSE;
  return lines[i] == NULL && (i == NEGO_TEST_ROW_REPLIES || replies[i] == NULL);
}

static void
test_row (gconstpointer user_data)
{
  const RowCase *row_case = user_data;
  const NegoTestRow *row = row_case->row;
  g_autoptr (NegoTestClient) client = nego_test_connect (row_case->test);
  g_auto (GStrv) lines = NULL;
  g_autofree char *got = NULL;
  gboolean same;

  nego_test_send (client, row->send, row->len > 0 ? row->len : strlen (row->send));
  lines = nego_test_resync (client);
  same = are_replies (lines, row->replies);
  got = g_strjoinv ("\n", lines);
  if (!nego_test_is_qga () || row->better == NULL) {
    if (!same)
      g_test_fail_printf ("got %u lines:\n%s", g_strv_length (lines), got);
    return;
  }
  g_test_message ("qemu-ga: %s", got);
  if (same)
    g_test_fail_printf ("qemu-ga answers the same, so this is not better: %s", row->better);
}

void
nego_test_add_rows (NegoTest *test, const char *path, const NegoTestRow *rows, gsize n_rows)
{
  gsize i;

  for (i = 0; i < n_rows; i++) {
    g_autofree char *name = g_strdup_printf ("%s/%s", path, rows[i].name);
    RowCase *row_case = g_new (RowCase, 1);

    row_case->test = test;
    row_case->row = &rows[i];
    g_test_add_data_func_full (name, row_case, test_row, g_free);
  }
}
