/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/stream.h"

#include "common/backlog.h"
#include "common/error.h"
#include "common/names.h"
#include "common/port-host.h"
#include "common/quota.h"
#include "common/source.h"

#include <glib-unix.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* One read: a socket gives as much at once; a virtio port gives 4 KiB a call, so several fill it.
 */
#define NEGO_STREAM_READ_BYTES (64u << 10)

/* Written in one turn of the main loop: a reader that keeps up would take a reply of many MiB in
 * one go, and all other channels waited for it. */
#define NEGO_STREAM_WRITE_BYTES (256u << 10)

struct NegoStream {
  NegoStreamKind kind;
  int fd;
  int epoll_fd; /* PORT: holds fd, edge-triggered */
  guint32 epoll_mask;
  GSource *source; /* NULL: `entry` stands for it */
  gpointer tag;
  NegoPollerEntry *entry; /* in somebody's poller */
  GSource *stuck;
  guint stuck_s;

  NegoBacklog *backlog;
  NegoQuota rate;    /* of what is read; its rate is 0: any */
  GSource *too_fast; /* armed while a peer that sends too fast is not read */

  gboolean reading;
  gboolean readable; /* PORT: an edge came that has not been read to its end */
  gboolean blocked;  /* the descriptor did not take all of the queue */
  gboolean sliced;   /* the rest of it is for the next turn of the main loop */
  gboolean asking;   /* PORT: what comes are answers */
  NegoPortHost host; /* of a PORT; for the others, one that is present */
  GSource *leaving;  /* armed while the host may be leaving */
  gboolean eof;
  gboolean finishing;
  gboolean closing; /* the closed callback is due, or done */
  gboolean told;    /* it is done; with `entry` */
  GError *close_error;

  const NegoStreamCallbacks *callbacks;
  gpointer user_data;
};

typedef struct {
  GSource source;
  NegoStream *stream;
} NegoStreamSource;

/* Dispatches it in the next turn of the main loop. */
static void
nego_stream_wake (NegoStream *stream)
{
  if (stream->entry != NULL)
    nego_poller_wake (stream->entry);
  else
    g_source_set_ready_time (stream->source, 0);
}

/* The closed callback runs from the main loop only: whoever called us may not expect to be freed.
 */
static void
nego_stream_close_later (NegoStream *stream, GError *error)
{
  if (stream->closing) {
    g_clear_error (&error);
    return;
  }
  stream->closing = TRUE;
  stream->close_error = error;
  nego_stream_wake (stream);
}

static void
nego_stream_fail (NegoStream *stream, const char *what, int errnum)
{
  GError *error = NULL;

  nego_error_set_errno (&error, errnum, "%s", what);
  nego_stream_close_later (stream, error);
}

static gboolean
nego_stream_stuck_cb (gpointer user_data)
{
  NegoStream *stream = user_data;

  g_clear_pointer (&stream->stuck, g_source_unref);
  nego_stream_close_later (stream,
                           g_error_new (NEGO_ERROR, NEGO_ERROR_TIMEOUT,
                                        "the peer took no output for %u seconds", stream->stuck_s));
  return G_SOURCE_REMOVE;
}

static void
nego_stream_disarm_stuck (NegoStream *stream)
{
  if (stream->stuck == NULL)
    return;
  g_source_destroy (stream->stuck);
  g_clear_pointer (&stream->stuck, g_source_unref);
}

/* Armed only while output waits for a peer that is there: an idle stream has no timer. */
static void
nego_stream_update_stuck (NegoStream *stream, gboolean progress)
{
  gboolean wanted = stream->stuck_s > 0 && stream->blocked && stream->host.present;

  if (!wanted || progress)
    nego_stream_disarm_stuck (stream);
  if (!wanted || stream->stuck != NULL)
    return;
  stream->stuck = g_timeout_source_new_seconds (stream->stuck_s);
  g_source_set_callback (stream->stuck, nego_stream_stuck_cb, stream, NULL);
  g_source_attach (stream->stuck, g_main_context_get_thread_default ());
}

static void
nego_stream_update_port (NegoStream *stream)
{
  struct epoll_event event = { .events = EPOLLIN | EPOLLHUP | EPOLLET };

  /* A host that comes and stays silent shows only as EPOLLOUT; while one is there and nothing is
   * queued, EPOLLOUT would wake us for each reply that it takes. */
  if (!stream->host.present || stream->host.leaving || stream->blocked)
    event.events |= EPOLLOUT;
  if (event.events == stream->epoll_mask)
    return;
  stream->epoll_mask = event.events;
  if (epoll_ctl (stream->epoll_fd, EPOLL_CTL_MOD, stream->fd, &event) < 0)
    nego_stream_fail (stream, "failed to watch the port", errno);
}

