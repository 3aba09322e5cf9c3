/* SPDX-License-Identifier: MIT */
/*
 * target: the place of a file that is to be replaced as a whole, by rename(2).
 *
 * rename(2) replaces whatever has the name: a device node, a FIFO, a socket, or a link, and not
 * what the link points to. Links are not followed either: in a directory that others may write to,
 * one leads where they like.
 */
#pragma once

#include <glib.h>

/* Whether a new file may get the name @path: there is nothing, or a regular file. A path that
 * cannot be looked at is left to who makes the file. Errors: NEGO_ERROR_GENERIC. May block. */
gboolean nego_target_check (const char *path, GError **error);
