/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/drain.h"

#include "common/pipe.h"
#include "common/source.h"

#include <errno.h>
#include <unistd.h>

#define READ_BYTES (64u << 10)

typedef struct {
  NegoDrain *drain;
  int fd;
  GSource *watch;
  GList link; /* in the drain's queue, oldest first */
} NegoDrainPipe;

struct NegoDrain {
  GQueue pipes;
  guint max;
};

static void
nego_drain_remove (NegoDrainPipe *pipe)
{
  g_queue_unlink (&pipe->drain->pipes, &pipe->link);
  nego_source_clear (&pipe->watch);
  nego_pipe_close (&pipe->fd);
  g_free (pipe);
}

static gboolean
nego_drain_on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  guint8 buffer[READ_BYTES];
  ssize_t n = read (fd, buffer, sizeof buffer);

  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
    nego_drain_remove (user_data);
  return G_SOURCE_CONTINUE;
}

NegoDrain *
nego_drain_new (guint max)
{
  NegoDrain *drain = g_new0 (NegoDrain, 1);

  drain->max = max;
  return drain;
}

void
nego_drain_free (NegoDrain *drain)
{
  if (drain == NULL)
    return;
  while (drain->pipes.head != NULL)
    nego_drain_remove (drain->pipes.head->data);
  g_free (drain);
}

void
nego_drain_add (NegoDrain *drain, int fd)
{
  NegoDrainPipe *pipe = g_new0 (NegoDrainPipe, 1);

  if (drain->pipes.length >= drain->max)
    nego_drain_remove (drain->pipes.head->data);
  pipe->drain = drain;
  pipe->fd = fd;
  pipe->link.data = pipe;
  pipe->watch = nego_source_add_fd (fd, G_IO_IN, nego_drain_on_readable, pipe);
  g_queue_push_tail_link (&drain->pipes, &pipe->link);
}

guint
nego_drain_count (const NegoDrain *drain)
{
  return drain->pipes.length;
}
