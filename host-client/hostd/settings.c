/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/settings.h"

#include "common/error.h"
#include "common/names.h"
#include "host-client/hostd/rules-dir.h"

#include <string.h>

#define NEGO_SETTINGS_GROUP "hostd"

static const char *const default_commands[] = {
  NEGO_SYSCONFDIR "/host-commands",
  "/usr/local/lib/negotiator/host-commands",
  "/usr/lib/negotiator/host-commands",
  NULL,
};

/* What the command line says; NULL or FALSE: nothing. */
typedef struct {
  char *config, *run_as, *control, *group, *policy;
  char **connect, **sockets, **agents, **host_commands, **words;
  gboolean check_policy, verbose, version, help;
} NegoSettingsLine;

static void
nego_settings_line_clear (NegoSettingsLine *line)
{
  g_free (line->config);
  g_free (line->run_as);
  g_free (line->control);
  g_free (line->group);
  g_free (line->policy);
  g_strfreev (line->connect);
  g_strfreev (line->sockets);
  g_strfreev (line->agents);
  g_strfreev (line->host_commands);
  g_strfreev (line->words);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoSettingsLine, nego_settings_line_clear)

static void
nego_settings_free_socket (gpointer data)
{
  NegoSettingsSocket *entry = data;

  g_free (entry->name);
  g_free (entry->path);
  g_free (entry->agent);
  g_free (entry);
}

void
nego_settings_free (NegoSettings *settings)
{
  if (settings == NULL)
    return;
  g_free (settings->file);
  g_strfreev (settings->connect);
  g_ptr_array_unref (settings->sockets);
  g_strfreev (settings->host_commands);
  g_free (settings->run_as);
  g_free (settings->control);
  g_free (settings->group);
  g_free (settings->policy);
  g_free (settings->help_text);
  g_strfreev (settings->check_policy);
  g_free (settings);
}

/* The guest @name, which is made where it is new. */
static NegoSettingsSocket *
nego_settings_take_guest (NegoSettings *settings, const char *name, gsize len)
{
  NegoSettingsSocket *entry;

  for (guint i = 0; i < settings->sockets->len; i++) {
    entry = settings->sockets->pdata[i];
    if (strncmp (entry->name, name, len) == 0 && entry->name[len] == '\0')
      return entry;
  }
  entry = g_new0 (NegoSettingsSocket, 1);
  entry->name = g_strndup (name, len);
  g_ptr_array_add (settings->sockets, entry);
  return entry;
}

/* @agent: of the port to the guest's agent, else of that of its calls. */
static gboolean
nego_settings_add_socket (
  NegoSettings *settings, const char *text, gboolean agent, const char *where, GError **error)
{
  const char *equals = strchr (text, '=');
  NegoSettingsSocket *entry;
  char **path;

  if (equals == NULL || equals == text || equals[1] != '/') {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG,
                 "wrong %s '%s': it is not NAME=PATH, with an absolute path", where, text);
    return FALSE;
  }
  entry = nego_settings_take_guest (settings, text, (gsize) (equals - text));
  path = agent ? &entry->agent : &entry->path;
  if (*path != NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "wrong %s: guest '%s' is named twice", where,
                 entry->name);
    return FALSE;
  }
  *path = g_strdup (equals + 1);
  return TRUE;
}

static gboolean
nego_settings_add_sockets (
  NegoSettings *settings, char **list, gboolean agent, const char *where, GError **error)
{
  for (char **text = list; text != NULL && *text != NULL; text++)
    if (!nego_settings_add_socket (settings, *text, agent, where, error))
      return FALSE;
  return TRUE;
}

/* Each takes the value of one key. */
typedef gboolean (*NegoSettingsSetter) (NegoSettings *settings,
                                        GKeyFile *keys,
                                        const char *key,
                                        GError **error);

static gboolean
nego_settings_take_list (char ***list, GKeyFile *keys, const char *key, GError **error)
{
  g_strfreev (*list);
  *list = g_key_file_get_string_list (keys, NEGO_SETTINGS_GROUP, key, NULL, error);
  return *list != NULL;
}

static gboolean
nego_settings_take_text (char **text, GKeyFile *keys, const char *key, GError **error)
{
  g_free (*text);
  *text = g_key_file_get_string (keys, NEGO_SETTINGS_GROUP, key, error);
  return *text != NULL;
}

static gboolean
nego_settings_set_connect (NegoSettings *settings, GKeyFile *keys, const char *key, GError **error)
{
  return nego_settings_take_list (&settings->connect, keys, key, error);
}

