/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/switches.h"

NegoSwitches *
nego_switches_new (const char *root)
{
  NegoSwitches *switches = g_new0 (NegoSwitches, 1);

  switches->root = g_strdup (root);
  switches->all = g_array_new (FALSE, FALSE, sizeof (NegoSwitch));
  return switches;
}

void
nego_switches_free (gpointer data)
{
  NegoSwitches *switches = data;

  g_free (switches->root);
  g_array_unref (switches->all);
  g_free (switches);
}

void
nego_switches_add (NegoSwitches *switches, guint64 number, gboolean online)
{
  const NegoSwitch one = { number, online };

  g_array_append_val (switches->all, one);
}
