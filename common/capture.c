/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/capture.h"

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
/* The first allocation; it is doubled from there. */
#define FIRST_BYTES 1024u

struct NegoCapture {
  int fd; /* -1: final */
  GSource *watch;
  guint8 *data;
  gsize len, allocated, max_bytes;
  gboolean truncated;
  NegoCaptureFunc changed;
  gpointer user_data;
};

static void
nego_capture_keep (NegoCapture *capture, const guint8 *data, gsize len)
{
  gsize room = capture->max_bytes - capture->len;

  if (len > room) {
    capture->truncated = TRUE;
    len = room;
  }
  if (len == 0)
    return;
  if (capture->allocated - capture->len < len) {
    gsize wanted = MAX (MAX (capture->allocated * 2, capture->len + len), FIRST_BYTES);

    capture->allocated = MIN (wanted, capture->max_bytes);
    capture->data = g_realloc (capture->data, capture->allocated);
  }
  memcpy (capture->data + capture->len, data, len);
  capture->len += len;
}

/* The number of bytes; 0 at the end of the stream (or an error, which no pipe has); -1: none now.
 */
static gssize
nego_capture_read (NegoCapture *capture)
{
  guint8 buffer[READ_BYTES];
  ssize_t n;

  do
    n = read (capture->fd, buffer, sizeof buffer);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return errno == EAGAIN ? -1 : 0;
  nego_capture_keep (capture, buffer, (gsize) n);
  return n;
}

static void
nego_capture_close (NegoCapture *capture)
{
  nego_source_clear (&capture->watch);
  nego_pipe_close (&capture->fd);
  /* Final: no more than it needs is held until it is collected. */
  capture->data = g_realloc (capture->data, capture->len);
  capture->allocated = capture->len;
}

static gboolean
nego_capture_on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  NegoCapture *capture = user_data;
  gsize before = capture->len;
  gssize n;

  for (guint i = 0; i < READS; i++) {
    n = nego_capture_read (capture);
    if (n == 0)
      nego_capture_close (capture);
    /* A short read says that the pipe is empty. */
    if (n < (gssize) READ_BYTES)
      break;
  }
  if (capture->len != before || capture->fd < 0)
    capture->changed (capture, capture->user_data);
  return G_SOURCE_CONTINUE;
}

NegoCapture *
nego_capture_new (
  gsize max_bytes, int *child_fd, NegoCaptureFunc changed, gpointer user_data, GError **error)
{
  g_autoptr (NegoCapture) capture = g_new0 (NegoCapture, 1);

  capture->fd = -1;
  capture->max_bytes = max_bytes;
  capture->changed = changed;
  capture->user_data = user_data;
  if (!nego_pipe_open_output (&capture->fd, child_fd, error))
    return NULL;
  capture->watch = nego_source_add_fd (capture->fd, G_IO_IN, nego_capture_on_readable, capture);
  return g_steal_pointer (&capture);
}

void
nego_capture_free (NegoCapture *capture)
{
  if (capture == NULL)
    return;
  nego_source_clear (&capture->watch);
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
    n = nego_capture_read (capture);
    pending -= (int) n;
  } while (n > 0 && pending >= 0);
  if (n != 0) {
    held = capture->fd;
    capture->fd = -1;
  }
  nego_capture_close (capture);
  return held;
}

const guint8 *
nego_capture_get_data (const NegoCapture *capture, gsize *len)
{
  *len = capture->len;
  return capture->data;
}

gboolean
nego_capture_is_truncated (const NegoCapture *capture)
{
  return capture->truncated;
}

gboolean
nego_capture_is_final (const NegoCapture *capture)
{
  return capture->fd < 0;
}
