/* SPDX-License-Identifier: MIT */
/*
 * switches: what a command that switches processors or memory blocks was asked for, for the thread
 * that does it (query.h): which ones, on or off, in the caller's order.
 */
#pragma once

#include <glib.h>

typedef struct {
  guint64 number; /* as the request has it: one that is no processor's is refused later */
  gboolean online;
} NegoSwitch;

typedef struct {
  char *root;  /* before /sys (sysfs.h) */
  GArray *all; /* of NegoSwitch */
} NegoSwitches;

NegoSwitches *nego_switches_new (const char *root);
/* For a NegoQuery. */
void nego_switches_free (gpointer switches);
void nego_switches_add (NegoSwitches *switches, guint64 number, gboolean online);
