/* SPDX-License-Identifier: MIT */
/*
 * handlers: which commands of the schema the guest serves, and by which function. A command that is
 * not in this table does not exist in the guest. The functions are in cmd-TOPIC.c, here and in
 * common/service/.
 */
#pragma once

#include "common/service/handlers.h"

/* cmd-disks.c */
void nego_cmd_guest_get_disks (NegoCall *call);
GPtrArray *nego_cmd_guest_get_diskstats (NegoCall *call, GError **error);

/* cmd-fsfreeze.c */
gboolean
nego_cmd_guest_fsfreeze_status (NegoCall *call, QapiGuestFsfreezeStatus *ret, GError **error);
void nego_cmd_guest_fsfreeze_freeze (NegoCall *call);
void nego_cmd_guest_fsfreeze_freeze_list (NegoCall *call,
                                          const QapiGuestFsfreezeFreezeListArgs *args);
void nego_cmd_guest_fsfreeze_thaw (NegoCall *call);

/* cmd-fstrim.c */
void nego_cmd_guest_fstrim (NegoCall *call, const QapiGuestFstrimArgs *args);

/* cmd-fsinfo.c */
void nego_cmd_guest_get_fsinfo (NegoCall *call);

extern const QapiHandlers nego_handlers;

QapiGuestExec *nego_cmd_guest_exec (NegoCall *call, const QapiGuestExecArgs *args, GError **error);
void nego_cmd_guest_exec_status (NegoCall *call, const QapiGuestExecStatusArgs *args);

gboolean nego_cmd_guest_get_time (NegoCall *call, gint64 *ret, GError **error);
void nego_cmd_guest_set_time (NegoCall *call, const QapiGuestSetTimeArgs *args);

void nego_cmd_guest_shutdown (NegoCall *call, const QapiGuestShutdownArgs *args);
void nego_cmd_guest_suspend_disk (NegoCall *call);
void nego_cmd_guest_suspend_hybrid (NegoCall *call);
void nego_cmd_guest_suspend_ram (NegoCall *call);

void nego_cmd_guest_set_user_password (NegoCall *call, const QapiGuestSetUserPasswordArgs *args);
/* cmd-guest-file.c */
void nego_cmd_guest_file_open (NegoCall *call, const QapiGuestFileOpenArgs *args);
void nego_cmd_guest_file_close (NegoCall *call, const QapiGuestFileCloseArgs *args);
void nego_cmd_guest_file_write (NegoCall *call, const QapiGuestFileWriteArgs *args);
void nego_cmd_guest_file_seek (NegoCall *call, const QapiGuestFileSeekArgs *args);
gboolean
nego_cmd_guest_file_flush (NegoCall *call, const QapiGuestFileFlushArgs *args, GError **error);

/* cmd-negotiator-file.c */
void nego_cmd_negotiator_file_create (NegoCall *call, const QapiNegotiatorFileCreateArgs *args);
void nego_cmd_negotiator_file_finish (NegoCall *call, const QapiNegotiatorFileFinishArgs *args);
void nego_cmd_negotiator_file_stat (NegoCall *call, const QapiNegotiatorFileStatArgs *args);

/* cmd-guest-file-read.c */
void nego_cmd_guest_file_read (NegoCall *call, const QapiGuestFileReadArgs *args);

/* cmd-cpustats.c */
GPtrArray *nego_cmd_guest_get_cpustats (NegoCall *call, GError **error);

/* cmd-host.c */
QapiGuestHostName *nego_cmd_guest_get_host_name (NegoCall *call, GError **error);
void nego_cmd_guest_get_timezone (NegoCall *call);

/* cmd-load.c */
QapiGuestLoadAverage *nego_cmd_guest_get_load (NegoCall *call, GError **error);

/* cmd-memory-blocks.c */
void nego_cmd_guest_get_memory_blocks (NegoCall *call);
void nego_cmd_guest_set_memory_blocks (NegoCall *call, const QapiGuestSetMemoryBlocksArgs *args);
QapiGuestMemoryBlockInfo *nego_cmd_guest_get_memory_block_info (NegoCall *call, GError **error);

/* cmd-network.c */
void nego_cmd_guest_network_get_interfaces (NegoCall *call);
void nego_cmd_guest_network_get_route (NegoCall *call);

/* cmd-os.c */
void nego_cmd_guest_get_osinfo (NegoCall *call);

/* cmd-users.c */
void nego_cmd_guest_get_users (NegoCall *call);

/* cmd-vcpus.c */
void nego_cmd_guest_get_vcpus (NegoCall *call);
void nego_cmd_guest_set_vcpus (NegoCall *call, const QapiGuestSetVcpusArgs *args);

/* cmd-ssh.c */
void nego_cmd_guest_ssh_add_authorized_keys (NegoCall *call,
                                             const QapiGuestSshAddAuthorizedKeysArgs *args);
void nego_cmd_guest_ssh_get_authorized_keys (NegoCall *call,
                                             const QapiGuestSshGetAuthorizedKeysArgs *args);
void nego_cmd_guest_ssh_remove_authorized_keys (NegoCall *call,
                                                const QapiGuestSshRemoveAuthorizedKeysArgs *args);
