/* SPDX-License-Identifier: MIT */
/*
 * guest-exec and guest-exec-status. Arguments, environment and input are never logged.
 */
#define G_LOG_DOMAIN "nego-process"

#include "config.h"

#include "agent/agent.h"
#include "agent/handlers.h"
#include "common/base64.h"
#include "common/error.h"

/* Which streams @capture asks for. */
static void
nego_cmd_set_capture (NegoProcessSpec *spec, const QapiGuestExecCaptureOutput *capture)
{
  if (capture == NULL)
    return;
  if (capture->kind == QAPI_GUEST_EXEC_CAPTURE_OUTPUT_KIND_FLAG) {
    spec->out = spec->err = capture->u.flag;
    return;
  }
  switch (capture->u.mode) {
  case QAPI_GUEST_EXEC_CAPTURE_OUTPUT_MODE_STDOUT:
    spec->out = TRUE;
    break;
  case QAPI_GUEST_EXEC_CAPTURE_OUTPUT_MODE_STDERR:
    spec->err = TRUE;
    break;
  case QAPI_GUEST_EXEC_CAPTURE_OUTPUT_MODE_SEPARATED:
    spec->out = spec->err = TRUE;
    break;
  case QAPI_GUEST_EXEC_CAPTURE_OUTPUT_MODE_MERGED:
    spec->out = spec->merged = TRUE;
    break;
  case QAPI_GUEST_EXEC_CAPTURE_OUTPUT_MODE_NONE:
  default:
    break;
  }
}

QapiGuestExec *
nego_cmd_guest_exec (NegoCall *call, const QapiGuestExecArgs *args, GError **error)
{
  NegoProcessSpec spec = {
    .path = args->path,
    .args = (const char *const *) args->arg,
    .env = (const char *const *) args->env,
  };
  QapiGuestExec *ret;
  GPid pid;

  nego_cmd_set_capture (&spec, args->capture_output);
  if (args->input_data != NULL) {
    spec.input = nego_base64_decode (args->input_data, &spec.input_len, error);
    if (spec.input == NULL)
      return NULL;
  }
  pid = nego_process_table_start (nego_agent_of (call)->processes, &spec, error);
  if (pid == 0)
    return NULL;
  g_info ("%s started process %d (guest-exec)", nego_call_get_origin (call), (int) pid);
  ret = qapi_guest_exec_new ();
  ret->pid = pid;
  return ret;
}

/* The base64 of @view, or NULL if there is nothing. */
static char *
nego_cmd_encode (const NegoCaptureView *view)
{
  GString *text;

  if (view->len == 0)
    return NULL;
  text = g_string_sized_new (view->len / 3 * 4 + 8);
  nego_base64_append (text, view->data, view->len);
  return g_string_free (text, FALSE);
}

QapiGuestExecStatus *
nego_cmd_guest_exec_status (NegoCall *call, const QapiGuestExecStatusArgs *args, GError **error)
{
  NegoProcessTable *table = nego_agent_of (call)->processes;
  NegoProcess *process = nego_process_table_find (table, args->pid, error);
  NegoProcessResult result;
  QapiGuestExecStatus *ret;

  if (process == NULL)
    return NULL;
  ret = qapi_guest_exec_status_new ();
  ret->exited = nego_process_is_ended (process);
  if (!ret->exited)
    return ret;
  nego_process_get_result (process, &result);
  nego_process_table_fit (table, &result);
  ret->has_signal = result.signalled;
  ret->has_exitcode = !result.signalled;
  if (result.signalled)
    ret->signal = result.status;
  else
    ret->exitcode = result.status;
  ret->out_data = nego_cmd_encode (&result.out);
  ret->has_out_truncated = result.out.len > 0;
  ret->out_truncated = result.out.truncated;
  ret->err_data = nego_cmd_encode (&result.err);
  ret->has_err_truncated = result.err.len > 0;
  ret->err_truncated = result.err.truncated;
  nego_process_table_forget (table, process);
  return ret;
}
