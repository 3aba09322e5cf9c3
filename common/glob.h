/* SPDX-License-Identifier: MIT */
/*
 * glob: whether a text fits a shell-like pattern, as a whole.
 *
 * '*' is any run of characters, '?' one character, "[a-z_]" one of these, "[!a-z_]" one of the
 * others, '\' takes its meaning from the character behind it. Nothing is special about '/' and a
 * leading '.': texts are words, not paths. Both are UTF-8.
 *
 * The time is bounded by the product of both lengths, the memory is constant: not even a hostile
 * text with a hostile pattern makes it run away, as backtracking over several '*' would.
 */
#pragma once

#include <glib.h>

/* Whether each '[' has its ']', each '\' its character, and the whole is UTF-8. */
gboolean nego_glob_is_valid (const char *pattern);

/* @pattern: valid. A @text that is not UTF-8 fits none. */
gboolean nego_glob_fits (const char *pattern, const char *text);
