/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-listener"

#include "config.h"

#include "common/listener.h"

#include "common/error.h"
#include "common/names.h"
#include "common/source.h"

#include <glib-unix.h>

#include <errno.h>
#include <grp.h>
#include <linux/vm_sockets.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct NegoListener {
  int fd;
  int family;
  char *path; /* of our own socket file, or NULL */
  dev_t device;
  ino_t inode;
  GArray *peers; /* guint32 */

  gboolean accepting;
  GSource *source;        /* while it accepts; or: */
  NegoPollerEntry *entry; /* in the poller */
  NegoPoller *poller;     /* NULL: none */
  GSource *pause;
  NegoListenerFunc connected;
  gpointer user_data;
};

static void nego_listener_update (NegoListener *listener);

static int
nego_listener_fail (int fd, GError **error, const char *what, const char *path)
{
  nego_error_set_errno (error, errno, "failed to %s '%s'", what, path);
  if (fd >= 0)
    close (fd);
  return -1;
}

/* Whether the socket file at @address may be replaced: nobody listens on it. */
static gboolean
nego_listener_is_stale (const struct sockaddr_un *address, GError **error)
{
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int connected, errnum;

  if (fd < 0)
    return nego_error_set_errno (error, errno, "failed to look who listens on '%s'",
                                 address->sun_path);
  connected = connect (fd, (const struct sockaddr *) address, sizeof *address);
  errnum = errno;
  close (fd);
  if (connected == 0 || errnum == EAGAIN) { /* EAGAIN: its backlog is full */
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY, "another process listens on '%s'",
                 address->sun_path);
    return FALSE;
  }
  if (errnum == ECONNREFUSED || errnum == ENOENT)
    return TRUE;
  return nego_error_set_errno (error, errnum, "failed to look who listens on '%s'",
                               address->sun_path);
}

static gboolean
nego_listener_remove_stale (const struct sockaddr_un *address, GError **error)
{
  struct stat st;

  if (lstat (address->sun_path, &st) < 0)
    return errno == ENOENT
           || nego_error_set_errno (error, errno, "failed to look at '%s'", address->sun_path);
  if (!S_ISSOCK (st.st_mode)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY, "failed to listen on '%s': it is no socket",
                 address->sun_path);
    return FALSE;
  }
  if (!nego_listener_is_stale (address, error))
    return FALSE;
  if (unlink (address->sun_path) < 0 && errno != ENOENT)
    return nego_error_set_errno (error, errno, "failed to replace '%s'", address->sun_path);
  return TRUE;
}

/* Returns a listening descriptor or -1. */
static int
nego_listener_bind_unix (const char *path, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd;

  if (strlen (path) >= sizeof address.sun_path) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO,
                 "failed to listen on '%s': the path is longer than %" G_GSIZE_FORMAT " bytes",
                 path, sizeof address.sun_path - 1);
    return -1;
  }
  memcpy (address.sun_path, path, strlen (path));
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  /* The file gets the mode of the socket's own inode: there is no moment with a wider one. */
  if (fd < 0 || fchmod (fd, 0600) < 0)
    return nego_listener_fail (fd, error, "make the socket", path);
  if (bind (fd, (struct sockaddr *) &address, sizeof address) < 0) {
    if (errno != EADDRINUSE)
      return nego_listener_fail (fd, error, "listen on", path);
    if (!nego_listener_remove_stale (&address, error)) {
      close (fd);
      return -1;
    }
    if (bind (fd, (struct sockaddr *) &address, sizeof address) < 0)
      return nego_listener_fail (fd, error, "listen on", path);
  }
  if (listen (fd, NEGO_LISTENER_BACKLOG) < 0)
    return nego_listener_fail (fd, error, "listen on", path);
  return fd;
}

