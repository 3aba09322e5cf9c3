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
#include "common/memory.h"
#include "common/names.h"

/* What a reply has besides the base64, but for its id. */
#define NEGO_CMD_STATUS_FRAME_BYTES 256u

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

/* A result on its way to be a reply. That of much output costs milliseconds to write, which other
 * channels would wait for: it is written on a thread. */
typedef struct {
  NegoProcess *process; /* taken out of the table */
  NegoProcessResult result;
  GString *text;
} NegoCmdStatus;

static void
nego_cmd_status_free (gpointer data)
{
  NegoCmdStatus *self = data;

  if (self->text != NULL)
    g_string_free (self->text, TRUE);
  nego_process_free (self->process);
  g_free (self);
}

static void
nego_cmd_write_output (NegoJsonWriter *writer,
                       const char *data_name,
                       const char *truncated_name,
                       const NegoCaptureView *view)
{
  if (view->len == 0)
    return;
  nego_json_writer_key (writer, data_name);
  nego_json_writer_base64 (writer, view->data, view->len);
  nego_json_writer_key (writer, truncated_name);
  nego_json_writer_boolean (writer, view->truncated);
}

static void
nego_cmd_write_status (gpointer data)
{
  NegoCmdStatus *self = data;
  const NegoProcessResult *result = &self->result;
  const gsize size = (result->out.len + result->err.len) / 3 * 4 + NEGO_CMD_STATUS_FRAME_BYTES;
  NegoJsonWriter writer;

  self->text = g_string_sized_new (size);
  nego_memory_expect (self->text->str, size);
  nego_call_begin_text (&writer, self->text);
  nego_json_writer_begin_object (&writer);
  nego_json_writer_key (&writer, "exited");
  nego_json_writer_boolean (&writer, TRUE);
  nego_json_writer_key (&writer, result->signalled ? "signal" : "exitcode");
  nego_json_writer_int (&writer, result->status);
  nego_cmd_write_output (&writer, "out-data", "out-truncated", &result->out);
  nego_cmd_write_output (&writer, "err-data", "err-truncated", &result->err);
  nego_json_writer_end_object (&writer);
}

static void
nego_cmd_status_done (gpointer data, gpointer user_data)
{
  g_autoptr (NegoCall) call = user_data;
  NegoCmdStatus *self = data;

  /* Nobody got it: it can be asked for again. */
  if (nego_call_is_abandoned (call))
    nego_process_table_put_back (nego_agent_of (call)->processes, g_steal_pointer (&self->process));
  else
    nego_call_return_written (call, g_steal_pointer (&self->text));
}

static void
nego_cmd_return_result (NegoCall *call, NegoProcess *process)
{
  NegoAgent *agent = nego_agent_of (call);
  NegoCmdStatus *self = g_new0 (NegoCmdStatus, 1);
  GError *error = NULL;

  nego_process_get_result (process, &self->result);
  nego_process_table_fit (agent->processes, &self->result);
  nego_process_table_take (agent->processes, process);
  if (self->result.out.len + self->result.err.len <= NEGO_PROCESS_INLINE_BYTES) {
    nego_cmd_write_status (self);
    nego_call_return_written (call, g_steal_pointer (&self->text));
    self->process = process;
    nego_cmd_status_free (self);
    return;
  }
  /* The thread only reads what the views show; it is freed there when nobody waits for it any more.
   */
  if (nego_offload_run (agent->offload, nego_cmd_write_status, self, nego_cmd_status_free, 0,
                        nego_cmd_status_done, nego_call_ref (call), &error)
      != NULL) {
    /* Only now: what is refused is freed, and the result must not be. Our main context's reference
     * keeps it until this returns. */
    self->process = process;
    return;
  }
  nego_process_table_put_back (agent->processes, process);
  nego_call_fail (call, error);
  nego_call_unref (call);
}

void
nego_cmd_guest_exec_status (NegoCall *call, const QapiGuestExecStatusArgs *args)
{
  GError *error = NULL;
  NegoProcess *process
    = nego_process_table_find (nego_agent_of (call)->processes, args->pid, &error);
  QapiGuestExecStatus running = { 0 };

  if (process == NULL)
    nego_call_fail (call, error);
  else if (nego_process_is_ended (process))
    nego_cmd_return_result (call, process);
  else
    qapi_guest_exec_status_return (call, &running);
}
