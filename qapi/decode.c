/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "qapi/decode.h"

#include "common/error.h"
#include "common/names.h"

#include <string.h>

/* Where a value stands; the text is made only for an error. The ends of the chain have no parent.
 */
typedef struct Path Path;
struct Path {
  const Path *parent;
  const char *name; /* of a member; NULL for an element of a list */
  guint index;
};

typedef struct {
  gboolean strict;
  GError **error;
} Decoder;

static gboolean decode_slot (
  Decoder *decoder, const QapiType *type, JsonNode *node, const Path *path, gpointer slot);

static void
path_append (GString *text, const Path *path)
{
  if (path->parent != NULL)
    path_append (text, path->parent);
  if (path->name == NULL)
    g_string_append_printf (text, "[%u]", path->index);
  else if (text->len > 0)
    g_string_append_printf (text, ".%s", path->name);
  else
    g_string_append (text, path->name);
}

static char *
path_to_string (const Path *path)
{
  GString *text = g_string_new (NULL);

  path_append (text, path);
  /* A value without a name of its own, as QEMU calls it. */
  if (text->len == 0)
    g_string_append (text, "<anonymous>");
  return g_string_free (text, FALSE);
}

/* The hostile @text as an error quotes it: no longer than NEGO_ERROR_QUOTE_BYTES. */
static char *
quote (const char *text)
{
  const char *end = text + strnlen (text, NEGO_ERROR_QUOTE_BYTES);

  if (*end != '\0')
    end = g_utf8_find_prev_char (text, end + 1);
  return g_strndup (text, (gsize) (end - text));
}

/* The path's last part; QEMU prints an element of a list, which has no name, as null. */
static const char *
path_get_name (const Path *path)
{
  return path->name != NULL ? path->name : "null";
}

static gboolean
decode_fail_type (Decoder *decoder, const Path *path, const char *expected)
{
  g_autofree char *where = path_to_string (path);

  g_set_error (decoder->error, NEGO_ERROR, NEGO_ERROR_GENERIC,
               "Invalid parameter type for '%s', expected: %s", where, expected);
  return FALSE;
}

static gboolean
decode_fail_member (Decoder *decoder, const Path *parent, const char *name, const char *problem)
{
  const Path path = { parent, name, 0 };
  g_autofree char *where = path_to_string (&path);

  g_set_error (decoder->error, NEGO_ERROR, NEGO_ERROR_GENERIC, "Parameter '%s' is %s", where,
               problem);
  return FALSE;
}

static gboolean
decode_fail_range (Decoder *decoder, const char *name, const char *expected)
{
  g_set_error (decoder->error, NEGO_ERROR, NEGO_ERROR_GENERIC, "Parameter '%s' expects %s", name,
               expected);
  return FALSE;
}

static gboolean
node_holds (JsonNode *node, GType type)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == type;
}

static gboolean
decode_string (Decoder *decoder, JsonNode *node, const Path *path, char **ret)
{
  if (!node_holds (node, G_TYPE_STRING))
    return decode_fail_type (decoder, path, "string");
  *ret = g_strdup (json_node_get_string (node));
  return TRUE;
}

static gboolean
decode_boolean (Decoder *decoder, JsonNode *node, const Path *path, gboolean *ret)
{
  if (!node_holds (node, G_TYPE_BOOLEAN))
    return decode_fail_type (decoder, path, "boolean");
  *ret = json_node_get_boolean (node);
  return TRUE;
}

/* A JSON integer is a number too; json_node_get_double() converts it. */
static gboolean
decode_number (Decoder *decoder, JsonNode *node, const Path *path, double *ret)
{
  if (!node_holds (node, G_TYPE_INT64) && !node_holds (node, G_TYPE_DOUBLE))
    return decode_fail_type (decoder, path, "number");
  *ret = json_node_get_double (node);
  return TRUE;
}