static NegoListener *
nego_listener_new (int fd, int family, const GArray *peers)
{
  NegoListener *listener = g_new0 (NegoListener, 1);
  guint32 host = VMADDR_CID_HOST;

  listener->fd = fd;
  listener->family = family;
  listener->peers = g_array_new (FALSE, FALSE, sizeof (guint32));
  if (peers != NULL && peers->len > 0)
    g_array_append_vals (listener->peers, peers->data, peers->len);
  else
    g_array_append_val (listener->peers, host);
  return listener;
}

NegoListener *
nego_listener_new_unix (const char *path, GError **error)
{
  int fd = nego_listener_bind_unix (path, error);
  NegoListener *listener;
  struct stat st;

  if (fd < 0)
    return NULL;
  listener = nego_listener_new (fd, AF_UNIX, NULL);
  if (lstat (path, &st) == 0) {
    listener->path = g_strdup (path);
    listener->device = st.st_dev;
    listener->inode = st.st_ino;
  }
  return listener;
}

gboolean
nego_listener_find_group (const char *group, gid_t *gid, GError **error)
{
  const struct group *entry = getgrnam (group);

  if (entry == NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND, "there is no group '%s'", group);
    return FALSE;
  }
  *gid = entry->gr_gid;
  return TRUE;
}

gboolean
nego_listener_set_access (NegoListener *listener, gid_t gid, guint mode, GError **error)
{
  /* The group first: before, the mode is one for the owner alone. */
  if (gid != NEGO_LISTENER_NO_GROUP && lchown (listener->path, (uid_t) -1, gid) < 0)
    return nego_error_set_errno (error, errno, "failed to give '%s' to the group %u",
                                 listener->path, (guint) gid);
  if (chmod (listener->path, mode) < 0)
    return nego_error_set_errno (error, errno, "failed to set the mode of '%s'", listener->path);
  return TRUE;
}

NegoListener *
nego_listener_new_vsock (guint32 cid, guint32 port, const GArray *peers, GError **error)
{
  struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port };
  g_autofree char *name = g_strdup_printf ("%u:%u", cid, port);
  int fd = socket (AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (fd < 0 || bind (fd, (struct sockaddr *) &address, sizeof address) < 0
      || listen (fd, NEGO_LISTENER_BACKLOG) < 0) {
    nego_listener_fail (fd, error, "listen on vsock", name);
    return NULL;
  }
  return nego_listener_new (fd, AF_VSOCK, peers);
}

NegoListener *
nego_listener_new_fd (int fd, const GArray *peers, GError **error)
{
  int family = 0;
  socklen_t len = sizeof family;

  if (getsockopt (fd, SOL_SOCKET, SO_DOMAIN, &family, &len) < 0) {
    nego_error_set_errno (error, errno, "failed to look at the descriptor %d", fd);
    return NULL;
  }
  if (family != AF_UNIX && family != AF_VSOCK) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG,
                 "unsupported listen fd type (descriptor %d): must be a unix or vsock socket", fd);
    return NULL;
  }
  g_unix_set_fd_nonblocking (fd, TRUE, NULL);
  return nego_listener_new (fd, family, peers);
}

void
nego_listener_free (NegoListener *listener)
{
  struct stat st;

  if (listener == NULL)
    return;
  listener->accepting = FALSE;
  nego_listener_update (listener);
  if (listener->path != NULL && lstat (listener->path, &st) == 0 && st.st_dev == listener->device
      && st.st_ino == listener->inode)
    unlink (listener->path);
  close (listener->fd);
  g_array_unref (listener->peers);
  g_free (listener->path);
  g_free (listener);
}

char *
nego_listener_describe_client (int fd)
{
  struct sockaddr_vm peer = { 0 };
  struct ucred cred = { 0 };
  socklen_t len = sizeof cred;

  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && cred.pid > 0)
    return g_strdup_printf ("process %d, user %u", cred.pid, cred.uid);
  len = sizeof peer;
  if (getpeername (fd, (struct sockaddr *) &peer, &len) == 0 && peer.svm_family == AF_VSOCK)
    return g_strdup_printf ("CID %u", peer.svm_cid);
  return NULL;
}

