/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/client/link-socket.h"

#include "common/error.h"
#include "common/names.h"
#include "common/client/end.h"
#include "common/client/reply.h"

#include <string.h>
#include <sys/random.h>

typedef struct {
  NegoLink link;
  NegoEnd *end;
  double patience;
  gboolean synced;
  NegoFramer *framer; /* once requests are posted */
} NegoLinkSocket;

typedef enum {
  NEGO_LINK_SOCKET_MESSAGE,
  NEGO_LINK_SOCKET_MALFORMED, /* input that is no message, or over a limit; more may follow */
  NEGO_LINK_SOCKET_FAILED,
} NegoLinkSocketResult;

/* Hands @framer what was read. */
static NegoFramerResult
nego_link_socket_feed (NegoLinkSocket *self,
                       NegoFramer *framer,
                       NegoFramerMessage *message,
                       GError **error)
{
  NegoEnd *end = self->end;
  gsize used = 0;
  const NegoFramerResult result = nego_framer_feed (framer, end->in + end->start,
                                                    end->stop - end->start, &used, message, error);

  end->start += used;
  return result;
}

/* The next message. @error is set unless it is MESSAGE. */
static NegoLinkSocketResult
nego_link_socket_next (NegoLinkSocket *self,
                       NegoFramer *framer,
                       NegoFramerMessage *message,
                       gint64 deadline,
                       GError **error)
{
  for (;;) {
    NegoFramerResult result;

    /* Also when bytes keep coming. */
    if (nego_link_time_left (deadline) == 0) {
      nego_end_set_silent (self->end, error);
      return NEGO_LINK_SOCKET_FAILED;
    }
    if (self->end->start == self->end->stop && !nego_end_fill (self->end, deadline, error))
      return NEGO_LINK_SOCKET_FAILED;
    result = nego_link_socket_feed (self, framer, message, error);
    if (result == NEGO_FRAMER_MESSAGE)
      return NEGO_LINK_SOCKET_MESSAGE;
    if (result == NEGO_FRAMER_ERROR)
      return NEGO_LINK_SOCKET_MALFORMED;
  }
}

/* Discards all up to the reply to the sync @id. */
static gboolean
nego_link_socket_await_sync (
  NegoLinkSocket *self, NegoFramer *framer, const char *id, gint64 deadline, GError **error)
{
  const gint64 verdict = g_get_monotonic_time () + (gint64) (NEGO_GUEST_SYNC_S * G_USEC_PER_SEC);
  gboolean judged = self->end->shared || deadline <= verdict;

  for (;;) {
    g_autoptr (GError) failure = NULL;
    NegoFramerMessage message;
    const NegoFramerMember *member;

    switch (nego_link_socket_next (self, framer, &message, judged ? deadline : verdict, &failure)) {
    case NEGO_LINK_SOCKET_MESSAGE:
      member = nego_framer_message_find (&message, "return");
      if (member != NULL && member->value_len == strlen (id)
          && memcmp (message.text + member->value, id, member->value_len) == 0)
        return TRUE;
      break;
    case NEGO_LINK_SOCKET_MALFORMED:
      break;
    case NEGO_LINK_SOCKET_FAILED:
      if (!g_error_matches (failure, NEGO_ERROR, NEGO_ERROR_TIMEOUT)) {
        g_propagate_error (error, g_steal_pointer (&failure));
        return FALSE;
      }
      if (nego_end_is_waiting (self->end))
        return nego_end_set_busy (self->end, error);
      if (judged) {
        g_propagate_error (error, g_steal_pointer (&failure));
        return FALSE;
      }
      judged = TRUE;
      break;
    }
  }
}

/* Returns: (transfer full): the bytes of a sync; @id is its id, as written in the reply. */
static GString *
nego_link_socket_new_sync (char **id)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint64 random = 0;

  /* Falling short is harmless: the id only has to differ from those before it. */
  if (getrandom (&random, sizeof random, GRND_NONBLOCK) < 0)
    random = (guint64) g_get_real_time ();
  /* 53 bits: a double holds it, whatever the agent's JSON is made of. */
  *id = g_strdup_printf ("%" G_GUINT64_FORMAT, random >> 11);
  g_string_printf (text, "\xff{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":%s}}\n",
                   *id);
  return g_steal_pointer (&text);
}

/* @request as a line: some agents answer only whole ones. */
static void
nego_link_socket_append (GString *text, const NegoLinkRequest *request)
{
  g_string_append_len (text, request->text, (gssize) request->len);
  g_string_append_c (text, '\n');
}

static gboolean
nego_link_socket_send (const NegoLinkSocket *self,
                       const NegoLinkRequest *request,
                       gint64 deadline,
                       GError **error)
{
  g_autoptr (GString) line = g_string_sized_new (request->len + 2);

  nego_link_socket_append (line, request);
  return nego_end_write (self->end, line->str, line->len, deadline, error);
}

/* Writes the sync, with @request behind it if that may be, and waits for its answer. */
static gboolean
nego_link_socket_do_sync (NegoLinkSocket *self,
                          NegoFramer *framer,
                          const NegoLinkRequest *request,
                          gint64 deadline,
                          GError **error)
{
  g_autofree char *id = NULL;
  g_autoptr (GString) text = nego_link_socket_new_sync (&id);

  if (self->patience > 0)
    deadline = MIN (deadline, g_get_monotonic_time () + (gint64) (self->patience * G_USEC_PER_SEC));
  if (request != NULL)
    nego_link_socket_append (text, request);
  self->synced = nego_end_write (self->end, text->str, text->len, deadline, error)
                 && nego_link_socket_await_sync (self, framer, id, deadline, error);
  return self->synced;
}

