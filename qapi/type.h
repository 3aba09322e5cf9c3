/* SPDX-License-Identifier: MIT */
/*
 * type: what the generator knows of a schema type, as constant tables.
 *
 * The generated code declares a C type for each schema type and describes its layout here; reading
 * from JSON (decode.h), writing (encode.h) and freeing are each one walk over these tables. The
 * schema cannot make a type that contains itself, so every walk is as deep as the schema at most.
 *
 * How a value lies in memory ("slot"): a string is a char * (owned), a scalar itself, a struct or
 * an alternate a pointer (owned). A list is a char ** (NULL-terminated) of strings, a GPtrArray *
 * with free function of structs and alternates, and a GArray * of scalars. An absent pointer is
 * NULL, an absent scalar is 0, with FALSE in the gboolean has_NAME beside it.
 */
#pragma once

#include <glib.h>

typedef enum {
  QAPI_KIND_STRING,
  QAPI_KIND_BOOLEAN,
  QAPI_KIND_INT,    /* a gint64, or a narrower one as the size says */
  QAPI_KIND_UINT,   /* a guint64, or a narrower one */
  QAPI_KIND_NUMBER, /* a double */
  QAPI_KIND_ENUM,
  QAPI_KIND_STRUCT,
  QAPI_KIND_ALTERNATE,
} QapiKind;

typedef struct QapiType QapiType;

/* No has_NAME: the member is required, or a pointer. */
#define QAPI_NO_HAS G_MAXUINT

typedef struct {
  const char *name; /* as in JSON */
  const QapiType *type;
  gboolean list; /* a list of @type */
  gboolean optional;
  guint offset; /* of the slot in the struct; in an alternate, of the union */
  guint has;    /* of has_NAME in the struct, or QAPI_NO_HAS */
} QapiMember;

struct QapiType {
  const char *name; /* in the schema; a narrow integer's name is the one in error texts */
  QapiKind kind;
  gsize size; /* of the scalar; of the object that a pointer points to */
  /* STRUCT: its members in the schema's order. ALTERNATE: its branches; the object's first field is
   * the index (an enum) of the branch that it holds. */
  const QapiMember *members;
  guint n_members;
  GDestroyNotify free; /* STRUCT, ALTERNATE: for lists of them */
  /* ENUM: the values' names; a value is an index. */
  const char *const *values;
  guint n_values;
};

extern const QapiType qapi_str_type;
extern const QapiType qapi_bool_type;
extern const QapiType qapi_int_type;
extern const QapiType qapi_int8_type;
extern const QapiType qapi_int16_type;
extern const QapiType qapi_int32_type;
extern const QapiType qapi_int64_type;
extern const QapiType qapi_uint8_type;
extern const QapiType qapi_uint16_type;
extern const QapiType qapi_uint32_type;
extern const QapiType qapi_uint64_type;
extern const QapiType qapi_size_type;
extern const QapiType qapi_number_type;

/* Frees an object of the struct or alternate @type, and all it owns. @object may be NULL. */
void qapi_type_free (const QapiType *type, gpointer object);

/* Frees a list of @type. @list may be NULL. */
void qapi_type_free_list (const QapiType *type, gpointer list);

/* The number of the enum value @name, or -1. */
int qapi_type_find_value (const QapiType *type, const char *name);