static gboolean
nego_settings_set_sockets (NegoSettings *settings, GKeyFile *keys, const char *key, GError **error)
{
  g_auto (GStrv) list = g_key_file_get_string_list (keys, NEGO_SETTINGS_GROUP, key, NULL, error);

  return list != NULL && nego_settings_add_sockets (settings, list, FALSE, "'sockets'", error);
}

static gboolean
nego_settings_set_agents (NegoSettings *settings, GKeyFile *keys, const char *key, GError **error)
{
  g_auto (GStrv) list = NULL;

  list = g_key_file_get_string_list (keys, NEGO_SETTINGS_GROUP, key, NULL, error);
  return list != NULL && nego_settings_add_sockets (settings, list, TRUE, "'agent-sockets'", error);
}

static gboolean
nego_settings_set_commands (NegoSettings *settings, GKeyFile *keys, const char *key, GError **error)
{
  return nego_settings_take_list (&settings->host_commands, keys, key, error);
}

static gboolean
nego_settings_set_run_as (NegoSettings *settings, GKeyFile *keys, const char *key, GError **error)
{
  return nego_settings_take_text (&settings->run_as, keys, key, error);
}

static gboolean
nego_settings_set_control (NegoSettings *settings, GKeyFile *keys, const char *key, GError **error)
{
  return nego_settings_take_text (&settings->control, keys, key, error);
}

static gboolean
nego_settings_set_group (NegoSettings *settings, GKeyFile *keys, const char *key, GError **error)
{
  return nego_settings_take_text (&settings->group, keys, key, error);
}

static gboolean
nego_settings_set_policy (NegoSettings *settings, GKeyFile *keys, const char *key, GError **error)
{
  return nego_settings_take_text (&settings->policy, keys, key, error);
}

static gboolean
nego_settings_set_verbose (NegoSettings *settings, GKeyFile *keys, const char *key, GError **error)
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
  NegoSettingsSetter set;
} setters[] = {
  { "connect", nego_settings_set_connect },      { "control", nego_settings_set_control },
  { "group", nego_settings_set_group },          { "host-commands", nego_settings_set_commands },
  { "policy", nego_settings_set_policy },        { "run-as", nego_settings_set_run_as },
  { "agent-sockets", nego_settings_set_agents }, { "sockets", nego_settings_set_sockets },
  { "verbose", nego_settings_set_verbose },
};

static gboolean
nego_settings_take_key (NegoSettings *settings, GKeyFile *keys, const char *key, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (setters); i++)
    if (strcmp (setters[i].key, key) == 0)
      return setters[i].set (settings, keys, key, error);
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "there is no such key");
  return FALSE;
}

static gboolean
nego_settings_take_file (NegoSettings *settings, GKeyFile *keys, GError **error)
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

    if (!nego_settings_take_key (settings, keys, *name, &failure)) {
      g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "wrong '%s' in '%s': %s", *name,
                   settings->file, failure->message);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
nego_settings_read_file (NegoSettings *settings, GError **error)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (GError) failure = NULL;
  g_autofree char *text = NULL;
  gsize len;

  /* GLib itself refuses a key file that is /dev/null. */
  if (g_file_get_contents (settings->file, &text, &len, &failure)
      && (len == 0 || g_key_file_load_from_data (keys, text, len, G_KEY_FILE_NONE, &failure)))
    return nego_settings_take_file (settings, keys, error);
  if (!settings->file_named && g_error_matches (failure, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return TRUE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "failed to read '%s': %s", settings->file,
               failure->message);
  return FALSE;
}

static void
nego_settings_take_strings (char ***target, char ***list)
{
  if (*list == NULL)
    return;
  g_strfreev (*target);
  *target = g_steal_pointer (list);
}

static void
nego_settings_take_string (char **target, char **text)
{
  if (*text == NULL)
    return;
  g_free (*target);
  *target = g_steal_pointer (text);
}

/* What the command line says wins; and guests that it names are all there are, unless it names
 * connections, too. */
