/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/handlers.h"

const QapiHandlers nego_handlers = {
  .guest_get_disks = nego_cmd_guest_get_disks,
  .guest_get_diskstats = nego_cmd_guest_get_diskstats,
  .guest_get_fsinfo = nego_cmd_guest_get_fsinfo,
  .guest_sync = nego_cmd_guest_sync,
  .guest_sync_delimited = nego_cmd_guest_sync_delimited,
  .guest_ping = nego_cmd_guest_ping,
  .guest_info = nego_cmd_guest_info,
  .guest_exec = nego_cmd_guest_exec,
  .guest_exec_status = nego_cmd_guest_exec_status,
  .guest_get_time = nego_cmd_guest_get_time,
  .guest_set_time = nego_cmd_guest_set_time,
  .guest_set_user_password = nego_cmd_guest_set_user_password,
  .guest_shutdown = nego_cmd_guest_shutdown,
  .guest_suspend_disk = nego_cmd_guest_suspend_disk,
  .guest_suspend_hybrid = nego_cmd_guest_suspend_hybrid,
  .guest_suspend_ram = nego_cmd_guest_suspend_ram,
  .guest_file_open = nego_cmd_guest_file_open,
  .guest_file_close = nego_cmd_guest_file_close,
  .guest_file_read = nego_cmd_guest_file_read,
  .guest_file_write = nego_cmd_guest_file_write,
  .guest_file_seek = nego_cmd_guest_file_seek,
  .guest_file_flush = nego_cmd_guest_file_flush,
  .negotiator_info = nego_cmd_negotiator_info,
  .negotiator_list = nego_cmd_negotiator_list,
  .negotiator_exec = nego_cmd_negotiator_exec,
  .negotiator_exec_status = nego_cmd_negotiator_exec_status,
  .negotiator_jobs = nego_cmd_negotiator_jobs,
  .negotiator_exec_input = nego_cmd_negotiator_exec_input,
  .negotiator_exec_signal = nego_cmd_negotiator_exec_signal,
  .negotiator_exec_forget = nego_cmd_negotiator_exec_forget,
  .negotiator_cancel = nego_cmd_negotiator_cancel,
  .negotiator_session = nego_cmd_negotiator_session,
};
