/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/job.h"

#include "common/capture.h"
#include "common/exec.h"
#include "common/input.h"
#include "common/pipe.h"
#include "common/script-env.h"

#include <sys/random.h>
#include <time.h>

/* 128 bits in hexadecimal. */
#define ID_BYTES 16

struct NegoJob {
  grefcount refs;
  char id[2 * ID_BYTES + 1];
  char *key;
  char *digest; /* with a key */
  char *command;
  char *user;
  char *reason;
  NegoJobState state;
  int exit_code, signal;
  gboolean cancelled;
  gboolean output_still_open;
  gint64 started_real_ns, started_ns, end_ns;
  NegoDrain *drain;
  const NegoJobCallbacks *callbacks;
  gpointer user_data;
  NegoExec *exec; /* NULL once gone */
  NegoInput *input;
  NegoCapture *captures[NEGO_JOB_STREAMS];
  GHookList watchers;
};

static gint64
nego_job_clock (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

/* From the kernel, not from a generator of our own: a guest that is restored from a snapshot would
 * repeat that one's. GRND_INSECURE (Linux 5.6) does not wait for entropy early at boot. */
static void
nego_job_make_id (NegoJob *job)
{
  guint8 bytes[ID_BYTES];

  if (getrandom (bytes, sizeof bytes, GRND_INSECURE) != sizeof bytes
      && getrandom (bytes, sizeof bytes, GRND_NONBLOCK) != sizeof bytes)
    for (guint i = 0; i < sizeof bytes; i++)
      bytes[i] = (guint8) g_random_int ();
  for (guint i = 0; i < sizeof bytes; i++)
    g_snprintf (job->id + 2 * i, 3, "%02x", bytes[i]);
}

static void
nego_job_tell_watchers (NegoJob *job)
{
  g_autoptr (NegoJob) held = nego_job_ref (job);

  g_hook_list_invoke (&held->watchers, FALSE);
}

static void
nego_job_on_output (NegoCapture *capture, gpointer user_data)
{
  nego_job_tell_watchers (user_data);
}

static void
nego_job_end (NegoJob *job, NegoJobState state)
{
  job->state = state;
  job->end_ns = nego_job_clock (CLOCK_MONOTONIC);
  g_clear_pointer (&job->input, nego_input_free);
  for (guint i = 0; i < NEGO_JOB_STREAMS; i++) {
    int held = job->captures[i] != NULL ? nego_capture_finish (job->captures[i]) : -1;

    if (held >= 0) {
      job->output_still_open = TRUE;
      nego_drain_add (job->drain, held);
    }
  }
}

static void
nego_job_on_exited (NegoExec *exec, const NegoExecResult *result, gpointer user_data)
{
  NegoJob *job = user_data;
  NegoJobState state = NEGO_JOB_FAILED;

  switch (result->outcome) {
  case NEGO_EXEC_EXITED:
    state = NEGO_JOB_EXITED;
    job->exit_code = result->status;
    break;
  case NEGO_EXEC_SIGNALLED:
    state = NEGO_JOB_SIGNALLED;
    job->signal = result->status;
    break;
  case NEGO_EXEC_FAILED:
    job->reason = g_strdup (result->reason);
    break;
  }
  if (result->timed_out)
    state = NEGO_JOB_TIMED_OUT;
  else if (job->cancelled && state != NEGO_JOB_FAILED)
    state = NEGO_JOB_CANCELLED;
  nego_job_end (job, state);
  job->callbacks->ended (job, job->user_data);
  nego_job_tell_watchers (job);
}

static void
nego_job_on_gone (NegoExec *exec, gpointer user_data)
{
  NegoJob *job = user_data;

  g_clear_pointer (&job->exec, nego_exec_free);
  job->callbacks->gone (job, job->user_data);
}

static const NegoExecCallbacks exec_callbacks = { nego_job_on_exited, nego_job_on_gone };

/* Makes the pipes: @fds get the child's ends. */
static gboolean
nego_job_open_pipes (NegoJob *job,
                     const NegoJobRequest *request,
                     guint8 *input,
                     gsize max_output,
                     int fds[3],
                     GError **error)
{
  if (input != NULL) {
    job->input = nego_input_new (input, request->input_len, &fds[0], error);
    if (job->input == NULL)
      return FALSE;
  }
  for (guint i = 0; i < NEGO_JOB_STREAMS; i++) {
    job->captures[i] = nego_capture_new (max_output, &fds[i + 1], nego_job_on_output, job, error);
    if (job->captures[i] == NULL)
      return FALSE;
  }
  return TRUE;
}

/* argv[0] is the path, as for a program started by a shell with its path. Returns: (transfer
 * container). */
static const char **
nego_job_make_argv (const NegoJobRequest *request, const NegoScript *script)
{
  guint n = request->args != NULL ? g_strv_length ((char **) request->args) : 0;
  const char **argv = g_new0 (const char *, n + 2);

  argv[0] = script->path;
  for (guint i = 0; i < n; i++)
    argv[i + 1] = request->args[i];
  return argv;
}

static gboolean
nego_job_execute (NegoJob *job,
                  const NegoJobRequest *request,
                  guint8 *input,
                  const NegoScript *script,
                  const char *side,
                  guint grace_ms,
                  GError **error)
{
  g_auto (GStrv) env = nego_script_env_build (script->conf, side, job->id, request->env);
  g_autofree const char **argv = nego_job_make_argv (request, script);
  NegoExecSpec spec = {
    .path = script->path,
    .argv = argv,
    .envp = (const char *const *) env,
    .fds = { -1, -1, -1 },
    .user = script->conf->user,
    .group = script->conf->group,
    .directory = script->conf->directory,
    .kill_rest = script->conf->kill_all,
    .timeout_ms = nego_job_request_timeout_ms (request, script),
    .grace_ms = grace_ms,
  };

  if (nego_job_open_pipes (job, request, input, script->conf->max_output, spec.fds, error))
    job->exec = nego_exec_start (&spec, &exec_callbacks, job, error);
  for (guint i = 0; i < G_N_ELEMENTS (spec.fds); i++)
    nego_pipe_close (&spec.fds[i]);
  return job->exec != NULL;
}

NegoJob *
nego_job_start (const NegoJobRequest *request,
                guint8 *input,
                const NegoScript *script,
                const char *side,
                guint grace_ms,
                NegoDrain *drain,
                const NegoJobCallbacks *callbacks,
                gpointer user_data)
{
  NegoJob *job = g_new0 (NegoJob, 1);
  g_autoptr (GError) error = NULL;

  g_ref_count_init (&job->refs);
  g_hook_list_init (&job->watchers, sizeof (GHook));
  nego_job_make_id (job);
  job->key = g_strdup (request->key);
  job->digest = request->key != NULL ? nego_job_request_digest (request) : NULL;
  job->command = g_strdup (script->name);
  job->user = g_strdup (script->conf->user);
  job->exit_code = -1;
  job->drain = drain;
  job->callbacks = callbacks;
  job->user_data = user_data;
  job->started_real_ns = nego_job_clock (CLOCK_REALTIME);
  job->started_ns = nego_job_clock (CLOCK_MONOTONIC);
  if (!nego_job_execute (job, request, input, script, side, grace_ms, &error)) {
    job->reason = g_strdup (error->message);
    nego_job_end (job, NEGO_JOB_FAILED);
  }
  return job;
}

NegoJob *
nego_job_ref (NegoJob *job)
{
  g_ref_count_inc (&job->refs);
  return job;
}

void
nego_job_unref (NegoJob *job)
{
  if (job == NULL || !g_ref_count_dec (&job->refs))
    return;
  nego_job_detach (job);
  g_free (job->key);
  g_free (job->digest);
  g_free (job->command);
  g_free (job->user);
  g_free (job->reason);
  g_free (job);
}

const char *
nego_job_get_id (const NegoJob *job)
{
  return job->id;
}

const char *
nego_job_get_key (const NegoJob *job)
{
  return job->key;
}

const char *
nego_job_get_command (const NegoJob *job)
{
  return job->command;
}

gboolean
nego_job_is_ended (const NegoJob *job)
{
  return job->state != NEGO_JOB_RUNNING;
}

gboolean
nego_job_is_live (const NegoJob *job)
{
  return job->exec != NULL;
}

gboolean
nego_job_is_repeat (const NegoJob *job, const NegoJobRequest *request)
{
  g_autofree char *digest = nego_job_request_digest (request);

  return g_str_equal (digest, job->digest);
}

gint64
nego_job_get_end_us (const NegoJob *job)
{
  return job->end_ns / 1000;
}

void
nego_job_get_status (const NegoJob *job, NegoJobStatus *status)
{
  gboolean ended = nego_job_is_ended (job);

  *status = (NegoJobStatus){
    .id = job->id,
    .key = job->key,
    .command = job->command,
    .user = job->user,
    .reason = job->reason,
    .state = job->state,
    .ended = ended,
    .exit_code = job->exit_code,
    .signal = job->signal,
    .output_still_open = job->output_still_open,
    .started_ns = job->started_real_ns,
    .elapsed_ns = (ended ? job->end_ns : nego_job_clock (CLOCK_MONOTONIC)) - job->started_ns,
  };
}

void
nego_job_get_output (const NegoJob *job, NegoJobStream stream, NegoJobOutput *output)
{
  const NegoCapture *capture = job->captures[stream];

  *output = (NegoJobOutput){ .final = TRUE };
  if (capture == NULL)
    return;
  output->data = nego_capture_get_data (capture, &output->len);
  /* A stream that its child closed may be final before the job is, but not the other way round. */
  output->final = nego_capture_is_final (capture);
  output->truncated = nego_capture_is_truncated (capture);
}

gsize
nego_job_get_size (const NegoJob *job)
{
  gsize size = 0;

  for (NegoJobStream i = 0; i < NEGO_JOB_STREAMS; i++) {
    NegoJobOutput output;

    nego_job_get_output (job, i, &output);
    size += output.len;
  }
  return size;
}

void
nego_job_cancel (NegoJob *job)
{
  if (nego_job_is_ended (job))
    return;
  job->cancelled = TRUE;
  nego_exec_terminate (job->exec);
}

void
nego_job_detach (NegoJob *job)
{
  g_hook_list_clear (&job->watchers);
  g_clear_pointer (&job->exec, nego_exec_free);
  g_clear_pointer (&job->input, nego_input_free);
  for (guint i = 0; i < NEGO_JOB_STREAMS; i++)
    g_clear_pointer (&job->captures[i], nego_capture_free);
}

gulong
nego_job_watch (NegoJob *job, GHookFunc func, gpointer user_data)
{
  GHook *hook = g_hook_alloc (&job->watchers);

  hook->func = (gpointer) func;
  hook->data = user_data;
  g_hook_append (&job->watchers, hook);
  return hook->hook_id;
}

void
nego_job_unwatch (NegoJob *job, gulong watch)
{
  g_hook_destroy (&job->watchers, watch);
}
