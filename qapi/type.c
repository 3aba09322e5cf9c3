/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "qapi/type.h"

#define SCALAR(c_name, schema_name, schema_kind, c_type) \
  const QapiType qapi_##c_name##_type                    \
    = { .name = schema_name, .kind = schema_kind, .size = sizeof (c_type) }

SCALAR (str, "string", QAPI_KIND_STRING, char *);
SCALAR (bool, "boolean", QAPI_KIND_BOOLEAN, gboolean);
SCALAR (int, "integer", QAPI_KIND_INT, gint64);
SCALAR (int8, "int8_t", QAPI_KIND_INT, gint8);
SCALAR (int16, "int16_t", QAPI_KIND_INT, gint16);
SCALAR (int32, "int32_t", QAPI_KIND_INT, gint32);
SCALAR (int64, "integer", QAPI_KIND_INT, gint64);
SCALAR (uint8, "uint8_t", QAPI_KIND_UINT, guint8);
SCALAR (uint16, "uint16_t", QAPI_KIND_UINT, guint16);
SCALAR (uint32, "uint32_t", QAPI_KIND_UINT, guint32);
SCALAR (uint64, "uint64", QAPI_KIND_UINT, guint64);
SCALAR (size, "uint64", QAPI_KIND_UINT, guint64);
SCALAR (number, "number", QAPI_KIND_NUMBER, double);

static gboolean
type_is_object (const QapiType *type)
{
  return type->kind == QAPI_KIND_STRUCT || type->kind == QAPI_KIND_ALTERNATE;
}

static void
type_clear_slot (const QapiMember *member, gpointer object)
{
  gpointer slot = (guint8 *) object + member->offset;

  if (member->list)
    qapi_type_free_list (member->type, *(gpointer *) slot);
  else if (type_is_object (member->type))
    qapi_type_free (member->type, *(gpointer *) slot);
  else if (member->type->kind == QAPI_KIND_STRING)
    g_free (*(char **) slot);
}

void
qapi_type_free (const QapiType *type, gpointer object)
{
  guint i;

  if (object == NULL)
    return;
  if (type->kind == QAPI_KIND_ALTERNATE) {
    type_clear_slot (&type->members[*(guint *) object], object);
  } else {
    for (i = 0; i < type->n_members; i++)
      type_clear_slot (&type->members[i], object);
  }
  g_free (object);
}

void
qapi_type_free_list (const QapiType *type, gpointer list)
{
  if (list == NULL)
    return;
  if (type->kind == QAPI_KIND_STRING)
    g_strfreev (list);
  else if (type_is_object (type))
    g_ptr_array_unref (list);
  else
    g_array_unref (list);
}

int
qapi_type_find_value (const QapiType *type, const char *name)
{
  guint i;

  for (i = 0; i < type->n_values; i++)
    if (g_strcmp0 (type->values[i], name) == 0)
      return (int) i;
  return -1;
}
