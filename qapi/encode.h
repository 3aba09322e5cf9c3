/* SPDX-License-Identifier: MIT */
/*
 * encode: from the C value of a schema type to JSON in QGA's spelling, members in the schema's
 * order, absent ones left out.
 */
#pragma once

#include "common/json.h"
#include "qapi/type.h"

/* Writes @object, of the struct or alternate @type. */
void qapi_encode (NegoJsonWriter *writer, const QapiType *type, gconstpointer object);

/* Writes a list of @type as type.h says; NULL is an empty list. */
void qapi_encode_list (NegoJsonWriter *writer, const QapiType *type, gconstpointer list);

/* Writes the value in @slot, of any @type. */
void qapi_encode_slot (NegoJsonWriter *writer, const QapiType *type, gconstpointer slot);
