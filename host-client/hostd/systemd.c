/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-systemd"

#include "config.h"

#include "host-client/hostd/systemd.h"

#include "common/source.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct NegoSystemd {
  int fd; /* -1: nobody wants to know */
  struct sockaddr_un address;
  socklen_t address_len;
  GSource *watchdog;
};

static gboolean
nego_systemd_parse_address (NegoSystemd *systemd, const char *text)
{
  const gsize len = strlen (text);

  if ((text[0] != '@' && text[0] != '/') || len < 2 || len >= sizeof systemd->address.sun_path)
    return FALSE;
  systemd->address.sun_family = AF_UNIX;
  memcpy (systemd->address.sun_path, text, len);
  if (text[0] == '@')
    systemd->address.sun_path[0] = '\0';
  systemd->address_len = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + len);
  return TRUE;
}

static gboolean
nego_systemd_on_watchdog (gpointer user_data)
{
  nego_systemd_tell (user_data, "WATCHDOG=1");
  return G_SOURCE_CONTINUE;
}

static void
nego_systemd_start_watchdog (NegoSystemd *systemd)
{
  const char *usec = g_getenv ("WATCHDOG_USEC");
  const char *pid = g_getenv ("WATCHDOG_PID");
  guint64 period_us = 0;

  if (usec == NULL || !g_ascii_string_to_unsigned (usec, 10, 1, G_MAXINT64, &period_us, NULL)
      || (pid != NULL && strtol (pid, NULL, 10) != getpid ()))
    return;
  /* Half of it, as its manual page wants. */
  systemd->watchdog = nego_source_add_timeout ((guint) CLAMP (period_us / 2000, 1, G_MAXINT),
                                               nego_systemd_on_watchdog, systemd);
}

NegoSystemd *
nego_systemd_new (void)
{
  NegoSystemd *systemd = g_new0 (NegoSystemd, 1);
  const char *address = g_getenv ("NOTIFY_SOCKET");

  systemd->fd = -1;
  if (address != NULL && nego_systemd_parse_address (systemd, address)) {
    systemd->fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    nego_systemd_start_watchdog (systemd);
  }
  g_unsetenv ("NOTIFY_SOCKET");
  g_unsetenv ("WATCHDOG_USEC");
  g_unsetenv ("WATCHDOG_PID");
  return systemd;
}

void
nego_systemd_free (NegoSystemd *systemd)
{
  if (systemd == NULL)
    return;
  nego_source_clear (&systemd->watchdog);
  if (systemd->fd >= 0)
    close (systemd->fd);
  g_free (systemd);
}

void
nego_systemd_tell (const NegoSystemd *systemd, const char *state)
{
  if (systemd->fd < 0)
    return;
  if (sendto (systemd->fd, state, strlen (state), MSG_NOSIGNAL,
              (const struct sockaddr *) &systemd->address, systemd->address_len)
      < 0)
    g_info ("cannot tell systemd '%s': %s", state, g_strerror (errno));
}
