/* SPDX-License-Identifier: MIT */
/*
 * assignments: the lines NAME=VALUE of os-release(5), which are a small part of the shell's
 * language; systemd-logind's files of sessions have the same form.
 */
#pragma once

#include <glib.h>

/* The last assignment of each name in @text; what is no assignment is skipped. Values are without
 * quotes, which may be double (with backslash before $ ' " \ and `) or single; an unquoted one ends
 * at a blank or ';', a quoted one that is never closed at the end of the line.
 * Returns: (transfer full): name to value. */
GHashTable *nego_assignments_parse (const char *text);
