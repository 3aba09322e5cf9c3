/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/input.h"

#include "common/names.h"
#include "common/pipe.h"
#include "common/source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* How much is written before the memory behind it is given back: often enough for the size of a
 * large input to fall as it is taken, seldom enough for the move of the rest not to count. */
#define GIVE_BACK_BYTES (1u << 20)

struct NegoInput {
  int fd; /* -1: nobody reads it any more */
  GSource *watch;
  GIOCondition condition; /* of the watch */
  guint8 *data;
  gsize len, written;
  gsize allocated;
  guint64 next;
  gboolean ended;
  NegoInputFunc changed;
  gpointer user_data;
};

static void
nego_input_close (NegoInput *input)
{
  nego_source_clear (&input->watch);
  nego_pipe_close (&input->fd);
  g_clear_pointer (&input->data, g_free);
  input->len = input->written = input->allocated = 0;
}

static void
nego_input_give_back (NegoInput *input)
{
  if (input->written < GIVE_BACK_BYTES)
    return;
  input->len -= input->written;
  memmove (input->data, input->data + input->written, input->len);
  input->data = g_realloc (input->data, input->len);
  input->allocated = input->len;
  input->written = 0;
}

static gboolean nego_input_on_event (int fd, GIOCondition condition, gpointer user_data);

/* Waits for room in the pipe, or, with nothing to write, for its reader's leaving. */
static void
nego_input_update (NegoInput *input)
{
  GIOCondition wanted = input->written < input->len ? G_IO_OUT : G_IO_ERR;

  if (input->fd < 0 || (input->watch != NULL && input->condition == wanted))
    return;
  nego_source_clear (&input->watch);
  input->condition = wanted;
  input->watch = nego_source_add_fd (input->fd, wanted, nego_input_on_event, input);
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
  if (input->written < input->len)
    nego_input_give_back (input);
  else if (input->ended)
    nego_input_close (input);
  else
    input->len = input->written = 0;
}

static gboolean
nego_input_on_event (int fd, GIOCondition condition, gpointer user_data)
{
  NegoInput *input = user_data;

  if (input->written < input->len)
    nego_input_write (input);
  else
    nego_input_close (input);
  nego_input_update (input);
  if (input->changed != NULL)
    input->changed (input, input->user_data);
  return G_SOURCE_CONTINUE;
}

NegoInput *
nego_input_new (
  guint8 *data, gsize len, int *child_fd, NegoInputFunc changed, gpointer user_data, GError **error)
{
  g_autoptr (NegoInput) input = g_new0 (NegoInput, 1);

  input->fd = -1;
  input->data = data;
  input->len = input->allocated = len;
  input->next = len;
  input->ended = changed == NULL;
  input->changed = changed;
  input->user_data = user_data;
  if (!nego_pipe_open_input (&input->fd, child_fd, error))
    return NULL;
  nego_input_write (input);
  nego_input_update (input);
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

/* Puts @data behind what is held. */
static void
nego_input_append (NegoInput *input, const guint8 *data, gsize len)
{
  if (input->written > 0) {
    input->len -= input->written;
    memmove (input->data, input->data + input->written, input->len);
    input->written = 0;
  }
  if (input->allocated - input->len < len) {
    input->allocated = MAX (input->len + len, 2 * input->allocated);
    input->data = g_realloc (input->data, input->allocated);
  }
  memcpy (input->data + input->len, data, len);
  input->len += len;
}

gsize
nego_input_add (NegoInput *input, const guint8 *data, gsize len)
{
  const gsize held = input->len - input->written;
  gsize room = held < NEGO_JOB_INPUT_BYTES ? NEGO_JOB_INPUT_BYTES - held : 0;

  if (input->fd >= 0)
    len = MIN (len, room);
  if (input->fd >= 0 && len > 0) {
    nego_input_append (input, data, len);
    nego_input_write (input);
    nego_input_update (input);
  }
  input->next += len;
  return len;
}

void
nego_input_end (NegoInput *input)
{
  input->ended = TRUE;
  if (input->fd >= 0 && input->written == input->len)
    nego_input_close (input);
}

gboolean
nego_input_is_ended (const NegoInput *input)
{
  return input->ended;
}

gboolean
nego_input_is_closed (const NegoInput *input)
{
  return input->fd < 0;
}

guint64
nego_input_get_next (const NegoInput *input)
{
  return input->next;
}

gsize
nego_input_pending (const NegoInput *input)
{
  return input->len;
}
