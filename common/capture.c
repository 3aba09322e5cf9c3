/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/capture.h"

#include "common/memory.h"
#include "common/pipe.h"
#include "common/source.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* One read: a pipe holds 64 KiB unless somebody asked for more. */
#define READ_BYTES (64u << 10)
/* Reads of one wake-up: a child that prints without end leaves the main loop to others in between.
 */
#define READS 8u
/* The first allocation; it is doubled from there, and from LARGE_BYTES on taken four times: memory
 * that is not used costs nothing then, and moving it does. */
#define FIRST_BYTES 1024u
#define LARGE_BYTES (2u << 20)

struct NegoCapture {
  int fd; /* -1: final */
  GSource *watch;
  GSource *stall; /* while the window is full */
  NegoCaptureLimits limits;
  gboolean flowing;
  guint8 *data;
  gsize allocated;
  gsize skip; /* released bytes at the beginning of @data */
  gsize len;  /* kept bytes behind them */
  guint64 start;
  gboolean truncated;
  NegoCaptureFunc changed;
  gpointer user_data;
};

/* How much more may be kept. */
static gsize
nego_capture_get_room (const NegoCapture *capture)
{
  gsize most = capture->flowing ? capture->limits.window : capture->limits.max_bytes;

  /* Nothing is kept behind what was dropped. */
  if (capture->truncated)
    return 0;
  return most > capture->len ? most - capture->len : 0;
}

/* Makes @bytes of room behind what is kept. A flowing capture's memory is up to twice its window:
 * so the rest moves to the front no more often than all of it has come anew. */
static void
nego_capture_reserve (NegoCapture *capture, gsize bytes)
{
  gsize used = capture->skip + capture->len;
  gsize most = capture->limits.window > 0 ? 2 * capture->limits.window : capture->limits.max_bytes;
  gsize wanted;

  if (capture->allocated - used >= bytes)
    return;
  if (capture->skip >= capture->len || used + bytes > most) {
    if (capture->len > 0)
      memmove (capture->data, capture->data + capture->skip, capture->len);
    capture->skip = 0;
    used = capture->len;
  }
  if (capture->allocated - used >= bytes)
    return;
  wanted = capture->allocated * (capture->allocated >= LARGE_BYTES ? 4 : 2);
  wanted = MAX (MAX (wanted, used + bytes), FIRST_BYTES);
  capture->allocated = MAX (MIN (wanted, most), used + bytes);
  capture->data = g_realloc (capture->data, capture->allocated);
  nego_memory_expect (capture->data, capture->allocated);
}

static void
nego_capture_keep (NegoCapture *capture, const guint8 *data, gsize len)
{
  if (len == 0)
    return;
  nego_capture_reserve (capture, len);
  memcpy (capture->data + capture->skip + capture->len, data, len);
  capture->len += len;
}

/* Reads what there is, at most @most bytes, and keeps @room of it. Returns the number of bytes; 0
 * at the end of the stream (or an error, which no pipe has); -1: none now. By way of the stack: few
 * streams have much, and memory that is taken for it and given back leaves holes. */
static gssize
nego_capture_read (NegoCapture *capture, gsize most, gsize room)
{
  guint8 buffer[READ_BYTES];
  ssize_t n;

  do
    n = read (capture->fd, buffer, MIN (most, sizeof buffer));
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return errno == EAGAIN ? -1 : 0;
  nego_capture_keep (capture, buffer, MIN ((gsize) n, room));
  if ((gsize) n > room)
    capture->truncated = TRUE;
  return n;
}

static void
nego_capture_close (NegoCapture *capture)
{
  nego_source_clear (&capture->watch);
  nego_source_clear (&capture->stall);
  nego_pipe_close (&capture->fd);
  /* Final: no more than it needs is held until it is collected. */
  if (capture->skip > 0 && capture->len > 0)
    memmove (capture->data, capture->data + capture->skip, capture->len);
  capture->skip = 0;
  capture->data = g_realloc (capture->data, capture->len);
  capture->allocated = capture->len;
}

static gboolean nego_capture_on_readable (int fd, GIOCondition condition, gpointer user_data);
static gboolean nego_capture_on_stalled (gpointer user_data);