/* What a stream that is no PORT waits for. */
static GIOCondition
nego_stream_wanted (const NegoStream *stream)
{
  GIOCondition condition = G_IO_HUP | G_IO_ERR;

  if (stream->reading && stream->too_fast == NULL && !stream->eof)
    condition |= G_IO_IN;
  if (stream->blocked)
    condition |= G_IO_OUT;
  return condition;
}

static void
nego_stream_update_watch (NegoStream *stream)
{
  if (stream->kind == NEGO_STREAM_PORT)
    nego_stream_update_port (stream);
  else if (stream->entry == NULL)
    g_source_modify_unix_fd (stream->source, stream->tag, nego_stream_wanted (stream));
  else if (!nego_poller_modify (stream->entry, nego_stream_wanted (stream)))
    nego_stream_fail (stream, "failed to watch the peer", errno);
}

void
nego_stream_queue_text (NegoStream *stream, GString *text)
{
  nego_backlog_add_text (stream->backlog, text);
}

void
nego_stream_flush (NegoStream *stream)
{
  gboolean was_blocked = stream->blocked;
  gsize written = 0, len;
  const char *start;

  if (stream->closing)
    return;
  stream->blocked = stream->sliced = FALSE;
  while (start = nego_backlog_peek (stream->backlog, &len), len > 0) {
    ssize_t n;

    if (written >= NEGO_STREAM_WRITE_BYTES) {
      stream->blocked = stream->sliced = TRUE;
      nego_stream_wake (stream);
      break;
    }
    n = write (stream->fd, start, MIN (len, NEGO_STREAM_WRITE_BYTES));

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno == EAGAIN) {
      stream->blocked = TRUE;
      break;
    }
    if (n < 0) {
      nego_stream_fail (stream, "failed to write to the peer", errno);
      return;
    }
    written += (gsize) n;
    nego_backlog_take (stream->backlog, (gsize) n);
  }
  if (was_blocked != stream->blocked)
    nego_stream_update_watch (stream);
  nego_stream_update_stuck (stream, written > 0);
  if (stream->finishing && !stream->blocked)
    nego_stream_close_later (stream, NULL);
}

GString *
nego_stream_get_queue (NegoStream *stream)
{
  return nego_backlog_get_text (stream->backlog);
}

gsize
nego_stream_queued (NegoStream *stream)
{
  return nego_backlog_get_length (stream->backlog);
}

guint64
nego_stream_get_position (NegoStream *stream)
{
  return nego_backlog_get_position (stream->backlog);
}

void
nego_stream_drop_queue (NegoStream *stream, guint64 until)
{
  nego_backlog_drop (stream->backlog, until);
}

void
nego_stream_clear_queue (NegoStream *stream)
{
  nego_backlog_clear (stream->backlog);
  if (!stream->blocked)
    return;
  stream->blocked = stream->sliced = FALSE;
  nego_stream_update_watch (stream);
  nego_stream_update_stuck (stream, TRUE);
}

void
nego_stream_set_reading (NegoStream *stream, gboolean reading)
{
  if (stream->reading == reading)
    return;
  stream->reading = reading;
  if (stream->closing)
    return;
  if (stream->kind != NEGO_STREAM_PORT)
    nego_stream_update_watch (stream);
  else if (reading && stream->readable)
    nego_stream_wake (stream); /* the edge is gone: nothing else would wake us */
}

void
nego_stream_set_rate (NegoStream *stream, guint rate)
{
  nego_quota_init (&stream->rate, rate, rate, g_get_monotonic_time ());
}

void
nego_stream_set_asking (NegoStream *stream)
{
  stream->asking = TRUE;
}

void
nego_stream_finish (NegoStream *stream)
{
  stream->finishing = TRUE;
  nego_stream_flush (stream);
}

static void nego_stream_read_port (NegoStream *stream);

static gboolean
nego_stream_leaving_cb (gpointer user_data)
{
  NegoStream *stream = user_data;

  nego_source_clear (&stream->leaving);
  nego_port_host_take_timeout (&stream->host);
  /* What the port says now, counts. A host whose replies hold up the reading is seen by its hangup.
   */
  if (!stream->closing && stream->reading)
    nego_stream_read_port (stream);
  return G_SOURCE_REMOVE;
}

/* After each look at the port; @forget: what was said before belongs to a host that is gone. */
static void
nego_stream_met_host (NegoStream *stream, gboolean forget)
{
  if (stream->leaving != NULL && !stream->host.leaving)
    nego_source_clear (&stream->leaving);
  if (forget)
    stream->callbacks->peer (stream, stream->host.present, stream->user_data);
  nego_stream_update_watch (stream);
  nego_stream_update_stuck (stream, forget);
}

