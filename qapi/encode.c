/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "qapi/encode.h"

static void
encode_int (NegoJsonWriter *writer, const QapiType *type, gconstpointer slot)
{
  if (type->size == sizeof (gint64))
    nego_json_writer_int (writer, *(const gint64 *) slot);
  else if (type->size == sizeof (gint32))
    nego_json_writer_int (writer, *(const gint32 *) slot);
  else if (type->size == sizeof (gint16))
    nego_json_writer_int (writer, *(const gint16 *) slot);
  else
    nego_json_writer_int (writer, *(const gint8 *) slot);
}

static void
encode_uint (NegoJsonWriter *writer, const QapiType *type, gconstpointer slot)
{
  if (type->size == sizeof (guint64))
    nego_json_writer_uint (writer, *(const guint64 *) slot);
  else if (type->size == sizeof (guint32))
    nego_json_writer_uint (writer, *(const guint32 *) slot);
  else if (type->size == sizeof (guint16))
    nego_json_writer_uint (writer, *(const guint16 *) slot);
  else
    nego_json_writer_uint (writer, *(const guint8 *) slot);
}

static void
encode_member (NegoJsonWriter *writer, const QapiMember *member, gconstpointer object)
{
  gconstpointer slot = (const guint8 *) object + member->offset;

  if (member->list)
    qapi_encode_list (writer, member->type, *(const gconstpointer *) slot);
  else
    qapi_encode_slot (writer, member->type, slot);
}

/* Whether an optional member is there; a required one always is. */
static gboolean
encode_has_member (const QapiMember *member, gconstpointer object)
{
  if (!member->optional)
    return TRUE;
  if (member->has != QAPI_NO_HAS)
    return G_STRUCT_MEMBER (const gboolean, object, member->has);
  return G_STRUCT_MEMBER (const gconstpointer, object, member->offset) != NULL;
}

void
qapi_encode (NegoJsonWriter *writer, const QapiType *type, gconstpointer object)
{
  guint i;

  if (type->kind == QAPI_KIND_ALTERNATE) {
    encode_member (writer, &type->members[*(const guint *) object], object);
    return;
  }
  nego_json_writer_begin_object (writer);
  for (i = 0; i < type->n_members; i++) {
    const QapiMember *member = &type->members[i];

    if (!encode_has_member (member, object))
      continue;
    nego_json_writer_key (writer, member->name);
    encode_member (writer, member, object);
  }
  nego_json_writer_end_object (writer);
}

void
qapi_encode_slot (NegoJsonWriter *writer, const QapiType *type, gconstpointer slot)
{
  const char *text;

  switch (type->kind) {
  case QAPI_KIND_STRING:
    text = *(const char *const *) slot;
    /* As QEMU does: a required string that nobody set is empty. */
    nego_json_writer_string (writer, text != NULL ? text : "");
    break;
  case QAPI_KIND_BOOLEAN:
    nego_json_writer_boolean (writer, *(const gboolean *) slot);
    break;
  case QAPI_KIND_INT:
    encode_int (writer, type, slot);
    break;
  case QAPI_KIND_UINT:
    encode_uint (writer, type, slot);
    break;
  case QAPI_KIND_NUMBER:
    nego_json_writer_double (writer, *(const double *) slot);
    break;
  case QAPI_KIND_ENUM:
    nego_json_writer_string (writer, type->values[*(const guint *) slot]);
    break;
  case QAPI_KIND_STRUCT:
  case QAPI_KIND_ALTERNATE:
    qapi_encode (writer, type, *(const gconstpointer *) slot);
    break;
  }
}

void
qapi_encode_list (NegoJsonWriter *writer, const QapiType *type, gconstpointer list)
{
  guint i;

  nego_json_writer_begin_array (writer);
  if (list == NULL) {
    /* Empty. */
  } else if (type->kind == QAPI_KIND_STRING) {
    const char *const *strings = list;

    for (i = 0; strings[i] != NULL; i++)
      nego_json_writer_string (writer, strings[i]);
  } else if (type->kind == QAPI_KIND_STRUCT || type->kind == QAPI_KIND_ALTERNATE) {
    const GPtrArray *array = list;

    for (i = 0; i < array->len; i++)
      qapi_encode (writer, type, g_ptr_array_index (array, i));
  } else {
    const GArray *array = list;

    for (i = 0; i < array->len; i++)
      qapi_encode_slot (writer, type, array->data + i * type->size);
  }
  nego_json_writer_end_array (writer);
}
