/* SPDX-License-Identifier: MIT */
/*
 * address: where a channel is: a method and a path, written METHOD:PATH.
 *
 * It only names the place; transport-*.h open it.
 */
#pragma once

#include <glib.h>

/* The first four are qemu-ga's methods. */
typedef enum {
  NEGO_METHOD_VIRTIO_SERIAL,
  NEGO_METHOD_ISA_SERIAL,
  NEGO_METHOD_UNIX_LISTEN,
  NEGO_METHOD_VSOCK_LISTEN,
  NEGO_METHOD_FD, /* an inherited descriptor; its number is the path */
} NegoMethod;

/* The method's name on command lines and in configuration files. */
const char *nego_method_get_name (NegoMethod method);
/* Errors: NEGO_ERROR_CONFIG. */
gboolean nego_method_parse (const char *name, NegoMethod *method, GError **error);

typedef struct {
  NegoMethod method;
  char *path;
} NegoAddress;

/* Checks @path's form for @method: a path that is not empty, vsock's CID:PORT, a descriptor's
 * number above 2. Errors: NEGO_ERROR_CONFIG. */
NegoAddress *nego_address_new (NegoMethod method, const char *path, GError **error);
/* From METHOD:PATH. */
NegoAddress *nego_address_parse (const char *text, GError **error);
void nego_address_free (NegoAddress *address);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoAddress, nego_address_free)

gboolean nego_address_equal (const NegoAddress *a, const NegoAddress *b);
/* METHOD:PATH. Returns: (transfer full). */
char *nego_address_to_string (const NegoAddress *address);

/* The two numbers of a vsock path. 4294967295 is "any" for both. */
gboolean nego_address_parse_vsock (const char *path, guint32 *cid, guint32 *port, GError **error);