static gboolean
nego_settings_take_line (NegoSettings *settings, NegoSettingsLine *line, GError **error)
{
  if (line->connect != NULL || line->sockets != NULL || line->agents != NULL) {
    g_strfreev (settings->connect);
    settings->connect = g_new0 (char *, 1);
    g_ptr_array_set_size (settings->sockets, 0);
  }
  nego_settings_take_strings (&settings->connect, &line->connect);
  nego_settings_take_strings (&settings->host_commands, &line->host_commands);
  nego_settings_take_string (&settings->run_as, &line->run_as);
  nego_settings_take_string (&settings->control, &line->control);
  nego_settings_take_string (&settings->group, &line->group);
  nego_settings_take_string (&settings->policy, &line->policy);
  settings->verbose |= line->verbose;
  return nego_settings_add_sockets (settings, line->sockets, FALSE, "--socket", error)
         && nego_settings_add_sockets (settings, line->agents, TRUE, "--agent-socket", error);
}

static NegoSettings *
nego_settings_new_default (void)
{
  NegoSettings *settings = g_new0 (NegoSettings, 1);

  settings->file = g_strdup (NEGO_SYSCONFDIR "/hostd.conf");
  settings->connect = g_strsplit ("qemu:///system", ";", -1);
  settings->sockets = g_ptr_array_new_with_free_func (nego_settings_free_socket);
  settings->host_commands = g_strdupv ((char **) default_commands);
  settings->run_as = g_strdup ("negotiator-run");
  settings->control = g_strdup (NEGO_CONTROL_SOCKET);
  settings->group = g_strdup ("negotiator");
  settings->policy = g_strdup (NEGO_RULES_DIR);
  return settings;
}

static gboolean
nego_settings_parse (
  NegoSettings *settings, NegoSettingsLine *line, int argc, char **argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "connect", 'c', 0, G_OPTION_ARG_STRING_ARRAY, &line->connect,
      "follow the guests of this libvirt connection; may be repeated", "URI" },
    { "socket", 0, 0, G_OPTION_ARG_STRING_ARRAY, &line->sockets,
      "serve a guest without libvirt at the socket of its port; may be repeated", "NAME=PATH" },
    { "agent-socket", 0, 0, G_OPTION_ARG_STRING_ARRAY, &line->agents,
      "offer the agent at the socket of this port to local programs; may be repeated",
      "NAME=PATH" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &line->config,
      "read this file instead of " NEGO_SYSCONFDIR "/hostd.conf", "FILE" },
    { "host-commands", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &line->host_commands,
      "a directory of commands for the guests; may be repeated", "DIRECTORY" },
    { "run-as", 0, 0, G_OPTION_ARG_STRING, &line->run_as,
      "the user of these commands; self: that of nego-hostd", "USER" },
    { "control", 0, 0, G_OPTION_ARG_FILENAME, &line->control,
      "nego-hostd's own socket, for nego-host", "PATH" },
    { "group", 0, 0, G_OPTION_ARG_STRING, &line->group, "who may use that socket", "GROUP" },
    { "policy", 0, 0, G_OPTION_ARG_FILENAME, &line->policy,
      "the directory of the rules that say what guests may call", "DIRECTORY" },
    { "check-policy", 0, 0, G_OPTION_ARG_NONE, &line->check_policy,
      "say what would be answered to a guest's call, GUEST COMMAND [ARG…], and end", NULL },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &line->verbose, "log more", NULL },
    { "version", 'V', 0, G_OPTION_ARG_NONE, &line->version, "print the version", NULL },
    { "help", 'h', 0, G_OPTION_ARG_NONE, &line->help, "print this help", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &line->words, NULL, NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) failure = NULL;

  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &failure)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "%s; nego-hostd --help lists the options",
                 failure->message);
    return FALSE;
  }
  if (line->words != NULL && !line->check_policy) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG,
                 "unexpected '%s'; nego-hostd --help lists the options", line->words[0]);
    return FALSE;
  }
  settings->help_text = g_option_context_get_help (context, TRUE, NULL);
  return TRUE;
}

NegoSettings *
nego_settings_new (int argc, char **argv, GError **error)
{
  g_autoptr (NegoSettings) settings = nego_settings_new_default ();
  g_auto (NegoSettingsLine) line = { 0 };

  if (!nego_settings_parse (settings, &line, argc, argv, error))
    return NULL;
  settings->version = line.version;
  settings->help = line.help;
  if (line.check_policy)
    settings->check_policy
      = line.words != NULL ? g_steal_pointer (&line.words) : g_new0 (char *, 1);
  if (line.config != NULL) {
    nego_settings_take_string (&settings->file, &line.config);
    settings->file_named = TRUE;
  }
  if (!settings->version && !settings->help
      && (!nego_settings_read_file (settings, error)
          || !nego_settings_take_line (settings, &line, error)))
    return NULL;
  return g_steal_pointer (&settings);
}
