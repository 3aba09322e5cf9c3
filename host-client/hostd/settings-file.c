/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/settings-file.h"

#include "common/error.h"

#include <string.h>

#define NEGO_SETTINGS_GROUP "hostd"

/* Each takes the value of one key. */
typedef gboolean (*NegoSettingsFileSetter) (NegoSettings *settings,
                                            GKeyFile *keys,
                                            const char *key,
                                            GError **error);

static gboolean
nego_settings_file_take_list (char ***list, GKeyFile *keys, const char *key, GError **error)
{
  g_strfreev (*list);
  *list = g_key_file_get_string_list (keys, NEGO_SETTINGS_GROUP, key, NULL, error);
  return *list != NULL;
}

static gboolean
nego_settings_file_take_text (char **text, GKeyFile *keys, const char *key, GError **error)
{
  g_free (*text);
  *text = g_key_file_get_string (keys, NEGO_SETTINGS_GROUP, key, error);
  return *text != NULL;
}

static gboolean
nego_settings_file_set_connect (NegoSettings *settings,
                                GKeyFile *keys,
                                const char *key,
                                GError **error)
{
  return nego_settings_file_take_list (&settings->connect, keys, key, error);
}

static gboolean
nego_settings_file_set_sockets (NegoSettings *settings,
                                GKeyFile *keys,
                                const char *key,
                                GError **error)
{
  g_auto (GStrv) list = g_key_file_get_string_list (keys, NEGO_SETTINGS_GROUP, key, NULL, error);

  return list != NULL
         && nego_settings_socket_add_all (settings->sockets, list, FALSE, "'sockets'", error);
}

static gboolean
nego_settings_file_set_agents (NegoSettings *settings,
                               GKeyFile *keys,
                               const char *key,
                               GError **error)
{
  g_auto (GStrv) list = NULL;

  list = g_key_file_get_string_list (keys, NEGO_SETTINGS_GROUP, key, NULL, error);
  return list != NULL
         && nego_settings_socket_add_all (settings->sockets, list, TRUE, "'agent-sockets'", error);
}

static gboolean
nego_settings_file_set_commands (NegoSettings *settings,
                                 GKeyFile *keys,
                                 const char *key,
                                 GError **error)
{
  return nego_settings_file_take_list (&settings->host_commands, keys, key, error);
}

static gboolean
nego_settings_file_set_run_as (NegoSettings *settings,
                               GKeyFile *keys,
                               const char *key,
                               GError **error)
{
  return nego_settings_file_take_text (&settings->run_as, keys, key, error);
}

static gboolean
nego_settings_file_set_control (NegoSettings *settings,
                                GKeyFile *keys,
                                const char *key,
                                GError **error)
{
  return nego_settings_file_take_text (&settings->control, keys, key, error);
}

static gboolean
nego_settings_file_set_group (NegoSettings *settings,
                              GKeyFile *keys,
                              const char *key,
                              GError **error)
{
  return nego_settings_file_take_text (&settings->group, keys, key, error);
}

static gboolean
nego_settings_file_set_guests_group (NegoSettings *settings,
                                     GKeyFile *keys,
                                     const char *key,
                                     GError **error)
{
  return nego_settings_file_take_text (&settings->guests_group, keys, key, error);
}

/* In octal, as chmod(1) has it. */
static gboolean
nego_settings_file_set_guests_mode (NegoSettings *settings,
                                    GKeyFile *keys,
                                    const char *key,
                                    GError **error)
{
  g_autofree char *text = g_key_file_get_string (keys, NEGO_SETTINGS_GROUP, key, error);
  guint64 mode;

  if (text == NULL)
    return FALSE;
  if (!g_ascii_string_to_unsigned (text, 8, 0, 0777, &mode, NULL)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "'%s' is no mode of a file, in octal", text);
    return FALSE;
  }
  settings->guests_mode = (guint) mode;
  return TRUE;
}

static gboolean
nego_settings_file_set_policy (NegoSettings *settings,
                               GKeyFile *keys,
                               const char *key,
                               GError **error)
{
  return nego_settings_file_take_text (&settings->policy, keys, key, error);
}

static gboolean
nego_settings_file_set_verbose (NegoSettings *settings,
                                GKeyFile *keys,
                                const char *key,
                                GError **error)
{
  g_autoptr (GError) failure = NULL;

  settings->verbose = g_key_file_get_boolean (keys, NEGO_SETTINGS_GROUP, key, &failure);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static const struct {
  const char *key;
  NegoSettingsFileSetter set;
} setters[] = {
  { "agent-sockets", nego_settings_file_set_agents },
  { "connect", nego_settings_file_set_connect },
  { "control", nego_settings_file_set_control },
  { "group", nego_settings_file_set_group },
  { "guests-group", nego_settings_file_set_guests_group },
  { "guests-mode", nego_settings_file_set_guests_mode },
  { "host-commands", nego_settings_file_set_commands },
  { "policy", nego_settings_file_set_policy },
  { "run-as", nego_settings_file_set_run_as },
  { "sockets", nego_settings_file_set_sockets },
  { "verbose", nego_settings_file_set_verbose },
};

static gboolean
nego_settings_file_take_key (NegoSettings *settings,
                             GKeyFile *keys,
                             const char *key,
                             GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (setters); i++)
    if (strcmp (setters[i].key, key) == 0)
      return setters[i].set (settings, keys, key, error);
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "there is no such key");
  return FALSE;
}

static gboolean
nego_settings_file_take_keys (NegoSettings *settings, GKeyFile *keys, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (keys, NULL);
  g_auto (GStrv) names = NULL;

  for (char **group = groups; *group != NULL; group++)
    if (strcmp (*group, NEGO_SETTINGS_GROUP) != 0) {
      g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "wrong '%s': there is no group '[%s]'",
                   settings->file, *group);
      return FALSE;
    }
  names = g_key_file_get_keys (keys, NEGO_SETTINGS_GROUP, NULL, NULL);
  for (char **name = names; name != NULL && *name != NULL; name++) {
    g_autoptr (GError) failure = NULL;

    if (!nego_settings_file_take_key (settings, keys, *name, &failure)) {
      g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "wrong '%s' in '%s': %s", *name,
                   settings->file, failure->message);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
nego_settings_file_read (NegoSettings *settings, GError **error)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (GError) failure = NULL;
  g_autofree char *text = NULL;
  gsize len;

  /* GLib itself refuses a key file that is /dev/null. */
  if (g_file_get_contents (settings->file, &text, &len, &failure)
      && (len == 0 || g_key_file_load_from_data (keys, text, len, G_KEY_FILE_NONE, &failure)))
    return nego_settings_file_take_keys (settings, keys, error);
  if (!settings->file_named && g_error_matches (failure, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return TRUE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "failed to read '%s': %s", settings->file,
               failure->message);
  return FALSE;
}