/* Whether the client of @fd may talk to us; a unix socket's mode has decided that already. */
static gboolean
nego_listener_admits (NegoListener *listener, int fd)
{
  struct sockaddr_vm peer = { 0 };
  struct ucred cred = { 0 };
  socklen_t len = sizeof cred;
  guint i;

  if (listener->family == AF_UNIX) {
    if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
      g_debug ("a client connects: process %d, user %u, group %u", cred.pid, cred.uid, cred.gid);
    return TRUE;
  }
  len = sizeof peer;
  if (getpeername (fd, (struct sockaddr *) &peer, &len) < 0)
    return FALSE;
  for (i = 0; i < listener->peers->len; i++) {
    guint32 cid = g_array_index (listener->peers, guint32, i);

    if (cid == peer.svm_cid || cid == VMADDR_CID_ANY)
      return TRUE;
  }
  g_info ("a vsock client is refused: 'vsock-peers' has no CID %u", peer.svm_cid);
  return FALSE;
}

static gboolean
nego_listener_pause_cb (gpointer user_data)
{
  NegoListener *listener = user_data;

  g_clear_pointer (&listener->pause, g_source_unref);
  nego_listener_update (listener);
  return G_SOURCE_REMOVE;
}

/* The client that cannot be accepted keeps the socket readable: without a pause we would spin. */
static void
nego_listener_pause (NegoListener *listener, int errnum)
{
  g_warning ("failed to accept a client: %s", g_strerror (errnum));
  listener->pause = g_timeout_source_new (NEGO_LISTENER_PAUSE_MS);
  g_source_set_callback (listener->pause, nego_listener_pause_cb, listener, NULL);
  g_source_attach (listener->pause, g_main_context_get_thread_default ());
  nego_listener_update (listener);
}

static void
nego_listener_accept (NegoListener *listener)
{
  while (listener->accepting) {
    int fd = accept4 (listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
      continue;
    if (fd < 0 && errno != EAGAIN)
      nego_listener_pause (listener, errno);
    if (fd < 0)
      break;
    if (nego_listener_admits (listener, fd))
      listener->connected (listener, fd, listener->user_data);
    else
      close (fd);
  }
}

static gboolean
nego_listener_ready_cb (int listen_fd, GIOCondition condition, gpointer user_data)
{
  nego_listener_accept (user_data);
  return G_SOURCE_CONTINUE;
}

static void
nego_listener_polled_cb (GIOCondition condition, gpointer user_data)
{
  nego_listener_accept (user_data);
}

static void
nego_listener_watch (NegoListener *listener)
{
  if (listener->source != NULL || listener->entry != NULL)
    return;
  if (listener->poller != NULL)
    listener->entry = nego_poller_add (listener->poller, listener->fd, G_IO_IN,
                                       nego_listener_polled_cb, listener);
  if (listener->entry != NULL)
    return;
  listener->source = g_unix_fd_source_new (listener->fd, G_IO_IN);
  g_source_set_callback (listener->source, G_SOURCE_FUNC (nego_listener_ready_cb), listener, NULL);
  g_source_attach (listener->source, g_main_context_get_thread_default ());
}

static void
nego_listener_unwatch (NegoListener *listener)
{
  nego_source_clear (&listener->source);
  g_clear_pointer (&listener->entry, nego_poller_remove);
}

static void
nego_listener_update (NegoListener *listener)
{
  if (!listener->accepting)
    nego_source_clear (&listener->pause);
  if (listener->accepting && listener->pause == NULL)
    nego_listener_watch (listener);
  else
    nego_listener_unwatch (listener);
}

void
nego_listener_set_poller (NegoListener *listener, NegoPoller *poller)
{
  nego_listener_unwatch (listener);
  listener->poller = poller;
  nego_listener_update (listener);
}

void
nego_listener_set_func (NegoListener *listener, NegoListenerFunc connected, gpointer user_data)
{
  listener->connected = connected;
  listener->user_data = user_data;
}

void
nego_listener_set_accepting (NegoListener *listener, gboolean accepting)
{
  listener->accepting = accepting;
  nego_listener_update (listener);
}