/* Reads on, or waits for the reader. */
static void
nego_capture_update (NegoCapture *capture)
{
  gboolean full = capture->flowing && nego_capture_get_room (capture) == 0;

  if (capture->fd < 0)
    return;
  if (full) {
    nego_source_clear (&capture->watch);
    if (capture->stall == NULL)
      capture->stall
        = nego_source_add_timeout (capture->limits.stall_ms, nego_capture_on_stalled, capture);
    return;
  }
  nego_source_clear (&capture->stall);
  if (capture->watch == NULL)
    capture->watch = nego_source_add_fd (capture->fd, G_IO_IN, nego_capture_on_readable, capture);
}

static gboolean
nego_capture_on_stalled (gpointer user_data)
{
  NegoCapture *capture = user_data;

  capture->flowing = FALSE;
  nego_capture_update (capture);
  return G_SOURCE_REMOVE;
}

static gboolean
nego_capture_on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  NegoCapture *capture = user_data;
  const gboolean was_truncated = capture->truncated;
  const gsize before = capture->len;

  for (guint i = 0; i < READS; i++) {
    const gsize room = nego_capture_get_room (capture);
    const gsize most = capture->flowing ? MIN (room, READ_BYTES) : READ_BYTES;
    gssize n;

    if (most == 0)
      break;
    n = nego_capture_read (capture, most, room);
    if (n == 0)
      nego_capture_close (capture);
    /* A short read says that the pipe is empty. */
    if (n < (gssize) most)
      break;
  }
  nego_capture_update (capture);
  if (capture->len != before || capture->truncated != was_truncated || capture->fd < 0)
    capture->changed (capture, capture->user_data);
  return G_SOURCE_CONTINUE;
}

NegoCapture *
nego_capture_new (const NegoCaptureLimits *limits,
                  int *child_fd,
                  NegoCaptureFunc changed,
                  gpointer user_data,
                  GError **error)
{
  g_autoptr (NegoCapture) capture = g_new0 (NegoCapture, 1);

  capture->fd = -1;
  capture->limits = *limits;
  capture->flowing = limits->window > 0;
  capture->changed = changed;
  capture->user_data = user_data;
  if (!nego_pipe_open_output (&capture->fd, child_fd, error))
    return NULL;
  nego_capture_update (capture);
  return g_steal_pointer (&capture);
}

void
nego_capture_free (NegoCapture *capture)
{
  if (capture == NULL)
    return;
  nego_source_clear (&capture->watch);
  nego_source_clear (&capture->stall);
  nego_pipe_close (&capture->fd);
  g_free (capture->data);
  g_free (capture);
}

int
nego_capture_finish (NegoCapture *capture)
{
  int pending = 0;
  int held = -1;
  gssize n;

  if (capture->fd < 0)
    return -1;
  /* What the child left is in the pipe now; what a background child adds meanwhile is not awaited:
   * it may have no end. */
  if (ioctl (capture->fd, FIONREAD, &pending) != 0)
    pending = 0;
  do {
    /* Of a flowing stream nothing may be lost: a pipe's worth more than the window is kept. */
    n = nego_capture_read (capture, READ_BYTES,
                           capture->flowing ? READ_BYTES : nego_capture_get_room (capture));
    pending -= (int) n;
  } while (n > 0 && pending >= 0);
  if (n != 0) {
    held = capture->fd;
    capture->fd = -1;
  }
  nego_capture_close (capture);
  return held;
}

void
nego_capture_get_view (const NegoCapture *capture, NegoCaptureView *view)
{
  *view = (NegoCaptureView){
    .data = capture->len > 0 ? capture->data + capture->skip : NULL,
    .start = capture->start,
    .len = capture->len,
    .final = capture->fd < 0,
    .truncated = capture->truncated,
  };
}

void
nego_capture_release (NegoCapture *capture, guint64 until)
{
  gsize bytes;

  if (capture->limits.window == 0 || until <= capture->start)
    return;
  bytes = (gsize) MIN (until - capture->start, capture->len);
  capture->start += bytes;
  capture->skip += bytes;
  capture->len -= bytes;
  if (capture->len == 0)
    capture->skip = 0;
  nego_capture_update (capture);
}
