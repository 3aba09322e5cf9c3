/* SPDX-License-Identifier: MIT */
/*
 * script-conf: the key file beside a script, NAME.conf, with one group, [Command].
 *
 * The syntax is GLib's key file (values with \n \t \s \\ escapes, lists separated by ';'). A key
 * that is unknown, given twice or of a wrong value is an error, and so the script is not run: a
 * misspelt limit must not be no limit. Errors are NEGO_ERROR_CONFIG: "FILE:LINE: …".
 */
#pragma once

#include <glib.h>

#define NEGO_SCRIPT_CONF_UNSET G_MAXSIZE

typedef struct {
  char *description;        /* NULL: none */
  char *user;               /* NULL: the agent's */
  char *group;              /* NULL: the user's, or the agent's */
  char *directory;          /* WorkingDirectory, absolute; NULL: "/" */
  char **environment;       /* "NAME=VALUE"; never NULL */
  char **allow_environment; /* names that a caller may set; never NULL */
  guint timeout_ms;         /* 0: none */
  guint concurrency;
  gsize max_output;   /* bytes kept of each stream; NEGO_SCRIPT_CONF_UNSET: as the table says */
  guint64 memory_max; /* bytes, of all processes of a run together; 0: no limit */
  int nice;           /* -20 to 19 */
  gboolean arguments;
  gboolean read_only;
  gboolean kill_all; /* KillMode=all: what a script leaves behind in its process group is killed */
  gboolean no_new_privileges;
  gboolean other_user; /* no key of the file: whoever runs the script does not lend its own user */
} NegoScriptConf;

/* What a script without a key file has. */
NegoScriptConf *nego_script_conf_new (void);
/* @path is for the error texts. @text need not be NUL-terminated. */
NegoScriptConf *
nego_script_conf_parse (const char *path, const char *text, gsize len, GError **error);
void nego_script_conf_free (NegoScriptConf *conf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoScriptConf, nego_script_conf_free)
