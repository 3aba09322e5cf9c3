/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/journal.h"

#include "common/names.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

struct NegoJournal {
  int fd;
  struct sockaddr_un address;
};

NegoJournal *
nego_journal_new (const char *path)
{
  NegoJournal *journal = g_new0 (NegoJournal, 1);
  struct timeval wait = { .tv_usec = NEGO_LOG_WAIT_MS * 1000 };

  journal->address.sun_family = AF_UNIX;
  g_strlcpy (journal->address.sun_path, path, sizeof journal->address.sun_path);
  journal->fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (journal->fd >= 0)
    setsockopt (journal->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  return journal;
}

void
nego_journal_free (NegoJournal *journal)
{
  if (journal == NULL)
    return;
  if (journal->fd >= 0)
    close (journal->fd);
  g_free (journal);
}

/* The form with a length (little endian) holds any value, line feeds too. */
static void
nego_journal_append (GString *datagram, const char *key, const char *value, gssize len)
{
  guint64 size = len < 0 ? strlen (value) : (gsize) len;
  guint64 little = GUINT64_TO_LE (size);

  g_string_append_printf (datagram, "%s\n", key);
  g_string_append_len (datagram, (const char *) &little, sizeof little);
  g_string_append_len (datagram, value, (gssize) size);
  g_string_append_c (datagram, '\n');
}

gboolean
nego_journal_send (NegoJournal *journal, const GLogField *fields, gsize n_fields, gboolean wait)
{
  g_autoptr (GString) datagram = g_string_sized_new (512);
  const char *program = g_get_prgname ();
  ssize_t sent;
  gsize i;

  if (program != NULL)
    nego_journal_append (datagram, "SYSLOG_IDENTIFIER", program, -1);
  for (i = 0; i < n_fields; i++)
    nego_journal_append (datagram, fields[i].key, fields[i].value, fields[i].length);
  do {
    sent
      = sendto (journal->fd, datagram->str, datagram->len, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT),
                (const struct sockaddr *) &journal->address, sizeof journal->address);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0;
}
