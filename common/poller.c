/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/poller.h"

#include "common/error.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Taken from the kernel at once; more are next. */
#define BATCH 64

struct NegoPoller {
  GSource *source;
  int fd;
  guint n_entries;
  GQueue woken; /* the links in entries */
  struct epoll_event batch[BATCH];
  int n_batch; /* of a batch that is being told */
};

struct NegoPollerEntry {
  NegoPoller *poller;
  int fd;
  NegoPollerFunc func;
  gpointer user_data;
  GList woken; /* its data: NULL while it is in no queue */
};

typedef struct {
  GSource source;
  NegoPoller *poller;
} NegoPollerSource;

static void
nego_poller_tell_events (NegoPoller *poller)
{
  poller->n_batch = epoll_wait (poller->fd, poller->batch, BATCH, 0);
  for (int i = 0; i < poller->n_batch; i++) {
    const NegoPollerEntry *entry = poller->batch[i].data.ptr;

    /* NULL: it was removed meanwhile. The conditions are poll(2)'s, and epoll's the same bits. */
    if (entry != NULL)
      entry->func ((GIOCondition) poller->batch[i].events, entry->user_data);
  }
  poller->n_batch = 0;
}

static void
nego_poller_tell_woken (NegoPoller *poller)
{
  /* Who is woken from here on is next. */
  for (guint left = poller->woken.length; left > 0 && poller->woken.length > 0; left--) {
    GList *link = g_queue_pop_head_link (&poller->woken);
    const NegoPollerEntry *entry = link->data;

    link->data = NULL;
    entry->func (0, entry->user_data);
  }
}

static gboolean
nego_poller_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  NegoPoller *poller = ((NegoPollerSource *) source)->poller;

  g_source_set_ready_time (source, -1);
  nego_poller_tell_woken (poller);
  nego_poller_tell_events (poller);
  if (poller->woken.length > 0)
    g_source_set_ready_time (source, 0);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs nego_poller_source_funcs = { .dispatch = nego_poller_dispatch };

NegoPoller *
nego_poller_new (GError **error)
{
  const int fd = epoll_create1 (EPOLL_CLOEXEC);
  NegoPoller *poller;

  if (fd < 0) {
    nego_error_set_errno (error, errno, "cannot make an epoll descriptor");
    return NULL;
  }
  poller = g_new0 (NegoPoller, 1);
  poller->fd = fd;
  g_queue_init (&poller->woken);
  poller->source = g_source_new (&nego_poller_source_funcs, sizeof (NegoPollerSource));
  ((NegoPollerSource *) poller->source)->poller = poller;
  g_source_set_static_name (poller->source, "nego-poller");
  /* As stream.c: nothing here runs a nested loop. */
  g_source_set_can_recurse (poller->source, TRUE);
  g_source_add_unix_fd (poller->source, fd, G_IO_IN);
  g_source_attach (poller->source, g_main_context_get_thread_default ());
  return poller;
}

void
nego_poller_free (NegoPoller *poller)
{
  if (poller == NULL)
    return;
  g_assert (poller->n_entries == 0);
  g_source_destroy (poller->source);
  g_source_unref (poller->source);
  close (poller->fd);
  g_free (poller);
}

NegoPollerEntry *
nego_poller_add (
  NegoPoller *poller, int fd, GIOCondition condition, NegoPollerFunc func, gpointer user_data)
{
  NegoPollerEntry *entry = g_new0 (NegoPollerEntry, 1);
  struct epoll_event event = { .events = (guint32) condition, .data.ptr = entry };

  if (epoll_ctl (poller->fd, EPOLL_CTL_ADD, fd, &event) < 0) {
    g_free (entry);
    return NULL;
  }
  entry->poller = poller;
  entry->fd = fd;
  entry->func = func;
  entry->user_data = user_data;
  poller->n_entries++;
  return entry;
}

gboolean
nego_poller_modify (NegoPollerEntry *entry, GIOCondition condition)
{
  struct epoll_event event = { .events = (guint32) condition, .data.ptr = entry };

  return epoll_ctl (entry->poller->fd, EPOLL_CTL_MOD, entry->fd, &event) == 0;
}

void
nego_poller_stop (NegoPollerEntry *entry)
{
  NegoPoller *poller = entry->poller;

  epoll_ctl (poller->fd, EPOLL_CTL_DEL, entry->fd, NULL);
  for (int i = 0; i < poller->n_batch; i++)
    if (poller->batch[i].data.ptr == entry)
      poller->batch[i].data.ptr = NULL;
}

void
nego_poller_wake (NegoPollerEntry *entry)
{
  if (entry->woken.data != NULL)
    return;
  entry->woken.data = entry;
  g_queue_push_tail_link (&entry->poller->woken, &entry->woken);
  g_source_set_ready_time (entry->poller->source, 0);
}

void
nego_poller_remove (NegoPollerEntry *entry)
{
  NegoPoller *poller = entry->poller;

  nego_poller_stop (entry);
  if (entry->woken.data != NULL)
    g_queue_unlink (&poller->woken, &entry->woken);
  poller->n_entries--;
  g_free (entry);
}
