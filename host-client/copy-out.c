/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/copy-private.h"

#include "common/base64.h"
#include "common/epoch.h"
#include "common/error.h"
#include "common/names.h"
#include "common/target.h"
#include "qapi/decode.h"
#include "qapi/qapi-visit.h"

#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Writes what is in @piece, @left bytes at most: a file may grow meanwhile, and a hostile guest's
 * without end. */
static gboolean
nego_copy_take_piece (const QapiGuestFileRead *piece,
                      guint max,
                      guint64 left,
                      int fd,
                      NegoCopyHash *hash,
                      GError **error)
{
  g_autofree guint8 *data = NULL;
  gsize len, done = 0;

  data = nego_base64_decode (piece->buf_b64, &len, error);
  if (data == NULL)
    return FALSE;
  if (len > max || (gint64) len != piece->count || (len == 0 && !piece->eof)) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_PARSE,
                         "the agent's count of bytes is wrong");
    return FALSE;
  }
  len = (gsize) MIN (len, left);
  nego_copy_hash_add (hash, data, len);
  while (done < len) {
    ssize_t n = write (fd, data + done, len - done);

    if (n < 0 && errno != EINTR)
      return nego_error_set_errno (error, errno, "cannot write the file");
    done += n > 0 ? (gsize) n : 0;
  }
  return TRUE;
}

static gboolean
nego_copy_read_all (
  NegoCopy *copy, gint64 handle, guint64 total, int fd, NegoCopyHash *hash, GError **error)
{
  const guint piece = nego_copy_piece (copy, FALSE);
  /* One byte more than there may be of a file that does not tell its size. */
  const guint64 max = total > 0 ? total : NEGO_COPY_UNSIZED_BYTES + 1;
  gboolean eof = FALSE;

  while (!eof || !g_queue_is_empty (copy->requests)) {
    g_autoptr (QapiGuestFileRead) read = NULL;
    g_autoptr (JsonNode) node = NULL;

    while (!eof && g_queue_get_length (copy->requests) < NEGO_COPY_WINDOW)
      if (!nego_copy_send (copy, "guest-file-read",
                           g_strdup_printf ("{\"handle\":%" G_GINT64_FORMAT ",\"count\":%u}",
                                            handle, piece),
                           error))
        return FALSE;
    node = nego_copy_receive (copy, error);
    if (node != NULL)
      read = qapi_decode (&qapi_guest_file_read_type, node, "guest-file-read", FALSE, error);
    if (read == NULL || !nego_copy_take_piece (read, piece, max - hash->size, fd, hash, error))
      return FALSE;
    if (total == 0 && hash->size == max) {
      g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "it has no size, and more than %u bytes",
                   NEGO_COPY_UNSIZED_BYTES);
      return FALSE;
    }
    eof |= read->eof || hash->size == max;
    nego_copy_tell (copy, hash->size, total);
  }
  return TRUE;
}

/* The guest's file may have any mode: what it would be here as a set-user-ID file is nothing that a
 * guest decides. */
static gboolean
nego_copy_finish_local (int fd, const QapiNegotiatorFileStat *stat, GError **error)
{
  const struct timespec times[2]
    = { { .tv_nsec = UTIME_OMIT }, nego_epoch_to_timespec (stat->mtime_ns) };

  if (fchmod (fd, (mode_t) stat->mode & 0777) < 0 || futimens (fd, times) < 0 || fsync (fd) < 0)
    return nego_error_set_errno (error, errno, "cannot finish the file");
  return TRUE;
}

static gboolean
nego_copy_out_to (NegoCopy *copy, gint64 handle, int fd, GError **error)
{
  g_autoptr (QapiNegotiatorFileStat) stat = nego_copy_stat (copy, handle, 0, 0, error);
  g_auto (NegoCopyHash) hash = { 0 };

  if (stat == NULL)
    return FALSE;
  if (!stat->regular) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "it is not a regular file");
    return FALSE;
  }
  nego_copy_hash_init (&hash);
  return nego_copy_read_all (copy, handle, (guint64) MAX (stat->size, 0), fd, &hash, error)
         && nego_copy_compare (copy, handle, &hash, error)
         && nego_copy_finish_local (fd, stat, error);
}

static gboolean
nego_copy_open (NegoCopy *copy, const char *remote, gint64 *handle, GError **error)
{
  g_autofree char *path = nego_copy_quote (remote);
  g_autoptr (JsonNode) node
    = nego_copy_ask (copy, "guest-file-open", g_strdup_printf ("{\"path\":%s}", path), error);

  if (node == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_INT64) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_PARSE, "the agent's handle is no number");
    return FALSE;
  }
  *handle = json_node_get_int (node);
  return TRUE;
}

gboolean
nego_copy_out (NegoCopy *copy, const char *remote, const char *local, GError **error)
{
  g_autofree char *dir = g_path_get_dirname (local);
  g_autofree char *temporary = g_build_filename (dir, ".nego-XXXXXX", NULL);
  gboolean done = FALSE;
  gint64 handle;
  int fd;

  if (!nego_target_check (local, error))
    return FALSE;
  nego_copy_begin (copy);
  fd = g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, 0600);
  if (fd >= 0)
    g_atomic_pointer_set (&copy->temporary, g_strdup (temporary));
  if (fd < 0) {
    nego_error_set_errno (error, errno, "cannot create a file beside '%s'", local);
  } else if (nego_copy_open (copy, remote, &handle, error)) {
    done = nego_copy_out_to (copy, handle, fd, error);
    nego_copy_drop (copy, handle);
    if (done && rename (temporary, local) < 0)
      done = nego_error_set_errno (error, errno, "cannot rename to '%s'", local);
  }
  if (fd >= 0) {
    close (fd);
    if (!done)
      g_unlink (temporary);
  }
  nego_copy_end (copy);
  return done;
}
