/* SPDX-License-Identifier: MIT */
/*
 * scalar: strings, numbers, booleans and enum values from json-glib's tree, each checked for its
 * type and range.
 */
#pragma once

#include "qapi/path.h"
#include "qapi/type.h"

#include <json-glib/json-glib.h>

/* Writes the value of @node to @slot, as type.h says for @type; a string is (transfer full). @type
 * is neither a struct nor an alternate. */
gboolean qapi_scalar_decode (
  const QapiType *type, JsonNode *node, const QapiPath *path, gpointer slot, GError **error);

/* Whether an alternate takes its branch of @type for @node. As in QEMU, every number selects the
 * branch of any numeric type, whose own check follows. */
gboolean qapi_scalar_accepts (const QapiType *type, JsonNode *node);
