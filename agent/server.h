/* SPDX-License-Identifier: MIT */
/*
 * server: the agent and its channels, from the settings to the orderly end.
 */
#pragma once

#include "agent/conf.h"
#include "common/log.h"

typedef struct NegoServer NegoServer;

/* Opens all channels of @conf, which must outlive the server. @log (borrowed) is held while file
 * systems are frozen. If they are @frozen now, the next thaw opens the log file of @conf and makes
 * its pid file. Errors: those of nego_channel_new (), with the channel's name. */
NegoServer *nego_server_new (NegoConf *conf, NegoLog *log, gboolean frozen, GError **error);
void nego_server_free (NegoServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoServer, nego_server_free)

/* Runs until nego_server_stop (), or until no channel is left that could come back. */
void nego_server_run (NegoServer *server);

/* Thaws what is frozen, terminates the jobs, lets their clients know, and ends nego_server_run ().
 * A second call does not wait for the jobs. */
void nego_server_stop (NegoServer *server);

/* All commands that are served, in the schema's order, one a line. Returns: (transfer full). */
char *nego_server_list_commands (void);
