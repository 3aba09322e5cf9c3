/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/guest-socket.h"

#include <string.h>
#include <sys/un.h>

char *
nego_guest_socket_dir (const char *control)
{
  g_autofree char *parent = g_path_get_dirname (control);

  return g_build_filename (parent, "guests", NULL);
}

char *
nego_guest_socket_path (const char *dir, const char *name)
{
  g_autoptr (GString) path = g_string_new (dir);

  g_string_append_c (path, '/');
  for (const char *at = name; *at != '\0'; at++)
    if (g_ascii_isalnum (*at) || strchr ("_-", *at) != NULL || (*at == '.' && at > name))
      g_string_append_c (path, *at);
    else
      g_string_append_printf (path, "%%%02X", (guint) (guchar) *at);
  g_string_append (path, ".sock");
  if (path->len >= sizeof ((struct sockaddr_un *) NULL)->sun_path)
    return NULL;
  return g_string_free (g_steal_pointer (&path), FALSE);
}
