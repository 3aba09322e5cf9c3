/* SPDX-License-Identifier: MIT */
/* bare-glib: what a GLib program costs that does nothing but enter its main loop once. */
#include "config.h"

#include <glib.h>

static gboolean
quit (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_REMOVE;
}

int
main (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);

  g_idle_add (quit, loop);
  g_main_loop_run (loop);
  return 0;
}
