/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/handlers.h"

const QapiHandlers nego_guest_handlers = {
  .guest_sync = nego_cmd_host_sync,
  .guest_sync_delimited = nego_cmd_host_sync_delimited,
  .guest_ping = nego_cmd_guest_ping,
  .guest_info = nego_cmd_guest_info,
  .negotiator_cancel = nego_cmd_negotiator_cancel,
  .negotiator_info = nego_cmd_negotiator_info,
  .negotiator_list = nego_cmd_negotiator_list,
  .negotiator_exec = nego_cmd_negotiator_exec,
  .negotiator_exec_status = nego_cmd_negotiator_exec_status,
  .negotiator_jobs = nego_cmd_negotiator_jobs,
  .negotiator_exec_input = nego_cmd_negotiator_exec_input,
  .negotiator_exec_signal = nego_cmd_negotiator_exec_signal,
  .negotiator_exec_forget = nego_cmd_negotiator_exec_forget,
  .negotiator_notify = nego_cmd_negotiator_notify,
};

const QapiHandlers nego_control_handlers = {
  .guest_sync = nego_cmd_guest_sync,
  .guest_sync_delimited = nego_cmd_guest_sync_delimited,
  .guest_ping = nego_cmd_guest_ping,
  .negotiator_guests = nego_cmd_negotiator_guests,
  .negotiator_wait = nego_cmd_negotiator_wait,
};
