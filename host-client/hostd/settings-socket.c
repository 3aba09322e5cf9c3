/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/settings-socket.h"

#include "common/error.h"

#include <string.h>

static void
nego_settings_socket_free (gpointer data)
{
  NegoSettingsSocket *entry = data;

  g_free (entry->name);
  g_free (entry->path);
  g_free (entry->agent);
  g_free (entry);
}

GPtrArray *
nego_settings_socket_list_new (void)
{
  return g_ptr_array_new_with_free_func (nego_settings_socket_free);
}

/* The guest @name, which is made where it is new. */
static NegoSettingsSocket *
nego_settings_socket_take (GPtrArray *sockets, const char *name, gsize len)
{
  NegoSettingsSocket *entry;

  for (guint i = 0; i < sockets->len; i++) {
    entry = sockets->pdata[i];
    if (strncmp (entry->name, name, len) == 0 && entry->name[len] == '\0')
      return entry;
  }
  entry = g_new0 (NegoSettingsSocket, 1);
  entry->name = g_strndup (name, len);
  g_ptr_array_add (sockets, entry);
  return entry;
}

/* @agent: of the port to the guest's agent, else of that of its calls. */
static gboolean
nego_settings_socket_add (
  GPtrArray *sockets, const char *text, gboolean agent, const char *where, GError **error)
{
  const char *equals = strchr (text, '=');
  NegoSettingsSocket *entry;
  char **path;

  if (equals == NULL || equals == text || equals[1] != '/') {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG,
                 "wrong %s '%s': it is not NAME=PATH, with an absolute path", where, text);
    return FALSE;
  }
  entry = nego_settings_socket_take (sockets, text, (gsize) (equals - text));
  path = agent ? &entry->agent : &entry->path;
  if (*path != NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "wrong %s: guest '%s' is named twice", where,
                 entry->name);
    return FALSE;
  }
  *path = g_strdup (equals + 1);
  return TRUE;
}

gboolean
nego_settings_socket_add_all (
  GPtrArray *sockets, char **list, gboolean agent, const char *where, GError **error)
{
  for (char **text = list; text != NULL && *text != NULL; text++)
    if (!nego_settings_socket_add (sockets, *text, agent, where, error))
      return FALSE;
  return TRUE;
}
