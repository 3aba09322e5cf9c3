/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/settings.h"

#include "common/error.h"
#include "common/names.h"
#include "host-client/hostd/rules-dir.h"
#include "host-client/hostd/settings-file.h"

#include <string.h>

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
  g_free (settings->guests_group);
  g_free (settings->policy);
  g_free (settings->help_text);
  g_strfreev (settings->check_policy);
  g_free (settings);
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
  return nego_settings_socket_add_all (settings->sockets, line->sockets, FALSE, "--socket", error)
         && nego_settings_socket_add_all (settings->sockets, line->agents, TRUE, "--agent-socket",
                                          error);
}

/* A connection that is named twice is one: its guests have one station each. */
static void
nego_settings_drop_duplicates (char **list)
{
  guint n = 0;

  for (char **text = list; *text != NULL; text++) {
    gboolean known = FALSE;

    for (guint i = 0; i < n; i++)
      known |= g_str_equal (list[i], *text);
    if (known)
      g_free (*text);
    else
      list[n++] = *text;
  }
  list[n] = NULL;
}

static NegoSettings *
nego_settings_new_default (void)
{
  NegoSettings *settings = g_new0 (NegoSettings, 1);

  settings->file = g_strdup (NEGO_SYSCONFDIR "/hostd.conf");
  settings->connect = g_strsplit ("qemu:///system", ";", -1);
  settings->sockets = nego_settings_socket_list_new ();
  settings->host_commands = g_strdupv ((char **) default_commands);
  settings->run_as = g_strdup ("negotiator-run");
  settings->control = g_strdup (NEGO_CONTROL_SOCKET);
  settings->group = g_strdup ("negotiator");
  settings->guests_mode = NEGO_CONTROL_MODE;
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
      && (!nego_settings_file_read (settings, error)
          || !nego_settings_take_line (settings, &line, error)))
    return NULL;
  nego_settings_drop_duplicates (settings->connect);
  return g_steal_pointer (&settings);
}
