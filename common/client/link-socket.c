/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/client/link-socket.h"

#include "common/error.h"
#include "common/names.h"
#include "common/client/reply.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What one read takes: a reply of a negotiator command in 16 of them. */
#define READ_BYTES (64u << 10)

typedef struct {
  NegoLink link;
  char *path;
  int fd;
  gboolean device;
  double patience;
  gboolean synced;
  NegoFramer *framer; /* once requests are posted */
  gsize start, end;   /* what was read and not used yet */
  guint8 in[READ_BYTES];
} NegoLinkSocket;

typedef enum {
  NEGO_LINK_SOCKET_MESSAGE,
  NEGO_LINK_SOCKET_MALFORMED, /* input that is no message, or over a limit; more may follow */
  NEGO_LINK_SOCKET_FAILED,
} NegoLinkSocketResult;

/* Whether a connection to the socket's address waits for being accepted: it has no inode yet, and
 * SS_CONNECTING (2) as its state (Linux, net/unix/af_unix.c, unix_seq_show). */
static gboolean
nego_link_socket_is_waiting (const NegoLinkSocket *self)
{
  struct sockaddr_un peer;
  socklen_t len = sizeof peer;
  g_autofree char *table = NULL;
  g_auto (GStrv) lines = NULL;

  memset (&peer, 0, sizeof peer);
  if (getpeername (self->fd, (struct sockaddr *) &peer, &len) < 0
      || !g_file_get_contents ("/proc/net/unix", &table, NULL, NULL))
    return FALSE;
  lines = g_strsplit (table, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++) {
    unsigned int state = 0;
    unsigned long inode = 1;
    int path = 0;

    if (sscanf (lines[i], "%*x: %*x %*x %*x %*x %x %lu %n", &state, &inode, &path) == 2 && path > 0
        && state == 2 && inode == 0
        && strncmp (lines[i] + path, peer.sun_path, sizeof peer.sun_path) == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
nego_link_socket_set_busy (const NegoLinkSocket *self, GError **error)
{
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY,
               "the port is busy: another program holds '%s'; it may be nego-hostd, another "
               "nego-host, or any client of the socket",
               self->path);
  return FALSE;
}

static gboolean
nego_link_socket_set_silent (const NegoLinkSocket *self, GError **error)
{
  if (self->device) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT, "the host does not answer at '%s'",
                 self->path);
    return FALSE;
  }
  g_set_error (
    error, NEGO_ERROR, NEGO_ERROR_TIMEOUT,
    "the agent does not answer at '%s': is nego-agent installed and running in the guest?",
    self->path);
  return FALSE;
}

static gboolean
nego_link_socket_set_closed (const NegoLinkSocket *self, GError **error)
{
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_CLOSED,
               self->device ? "no host is connected at '%s'"
                            : "the connection to '%s' was closed from the other end",
               self->path);
  return FALSE;
}

/* FALSE with TIMEOUT at the deadline. */
static gboolean
nego_link_socket_poll (const NegoLinkSocket *self, short events, gint64 deadline, GError **error)
{
  struct pollfd fd = { .fd = self->fd, .events = events };
  int ready;

  do
    ready = poll (&fd, 1, nego_link_time_left (deadline));
  while (ready < 0 && errno == EINTR);
  if (ready > 0)
    return TRUE;
  if (ready < 0)
    return nego_error_set_errno (error, errno, "cannot wait for '%s'", self->path);
  return nego_link_socket_set_silent (self, error);
}

