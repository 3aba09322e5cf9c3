/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/source.h"

GSource *
nego_source_add_fd (int fd, GIOCondition condition, GUnixFDSourceFunc func, gpointer user_data)
{
  GSource *source = g_unix_fd_source_new (fd, condition);

  g_source_set_callback (source, G_SOURCE_FUNC (func), user_data, NULL);
  /* Saves the main loop from taking the descriptor out of its set during each call. */
  g_source_set_can_recurse (source, TRUE);
  g_source_attach (source, NULL);
  return source;
}

GSource *
nego_source_add_timeout (guint ms, GSourceFunc func, gpointer user_data)
{
  GSource *source = g_timeout_source_new (ms);

  g_source_set_callback (source, func, user_data, NULL);
  g_source_attach (source, NULL);
  return source;
}

void
nego_source_clear (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}
