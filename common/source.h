/* SPDX-License-Identifier: MIT */
/*
 * source: main-loop sources as this project wants them: held by their owner, who destroys them
 * before it goes; a callback that wants to end its source does the same, and returns whatever it
 * likes.
 */
#pragma once

#include <glib-unix.h>

/* Calls @func while @condition holds for @fd. */
GSource *
nego_source_add_fd (int fd, GIOCondition condition, GUnixFDSourceFunc func, gpointer user_data);
/* Calls @func once, @ms milliseconds from now, if it returns G_SOURCE_REMOVE. */
GSource *nego_source_add_timeout (guint ms, GSourceFunc func, gpointer user_data);

/* Destroys *@source, if there is one, and sets it to NULL. */
void nego_source_clear (GSource **source);