static gboolean
nego_link_socket_write (
  const NegoLinkSocket *self, const char *data, gsize len, gint64 deadline, GError **error)
{
  while (len > 0) {
    gssize n = self->device ? write (self->fd, data, len)
                            : send (self->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n >= 0) {
      data += n;
      len -= (gsize) n;
    } else if (errno == EAGAIN) {
      if (!nego_link_socket_poll (self, POLLOUT, deadline, error))
        return FALSE;
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return nego_link_socket_set_closed (self, error);
    } else if (errno != EINTR) {
      nego_error_set_errno (error, errno, "cannot write to '%s'", self->path);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
nego_link_socket_read (NegoLinkSocket *self, gint64 deadline, GError **error)
{
  for (;;) {
    gssize n = read (self->fd, self->in, sizeof self->in);

    if (n > 0) {
      self->start = 0;
      self->end = (gsize) n;
      return TRUE;
    }
    if (n == 0 || errno == ECONNRESET)
      return nego_link_socket_set_closed (self, error);
    if (errno == EAGAIN) {
      if (!nego_link_socket_poll (self, POLLIN, deadline, error))
        return FALSE;
    } else if (errno != EINTR) {
      nego_error_set_errno (error, errno, "cannot read from '%s'", self->path);
      return FALSE;
    }
  }
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
    gsize used = 0;
    NegoFramerResult result;

    /* Also when bytes keep coming. */
    if (nego_link_time_left (deadline) == 0) {
      nego_link_socket_set_silent (self, error);
      return NEGO_LINK_SOCKET_FAILED;
    }
    if (self->start == self->end && !nego_link_socket_read (self, deadline, error))
      return NEGO_LINK_SOCKET_FAILED;
    result = nego_framer_feed (framer, self->in + self->start, self->end - self->start, &used,
                               message, error);
    self->start += used;
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
  gboolean judged = deadline <= verdict;

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
      if (nego_link_socket_is_waiting (self))
        return nego_link_socket_set_busy (self, error);
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
  return nego_link_socket_write (self, line->str, line->len, deadline, error);
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
  self->synced = nego_link_socket_write (self, text->str, text->len, deadline, error)
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
      g_prefix_error (error, "the agent at '%s' sent what is no reply: ", self->path);
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
    gsize used = 0;
    NegoFramerResult result;

    if (self->start == self->end) {
      gssize n = recv (self->fd, self->in, sizeof self->in, MSG_DONTWAIT);

      if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return FALSE;
      if (n == 0 || (n < 0 && errno == ECONNRESET))
        return nego_link_socket_set_closed (self, error);
      if (n < 0)
        return nego_error_set_errno (error, errno, "cannot read from '%s'", self->path);
      self->start = 0;
      self->end = (gsize) n;
    }
    result = nego_framer_feed (self->framer, self->in + self->start, self->end - self->start, &used,
                               message, error);
    self->start += used;
    if (result == NEGO_FRAMER_MESSAGE)
      return TRUE;
    if (result == NEGO_FRAMER_ERROR) {
      g_prefix_error (error, "the agent at '%s' sent what is no message: ", self->path);
      return FALSE;
    }
  }
}

static int
nego_link_socket_get_fd (NegoLink *link)
{
  return ((NegoLinkSocket *) link)->fd;
}

static void
nego_link_socket_free (NegoLink *link)
{
  NegoLinkSocket *self = (NegoLinkSocket *) link;

  if (self->fd >= 0)
    close (self->fd);
  nego_framer_free (self->framer);
  g_free (self->path);
  g_free (self);
}

static gboolean
nego_link_socket_connect (NegoLinkSocket *self, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  if (g_strlcpy (address.sun_path, self->path, sizeof address.sun_path)
      >= sizeof address.sun_path) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO,
                 "cannot connect to '%s': a socket's path has at most %zu bytes", self->path,
                 sizeof address.sun_path - 1);
    return FALSE;
  }
  self->fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (self->fd < 0)
    return nego_error_set_errno (error, errno, "cannot make a socket");
  if (connect (self->fd, (const struct sockaddr *) &address, sizeof address) == 0)
    return TRUE;
  switch (errno) {
  case EAGAIN: /* the backlog is full of others */
    return nego_link_socket_set_busy (self, error);
  case ENOENT:
  case ECONNREFUSED:
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CLOSED,
                 "cannot connect to '%s': %s; is the guest, or the agent, running?", self->path,
                 g_strerror (errno));
    return FALSE;
  default:
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO, "cannot connect to '%s': %s", self->path,
                 g_strerror (errno));
    return FALSE;
  }
}

static gboolean
nego_link_socket_open (NegoLinkSocket *self, GError **error)
{
  self->fd = open (self->path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (self->fd >= 0)
    return TRUE;
  if (errno != EBUSY)
    return nego_error_set_errno (error, errno, "cannot open '%s'", self->path);
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY, "another program holds '%s'", self->path);
  return FALSE;
}

static NegoLinkSocket *
nego_link_socket_make (const NegoLinkClass *klass, const char *path, double patience)
{
  NegoLinkSocket *self = g_new (NegoLinkSocket, 1);

  self->link = (NegoLink){ .klass = klass };
  self->path = g_strdup (path);
  self->fd = -1;
  self->device = FALSE;
  self->patience = patience;
  self->synced = FALSE;
  self->framer = NULL;
  self->start = self->end = 0;
  return self;
}

NegoLink *
nego_link_socket_new_device (const char *path, double patience, GError **error)
{
  static const NegoLinkClass klass = {
    .sync = nego_link_socket_sync,
    .call = nego_link_socket_call,
    .free = nego_link_socket_free,
  };
  NegoLinkSocket *self = nego_link_socket_make (&klass, path, patience);
  g_autoptr (NegoLink) link = &self->link;

  self->device = TRUE;
  return nego_link_socket_open (self, error) ? g_steal_pointer (&link) : NULL;
}

NegoLink *
nego_link_socket_new (const char *path, double patience, GError **error)
{
  static const NegoLinkClass klass = {
    .sync = nego_link_socket_sync,
    .call = nego_link_socket_call,
    .post = nego_link_socket_post,
    .next = nego_link_socket_take,
    .get_fd = nego_link_socket_get_fd,
    .free = nego_link_socket_free,
  };
  NegoLinkSocket *self = nego_link_socket_make (&klass, path, patience);
  g_autoptr (NegoLink) link = &self->link;

  return nego_link_socket_connect (self, error) ? g_steal_pointer (&link) : NULL;
}
