/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/transport-fd.h"

#include "common/error.h"
#include "common/names.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static gboolean
nego_transport_fd_is_port (const struct stat *st)
{
  g_autofree char *path
    = g_strdup_printf ("/sys/dev/char/%u:%u/subsystem", major (st->st_rdev), minor (st->st_rdev));
  g_autofree char *subsystem = g_file_read_link (path, NULL);
  g_autofree char *name = subsystem != NULL ? g_path_get_basename (subsystem) : NULL;

  return name != NULL && g_str_equal (name, NEGO_VIRTIO_SUBSYSTEM);
}

static gboolean
nego_transport_fd_look_at_socket (int fd, NegoTransportFd *what, GError **error)
{
  int type = 0;
  int listening = 0;
  socklen_t type_len = sizeof type;
  socklen_t listening_len = sizeof listening;

  if (getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &type_len) < 0
      || getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_len) < 0)
    return nego_error_set_errno (error, errno, "failed to look at the descriptor %d", fd);
  if (type != SOCK_STREAM) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG,
                 "the descriptor %d is a socket, but not of type stream", fd);
    return FALSE;
  }
  what->listening = listening != 0;
  what->kind = NEGO_STREAM_SOCKET;
  return TRUE;
}

gboolean
nego_transport_fd_look (int fd, NegoTransportFd *what, GError **error)
{
  struct stat st;

  what->listening = FALSE;
  if (fstat (fd, &st) < 0) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "failed to look at the descriptor %d: %s",
                 fd, g_strerror (errno));
    return FALSE;
  }
  if (S_ISSOCK (st.st_mode))
    return nego_transport_fd_look_at_socket (fd, what, error);
  if (isatty (fd))
    what->kind = NEGO_STREAM_SERIAL;
  else if (S_ISCHR (st.st_mode) && nego_transport_fd_is_port (&st))
    what->kind = NEGO_STREAM_PORT;
  else {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG,
                 "the descriptor %d is neither a socket nor a tty nor a virtio port", fd);
    return FALSE;
  }
  return TRUE;
}
