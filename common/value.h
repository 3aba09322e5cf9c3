/* SPDX-License-Identifier: MIT */
/*
 * value: a JSON value within a text that the framer passed, and what is in it, found without a
 * tree: for texts that are passed on, and for those that are large.
 *
 * It relies on the framer: the text is strict JSON without blanks, each string in one spelling.
 */
#pragma once

#include <glib.h>

typedef struct {
  const char *text; /* borrowed; NULL: there is none */
  gsize len;
} NegoValue;

/* Finds the member @name (plain ASCII) of the object @object. FALSE: it has none, and *@member is
 * no value; also when @object is not an object. */
gboolean nego_value_find (const NegoValue *object, const char *name, NegoValue *member);
/* Goes from one element of the array @array to the next; *@element is zeroed at first. FALSE: there
 * is no other; also when @array is not an array. */
gboolean nego_value_next (const NegoValue *array, NegoValue *element);

/* Whether @value is the string @text (plain ASCII). */
gboolean nego_value_is_string (const NegoValue *value, const char *text);
gboolean nego_value_is_true (const NegoValue *value);
/* The characters of a string; NULL: it is none, or contains U+0000. Returns: (transfer full). */
char *nego_value_dup_string (const NegoValue *value);
/* FALSE: @value is not an integer from 0 to G_MAXINT64. */
gboolean nego_value_get_uint (const NegoValue *value, guint64 *number);
