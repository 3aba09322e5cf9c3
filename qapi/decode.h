/* SPDX-License-Identifier: MIT */
/*
 * decode: from json-glib's tree to the C value of a schema type, with every check the schema asks
 * for.
 *
 * It is meant for trees of untrusted text that the framer passed: its depth is the schema's, not
 * the text's. Errors are NEGO_ERROR_GENERIC with QGA's texts, letter for letter (QEMU 10.2,
 * qobject-input-visitor.c and qapi-visit-core.c): "Parameter 'a[1].b' is missing", "Parameter 'x'
 * is unexpected", "Invalid parameter type for 'x', expected: string", and, with the member's own
 * name instead of its path, "Parameter 'x' does not accept value 'foo'" and "Parameter 'x' expects
 * uint8_t". Known members are checked first, in the schema's order; then comes the first unknown
 * one.
 */
#pragma once

#include "qapi/type.h"

#include <json-glib/json-glib.h>

/* @path names the value in errors; NULL leaves it out, as for a command's arguments. @strict
 * refuses unknown members (requests); without it they are ignored (replies of a peer that may be
 * newer). Returns: (transfer full): an object of the struct or alternate @type, or NULL. */
gpointer qapi_decode (
  const QapiType *type, JsonNode *node, const char *path, gboolean strict, GError **error);

/* Returns: (transfer full): a list of @type as type.h says, or NULL. */
gpointer qapi_decode_list (
  const QapiType *type, JsonNode *node, const char *path, gboolean strict, GError **error);

/* As qapi_decode() of a command's arguments; @arguments may be NULL, which equals {}. */
gpointer qapi_decode_arguments (const QapiType *type, JsonNode *arguments, GError **error);

/* Refuses any member in @arguments, which may be NULL, of a command without arguments. */
gboolean qapi_decode_no_arguments (JsonNode *arguments, GError **error);
