/* SPDX-License-Identifier: MIT */
/*
 * verbs: what nego-host can be told to do, one file each (cmd-VERB.c), and what these share.
 *
 * To add a verb: a file, a row in nego-host.c, a paragraph in docs/nego-host.rst.
 */
#pragma once

#include "host-client/options.h"
#include "host-client/route.h"

int nego_cmd_attach (const NegoOptions *options);
int nego_cmd_commands (const NegoOptions *options);
int nego_cmd_cp (const NegoOptions *options);
int nego_cmd_exec (const NegoOptions *options);
/* For several guests. */
int nego_cmd_exec_many (const NegoOptions *options);
int nego_cmd_forget (const NegoOptions *options);
int nego_cmd_info (const NegoOptions *options);
int nego_cmd_jobs (const NegoOptions *options);
int nego_cmd_kill (const NegoOptions *options);
int nego_cmd_list (const NegoOptions *options);
int nego_cmd_ping (const NegoOptions *options);
int nego_cmd_qmp (const NegoOptions *options);
int nego_cmd_snapshot (const NegoOptions *options);
int nego_cmd_wait (const NegoOptions *options);

/* When opening a guest to run a command in it is given up: --timeout is the command's. */
gint64 nego_verb_open_deadline (void);

/* The guest that @options name. */
NegoRemote *nego_verb_open (const NegoOptions *options, gint64 deadline, GError **error);

/* The same for NegoRun.reopen; @user_data: the NegoResult. */
NegoRemote *nego_verb_reopen (gint64 deadline, gpointer user_data, GError **error);

/* Says @error, unless --quiet, and which guest it is about. Returns: 1, a failed verb's status. */
int nego_verb_fail (const NegoOptions *options, const GError *error);