static gboolean
nego_link_socket_sync (NegoLink *link, gint64 deadline, GError **error)
{
  NegoLinkSocket *self = (NegoLinkSocket *) link;
  g_autoptr (NegoFramer) framer = nego_reply_framer_new (NEGO_GUEST_REPLY_BYTES);

  return self->synced || nego_link_socket_do_sync (self, framer, NULL, deadline, error);
}

/* Waits for the reply to the request that was sent. */
static GString *
nego_link_socket_await_reply (NegoLinkSocket *self,
                              NegoFramer *framer,
                              gint64 deadline,
                              GError **error)
{
  NegoFramerMessage message;

  do {
    switch (nego_link_socket_next (self, framer, &message, deadline, error)) {
    case NEGO_LINK_SOCKET_MESSAGE:
      break;
    case NEGO_LINK_SOCKET_MALFORMED:
      g_prefix_error (error, "the agent at '%s' sent what is no reply: ", self->end->path);
      return NULL;
    case NEGO_LINK_SOCKET_FAILED:
      return NULL;
    }
  } while (!nego_reply_is_one (&message));
  return g_string_new_len (message.text, (gssize) message.len);
}

static GString *
nego_link_socket_call (NegoLink *link,
                       const NegoLinkRequest *request,
                       gint64 deadline,
                       GError **error)
{
  NegoLinkSocket *self = (NegoLinkSocket *) link;
  g_autoptr (NegoFramer) framer = nego_reply_framer_new (request->max_reply);
  gboolean sent = !self->synced && request->harmless;
  GString *reply;

  if (!self->synced
      && !nego_link_socket_do_sync (self, framer, sent ? request : NULL, deadline, error))
    return NULL;
  /* Until the reply is there; then nothing is left on the way that could be taken for another's. */
  self->synced = FALSE;
  if (!sent && !nego_link_socket_send (self, request, deadline, error))
    return NULL;
  reply = nego_link_socket_await_reply (self, framer, deadline, error);
  self->synced = reply != NULL;
  return reply;
}

static gboolean
nego_link_socket_post (NegoLink *link,
                       const NegoLinkRequest *request,
                       gint64 deadline,
                       GError **error)
{
  NegoLinkSocket *self = (NegoLinkSocket *) link;

  if (self->framer == NULL) {
    self->framer = nego_reply_framer_new (NEGO_GUEST_REPLY_BYTES);
    if (!self->synced && !nego_link_socket_do_sync (self, self->framer, NULL, deadline, error))
      return FALSE;
  }
  return nego_link_socket_send (self, request, deadline, error);
}

static gboolean
nego_link_socket_take (NegoLink *link, NegoFramerMessage *message, GError **error)
{
  NegoLinkSocket *self = (NegoLinkSocket *) link;

  for (;;) {
    NegoFramerResult result;

    if (self->end->start == self->end->stop && !nego_end_take (self->end, error))
      return FALSE;
    result = nego_link_socket_feed (self, self->framer, message, error);
    if (result == NEGO_FRAMER_MESSAGE)
      return TRUE;
    if (result == NEGO_FRAMER_ERROR) {
      g_prefix_error (error, "the agent at '%s' sent what is no message: ", self->end->path);
      return FALSE;
    }
  }
}

static int
nego_link_socket_get_fd (NegoLink *link)
{
  return ((NegoLinkSocket *) link)->end->fd;
}

static void
nego_link_socket_free (NegoLink *link)
{
  NegoLinkSocket *self = (NegoLinkSocket *) link;

  nego_end_free (self->end);
  nego_framer_free (self->framer);
  g_free (self);
}

/* Takes @end; NULL is passed on. */
static NegoLink *
nego_link_socket_make (const NegoLinkClass *klass, NegoEnd *end, double patience)
{
  NegoLinkSocket *self;

  if (end == NULL)
    return NULL;
  self = g_new0 (NegoLinkSocket, 1);
  self->link = (NegoLink){ .klass = klass };
  self->end = end;
  self->patience = patience;
  return &self->link;
}

NegoLink *
nego_link_socket_new_device (const char *path, double patience, GError **error)
{
  static const NegoLinkClass klass = {
    .sync = nego_link_socket_sync,
    .call = nego_link_socket_call,
    .free = nego_link_socket_free,
  };

  return nego_link_socket_make (&klass, nego_end_new_device (path, error), patience);
}

static NegoLink *
nego_link_socket_new_to (NegoEnd *end, double patience)
{
  static const NegoLinkClass klass = {
    .sync = nego_link_socket_sync,
    .call = nego_link_socket_call,
    .post = nego_link_socket_post,
    .next = nego_link_socket_take,
    .get_fd = nego_link_socket_get_fd,
    .free = nego_link_socket_free,
  };

  return nego_link_socket_make (&klass, end, patience);
}

NegoLink *
nego_link_socket_new (const char *path, double patience, GError **error)
{
  return nego_link_socket_new_to (nego_end_new (path, error), patience);
}

NegoLink *
nego_link_socket_new_shared (const char *path, double patience, GError **error)
{
  return nego_link_socket_new_to (nego_end_new_shared (path, patience, error), patience);
}