static gboolean
decode_int (Decoder *decoder, const QapiType *type, JsonNode *node, const Path *path, gpointer slot)
{
  gint64 value;

  if (!node_holds (node, G_TYPE_INT64))
    return decode_fail_type (decoder, path, "integer");
  value = json_node_get_int (node);
  if (type->size == sizeof (gint64)) {
    *(gint64 *) slot = value;
  } else if (value < -(G_GINT64_CONSTANT (1) << (type->size * 8 - 1))
             || value >= G_GINT64_CONSTANT (1) << (type->size * 8 - 1)) {
    return decode_fail_range (decoder, path_get_name (path), type->name);
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
decode_uint64 (Decoder *decoder, JsonNode *node, const Path *path, guint64 *ret)
{
  if (node_holds (node, G_TYPE_INT64)) {
    *ret = (guint64) json_node_get_int (node);
    return TRUE;
  }
  if (node_holds (node, G_TYPE_DOUBLE)) {
    const double value = json_node_get_double (node);
    g_autofree char *where = NULL;

    if (value >= 0x1p63 && value < 0x1p64) {
      *ret = (guint64) value;
      return TRUE;
    }
    where = path_to_string (path);
    return decode_fail_range (decoder, where, "uint64");
  }
  return decode_fail_type (decoder, path, "integer");
}

static gboolean
decode_uint (
  Decoder *decoder, const QapiType *type, JsonNode *node, const Path *path, gpointer slot)
{
  guint64 value = 0;

  if (!decode_uint64 (decoder, node, path, &value))
    return FALSE;
  if (type->size == sizeof (guint64)) {
    *(guint64 *) slot = value;
  } else if (value >> (type->size * 8) != 0) {
    return decode_fail_range (decoder, path_get_name (path), type->name);
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
decode_enum (Decoder *decoder, const QapiType *type, JsonNode *node, const Path *path, int *ret)
{
  const char *text;
  int value;

  if (!node_holds (node, G_TYPE_STRING))
    return decode_fail_type (decoder, path, "string");
  text = json_node_get_string (node);
  value = qapi_type_find_value (type, text);
  if (value < 0) {
    g_autofree char *quoted = quote (text);

    g_set_error (decoder->error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                 "Parameter '%s' does not accept value '%s'", path_get_name (path), quoted);
    return FALSE;
  }
  *ret = value;
  return TRUE;
}

static GPtrArray *
decode_object_list (Decoder *decoder, const QapiType *type, JsonArray *array, const Path *parent)
{
  const guint n = json_array_get_length (array);
  g_autoptr (GPtrArray) list = g_ptr_array_new_full (n, type->free);
  guint i;

  for (i = 0; i < n; i++) {
    const Path path = { parent, NULL, i };
    gpointer object;

    if (!decode_slot (decoder, type, json_array_get_element (array, i), &path, &object))
      return NULL;
    g_ptr_array_add (list, object);
  }
  return g_steal_pointer (&list);
}

static char **
decode_string_list (Decoder *decoder, JsonArray *array, const Path *parent)
{
  const guint n = json_array_get_length (array);
  g_auto (GStrv) list = g_new0 (char *, n + 1);
  guint i;

  for (i = 0; i < n; i++) {
    const Path path = { parent, NULL, i };

    if (!decode_string (decoder, json_array_get_element (array, i), &path, &list[i]))
      return NULL;
  }
  return g_steal_pointer (&list);
}

static GArray *
decode_scalar_list (Decoder *decoder, const QapiType *type, JsonArray *array, const Path *parent)
{
  const guint n = json_array_get_length (array);
  g_autoptr (GArray) list = g_array_sized_new (FALSE, TRUE, (guint) type->size, n);
  guint i;

  g_array_set_size (list, n);
  for (i = 0; i < n; i++) {
    const Path path = { parent, NULL, i };

    if (!decode_slot (decoder, type, json_array_get_element (array, i), &path,
                      list->data + i * type->size))
      return NULL;
  }
  return g_steal_pointer (&list);
}

static gpointer
decode_list (Decoder *decoder, const QapiType *type, JsonNode *node, const Path *path)
{
  JsonArray *array;

  if (!JSON_NODE_HOLDS_ARRAY (node)) {
    decode_fail_type (decoder, path, "array");
    return NULL;
  }
  array = json_node_get_array (node);
  if (type->kind == QAPI_KIND_STRING)
    return decode_string_list (decoder, array, path);
  if (type->kind == QAPI_KIND_STRUCT || type->kind == QAPI_KIND_ALTERNATE)
    return decode_object_list (decoder, type, array, path);
  return decode_scalar_list (decoder, type, array, path);
}

static gboolean
decode_member (
  Decoder *decoder, const QapiMember *member, JsonNode *node, const Path *path, gpointer object)
{
  gpointer slot = (guint8 *) object + member->offset;

  if (member->list) {
    *(gpointer *) slot = decode_list (decoder, member->type, node, path);
    return *(gpointer *) slot != NULL;
  }
  return decode_slot (decoder, member->type, node, path, slot);
}

static gboolean
decode_has_member (const QapiType *type, const char *name)
{
  guint i;

  for (i = 0; i < type->n_members; i++)
    if (strcmp (type->members[i].name, name) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
decode_refuse_unknown (Decoder *decoder, const QapiType *type, JsonObject *json, const Path *parent)
{
  JsonObjectIter iter;
  const char *name;

  json_object_iter_init_ordered (&iter, json);
  while (json_object_iter_next_ordered (&iter, &name, NULL))
    if (!decode_has_member (type, name)) {
      g_autofree char *quoted = quote (name);

      return decode_fail_member (decoder, parent, quoted, "unexpected");
    }
  return TRUE;
}

static gboolean
decode_members (
  Decoder *decoder, const QapiType *type, JsonObject *json, const Path *parent, gpointer object)
{
  guint n_known = 0;
  guint i;

  for (i = 0; i < type->n_members; i++) {
    const QapiMember *member = &type->members[i];
    const Path path = { parent, member->name, 0 };
    JsonNode *node = json_object_get_member (json, member->name);

    if (node == NULL && !member->optional)
      return decode_fail_member (decoder, parent, member->name, "missing");
    if (node == NULL)
      continue;
    n_known++;
    if (!decode_member (decoder, member, node, &path, object))
      return FALSE;
    if (member->has != QAPI_NO_HAS)
      *(gboolean *) ((guint8 *) object + member->has) = TRUE;
  }
  if (decoder->strict && n_known < json_object_get_size (json))
    return decode_refuse_unknown (decoder, type, json, parent);
  return TRUE;
}

static gpointer
decode_struct (Decoder *decoder, const QapiType *type, JsonNode *node, const Path *path)
{
  gpointer object;

  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    decode_fail_type (decoder, path, "object");
    return NULL;
  }
  object = g_malloc0 (type->size);
  if (!decode_members (decoder, type, json_node_get_object (node), path, object)) {
    qapi_type_free (type, object);
    return NULL;
  }
  return object;
}

/* Whether the JSON type of @node selects the alternate's branch @member. As in QEMU, every number
 * selects the branch of any numeric type, whose own check follows. */
static gboolean
decode_selects (const QapiMember *member, JsonNode *node)
{
  if (member->list)
    return JSON_NODE_HOLDS_ARRAY (node);
  switch (member->type->kind) {
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
    return JSON_NODE_HOLDS_OBJECT (node);
  case QAPI_KIND_ALTERNATE:
    break; /* the generator refuses alternates in alternates */
  }
  g_return_val_if_reached (FALSE);
}

static gpointer
decode_alternate (Decoder *decoder, const QapiType *type, JsonNode *node, const Path *path)
{
  gpointer object;
  guint i = 0;

  while (i < type->n_members && !decode_selects (&type->members[i], node))
    i++;
  if (i == type->n_members) {
    decode_fail_type (decoder, path, type->name);
    return NULL;
  }
  object = g_malloc0 (type->size);
  *(guint *) object = i;
  if (!decode_member (decoder, &type->members[i], node, path, object)) {
    qapi_type_free (type, object);
    return NULL;
  }
  return object;
}

static gboolean
decode_slot (
  Decoder *decoder, const QapiType *type, JsonNode *node, const Path *path, gpointer slot)
{
  switch (type->kind) {
  case QAPI_KIND_STRING:
    return decode_string (decoder, node, path, slot);
  case QAPI_KIND_BOOLEAN:
    return decode_boolean (decoder, node, path, slot);
  case QAPI_KIND_INT:
    return decode_int (decoder, type, node, path, slot);
  case QAPI_KIND_UINT:
    return decode_uint (decoder, type, node, path, slot);
  case QAPI_KIND_NUMBER:
    return decode_number (decoder, node, path, slot);
  case QAPI_KIND_ENUM:
    return decode_enum (decoder, type, node, path, slot);
  case QAPI_KIND_STRUCT:
    *(gpointer *) slot = decode_struct (decoder, type, node, path);
    return *(gpointer *) slot != NULL;
  case QAPI_KIND_ALTERNATE:
    *(gpointer *) slot = decode_alternate (decoder, type, node, path);
    return *(gpointer *) slot != NULL;
  }
  g_return_val_if_reached (FALSE);
}

gpointer
qapi_decode (
  const QapiType *type, JsonNode *node, const char *path, gboolean strict, GError **error)
{
  Decoder decoder = { strict, error };
  const Path root = { NULL, path != NULL ? path : "", 0 };
  gpointer object;

  return decode_slot (&decoder, type, node, &root, &object) ? object : NULL;
}

gpointer
qapi_decode_list (
  const QapiType *type, JsonNode *node, const char *path, gboolean strict, GError **error)
{
  Decoder decoder = { strict, error };
  const Path root = { NULL, path != NULL ? path : "", 0 };

  return decode_list (&decoder, type, node, &root);
}

gpointer
qapi_decode_arguments (const QapiType *type, JsonNode *arguments, GError **error)
{
  g_autoptr (JsonNode) none = NULL;

  if (arguments == NULL) {
    none = json_node_init_object (json_node_alloc (), NULL);
    json_node_take_object (none, json_object_new ());
    arguments = none;
  }
  return qapi_decode (type, arguments, NULL, TRUE, error);
}

gboolean
qapi_decode_no_arguments (JsonNode *arguments, GError **error)
{
  static const QapiType none = { .name = "object", .kind = QAPI_KIND_STRUCT, .size = 1 };
  g_autofree gpointer object = NULL;

  if (arguments == NULL)
    return TRUE;
  object = qapi_decode (&none, arguments, NULL, TRUE, error);
  return object != NULL;
}
