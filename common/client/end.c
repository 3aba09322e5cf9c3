/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/client/end.h"

#include "common/error.h"
#include "common/client/link.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Whether a connection to the socket's address waits for being accepted: it has no inode yet, and
 * SS_CONNECTING (2) as its state (Linux, net/unix/af_unix.c, unix_seq_show). */
gboolean
nego_end_is_waiting (const NegoEnd *end)
{
  struct sockaddr_un peer;
  socklen_t len = sizeof peer;
  g_autofree char *table = NULL;
  g_auto (GStrv) lines = NULL;

  memset (&peer, 0, sizeof peer);
  if (end->shared || getpeername (end->fd, (struct sockaddr *) &peer, &len) < 0
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

gboolean
nego_end_set_busy (const NegoEnd *end, GError **error)
{
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY,
               "the port is busy: another program holds '%s'; it may be nego-hostd, another "
               "nego-host, or any client of the socket",
               end->path);
  return FALSE;
}

gboolean
nego_end_set_silent (const NegoEnd *end, GError **error)
{
  if (end->device) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT, "the host does not answer at '%s'",
                 end->path);
    return FALSE;
  }
  g_set_error (
    error, NEGO_ERROR, NEGO_ERROR_TIMEOUT,
    "the agent does not answer at '%s': is nego-agent installed and running in the guest?",
    end->path);
  return FALSE;
}

static gboolean
nego_end_set_closed (const NegoEnd *end, GError **error)
{
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_CLOSED,
               end->device ? "no host is connected at '%s'"
                           : "the connection to '%s' was closed from the other end",
               end->path);
  return FALSE;
}

/* FALSE with TIMEOUT at the deadline. */
static gboolean
nego_end_poll (const NegoEnd *end, short events, gint64 deadline, GError **error)
{
  struct pollfd fd = { .fd = end->fd, .events = events };
  int ready;

  do
    ready = poll (&fd, 1, nego_link_time_left (deadline));
  while (ready < 0 && errno == EINTR);
  if (ready > 0)
    return TRUE;
  if (ready < 0)
    return nego_error_set_errno (error, errno, "cannot wait for '%s'", end->path);
  return nego_end_set_silent (end, error);
}

gboolean
nego_end_write (const NegoEnd *end, const char *data, gsize len, gint64 deadline, GError **error)
{
  while (len > 0) {
    gssize n = end->device ? write (end->fd, data, len)
                           : send (end->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n >= 0) {
      data += n;
      len -= (gsize) n;
    } else if (errno == EAGAIN) {
      if (!nego_end_poll (end, POLLOUT, deadline, error))
        return FALSE;
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return nego_end_set_closed (end, error);
    } else if (errno != EINTR) {
      nego_error_set_errno (error, errno, "cannot write to '%s'", end->path);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
nego_end_fill (NegoEnd *end, gint64 deadline, GError **error)
{
  for (;;) {
    gssize n = read (end->fd, end->in, sizeof end->in);

    if (n > 0) {
      end->start = 0;
      end->stop = (gsize) n;
      return TRUE;
    }
    if (n == 0 || errno == ECONNRESET)
      return nego_end_set_closed (end, error);
    if (errno == EAGAIN) {
      if (!nego_end_poll (end, POLLIN, deadline, error))
        return FALSE;
    } else if (errno != EINTR) {
      nego_error_set_errno (error, errno, "cannot read from '%s'", end->path);
      return FALSE;
    }
  }
}

/* Not blocking; but to a multiplexer, connecting waits for room in its backlog. */
static void
nego_end_set_blocking (const NegoEnd *end, gboolean blocking, double patience)
{
  const struct timeval limit = { .tv_sec = (time_t) patience,
                                 .tv_usec = (suseconds_t) (fmod (patience, 1) * G_USEC_PER_SEC) };

  setsockopt (end->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  g_unix_set_fd_nonblocking (end->fd, !blocking, NULL);
}

static gboolean
nego_end_connect_to (NegoEnd *end, double patience, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  if (g_strlcpy (address.sun_path, end->path, sizeof address.sun_path) >= sizeof address.sun_path) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO,
                 "cannot connect to '%s': a socket's path has at most %zu bytes", end->path,
                 sizeof address.sun_path - 1);
    return FALSE;
  }
  end->fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (end->fd < 0)
    return nego_error_set_errno (error, errno, "cannot make a socket");
  if (end->shared)
    nego_end_set_blocking (end, TRUE, patience);
  if (connect (end->fd, (const struct sockaddr *) &address, sizeof address) == 0) {
    nego_end_set_blocking (end, FALSE, 0);
    return TRUE;
  }
  switch (errno) {
  case EAGAIN: /* the backlog is full of others */
    return nego_end_set_busy (end, error);
  case ENOENT:
  case ECONNREFUSED:
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CLOSED,
                 "cannot connect to '%s': %s; is the guest, or the agent, running?", end->path,
                 g_strerror (errno));
    return FALSE;
  default:
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO, "cannot connect to '%s': %s", end->path,
                 g_strerror (errno));
    return FALSE;
  }
}

static gboolean
nego_end_open_device (NegoEnd *end, GError **error)
{
  end->fd = open (end->path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (end->fd >= 0)
    return TRUE;
  if (errno != EBUSY)
    return nego_error_set_errno (error, errno, "cannot open '%s'", end->path);
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY, "another program holds '%s'", end->path);
  return FALSE;
}

gboolean
nego_end_take (NegoEnd *end, GError **error)
{
  const gssize n = recv (end->fd, end->in, sizeof end->in, MSG_DONTWAIT);

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return FALSE;
  if (n == 0 || (n < 0 && errno == ECONNRESET))
    return nego_end_set_closed (end, error);
  if (n < 0)
    return nego_error_set_errno (error, errno, "cannot read from '%s'", end->path);
  end->start = 0;
  end->stop = (gsize) n;
  return TRUE;
}

static NegoEnd *
nego_end_make (const char *path, gboolean device)
{
  /* What is to be read needs no zeros. */
  NegoEnd *end = g_new (NegoEnd, 1);

  end->path = g_strdup (path);
  end->fd = -1;
  end->device = device;
  end->shared = FALSE;
  end->start = end->stop = 0;
  return end;
}

NegoEnd *
nego_end_new (const char *path, GError **error)
{
  g_autoptr (NegoEnd) end = nego_end_make (path, FALSE);

  return nego_end_connect_to (end, 0, error) ? g_steal_pointer (&end) : NULL;
}

NegoEnd *
nego_end_new_shared (const char *path, double patience, GError **error)
{
  g_autoptr (NegoEnd) end = nego_end_make (path, FALSE);

  end->shared = TRUE;
  return nego_end_connect_to (end, patience, error) ? g_steal_pointer (&end) : NULL;
}

NegoEnd *
nego_end_new_device (const char *path, GError **error)
{
  g_autoptr (NegoEnd) end = nego_end_make (path, TRUE);

  return nego_end_open_device (end, error) ? g_steal_pointer (&end) : NULL;
}

void
nego_end_free (NegoEnd *end)
{
  if (end == NULL)
    return;
  if (end->fd >= 0)
    close (end->fd);
  g_free (end->path);
  g_free (end);
}
