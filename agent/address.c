/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/address.h"

#include "common/error.h"

#include <string.h>
#include <unistd.h>

static const char *const nego_method_names[] = {
  [NEGO_METHOD_VIRTIO_SERIAL] = "virtio-serial",
  [NEGO_METHOD_ISA_SERIAL] = "isa-serial",
  [NEGO_METHOD_UNIX_LISTEN] = "unix-listen",
  [NEGO_METHOD_VSOCK_LISTEN] = "vsock-listen",
  [NEGO_METHOD_FD] = "fd",
};

const char *
nego_method_get_name (NegoMethod method)
{
  return nego_method_names[method];
}

gboolean
nego_method_parse (const char *name, NegoMethod *method, GError **error)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (nego_method_names); i++) {
    if (g_str_equal (name, nego_method_names[i])) {
      *method = (NegoMethod) i;
      return TRUE;
    }
  }
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG,
               "unknown method '%s' (virtio-serial, isa-serial, unix-listen, vsock-listen, fd)",
               name);
  return FALSE;
}

gboolean
nego_address_parse_vsock (const char *path, guint32 *cid, guint32 *port, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (path, ":", 3);
  guint64 cid64, port64;

  if (g_strv_length (parts) != 2
      || !g_ascii_string_to_unsigned (parts[0], 10, 0, G_MAXUINT32, &cid64, NULL)
      || !g_ascii_string_to_unsigned (parts[1], 10, 0, G_MAXUINT32, &port64, NULL)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG,
                 "wrong vsock address '%s' (must be CID:PORT, two numbers)", path);
    return FALSE;
  }
  *cid = (guint32) cid64;
  *port = (guint32) port64;
  return TRUE;
}

static gboolean
nego_address_check (NegoMethod method, const char *path, GError **error)
{
  guint32 cid, port;

  if (*path == '\0') {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "the path of a channel is empty");
    return FALSE;
  }
  if (method == NEGO_METHOD_VSOCK_LISTEN)
    return nego_address_parse_vsock (path, &cid, &port, error);
  if (method == NEGO_METHOD_FD
      && !g_ascii_string_to_unsigned (path, 10, STDERR_FILENO + 1, G_MAXINT, NULL, NULL)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG,
                 "wrong descriptor '%s' (must be a number above 2)", path);
    return FALSE;
  }
  return TRUE;
}

NegoAddress *
nego_address_new (NegoMethod method, const char *path, GError **error)
{
  NegoAddress *address;

  if (!nego_address_check (method, path, error))
    return NULL;
  address = g_new0 (NegoAddress, 1);
  address->method = method;
  address->path = g_strdup (path);
  return address;
}

NegoAddress *
nego_address_parse (const char *text, GError **error)
{
  const char *colon = strchr (text, ':');
  g_autofree char *name = NULL;
  NegoMethod method;

  if (colon == NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "wrong channel '%s' (must be METHOD:PATH)",
                 text);
    return NULL;
  }
  name = g_strndup (text, (gsize) (colon - text));
  if (!nego_method_parse (name, &method, error))
    return NULL;
  return nego_address_new (method, colon + 1, error);
}

void
nego_address_free (NegoAddress *address)
{
  if (address == NULL)
    return;
  g_free (address->path);
  g_free (address);
}

gboolean
nego_address_equal (const NegoAddress *a, const NegoAddress *b)
{
  return a->method == b->method && g_str_equal (a->path, b->path);
}

char *
nego_address_to_string (const NegoAddress *address)
{
  return g_strdup_printf ("%s:%s", nego_method_get_name (address->method), address->path);
}
