/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/copy-private.h"

#include "common/client/reply.h"
#include "common/error.h"
#include "common/json.h"
#include "common/names.h"
#include "qapi/decode.h"
#include "qapi/qapi-visit.h"

#include <poll.h>

/* A request that was not answered; on a link without post() also one that was not sent. */
typedef struct {
  const char *command;
  char *arguments; /* NULL: it was sent */
} NegoCopyRequest;

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
gboolean
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

/* One call on a link without post(). An agent that libvirt shares out is left to others now and
 * then: whoever waits for it gets it within that time. */
static JsonNode *
nego_copy_call (NegoCopy *copy, const NegoCopyRequest *request, gint64 deadline, GError **error)
{
  const gint64 pause = NEGO_GUEST_PAUSE_MS * (G_USEC_PER_SEC / 1000);

  const gint64 limit = (gint64) (NEGO_GUEST_WAIT_QGA_S * G_USEC_PER_SEC);

  if (copy->held_since == 0)
    copy->held_since = g_get_monotonic_time ();
  if (nego_remote_is_shared (copy->guest) && g_get_monotonic_time () - copy->held_since >= limit) {
    if (!nego_copy_poll (copy, -1, g_get_monotonic_time () + pause, NULL, error))
      return NULL;
    copy->held_since = g_get_monotonic_time ();
  }
  return nego_remote_call (copy->guest, request->command, request->arguments, deadline, error);
}

/* The reply to the oldest request. */
JsonNode *
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
JsonNode *
nego_copy_ask (NegoCopy *copy, const char *command, char *arguments, GError **error)
{
  return nego_copy_send (copy, command, arguments, error) ? nego_copy_receive (copy, error) : NULL;
}

char *
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
void
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

void
nego_copy_hash_init (NegoCopyHash *hash)
{
  hash->checksum = g_checksum_new (G_CHECKSUM_SHA256);
  hash->size = 0;
  hash->hashes = g_ptr_array_new_with_free_func (g_free);
}

void
nego_copy_hash_clear (NegoCopyHash *hash)
{
  g_clear_pointer (&hash->checksum, g_checksum_free);
  g_clear_pointer (&hash->hashes, g_ptr_array_unref);
}
static void
nego_copy_hash_cut (NegoCopyHash *hash)
{
  g_ptr_array_add (hash->hashes, g_strdup (g_checksum_get_string (hash->checksum)));
  g_checksum_reset (hash->checksum);
}

void
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

QapiNegotiatorFileStat *
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
gboolean
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

void
nego_copy_tell (const NegoCopy *copy, guint64 done, guint64 total)
{
  if (copy->progress != NULL)
    copy->progress (done, total, copy->user_data);
}

/* Bytes of one piece: a message of our own port holds 1 MiB, what passes through libvirt less, but
 * only on the way in. */
guint
nego_copy_piece (const NegoCopy *copy, gboolean in)
{
  return in && nego_remote_is_shared (copy->guest) ? NEGO_RUN_INPUT_BYTES_LIBVIRT
                                                   : NEGO_RUN_INPUT_BYTES;
}

void
nego_copy_begin (NegoCopy *copy)
{
  copy->requests = g_queue_new ();
}

void
nego_copy_end (NegoCopy *copy)
{
  g_queue_free_full (g_steal_pointer (&copy->requests), nego_copy_request_free);
}
