/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "qapi/decode.h"

#include "qapi/path.h"
#include "qapi/scalar.h"

#include <string.h>

typedef struct {
  gboolean strict;
  GError **error;
} Decoder;

static gboolean decode_slot (
  Decoder *decoder, const QapiType *type, JsonNode *node, const QapiPath *path, gpointer slot);

static GPtrArray *
decode_object_list (Decoder *decoder,
                    const QapiType *type,
                    JsonArray *array,
                    const QapiPath *parent)
{
  const guint n = json_array_get_length (array);
  g_autoptr (GPtrArray) list = g_ptr_array_new_full (n, type->free);
  guint i;

  for (i = 0; i < n; i++) {
    const QapiPath path = { parent, NULL, i };
    gpointer object;

    if (!decode_slot (decoder, type, json_array_get_element (array, i), &path, &object))
      return NULL;
    g_ptr_array_add (list, object);
  }
  return g_steal_pointer (&list);
}

static char **
decode_string_list (Decoder *decoder,
                    const QapiType *type,
                    JsonArray *array,
                    const QapiPath *parent)
{
  const guint n = json_array_get_length (array);
  g_auto (GStrv) list = g_new0 (char *, n + 1);
  guint i;

  for (i = 0; i < n; i++) {
    const QapiPath path = { parent, NULL, i };

    if (!qapi_scalar_decode (type, json_array_get_element (array, i), &path, &list[i],
                             decoder->error))
      return NULL;
  }
  return g_steal_pointer (&list);
}

static GArray *
decode_scalar_list (Decoder *decoder,
                    const QapiType *type,
                    JsonArray *array,
                    const QapiPath *parent)
{
  const guint n = json_array_get_length (array);
  g_autoptr (GArray) list = g_array_sized_new (FALSE, TRUE, (guint) type->size, n);
  guint i;

  g_array_set_size (list, n);
  for (i = 0; i < n; i++) {
    const QapiPath path = { parent, NULL, i };

    if (!decode_slot (decoder, type, json_array_get_element (array, i), &path,
                      list->data + i * type->size))
      return NULL;
  }
  return g_steal_pointer (&list);
}

static gpointer
decode_list (Decoder *decoder, const QapiType *type, JsonNode *node, const QapiPath *path)
{
  JsonArray *array;

  if (!JSON_NODE_HOLDS_ARRAY (node)) {
    qapi_path_fail_type (path, "array", decoder->error);
    return NULL;
  }
  array = json_node_get_array (node);
  if (type->kind == QAPI_KIND_STRING)
    return decode_string_list (decoder, type, array, path);
  if (type->kind == QAPI_KIND_STRUCT || type->kind == QAPI_KIND_ALTERNATE)
    return decode_object_list (decoder, type, array, path);
  return decode_scalar_list (decoder, type, array, path);
}

static gboolean
decode_member (
  Decoder *decoder, const QapiMember *member, JsonNode *node, const QapiPath *path, gpointer object)
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
decode_refuse_unknown (Decoder *decoder,
                       const QapiType *type,
                       JsonObject *json,
                       const QapiPath *parent)
{
  JsonObjectIter iter;
  const char *name;

  json_object_iter_init_ordered (&iter, json);
  while (json_object_iter_next_ordered (&iter, &name, NULL))
    if (!decode_has_member (type, name)) {
      const QapiPath path = { parent, name, 0 };

      return qapi_path_fail_unexpected (&path, decoder->error);
    }
  return TRUE;
}

static gboolean
decode_members (
  Decoder *decoder, const QapiType *type, JsonObject *json, const QapiPath *parent, gpointer object)
{
  guint n_known = 0;
  guint i;

  for (i = 0; i < type->n_members; i++) {
    const QapiMember *member = &type->members[i];
    const QapiPath path = { parent, member->name, 0 };
    JsonNode *node = json_object_get_member (json, member->name);

    if (node == NULL && !member->optional)
      return qapi_path_fail_missing (&path, decoder->error);
    if (node == NULL)
      continue;
    n_known++;
    if (!decode_member (decoder, member, node, &path, object))
      return FALSE;
    if (member->has != QAPI_NO_HAS)
      G_STRUCT_MEMBER (gboolean, object, member->has) = TRUE;
  }
  if (decoder->strict && n_known < json_object_get_size (json))
    return decode_refuse_unknown (decoder, type, json, parent);
  return TRUE;
}

static gpointer
decode_struct (Decoder *decoder, const QapiType *type, JsonNode *node, const QapiPath *path)
{
  gpointer object;

  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    qapi_path_fail_type (path, "object", decoder->error);
    return NULL;
  }
  object = g_malloc0 (type->size);
  if (!decode_members (decoder, type, json_node_get_object (node), path, object)) {
    qapi_type_free (type, object);
    return NULL;
  }
  return object;
}

/* Whether the JSON type of @node selects the alternate's branch @member. */
static gboolean
decode_selects (const QapiMember *member, JsonNode *node)
{
  if (member->list)
    return JSON_NODE_HOLDS_ARRAY (node);
  if (member->type->kind == QAPI_KIND_STRUCT)
    return JSON_NODE_HOLDS_OBJECT (node);
  return qapi_scalar_accepts (member->type, node);
}

static gpointer
decode_alternate (Decoder *decoder, const QapiType *type, JsonNode *node, const QapiPath *path)
{
  gpointer object;
  guint i = 0;

  while (i < type->n_members && !decode_selects (&type->members[i], node))
    i++;
  if (i == type->n_members) {
    qapi_path_fail_type (path, type->name, decoder->error);
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
  Decoder *decoder, const QapiType *type, JsonNode *node, const QapiPath *path, gpointer slot)
{
  if (type->kind == QAPI_KIND_STRUCT) {
    *(gpointer *) slot = decode_struct (decoder, type, node, path);
    return *(gpointer *) slot != NULL;
  }
  if (type->kind == QAPI_KIND_ALTERNATE) {
    *(gpointer *) slot = decode_alternate (decoder, type, node, path);
    return *(gpointer *) slot != NULL;
  }
  return qapi_scalar_decode (type, node, path, slot, decoder->error);
}

gpointer
qapi_decode (
  const QapiType *type, JsonNode *node, const char *path, gboolean strict, GError **error)
{
  Decoder decoder = { strict, error };
  const QapiPath root = { NULL, path != NULL ? path : "", 0 };
  gpointer object;

  return decode_slot (&decoder, type, node, &root, &object) ? object : NULL;
}

gpointer
qapi_decode_list (
  const QapiType *type, JsonNode *node, const char *path, gboolean strict, GError **error)
{
  Decoder decoder = { strict, error };
  const QapiPath root = { NULL, path != NULL ? path : "", 0 };

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
