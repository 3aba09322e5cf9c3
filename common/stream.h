/* SPDX-License-Identifier: MIT */
/*
 * stream: a non-blocking descriptor in the main loop, with an output queue.
 *
 * The process must ignore SIGPIPE. Bytes only: it knows no JSON. It reads when it may, writes what
 * it can at once and queues the rest; whoever fills the queue looks at nego_stream_queued() and
 * stops asking for more (session.h does).
 *
 * A virtio port is registered edge-triggered in an epoll descriptor of its own, and that one in the
 * main loop: the process is woken once per arrival and once on disconnect, and not in between.
 * While the host is away, or output is queued, EPOLLOUT is in the mask too (a host that connects
 * and stays silent shows only so).
 */
#pragma once

#include "common/poller.h"

#include <glib.h>

typedef struct NegoStream NegoStream;

typedef enum {
  NEGO_STREAM_SOCKET, /* a connected socket: end of file is the end */
  NEGO_STREAM_SERIAL, /* a tty: end of file is the end; the peer's coming and going is not seen */
  NEGO_STREAM_PORT,   /* a virtio port: end of file means that no host is there now */
} NegoStreamKind;

typedef struct {
  /* Bytes arrived; @data is the stream's. Reading may be stopped from here: nothing is lost, since
   * the callee takes all of @data. */
  void (*data) (NegoStream *stream, const guint8 *data, gsize len, gpointer user_data);
  /* The queue became shorter after it could not be written at once. */
  void (*drained) (NegoStream *stream, gpointer user_data);
  /* PORT: the host side went away or came (it also came, and unseen went, in between). */
  void (*peer) (NegoStream *stream, gboolean present, gpointer user_data);
  /* SOCKET: the peer sends no more, but may still read. */
  void (*eof) (NegoStream *stream, gpointer user_data);
  /* The descriptor is of no more use: @error says why, NULL is an orderly end. Called once, last,
   * never from within a call on the stream; freeing the stream from here is right. */
  void (*closed) (NegoStream *stream, const GError *error, gpointer user_data);
} NegoStreamCallbacks;

/* Takes @fd, makes it non-blocking and close-on-exec. @callbacks must be static. @stuck_s: seconds
 * after which a write that a present peer does not take closes the stream with NEGO_ERROR_TIMEOUT;
 * 0 = never. */
NegoStream *nego_stream_new (int fd,
                             NegoStreamKind kind,
                             guint stuck_s,
                             const NegoStreamCallbacks *callbacks,
                             gpointer user_data);
void nego_stream_free (NegoStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoStream, nego_stream_free)

/* The queue, to append to (only); nego_stream_flush() then writes what the descriptor takes. */
GString *nego_stream_get_queue (NegoStream *stream);
/* Queues @text (transfer full), without a copy where nothing else is queued. */
void nego_stream_queue_text (NegoStream *stream, GString *text);
void nego_stream_flush (NegoStream *stream);
gsize nego_stream_queued (NegoStream *stream);

/* The number of bytes ever queued: the end of the queue as an absolute position. */
guint64 nego_stream_get_position (NegoStream *stream);

/* Drops what is queued before the position @until, but for the rest of a line that the descriptor
 * has taken in part: what is written stays whole lines. */
void nego_stream_drop_queue (NegoStream *stream, guint64 until);

/* Drops all that is queued: the peer that it was meant for is gone. */
void nego_stream_clear_queue (NegoStream *stream);

void nego_stream_set_reading (NegoStream *stream, gboolean reading);

/* PORT: what comes are answers to what we say: they cannot be the words of a host that is about to
 * show, so one that leaves is gone at once (port-host.h). */
void nego_stream_set_asking (NegoStream *stream);

/* One of many in @poller, instead of a source of its own in the main loop; @poller must outlive it.
 * Nothing of a PORT. */
void nego_stream_set_poller (NegoStream *stream, NegoPoller *poller);

/* A SOCKET's peer that sends more than @rate bytes a second, and that many at once, is read no
 * faster. */
void nego_stream_set_rate (NegoStream *stream, guint rate);

/* Closes once the queue is written: `closed` follows with NULL. */
void nego_stream_finish (NegoStream *stream);
