/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/job.h"

#include "common/exec.h"
#include "common/pipe.h"
#include "common/random.h"
#include "common/script-env.h"
#include "common/source.h"

#include <signal.h>
#include <time.h>

struct NegoJob {
  grefcount refs;
  const NegoJobOwner *owner;
  char *id;
  char *key;
  char *digest; /* with a key */
  char *command;
  char *user;
  char *reason;
  char *arguments; /* their hash */
  char *origin;
  NegoJobState state;
  int exit_code, signal;
  gboolean cancelled;
  gboolean output_still_open;
  gint64 started_real_ns, started_ns, end_ns;
  NegoCgroup *cgroup; /* of the table's; NULL: none, or released */
  NegoExec *exec;     /* NULL before the start and once gone */
  GSource *kill_timer;
  NegoJobIo io;
  GHookList watchers;
};

static gint64
nego_job_clock (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

void
nego_job_tell_watchers (NegoJob *job)
{
  g_autoptr (NegoJob) held = nego_job_ref (job);

  g_hook_list_invoke (&held->watchers, FALSE);
}

static void
nego_job_on_io (gpointer user_data)
{
  nego_job_tell_watchers (user_data);
}

static NegoAuditRun
nego_job_get_audit_run (const NegoJob *job)
{
  return (NegoAuditRun){
    .job = job->id,
    .key = job->key,
    .command = job->command,
    .arguments = job->arguments,
    .user = job->user,
    .origin = job->origin,
  };
}

static gint64 nego_job_get_elapsed_ns (const NegoJob *job);

static void
nego_job_audit_end (const NegoJob *job)
{
  const NegoAuditRun run = nego_job_get_audit_run (job);
  const NegoAuditResult result = {
    .state = nego_job_state_to_string (job->state),
    .exit_code = job->exit_code,
    .signal = job->signal,
    .reason = job->reason,
    .elapsed_ns = nego_job_get_elapsed_ns (job),
  };

  nego_audit_ended (&run, &result);
}

static void
nego_job_end (NegoJob *job, NegoJobEvent event)
{
  job->state = nego_job_state_next (job->state, event);
  job->end_ns = nego_job_clock (CLOCK_MONOTONIC);
  nego_source_clear (&job->kill_timer);
  job->output_still_open = nego_job_io_finish (&job->io, job->owner->drain);
  nego_job_audit_end (job);
}

static NegoJobEvent
nego_job_read_result (NegoJob *job, const NegoExecResult *result)
{
  switch (result->outcome) {
  case NEGO_EXEC_EXITED:
    job->exit_code = result->status;
    break;
  case NEGO_EXEC_SIGNALLED:
    job->signal = result->status;
    break;
  case NEGO_EXEC_FAILED:
    job->reason = g_strdup (result->reason);
    return NEGO_JOB_EVENT_NOT_STARTED;
  }
  if (result->timed_out)
    return NEGO_JOB_EVENT_OVER_TIME;
  if (job->cancelled)
    return NEGO_JOB_EVENT_AFTER_CANCEL;
  return result->outcome == NEGO_EXEC_EXITED ? NEGO_JOB_EVENT_EXITED : NEGO_JOB_EVENT_KILLED;
}

static void
nego_job_tell_ended (NegoJob *job)
{
  g_autoptr (NegoJob) held G_GNUC_UNUSED = nego_job_ref (job);

  job->owner->callbacks.ended (job, job->owner->user_data);
  nego_job_tell_watchers (job);
}

static void
nego_job_on_exited (NegoExec *exec, const NegoExecResult *result, gpointer user_data)
{
  NegoJob *job = user_data;

  nego_job_end (job, nego_job_read_result (job, result));
  nego_job_tell_ended (job);
}

/* Nobody signals the job's processes any more. */
static void
nego_job_clear_processes (NegoJob *job)
{
  g_clear_pointer (&job->exec, nego_exec_free);
  if (job->cgroup != NULL)
    nego_cgroup_tree_release (job->owner->cgroups, g_steal_pointer (&job->cgroup));
}

static void
nego_job_on_gone (NegoExec *exec, gpointer user_data)
{
  NegoJob *job = user_data;

  nego_job_clear_processes (job);
  job->owner->callbacks.gone (job, job->owner->user_data);
}

static const NegoExecCallbacks exec_callbacks = { nego_job_on_exited, nego_job_on_gone };

static NegoCaptureLimits
nego_job_get_capture_limits (const NegoJob *job,
                             const NegoJobRequest *request,
                             const NegoScript *script)
{
  const gsize max_output = script->conf->max_output;

  return (NegoCaptureLimits){
    .max_bytes = max_output != NEGO_SCRIPT_CONF_UNSET ? max_output : job->owner->max_output,
    .window = request->flow ? job->owner->window : 0,
    .stall_ms = job->owner->stall_ms,
  };
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
nego_job_make_cgroup (NegoJob *job, const NegoScript *script, GError **error)
{
  g_autofree char *name = g_strconcat ("job-", job->id, NULL);

  if (job->owner->cgroups == NULL)
    return TRUE;
  job->cgroup = nego_cgroup_tree_make (job->owner->cgroups, name, script->conf->memory_max, error);
  return job->cgroup != NULL;
}

static gboolean
nego_job_execute (NegoJob *job,
                  const NegoJobRequest *request,
                  guint8 *input,
                  const NegoScript *script,
                  GError **error)
{
  g_auto (GStrv) env
    = nego_script_env_build (script->conf, job->owner->side, job->id, request->env);
  g_autofree const char **argv = nego_job_make_argv (request, script);
  const NegoCaptureLimits limits = nego_job_get_capture_limits (job, request, script);
  NegoExecSpec spec = {
    .path = script->path,
    .argv = argv,
    .envp = (const char *const *) env,
    .fds = { -1, -1, -1 },
    .user = script->conf->user,
    .group = script->conf->group,
    .other_user = script->conf->other_user,
    .directory = script->conf->directory,
    .nice = script->conf->nice,
    .no_new_privs = script->conf->no_new_privileges,
    .kill_rest = script->conf->kill_all,
    .timeout_ms = nego_job_request_timeout_ms (request, script),
    .grace_ms = job->owner->grace_ms,
  };

  if (nego_job_io_open (&job->io, input, request->input_len, &limits, spec.fds, error)
      && nego_job_make_cgroup (job, script, error)) {
    spec.cgroup = job->cgroup;
    job->exec = nego_exec_start (&spec, &exec_callbacks, job, error);
  }
  for (guint i = 0; i < G_N_ELEMENTS (spec.fds); i++)
    nego_pipe_close (&spec.fds[i]);
  return job->exec != NULL;
}

NegoJob *
nego_job_new (const NegoJobRequest *request, const NegoScript *script, const NegoJobOwner *owner)
{
  NegoJob *job = g_new0 (NegoJob, 1);

  g_ref_count_init (&job->refs);
  g_hook_list_init (&job->watchers, sizeof (GHook));
  job->owner = owner;
  job->id = nego_random_name ();
  job->key = g_strdup (request->key);
  job->digest = request->key != NULL ? nego_job_request_digest (request) : NULL;
  job->command = g_strdup (script->name);
  job->user = g_strdup (script->conf->user);
  job->arguments = nego_audit_hash (owner->audit, request->args);
  job->origin = g_strdup (request->origin != NULL ? request->origin : "nobody");
  job->exit_code = -1;
  nego_job_io_init (&job->io, request, nego_job_on_io, job);
  job->started_real_ns = nego_job_clock (CLOCK_REALTIME);
  return job;
}

void
nego_job_start (NegoJob *job,
                const NegoJobRequest *request,
                guint8 *input,
                const NegoScript *script)
{
  const NegoAuditRun run = nego_job_get_audit_run (job);
  g_autoptr (GError) error = NULL;

  nego_audit_started (&run);
  job->started_real_ns = nego_job_clock (CLOCK_REALTIME);
  job->started_ns = nego_job_clock (CLOCK_MONOTONIC);
  if (nego_job_execute (job, request, input, script, &error)) {
    job->state = nego_job_state_next (job->state, NEGO_JOB_EVENT_STARTED);
    return;
  }
  job->reason = g_strdup (error->message);
  nego_job_clear_processes (job);
  nego_job_end (job, NEGO_JOB_EVENT_NOT_STARTED);
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
  g_free (job->id);
  g_free (job->key);
  g_free (job->digest);
  g_free (job->command);
  g_free (job->user);
  g_free (job->reason);
  g_free (job->arguments);
  g_free (job->origin);
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

NegoJobState
nego_job_get_state (const NegoJob *job)
{
  return job->state;
}

gboolean
nego_job_is_ended (const NegoJob *job)
{
  return nego_job_state_is_final (job->state);
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

static gint64
nego_job_get_elapsed_ns (const NegoJob *job)
{
  if (job->started_ns == 0)
    return 0;
  return (nego_job_is_ended (job) ? job->end_ns : nego_job_clock (CLOCK_MONOTONIC))
         - job->started_ns;
}

void
nego_job_get_status (const NegoJob *job, NegoJobStatus *status)
{
  *status = (NegoJobStatus){
    .id = job->id,
    .key = job->key,
    .command = job->command,
    .user = job->user,
    .reason = job->reason,
    .state = job->state,
    .ended = nego_job_is_ended (job),
    .exit_code = job->exit_code,
    .signal = job->signal,
    .output_still_open = job->output_still_open,
    .started_ns = job->started_real_ns,
    .elapsed_ns = nego_job_get_elapsed_ns (job),
  };
}

void
nego_job_get_output (const NegoJob *job, NegoJobStream stream, NegoCaptureView *output)
{
  nego_job_io_get_output (&job->io, stream, output);
}

gsize
nego_job_get_size (const NegoJob *job)
{
  return nego_job_io_get_size (&job->io);
}

void
nego_job_release (NegoJob *job, NegoJobStream stream, guint64 until)
{
  nego_job_io_release (&job->io, stream, until);
}

void
nego_job_get_input (const NegoJob *job, NegoJobInput *input)
{
  nego_job_io_get_input (&job->io, input);
}

gsize
nego_job_add_input (NegoJob *job, const guint8 *data, gsize len)
{
  return nego_job_io_add_input (&job->io, data, len);
}

void
nego_job_end_input (NegoJob *job)
{
  nego_job_io_end_input (&job->io);
}

void
nego_job_signal (NegoJob *job, int signal)
{
  if (job->state == NEGO_JOB_RUNNING)
    nego_exec_kill (job->exec, signal);
}

static gboolean
nego_job_on_kill_due (gpointer user_data)
{
  NegoJob *job = user_data;

  nego_source_clear (&job->kill_timer);
  nego_job_signal (job, SIGKILL);
  return G_SOURCE_REMOVE;
}

void
nego_job_kill_after (NegoJob *job, guint ms)
{
  nego_source_clear (&job->kill_timer);
  if (job->state == NEGO_JOB_RUNNING)
    job->kill_timer = nego_source_add_timeout (ms, nego_job_on_kill_due, job);
}

void
nego_job_cancel (NegoJob *job, int signal)
{
  if (nego_job_is_ended (job))
    return;
  job->cancelled = TRUE;
  if (job->state == NEGO_JOB_QUEUED) {
    nego_job_end (job, NEGO_JOB_EVENT_CANCELLED);
    nego_job_tell_ended (job);
  } else if (signal == SIGKILL) {
    nego_exec_kill (job->exec, SIGKILL);
  } else {
    nego_exec_terminate (job->exec);
  }
}

void
nego_job_detach (NegoJob *job)
{
  g_hook_list_clear (&job->watchers);
  nego_source_clear (&job->kill_timer);
  nego_job_clear_processes (job);
  nego_job_io_clear (&job->io);
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
