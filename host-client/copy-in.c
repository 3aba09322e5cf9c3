/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/copy-private.h"

#include "common/base64.h"
#include "common/epoch.h"
#include "common/error.h"
#include "common/names.h"
#include "qapi/decode.h"
#include "qapi/qapi-visit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The reply to one piece of @len bytes. */
static gboolean
nego_copy_take_written (NegoCopy *copy, gint64 len, GError **error)
{
  g_autoptr (JsonNode) node = nego_copy_receive (copy, error);
  g_autoptr (QapiGuestFileWrite) written = NULL;

  if (node != NULL)
    written = qapi_decode (&qapi_guest_file_write_type, node, "guest-file-write", FALSE, error);
  if (written == NULL)
    return FALSE;
  if (written->count == len)
    return TRUE;
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "the guest took only a part");
  return FALSE;
}

static gboolean
nego_copy_write_all (
  NegoCopy *copy, int fd, guint64 total, gint64 handle, NegoCopyHash *hash, GError **error)
{
  const guint max = nego_copy_piece (copy, TRUE);
  g_autofree guint8 *data = g_malloc (max);
  /* The lengths of the pieces that were not answered. */
  gint64 lens[NEGO_COPY_WINDOW];
  guint first = 0, n_sent = 0;
  gboolean eof = FALSE;

  while (!eof || n_sent > 0) {
    ssize_t n = eof ? 0 : read (fd, data, max);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return nego_error_set_errno (error, errno, "cannot read the file");
    eof = n == 0;
    if (n > 0) {
      GString *arguments = g_string_sized_new (max / 3 * 4 + 256);

      g_string_printf (arguments, "{\"handle\":%" G_GINT64_FORMAT ",\"buf-b64\":\"", handle);
      nego_base64_append (arguments, data, (gsize) n);
      g_string_append (arguments, "\"}");
      nego_copy_hash_add (hash, data, (gsize) n);
      lens[(first + n_sent++) % NEGO_COPY_WINDOW] = n;
      if (!nego_copy_send (copy, "guest-file-write", g_string_free (arguments, FALSE), error))
        return FALSE;
    }
    if (n_sent == NEGO_COPY_WINDOW || (eof && n_sent > 0)) {
      if (!nego_copy_take_written (copy, lens[first], error))
        return FALSE;
      first = (first + 1) % NEGO_COPY_WINDOW;
      n_sent--;
      nego_copy_tell (copy, hash->size, total);
    }
  }
  return TRUE;
}

static gboolean
nego_copy_finish_remote (
  NegoCopy *copy, gint64 handle, const char *remote, const struct stat *st, GError **error)
{
  g_autofree char *path = nego_copy_quote (remote);
  g_autoptr (JsonNode) node
    = nego_copy_ask (copy, "negotiator-file-finish",
                     g_strdup_printf ("{\"handle\":%" G_GINT64_FORMAT
                                      ",\"path\":%s,\"mode\":%u,\"mtime-ns\":%" G_GINT64_FORMAT "}",
                                      handle, path, (guint) st->st_mode & 0777,
                                      nego_epoch_from_timespec (&st->st_mtim)),
                     error);

  return node != NULL;
}

static gboolean
nego_copy_in_from (
  NegoCopy *copy, int fd, const char *remote, const struct stat *st, GError **error)
{
  g_autofree char *path = nego_copy_quote (remote);
  g_autoptr (QapiNegotiatorFile) file = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_auto (NegoCopyHash) hash = { 0 };

  node = nego_copy_ask (copy, "negotiator-file-create", g_strdup_printf ("{\"path\":%s}", path),
                        error);
  if (node != NULL)
    file = qapi_decode (&qapi_negotiator_file_type, node, "negotiator-file-create", FALSE, error);
  if (file == NULL)
    return FALSE;
  nego_copy_hash_init (&hash);
  if (nego_copy_write_all (copy, fd, (guint64) st->st_size, file->handle, &hash, error)
      && nego_copy_compare (copy, file->handle, &hash, error)
      && nego_copy_finish_remote (copy, file->handle, remote, st, error))
    return TRUE;
  nego_copy_drop (copy, file->handle);
  return FALSE;
}

gboolean
nego_copy_in (NegoCopy *copy, const char *local, const char *remote, GError **error)
{
  int fd = open (local, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  gboolean done = FALSE;
  struct stat st;

  if (fd < 0 || fstat (fd, &st) < 0) {
    nego_error_set_errno (error, errno, "cannot open '%s'", local);
  } else if (!S_ISREG (st.st_mode)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "'%s' is not a regular file", local);
  } else {
    nego_copy_begin (copy);
    done = nego_copy_in_from (copy, fd, remote, &st, error);
    nego_copy_end (copy);
  }
  if (fd >= 0)
    close (fd);
  return done;
}
