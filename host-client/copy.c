/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/copy.h"

#include "common/base64.h"
#include "common/client/output.h"
#include "common/client/reply.h"
#include "common/error.h"
#include "common/json.h"
#include "common/names.h"
#include "common/target.h"
#include "qapi/decode.h"
#include "qapi/qapi-visit.h"

#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEGO_COPY_NS G_GINT64_CONSTANT (1000000000)

/* A request that was not answered; on a link without post() also one that was not sent. */
typedef struct {
  const char *command;
  char *arguments; /* NULL: it was sent */
} NegoCopyRequest;

/* A file's SHA-256, in stretches that one negotiator-file-stat hashes. */
typedef struct {
  GChecksum *checksum;
  guint64 size;
  GPtrArray *hashes;
} NegoCopyHash;

static void
nego_copy_request_free (gpointer data)
{
  NegoCopyRequest *request = data;

  g_free (request->arguments);
  g_free (request);
}

static gint64
nego_copy_deadline (const NegoCopy *copy)
{
  return copy->answer_s > 0
           ? g_get_monotonic_time () + (gint64) (copy->answer_s * (double) G_USEC_PER_SEC)
           : G_MAXINT64;
}

/* Takes @arguments. */
static gboolean
nego_copy_send (NegoCopy *copy, const char *command, char *arguments, GError **error)
{
  NegoCopyRequest *request = g_new0 (NegoCopyRequest, 1);

  request->command = command;
  request->arguments = arguments;
  g_queue_push_tail (copy->requests, request);
  if (!nego_remote_can_post (copy->guest))
    return TRUE;
  if (!nego_remote_post (copy->guest, command, arguments, nego_copy_deadline (copy), error))
    return FALSE;
  g_clear_pointer (&request->arguments, g_free);
  return TRUE;
}

/* Waits until @fd (-1: none) is readable or the @deadline, which is an error if it is that of
 * @command. FALSE: that, or an interruption. */
static gboolean
nego_copy_poll (NegoCopy *copy, int fd, gint64 deadline, const char *command, GError **error)
{
  struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
                          { .fd = copy->dropping ? -1 : copy->interrupt_fd, .events = POLLIN } };
  const int n = poll (fds, G_N_ELEMENTS (fds), nego_link_time_left (deadline));

  if (n > 0 && fds[1].revents != 0) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_INTERRUPTED, "a signal ended the copying");
    return FALSE;
  }
  if (n == 0 && command != NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT, "no answer to '%s' in time", command);
    return FALSE;
  }
  return TRUE;
}

/* The next reply on a link with post(). */
static GString *
nego_copy_next (NegoCopy *copy, const char *command, gint64 deadline, GError **error)
{
  for (;;) {
    GError *failure = NULL;
    NegoFramerMessage message;

    while (nego_remote_next (copy->guest, &message, &failure))
      if (nego_reply_is_one (&message))
        return g_string_new_len (message.text, (gssize) message.len);
    if (failure != NULL) {
      g_propagate_error (error, failure);
      return NULL;
    }
    if (!nego_copy_poll (copy, nego_remote_get_fd (copy->guest), deadline, command, error))
      return NULL;
  }
}

/* One call on a link without post(). An agent that libvirt shares out is left to others before. */
static JsonNode *
nego_copy_call (NegoCopy *copy, const NegoCopyRequest *request, gint64 deadline, GError **error)
{
  const gint64 pause = NEGO_GUEST_PAUSE_MS * (G_USEC_PER_SEC / 1000);

  if (copy->called && nego_remote_is_shared (copy->guest)
      && !nego_copy_poll (copy, -1, g_get_monotonic_time () + pause, NULL, error))
    return NULL;
  copy->called = TRUE;
  return nego_remote_call (copy->guest, request->command, request->arguments, deadline, error);
}

/* The reply to the oldest request. */
static JsonNode *
nego_copy_receive (NegoCopy *copy, GError **error)
{
  NegoCopyRequest *request = g_queue_pop_head (copy->requests);
  gint64 deadline = nego_copy_deadline (copy);
  JsonNode *node = NULL;

  if (!nego_copy_poll (copy, -1, g_get_monotonic_time (), NULL, error)) {
    /* It stays, for nego_copy_drop(). */
    g_queue_push_head (copy->requests, request);
    return NULL;
  }
  if (request->arguments != NULL) {
    node = nego_copy_call (copy, request, deadline, error);
  } else {
    GString *reply = nego_copy_next (copy, request->command, deadline, error);

    if (reply != NULL) {
      node = nego_reply_parse (reply, request->command, error);
      g_string_free (reply, TRUE);
    }
  }
  nego_copy_request_free (request);
  return node;
}

/* Sends a request when nothing else is on its way, and waits for its reply. Takes @arguments. */
static JsonNode *
nego_copy_ask (NegoCopy *copy, const char *command, char *arguments, GError **error)
{
  return nego_copy_send (copy, command, arguments, error) ? nego_copy_receive (copy, error) : NULL;
}

static char *
nego_copy_quote (const char *text)
{
  GString *out = g_string_new (NULL);
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, out);
  nego_json_writer_string (&writer, text);
  return g_string_free (out, FALSE);
}

/* Closes the guest's file, as well as that goes: what was asked for is answered first, and may be
 * an error again. A link that failed is left alone. */
