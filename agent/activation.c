/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/activation.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* SD_LISTEN_FDS_START of sd-daemon.h. */
#define NEGO_ACTIVATION_FIRST 3

static guint
nego_activation_count (void)
{
  const char *pid = g_getenv ("LISTEN_PID");
  const char *fds = g_getenv ("LISTEN_FDS");
  guint64 number = 0;

  if (pid == NULL || fds == NULL
      || !g_ascii_string_to_unsigned (pid, 10, 1, G_MAXINT, &number, NULL)
      || number != (guint64) getpid ()
      || !g_ascii_string_to_unsigned (fds, 10, 0, G_MAXINT - NEGO_ACTIVATION_FIRST, &number, NULL))
    return 0;
  return (guint) number;
}

static gboolean
nego_activation_take_one (NegoConf *conf, int fd, GError **error)
{
  int family = 0;
  socklen_t len = sizeof family;

  if (fcntl (fd, F_SETFD, FD_CLOEXEC) < 0) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG,
                 "Socket activation failed: invalid file descriptor fd = %d: %s", fd,
                 g_strerror (errno));
    return FALSE;
  }
  if (getsockopt (fd, SOL_SOCKET, SO_DOMAIN, &family, &len) < 0
      || (family != AF_UNIX && family != AF_VSOCK)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG,
                 "unsupported listen fd type (descriptor %d): must be a unix or vsock socket", fd);
    return FALSE;
  }
  if (conf->activated->len == 0)
    conf->method = family == AF_VSOCK ? NEGO_METHOD_VSOCK_LISTEN : NEGO_METHOD_UNIX_LISTEN;
  g_array_append_val (conf->activated, fd);
  return TRUE;
}

gboolean
nego_activation_take (NegoConf *conf, GError **error)
{
  guint count = nego_activation_count ();
  guint i;

  g_unsetenv ("LISTEN_PID");
  g_unsetenv ("LISTEN_FDS");
  g_unsetenv ("LISTEN_FDNAMES");
  for (i = 0; i < count; i++)
    if (!nego_activation_take_one (conf, NEGO_ACTIVATION_FIRST + (int) i, error))
      return FALSE;
  if (count > 0)
    g_clear_pointer (&conf->path, g_free);
  return TRUE;
}