static void
nego_stream_meet_end (NegoStream *stream)
{
  if (stream->asking)
    nego_port_host_take_timeout (&stream->host);
  nego_stream_met_host (stream, nego_port_host_take_end (&stream->host, g_get_monotonic_time ()));
  if (!stream->host.leaving)
    return;
  nego_source_clear (&stream->leaving);
  stream->leaving = nego_source_add_timeout (NEGO_PORT_LEAVING_MS, nego_stream_leaving_cb, stream);
}

static void
nego_stream_meet_open (NegoStream *stream)
{
  if (!stream->host.present || stream->host.leaving)
    nego_stream_met_host (stream,
                          nego_port_host_take_open (&stream->host, g_get_monotonic_time ()));
}

/* A port gives at most 4 KiB a read: read on, without a poll between, to the end of the edge. */
static void
nego_stream_read_port (NegoStream *stream)
{
  guint8 buffer[NEGO_STREAM_READ_BYTES];
  gsize len = 0;
  ssize_t n = 1;
  int errnum = 0;

  while (n > 0 && len < sizeof buffer) {
    n = read (stream->fd, buffer + len, sizeof buffer - len);
    errnum = errno;
    if (n > 0)
      len += (gsize) n;
    else if (n < 0 && errnum == EINTR)
      n = 1;
  }
  stream->readable = n > 0;
  if (len > 0) {
    nego_stream_met_host (stream, nego_port_host_take_data (&stream->host, n == 0,
                                                            g_get_monotonic_time ()));
    stream->callbacks->data (stream, buffer, len, stream->user_data);
  }
  if (n > 0)
    nego_stream_wake (stream); /* the rest after the other sources' turn */
  else if (n == 0)
    nego_stream_meet_end (stream);
  else if (n < 0 && errnum == EAGAIN)
    nego_stream_meet_open (stream);
  else if (n < 0)
    nego_stream_fail (stream, "failed to read from the port", errnum);
}

static void
nego_stream_read_end (NegoStream *stream, gboolean hung_up)
{
  stream->eof = TRUE;
  if (hung_up || stream->kind == NEGO_STREAM_SERIAL) {
    nego_stream_close_later (stream, NULL);
    return;
  }
  nego_stream_update_watch (stream);
  stream->callbacks->eof (stream, stream->user_data);
}

static gboolean
nego_stream_too_fast_cb (gpointer user_data)
{
  NegoStream *stream = user_data;

  nego_source_clear (&stream->too_fast);
  if (!stream->closing)
    nego_stream_update_watch (stream);
  return G_SOURCE_REMOVE;
}

/* @n bytes came. */
static void
nego_stream_charge (NegoStream *stream, guint n)
{
  guint pause_ms;

  if (stream->rate.rate == 0)
    return;
  pause_ms = nego_quota_owe (&stream->rate, n, g_get_monotonic_time ());
  if (pause_ms == 0)
    return;
  stream->too_fast = nego_source_add_timeout (pause_ms, nego_stream_too_fast_cb, stream);
  nego_stream_update_watch (stream);
}

static void
nego_stream_read (NegoStream *stream, gboolean hung_up)
{
  guint8 buffer[NEGO_STREAM_READ_BYTES];
  ssize_t n = read (stream->fd, buffer, sizeof buffer);

  if (n > 0) {
    nego_stream_charge (stream, (guint) n);
    stream->callbacks->data (stream, buffer, (gsize) n, stream->user_data);
  } else if (n == 0) {
    nego_stream_read_end (stream, hung_up);
  } else if (errno != EAGAIN && errno != EINTR) {
    nego_stream_fail (stream, "failed to read from the peer", errno);
  }
}

static void
nego_stream_write_more (NegoStream *stream)
{
  gsize before = nego_stream_queued (stream);

  nego_stream_flush (stream);
  if (!stream->closing && nego_stream_queued (stream) < before)
    stream->callbacks->drained (stream, stream->user_data);
}

static void
nego_stream_serve_port (NegoStream *stream, GIOCondition condition)
{
  struct epoll_event event = { 0 };

  if (condition != 0 && epoll_wait (stream->epoll_fd, &event, 1, 0) > 0)
    stream->readable = TRUE;
  /* A host that leaves while its unread replies hold up the reading shows only here. */
  if ((event.events & EPOLLHUP) != 0 && !stream->reading)
    nego_stream_met_host (stream, nego_port_host_take_hangup (&stream->host));
  /* Only with a host; a new one does not get what was written for another. */
  if (stream->blocked && (event.events & EPOLLOUT) != 0)
    nego_stream_meet_open (stream);
  if (stream->blocked && ((event.events & EPOLLOUT) != 0 || stream->sliced))
    nego_stream_write_more (stream);
  if (stream->readable && stream->reading && !stream->closing)
    nego_stream_read_port (stream);
}

