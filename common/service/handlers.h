/* SPDX-License-Identifier: MIT */
/*
 * handlers: the functions of this folder's cmd-TOPIC.c, for the tables of both sides.
 */
#pragma once

#include "qapi/qapi-commands.h"

/* cmd-core.c */
gboolean
nego_cmd_guest_sync (NegoCall *call, const QapiGuestSyncArgs *args, gint64 *ret, GError **error);
gboolean nego_cmd_guest_sync_delimited (NegoCall *call,
                                        const QapiGuestSyncDelimitedArgs *args,
                                        gint64 *ret,
                                        GError **error);
gboolean nego_cmd_guest_ping (NegoCall *call, GError **error);
QapiGuestAgentInfo *nego_cmd_guest_info (NegoCall *call, GError **error);

/* cmd-negotiator-info.c */
QapiNegotiatorInfo *nego_cmd_negotiator_info (NegoCall *call, GError **error);

/* cmd-negotiator-list.c */
GPtrArray *nego_cmd_negotiator_list (NegoCall *call, GError **error);

/* cmd-negotiator-exec.c */
void nego_cmd_negotiator_exec (NegoCall *call, const QapiNegotiatorExecArgs *args);
void nego_cmd_negotiator_exec_status (NegoCall *call, const QapiNegotiatorExecStatusArgs *args);

/* cmd-negotiator-job.c */
GPtrArray *nego_cmd_negotiator_jobs (NegoCall *call, GError **error);
void nego_cmd_negotiator_exec_input (NegoCall *call, const QapiNegotiatorExecInputArgs *args);
gboolean nego_cmd_negotiator_exec_signal (NegoCall *call,
                                          const QapiNegotiatorExecSignalArgs *args,
                                          GError **error);
gboolean nego_cmd_negotiator_exec_forget (NegoCall *call,
                                          const QapiNegotiatorExecForgetArgs *args,
                                          GError **error);

/* cmd-negotiator-session.c */
QapiNegotiatorSession *
nego_cmd_negotiator_session (NegoCall *call, const QapiNegotiatorSessionArgs *args, GError **error);
gboolean
nego_cmd_negotiator_cancel (NegoCall *call, const QapiNegotiatorCancelArgs *args, GError **error);
