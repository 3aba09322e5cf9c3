/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-device"

#include "config.h"

#include "agent/device.h"

#include "agent/uevent.h"
#include "common/names.h"
#include "common/watch.h"

#include <errno.h>

#define NEGO_DEVICE_DIR_EVENTS \
  (IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define NEGO_DEVICE_NODE_EVENTS (IN_CLOSE | IN_ATTRIB | IN_DELETE_SELF)

struct NegoDevice {
  char *path;
  char *subsystem;
  NegoDeviceOpenFunc open;
  NegoDeviceOpenedFunc opened;
  gpointer user_data;

  /* While it waits. */
  NegoWatch *watch;
  NegoUevent *uevent;
  int node_watch; /* of the node while another process has it, or -1 */
  GSource *retry;
  guint
    pause_ms; /* before the next try of a device that is about to be free; 0: an event decides */

  guint flap_ms;    /* before a device that does not stay open is opened again */
  int reason;       /* why it could not be opened, the last time that was logged: an errno, or 0 */
  gint64 opened_us; /* monotonic: the last success */
};

static void nego_device_try (NegoDevice *device);

static void
nego_device_stop_retry (NegoDevice *device)
{
  if (device->retry == NULL)
    return;
  g_source_destroy (device->retry);
  g_clear_pointer (&device->retry, g_source_unref);
}

static void
nego_device_stop_waiting (NegoDevice *device)
{
  nego_device_stop_retry (device);
  g_clear_pointer (&device->watch, nego_watch_free);
  g_clear_pointer (&device->uevent, nego_uevent_free);
  device->node_watch = -1;
}

static gboolean
nego_device_retry_cb (gpointer user_data)
{
  NegoDevice *device = user_data;

  g_clear_pointer (&device->retry, g_source_unref);
  nego_device_try (device);
  return G_SOURCE_REMOVE;
}

static void
nego_device_retry_in (NegoDevice *device, guint pause_ms)
{
  nego_device_stop_retry (device);
  device->retry = g_timeout_source_new (pause_ms);
  g_source_set_callback (device->retry, nego_device_retry_cb, device, NULL);
  g_source_attach (device->retry, g_main_context_get_thread_default ());
}

static void
nego_device_watch_cb (NegoWatch *watch, guint32 mask, gpointer user_data)
{
  NegoDevice *device = user_data;

  /* Its holder closes it: it will be free in a moment. */
  if ((mask & IN_CLOSE) != 0)
    device->pause_ms = 1;
  nego_device_try (device);
}

static void
nego_device_uevent_cb (NegoUevent *uevent, gpointer user_data)
{
  nego_device_try (user_data);
}

/* The directory of @path, or the nearest one above it that there is. */
static void
nego_device_watch_directory (NegoDevice *device, const char *path)
{
  g_autofree char *dir = g_path_get_dirname (path);

  while (nego_watch_add (device->watch, dir, NEGO_DEVICE_DIR_EVENTS) < 0 && errno == ENOENT) {
    g_autofree char *child = g_steal_pointer (&dir);

    dir = g_path_get_dirname (child);
  }
}

/* What was watched already stays so. */
static void
nego_device_wait (NegoDevice *device, const char *node, int errnum)
{
  g_autoptr (GError) error = NULL;

  if (device->watch == NULL)
    device->watch = nego_watch_new (nego_device_watch_cb, device, &error);
  if (device->watch == NULL) {
    g_warning ("cannot see when '%s' comes: %s", device->path, error->message);
    g_clear_error (&error);
  } else {
    nego_device_watch_directory (device, device->path);
    if (device->subsystem != NULL)
      nego_watch_add (device->watch, NEGO_DEV_DIR, NEGO_DEVICE_DIR_EVENTS);
    /* Else our own closing of a node that opens and then fails would wake us. */
    if (errnum != EBUSY)
      nego_watch_remove (device->watch, device->node_watch);
    device->node_watch
      = errnum == EBUSY ? nego_watch_add (device->watch, node, NEGO_DEVICE_NODE_EVENTS) : -1;
  }
  if (device->subsystem == NULL || device->uevent != NULL)
    return;
  device->uevent = nego_uevent_new (device->subsystem, nego_device_uevent_cb, device, &error);
  if (device->uevent == NULL)
    g_info ("'%s' is seen when its node comes only: %s", device->path, error->message);
}

static void
nego_device_log_reason (NegoDevice *device, int errnum)
{
  if (errnum == device->reason)
    return;
  device->reason = errnum;
  if (errnum == ENOENT || errnum == ENODEV || errnum == ENXIO)
    g_info ("waiting for '%s': %s", device->path, g_strerror (errnum));
  else if (errnum == EBUSY)
    g_message ("waiting for '%s': another process has it", device->path);
  else
    g_warning ("waiting for '%s': %s", device->path, g_strerror (errnum));
}

static void
nego_device_try (NegoDevice *device)
{
  g_autofree char *node = NULL;
  int fd = device->open (device->path, &node);

  if (fd < 0) {
    nego_device_wait (device, node, -fd);
    g_clear_pointer (&node, g_free);
    /* What came before the watch was set made no event. */
    fd = device->open (device->path, &node);
  }
  if (fd >= 0) {
    nego_device_stop_waiting (device);
    device->reason = 0;
    device->pause_ms = 0;
    device->opened_us = g_get_monotonic_time ();
    device->opened (device, fd, device->user_data);
    return;
  }
  nego_device_log_reason (device, -fd);
  if (device->pause_ms > 0) {
    nego_device_retry_in (device, device->pause_ms);
    device->pause_ms = device->pause_ms < NEGO_DEVICE_PAUSE_MS ? device->pause_ms * 2 : 0;
  }
}

NegoDevice *
nego_device_new (const char *path,
                 const char *subsystem,
                 NegoDeviceOpenFunc open,
                 NegoDeviceOpenedFunc opened,
                 gpointer user_data)
{
  NegoDevice *device = g_new0 (NegoDevice, 1);

  device->path = g_strdup (path);
  device->subsystem = g_strdup (subsystem);
  device->open = open;
  device->opened = opened;
  device->user_data = user_data;
  device->node_watch = -1;
  device->flap_ms = 1;
  nego_device_retry_in (device, 0);
  return device;
}

void
nego_device_free (NegoDevice *device)
{
  if (device == NULL)
    return;
  nego_device_stop_waiting (device);
  g_free (device->path);
  g_free (device->subsystem);
  g_free (device);
}

void
nego_device_reopen (NegoDevice *device)
{
  if (g_get_monotonic_time () - device->opened_us >= NEGO_DEVICE_STEADY_MS * 1000) {
    device->flap_ms = 1;
    nego_device_try (device);
  } else if (device->flap_ms <= NEGO_DEVICE_PAUSE_MS) {
    nego_device_retry_in (device, device->flap_ms);
    device->flap_ms *= 2;
  } else {
    g_warning ("'%s' does not stay open: waiting for a change", device->path);
    nego_device_wait (device, device->path, EBUSY);
  }
}