static void
nego_stream_serve (NegoStream *stream, GIOCondition condition)
{
  gboolean hung_up = (condition & (G_IO_HUP | G_IO_ERR)) != 0;

  if (stream->blocked && ((condition & G_IO_OUT) != 0 || stream->sliced))
    nego_stream_write_more (stream);
  if (stream->closing || condition == 0)
    return;
  if (stream->reading && stream->too_fast == NULL && !stream->eof
      && (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR)) != 0)
    nego_stream_read (stream, hung_up);
  else if (hung_up)
    nego_stream_close_later (stream, NULL); /* nobody is left to read what we would write */
}

static void
nego_stream_polled_cb (GIOCondition condition, gpointer user_data)
{
  NegoStream *stream = user_data;

  if (!stream->closing) {
    nego_stream_serve (stream, condition);
    return;
  }
  if (stream->told)
    return;
  stream->told = TRUE;
  nego_poller_stop (stream->entry);
  stream->callbacks->closed (stream, stream->close_error, stream->user_data);
}

static gboolean
nego_stream_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  NegoStream *stream = ((NegoStreamSource *) source)->stream;
  GIOCondition condition;

  g_source_set_ready_time (source, -1);
  if (stream->closing) {
    stream->callbacks->closed (stream, stream->close_error, stream->user_data);
    return G_SOURCE_REMOVE;
  }
  condition = g_source_query_unix_fd (source, stream->tag);
  if (stream->kind == NEGO_STREAM_PORT)
    nego_stream_serve_port (stream, condition);
  else
    nego_stream_serve (stream, condition);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs nego_stream_source_funcs = { .dispatch = nego_stream_dispatch };

static void
nego_stream_attach (NegoStream *stream)
{
  int watched = stream->fd;

  stream->source = g_source_new (&nego_stream_source_funcs, sizeof (NegoStreamSource));
  ((NegoStreamSource *) stream->source)->stream = stream;
  g_source_set_static_name (stream->source, "nego-stream");
  /* Saves the loop from blocking and unblocking the descriptor around each dispatch: three system
   * calls a request instead of six. Nothing here runs a nested loop. */
  g_source_set_can_recurse (stream->source, TRUE);
  if (stream->kind == NEGO_STREAM_PORT) {
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLET };

    stream->epoll_mask = event.events;
    stream->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
    watched = stream->epoll_fd;
    if (watched < 0 || epoll_ctl (watched, EPOLL_CTL_ADD, stream->fd, &event) < 0)
      nego_stream_fail (stream, "failed to watch the port", errno);
  }
  if (watched >= 0)
    stream->tag = g_source_add_unix_fd (stream->source, watched, G_IO_IN | G_IO_HUP | G_IO_ERR);
  g_source_attach (stream->source, g_main_context_get_thread_default ());
}

NegoStream *
nego_stream_new (int fd,
                 NegoStreamKind kind,
                 guint stuck_s,
                 const NegoStreamCallbacks *callbacks,
                 gpointer user_data)
{
  NegoStream *stream = g_new0 (NegoStream, 1);

  stream->kind = kind;
  stream->fd = fd;
  stream->epoll_fd = -1;
  stream->stuck_s = stuck_s;
  stream->backlog = nego_backlog_new ();
  stream->reading = TRUE;
  /* Of a socket or tty we know no better; a port says so at its first event. */
  stream->host.present = kind != NEGO_STREAM_PORT;
  stream->callbacks = callbacks;
  stream->user_data = user_data;
  fcntl (fd, F_SETFD, FD_CLOEXEC);
  g_unix_set_fd_nonblocking (fd, TRUE, NULL);
  nego_stream_attach (stream);
  return stream;
}

void
nego_stream_set_poller (NegoStream *stream, NegoPoller *poller)
{
  if (stream->kind == NEGO_STREAM_PORT || stream->closing || stream->entry != NULL)
    return;
  stream->entry = nego_poller_add (poller, stream->fd, nego_stream_wanted (stream),
                                   nego_stream_polled_cb, stream);
  /* What the kernel cannot watch so (it has a limit, for a user) stays as it was. */
  if (stream->entry == NULL)
    return;
  if (stream->sliced)
    nego_poller_wake (stream->entry);
  nego_source_clear (&stream->source);
}

void
nego_stream_free (NegoStream *stream)
{
  if (stream == NULL)
    return;
  nego_stream_disarm_stuck (stream);
  nego_source_clear (&stream->too_fast);
  nego_source_clear (&stream->leaving);
  nego_source_clear (&stream->source);
  g_clear_pointer (&stream->entry, nego_poller_remove);
  if (stream->epoll_fd >= 0)
    close (stream->epoll_fd);
  close (stream->fd);
  nego_backlog_free (stream->backlog);
  g_clear_error (&stream->close_error);
  g_free (stream);
}
