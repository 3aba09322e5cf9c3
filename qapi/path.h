/* SPDX-License-Identifier: MIT */
/*
 * path: where in a request a value stands, and the errors that say so, in QGA's words.
 *
 * A path is a chain on the decoder's stack; its text is made only for an error. Names of members
 * that the schema knows are trusted; what else an error quotes is cut at NEGO_ERROR_QUOTE_BYTES.
 */
#pragma once

#include <glib.h>

typedef struct QapiPath QapiPath;
struct QapiPath {
  const QapiPath *parent; /* NULL: the value that was asked for */
  const char *name;       /* of a member; NULL: an element of a list */
  guint index;            /* of the element */
};

/* Each sets @error and returns FALSE, so that it can be the operand of return. */

/* "Invalid parameter type for 'a.b[1]', expected: string" */
gboolean qapi_path_fail_type (const QapiPath *path, const char *expected, GError **error);
/* "Parameter 'a.b' is missing" */
gboolean qapi_path_fail_missing (const QapiPath *path, GError **error);
/* "Parameter 'a.b' is unexpected" */
gboolean qapi_path_fail_unexpected (const QapiPath *path, GError **error);
/* "Parameter 'a.b' expects uint64" */
gboolean qapi_path_fail_expects (const QapiPath *path, const char *expected, GError **error);
/* "Parameter 'b' expects uint8_t"; QEMU names the member alone here, and an element null. */
gboolean qapi_path_fail_range (const QapiPath *path, const char *expected, GError **error);
/* "Parameter 'b' does not accept value 'foo'", by the same rule. */
gboolean qapi_path_fail_value (const QapiPath *path, const char *value, GError **error);
