/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "qapi/scalar.h"

static gboolean
node_holds (JsonNode *node, GType type)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == type;
}

static gboolean
decode_string (JsonNode *node, const QapiPath *path, char **ret, GError **error)
{
  if (!node_holds (node, G_TYPE_STRING))
    return qapi_path_fail_type (path, "string", error);
  *ret = g_strdup (json_node_get_string (node));
  return TRUE;
}

static gboolean
decode_boolean (JsonNode *node, const QapiPath *path, gboolean *ret, GError **error)
{
  if (!node_holds (node, G_TYPE_BOOLEAN))
    return qapi_path_fail_type (path, "boolean", error);
  *ret = json_node_get_boolean (node);
  return TRUE;
}

/* A JSON integer is a number too; json_node_get_double() converts it. */
static gboolean
decode_number (JsonNode *node, const QapiPath *path, double *ret, GError **error)
{
  if (!node_holds (node, G_TYPE_INT64) && !node_holds (node, G_TYPE_DOUBLE))
    return qapi_path_fail_type (path, "number", error);
  *ret = json_node_get_double (node);
  return TRUE;
}

static gboolean
decode_int (
  const QapiType *type, JsonNode *node, const QapiPath *path, gpointer slot, GError **error)
{
  gint64 value;

  if (!node_holds (node, G_TYPE_INT64))
    return qapi_path_fail_type (path, "integer", error);
  value = json_node_get_int (node);
  if (type->size == sizeof (gint64)) {
    *(gint64 *) slot = value;
  } else if (value < -(G_GINT64_CONSTANT (1) << (type->size * 8 - 1))
             || value >= G_GINT64_CONSTANT (1) << (type->size * 8 - 1)) {
    return qapi_path_fail_range (path, type->name, error);
  } else if (type->size == sizeof (gint32)) {
    *(gint32 *) slot = (gint32) value;
  } else if (type->size == sizeof (gint16)) {
    *(gint16 *) slot = (gint16) value;
  } else {
    *(gint8 *) slot = (gint8) value;
  }
  return TRUE;
}

/* As QEMU, a negative integer stands for the uint64 with its bits. json-glib has no uint64, so an
 * integer from 2^63 on arrives as a double; its lowest eleven bits are lost then. */
static gboolean
decode_uint64 (JsonNode *node, const QapiPath *path, guint64 *ret, GError **error)
{
  if (node_holds (node, G_TYPE_INT64)) {
    *ret = (guint64) json_node_get_int (node);
    return TRUE;
  }
  if (node_holds (node, G_TYPE_DOUBLE)) {
    const double value = json_node_get_double (node);

    if (value >= 0x1p63 && value < 0x1p64) {
      *ret = (guint64) value;
      return TRUE;
    }
    return qapi_path_fail_expects (path, "uint64", error);
  }
  return qapi_path_fail_type (path, "integer", error);
}

static gboolean
decode_uint (
  const QapiType *type, JsonNode *node, const QapiPath *path, gpointer slot, GError **error)
{
  guint64 value = 0;

  if (!decode_uint64 (node, path, &value, error))
    return FALSE;
  if (type->size == sizeof (guint64)) {
    *(guint64 *) slot = value;
  } else if (value >> (type->size * 8) != 0) {
    return qapi_path_fail_range (path, type->name, error);
  } else if (type->size == sizeof (guint32)) {
    *(guint32 *) slot = (guint32) value;
  } else if (type->size == sizeof (guint16)) {
    *(guint16 *) slot = (guint16) value;
  } else {
    *(guint8 *) slot = (guint8) value;
  }
  return TRUE;
}

static gboolean
decode_enum (const QapiType *type, JsonNode *node, const QapiPath *path, int *ret, GError **error)
{
  const char *text;
  int value;

  if (!node_holds (node, G_TYPE_STRING))
    return qapi_path_fail_type (path, "string", error);
  text = json_node_get_string (node);
  value = qapi_type_find_value (type, text);
  if (value < 0)
    return qapi_path_fail_value (path, text, error);
  *ret = value;
  return TRUE;
}

gboolean
qapi_scalar_decode (
  const QapiType *type, JsonNode *node, const QapiPath *path, gpointer slot, GError **error)
{
  switch (type->kind) {
  case QAPI_KIND_STRING:
    return decode_string (node, path, slot, error);
  case QAPI_KIND_BOOLEAN:
    return decode_boolean (node, path, slot, error);
  case QAPI_KIND_INT:
    return decode_int (type, node, path, slot, error);
  case QAPI_KIND_UINT:
    return decode_uint (type, node, path, slot, error);
  case QAPI_KIND_NUMBER:
    return decode_number (node, path, slot, error);
  case QAPI_KIND_ENUM:
    return decode_enum (type, node, path, slot, error);
  case QAPI_KIND_STRUCT:
  case QAPI_KIND_ALTERNATE:
    break;
  }
  g_return_val_if_reached (FALSE);
}

gboolean
qapi_scalar_accepts (const QapiType *type, JsonNode *node)
{
  switch (type->kind) {
  case QAPI_KIND_STRING:
  case QAPI_KIND_ENUM:
    return node_holds (node, G_TYPE_STRING);
  case QAPI_KIND_BOOLEAN:
    return node_holds (node, G_TYPE_BOOLEAN);
  case QAPI_KIND_INT:
  case QAPI_KIND_UINT:
  case QAPI_KIND_NUMBER:
    return node_holds (node, G_TYPE_INT64) || node_holds (node, G_TYPE_DOUBLE);
  case QAPI_KIND_STRUCT:
  case QAPI_KIND_ALTERNATE:
    break;
  }
  g_return_val_if_reached (FALSE);
}