static void
nego_copy_drop (NegoCopy *copy, gint64 handle)
{
  g_autoptr (JsonNode) reply = NULL;

  copy->dropping = TRUE;
  for (;;) {
    NegoCopyRequest *request = g_queue_peek_head (copy->requests);
    g_autoptr (GError) error = NULL;
    g_autoptr (JsonNode) late = NULL;

    if (request == NULL)
      break;
    if (request->arguments != NULL) { /* never sent */
      nego_copy_request_free (g_queue_pop_head (copy->requests));
      continue;
    }
    late = nego_copy_receive (copy, &error);
    if (late == NULL && !g_error_matches (error, NEGO_ERROR, NEGO_ERROR_GENERIC))
      return;
  }
  reply = nego_copy_ask (copy, "guest-file-close",
                         g_strdup_printf ("{\"handle\":%" G_GINT64_FORMAT "}", handle), NULL);
}

static void
nego_copy_hash_init (NegoCopyHash *hash)
{
  hash->checksum = g_checksum_new (G_CHECKSUM_SHA256);
  hash->size = 0;
  hash->hashes = g_ptr_array_new_with_free_func (g_free);
}

static void
nego_copy_hash_clear (NegoCopyHash *hash)
{
  g_clear_pointer (&hash->checksum, g_checksum_free);
  g_clear_pointer (&hash->hashes, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoCopyHash, nego_copy_hash_clear)

static void
nego_copy_hash_cut (NegoCopyHash *hash)
{
  g_ptr_array_add (hash->hashes, g_strdup (g_checksum_get_string (hash->checksum)));
  g_checksum_reset (hash->checksum);
}

static void
nego_copy_hash_add (NegoCopyHash *hash, const guint8 *data, gsize len)
{
  while (len > 0) {
    gsize room = NEGO_FILE_HASH_BYTES - (gsize) (hash->size % NEGO_FILE_HASH_BYTES);
    gsize n = MIN (len, room);

    g_checksum_update (hash->checksum, data, (gssize) n);
    hash->size += n;
    data += n;
    len -= n;
    if (n == room)
      nego_copy_hash_cut (hash);
  }
}

static QapiNegotiatorFileStat *
nego_copy_stat (NegoCopy *copy, gint64 handle, guint64 offset, guint count, GError **error)
{
  g_autoptr (JsonNode) node
    = nego_copy_ask (copy, "negotiator-file-stat",
                     g_strdup_printf ("{\"handle\":%" G_GINT64_FORMAT
                                      ",\"offset\":%" G_GUINT64_FORMAT ",\"count\":%u}",
                                      handle, offset, count),
                     error);

  if (node == NULL)
    return NULL;
  return qapi_decode (&qapi_negotiator_file_stat_type, node, "negotiator-file-stat", FALSE, error);
}

/* Compares what was hashed here with the guest's file. */
static gboolean
nego_copy_compare (NegoCopy *copy, gint64 handle, NegoCopyHash *hash, GError **error)
{
  if (hash->size % NEGO_FILE_HASH_BYTES > 0)
    nego_copy_hash_cut (hash);
  for (guint i = 0; i < hash->hashes->len; i++) {
    const guint64 offset = (guint64) i * NEGO_FILE_HASH_BYTES;
    const guint count = (guint) MIN (hash->size - offset, NEGO_FILE_HASH_BYTES);
    g_autoptr (QapiNegotiatorFileStat) stat = nego_copy_stat (copy, handle, offset, count, error);

    if (stat == NULL)
      return FALSE;
    if (g_strcmp0 (stat->sha256, hash->hashes->pdata[i]) != 0) {
      g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                   "the SHA-256 of the copy differs from byte %" G_GUINT64_FORMAT
                   " on: the file was changed meanwhile, or damaged",
                   offset);
      return FALSE;
    }
  }
  return TRUE;
}

static void
nego_copy_tell (const NegoCopy *copy, guint64 done, guint64 total)
{
  if (copy->progress != NULL)
    copy->progress (done, total, copy->user_data);
}

/* Bytes of one piece: a message of our own port holds 1 MiB, what passes through libvirt less, but
 * only on the way in. */
static guint
nego_copy_piece (const NegoCopy *copy, gboolean in)
{
  return in && nego_remote_is_shared (copy->guest) ? NEGO_RUN_INPUT_BYTES_LIBVIRT
                                                   : NEGO_RUN_INPUT_BYTES;
}

/* Out of the guest. */

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
  struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
  gint64 s = stat->mtime_ns / NEGO_COPY_NS, ns = stat->mtime_ns % NEGO_COPY_NS;

  times[1] = (struct timespec){ .tv_sec = (time_t) (ns < 0 ? s - 1 : s),
                                .tv_nsec = (long) (ns < 0 ? ns + NEGO_COPY_NS : ns) };
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
  copy->requests = g_queue_new ();
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
  g_queue_free_full (g_steal_pointer (&copy->requests), nego_copy_request_free);
  return done;
}

/* Into the guest. */

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
  g_autoptr (JsonNode) node = nego_copy_ask (
    copy, "negotiator-file-finish",
    g_strdup_printf ("{\"handle\":%" G_GINT64_FORMAT
                     ",\"path\":%s,\"mode\":%u,\"mtime-ns\":%" G_GINT64_FORMAT "}",
                     handle, path, (guint) st->st_mode & 0777,
                     (gint64) st->st_mtim.tv_sec * NEGO_COPY_NS + st->st_mtim.tv_nsec),
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
    copy->requests = g_queue_new ();
    done = nego_copy_in_from (copy, fd, remote, &st, error);
    g_queue_free_full (g_steal_pointer (&copy->requests), nego_copy_request_free);
  }
  if (fd >= 0)
    close (fd);
  return done;
}
