/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-connector"

#include "config.h"

#include "host-client/hostd/connector.h"

#include "common/names.h"
#include "common/source.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct NegoConnector {
  char *path;
  NegoArrivals *arrivals;
  NegoConnectorFunc connected;
  gpointer user_data;
  gulong wait; /* for a change; 0: it does not */
  GSource *retry;
  guint pause_ms;      /* before the next try */
  int reason;          /* why it could not connect, when that was logged last: an errno, or 0 */
  gint64 connected_us; /* monotonic: the last success */
};

static void nego_connector_try (NegoConnector *connector);

/* Returns a descriptor or a negative errno. */
static int
nego_connector_connect (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd, errnum;

  if (strlen (path) >= sizeof address.sun_path)
    return -ENAMETOOLONG;
  memcpy (address.sun_path, path, strlen (path));
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -errno;
  if (connect (fd, (const struct sockaddr *) &address, sizeof address) == 0)
    return fd;
  errnum = errno;
  close (fd);
  return -errnum;
}

static gboolean
nego_connector_on_retry (gpointer user_data)
{
  NegoConnector *connector = user_data;

  nego_source_clear (&connector->retry);
  nego_connector_try (connector);
  return G_SOURCE_REMOVE;
}

static void
nego_connector_retry_in (NegoConnector *connector, guint pause_ms)
{
  nego_source_clear (&connector->retry);
  connector->retry = nego_source_add_timeout (pause_ms, nego_connector_on_retry, connector);
}

static void
nego_connector_on_change (gpointer user_data)
{
  NegoConnector *connector = user_data;

  /* A socket's file is there before somebody listens on it. */
  connector->pause_ms = 1;
  nego_connector_try (connector);
}

static void
nego_connector_stop_waiting (NegoConnector *connector)
{
  nego_source_clear (&connector->retry);
  if (connector->wait != 0)
    nego_arrivals_leave (connector->arrivals, connector->wait);
  connector->wait = 0;
}

static void
nego_connector_log_reason (NegoConnector *connector, int errnum)
{
  if (errnum == connector->reason)
    return;
  connector->reason = errnum;
  if (errnum == ENOENT || errnum == ECONNREFUSED)
    g_info ("waiting for '%s': %s", connector->path, g_strerror (errnum));
  else if (errnum == EAGAIN)
    g_message ("waiting for '%s': others wait for it, too", connector->path);
  else
    g_warning ("waiting for '%s': %s", connector->path, g_strerror (errnum));
}

/* Nobody listens, or nothing is there: after a few tries only a change counts. Else nothing tells
 * when to try again. */
static void
nego_connector_wait (NegoConnector *connector, int errnum)
{
  const gboolean is_told = errnum == ENOENT || errnum == ECONNREFUSED || errnum == ENAMETOOLONG;
  const guint longest_ms = is_told ? NEGO_CONNECTOR_STALE_MS : NEGO_CONNECTOR_PAUSE_MS;

  if (connector->wait == 0)
    connector->wait = nego_arrivals_wait (connector->arrivals, nego_connector_on_change, connector);
  nego_arrivals_look_at (connector->arrivals, connector->path);
  if (connector->pause_ms <= longest_ms)
    nego_connector_retry_in (connector, connector->pause_ms);
  else if (!is_told)
    nego_connector_retry_in (connector, longest_ms);
  connector->pause_ms = MIN (connector->pause_ms * 2, 2 * NEGO_CONNECTOR_PAUSE_MS);
}

static void
nego_connector_try (NegoConnector *connector)
{
  int fd = nego_connector_connect (connector->path);

  if (fd < 0) {
    nego_connector_log_reason (connector, -fd);
    nego_connector_wait (connector, -fd);
    return;
  }
  nego_connector_stop_waiting (connector);
  connector->reason = 0;
  connector->connected_us = g_get_monotonic_time ();
  connector->connected (connector, fd, connector->user_data);
}

NegoConnector *
nego_connector_new (const char *path,
                    NegoArrivals *arrivals,
                    NegoConnectorFunc connected,
                    gpointer user_data)
{
  NegoConnector *connector = g_new0 (NegoConnector, 1);

  connector->path = g_strdup (path);
  connector->arrivals = arrivals;
  connector->connected = connected;
  connector->user_data = user_data;
  connector->pause_ms = 1;
  nego_connector_retry_in (connector, 0);
  return connector;
}

void
nego_connector_free (NegoConnector *connector)
{
  if (connector == NULL)
    return;
  nego_connector_stop_waiting (connector);
  g_free (connector->path);
  g_free (connector);
}

void
nego_connector_again (NegoConnector *connector)
{
  /* A peer that closes each connection at once is tried less and less often. */
  if (g_get_monotonic_time () - connector->connected_us >= NEGO_CONNECTOR_STEADY_MS * 1000)
    connector->pause_ms = 1;
  nego_connector_retry_in (connector, connector->pause_ms);
  connector->pause_ms = MIN (connector->pause_ms * 2, NEGO_CONNECTOR_PAUSE_MS);
}

const char *
nego_connector_get_path (const NegoConnector *connector)
{
  return connector->path;
}
