/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/input.h"

#include "common/pipe.h"
#include "common/source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* How much is written before the memory behind it is given back: often enough for the size of a
 * large input to fall as it is taken, seldom enough for the move of the rest not to count. */
#define GIVE_BACK_BYTES (1u << 20)

struct NegoInput {
  int fd; /* -1: all is written or dropped */
  GSource *watch;
  guint8 *data;
  gsize len, written;
};

static void
nego_input_close (NegoInput *input)
{
  nego_source_clear (&input->watch);
  nego_pipe_close (&input->fd);
  g_clear_pointer (&input->data, g_free);
  input->len = input->written = 0;
}

static void
nego_input_give_back (NegoInput *input)
{
  if (input->written < GIVE_BACK_BYTES)
    return;
  input->len -= input->written;
  memmove (input->data, input->data + input->written, input->len);
  input->data = g_realloc (input->data, input->len);
  input->written = 0;
}

/* Writes what the pipe takes; closes it after the last byte, or when nobody reads it. */
static void
nego_input_write (NegoInput *input)
{
  ssize_t n;

  while (input->written < input->len) {
    n = write (input->fd, input->data + input->written, input->len - input->written);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno == EAGAIN)
      break;
    if (n < 0) {
      nego_input_close (input);
      return;
    }
    input->written += (gsize) n;
  }
  if (input->written == input->len)
    nego_input_close (input);
  else
    nego_input_give_back (input);
}

static gboolean
nego_input_on_writable (int fd, GIOCondition condition, gpointer user_data)
{
  nego_input_write (user_data);
  return G_SOURCE_CONTINUE;
}

NegoInput *
nego_input_new (guint8 *data, gsize len, int *child_fd, GError **error)
{
  g_autoptr (NegoInput) input = g_new0 (NegoInput, 1);

  input->fd = -1;
  input->data = data;
  input->len = len;
  if (!nego_pipe_open_input (&input->fd, child_fd, error))
    return NULL;
  nego_input_write (input);
  if (input->fd >= 0)
    input->watch = nego_source_add_fd (input->fd, G_IO_OUT, nego_input_on_writable, input);
  return g_steal_pointer (&input);
}

void
nego_input_free (NegoInput *input)
{
  if (input == NULL)
    return;
  nego_input_close (input);
  g_free (input);
}

gsize
nego_input_pending (const NegoInput *input)
{
  return input->len;
}
