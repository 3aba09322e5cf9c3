/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/watch.h"

#include "common/error.h"

#include <glib-unix.h>

#include <errno.h>
#include <unistd.h>

struct NegoWatch {
  int fd;
  GSource *source;
  NegoWatchFunc changed;
  gpointer user_data;
};

/* Reads what there is, and returns the bits of all of it. */
static guint32
nego_watch_read (NegoWatch *watch)
{
  union {
    struct inotify_event event;
    char bytes[4096];
  } buffer;
  guint32 mask = 0;
  ssize_t len;

  while ((len = read (watch->fd, &buffer, sizeof buffer)) > 0) {
    const char *at = buffer.bytes;

    while (at < buffer.bytes + len) {
      const struct inotify_event *event = (const void *) at;

      mask |= event->mask;
      at += sizeof *event + event->len;
    }
  }
  return mask;
}

static gboolean
nego_watch_ready_cb (int fd, GIOCondition condition, gpointer user_data)
{
  NegoWatch *watch = user_data;
  guint32 mask = nego_watch_read (watch);

  if (mask != 0)
    watch->changed (watch, mask, watch->user_data);
  return G_SOURCE_CONTINUE;
}

NegoWatch *
nego_watch_new (NegoWatchFunc changed, gpointer user_data, GError **error)
{
  int fd = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
  NegoWatch *watch;

  if (fd < 0) {
    nego_error_set_errno (error, errno, "failed to watch for changes");
    return NULL;
  }
  watch = g_new0 (NegoWatch, 1);
  watch->fd = fd;
  watch->changed = changed;
  watch->user_data = user_data;
  watch->source = g_unix_fd_source_new (fd, G_IO_IN);
  g_source_set_callback (watch->source, G_SOURCE_FUNC (nego_watch_ready_cb), watch, NULL);
  g_source_attach (watch->source, g_main_context_get_thread_default ());
  return watch;
}

void
nego_watch_free (NegoWatch *watch)
{
  if (watch == NULL)
    return;
  g_source_destroy (watch->source);
  g_source_unref (watch->source);
  close (watch->fd);
  g_free (watch);
}

int
nego_watch_add (NegoWatch *watch, const char *path, guint32 mask)
{
  return inotify_add_watch (watch->fd, path, mask);
}

void
nego_watch_remove (NegoWatch *watch, int number)
{
  if (number >= 0)
    inotify_rm_watch (watch->fd, number);
}
