/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/client/run-input.h"

#include "common/error.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

void
nego_run_input_init (NegoRunInput *input, int fd)
{
  *input = (NegoRunInput){ .fd = fd, .over = fd < 0, .eof = fd < 0 };
}

void
nego_run_input_clear (NegoRunInput *input)
{
  g_clear_pointer (&input->data, g_free);
}

static gboolean
nego_run_input_is_readable (const NegoRunInput *input)
{
  struct pollfd fd = { .fd = input->fd, .events = POLLIN };

  return poll (&fd, 1, 0) > 0;
}

gboolean
nego_run_input_fill (NegoRunInput *input, gsize piece, GError **error)
{
  input->piece = piece;
  if (!nego_run_input_wants_data (input))
    return TRUE;
  input->data = g_realloc (input->data, piece);
  /* Asked before each read: the descriptor is not ours to make non-blocking. */
  while (!input->eof && input->len < piece && nego_run_input_is_readable (input)) {
    const gssize n = read (input->fd, input->data + input->len, piece - input->len);

    if (n > 0)
      input->len += (gsize) n;
    else if (n == 0 || errno == EBADF) /* it is closed */
      input->eof = TRUE;
    else if (errno == EAGAIN)
      break;
    else if (errno != EINTR)
      return nego_error_set_errno (error, errno, "cannot read the standard input");
  }
  return TRUE;
}

gboolean
nego_run_input_wants_data (const NegoRunInput *input)
{
  return !input->over && !input->eof && input->len == 0;
}

gboolean
nego_run_input_has_news (const NegoRunInput *input)
{
  return !input->over && (input->len > 0 || input->eof);
}

void
nego_run_input_take (NegoRunInput *input, guint64 next)
{
  const gsize taken = (gsize) MIN (next - input->offset, input->len);

  input->len -= taken;
  input->offset += taken;
  if (input->len > 0)
    memmove (input->data, input->data + taken, input->len);
  else if (input->eof)
    input->over = TRUE;
}

void
nego_run_input_end (NegoRunInput *input)
{
  input->over = TRUE;
  input->len = 0;
}
