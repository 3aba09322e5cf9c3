/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/tools.h"

#include "common/capture.h"
#include "common/error.h"
#include "common/exec.h"
#include "common/input.h"
#include "common/names.h"
#include "common/pipe.h"

#include <errno.h>
#include <unistd.h>

/* The last one: NixOS has its programs there and nowhere else. */
static const char *const directories[]
  = { "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/run/current-system/sw/bin" };

static const char *const environment[] = {
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin",
  "LANG=C.UTF-8",
  NULL,
};

struct NegoTools {
  char *root;
  GHashTable *runs; /* those that go on */
};

/* One program that runs. */
typedef struct {
  NegoTools *tools;
  NegoExec *exec;
  NegoInput *input;
  NegoCapture *capture;
  char *action;
  guint timeout_ms;
  NegoToolsFunc done;
  gpointer user_data;
  GDestroyNotify free_data;
  NegoExecOutcome outcome;
  int status;
  gboolean timed_out;
  char *reason; /* why it was never executed */
} NegoToolsRun;

static void
nego_tools_run_free (NegoToolsRun *run)
{
  nego_exec_free (run->exec);
  nego_input_free (run->input);
  nego_capture_free (run->capture);
  if (run->free_data != NULL)
    run->free_data (run->user_data);
  g_free (run->action);
  g_free (run->reason);
  g_free (run);
}

NegoTools *
nego_tools_new (const char *root)
{
  NegoTools *tools = g_new0 (NegoTools, 1);

  tools->root = g_strdup (root);
  tools->runs = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) nego_tools_run_free, NULL);
  return tools;
}

void
nego_tools_free (NegoTools *tools)
{
  if (tools == NULL)
    return;
  g_hash_table_unref (tools->runs);
  g_free (tools->root);
  g_free (tools);
}

void
nego_tools_set_root (NegoTools *tools, const char *root)
{
  g_free (tools->root);
  tools->root = g_strdup (root);
}

const char *
nego_tools_get_root (const NegoTools *tools)
{
  return tools->root;
}

char *
nego_tools_find (const NegoTools *tools, const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (directories); i++) {
    g_autofree char *path = g_strconcat (tools->root, directories[i], "/", name, NULL);

    if (access (path, X_OK) == 0)
      return g_steal_pointer (&path);
  }
  return NULL;
}

/* What it printed, as text. */
static char *
nego_tools_get_output (const NegoToolsRun *run)
{
  NegoCaptureView view;

  if (run->capture == NULL)
    return g_strdup ("");
  nego_capture_get_view (run->capture, &view);
  return g_utf8_make_valid (view.len > 0 ? (const char *) view.data : "", (gssize) view.len);
}

static GError *
nego_tools_make_error (const NegoToolsRun *run, const char *printed)
{
  const char *output = run->reason != NULL ? run->reason : printed;

  if (run->timed_out)
    return g_error_new (NEGO_ERROR, NEGO_ERROR_TIMEOUT,
                        "child process has failed to %s: it did not end within %u seconds",
                        run->action, run->timeout_ms / 1000);
  if (run->outcome == NEGO_EXEC_EXITED && run->status == 0)
    return NULL;
  if (run->outcome == NEGO_EXEC_SIGNALLED)
    return g_error_new (NEGO_ERROR, NEGO_ERROR_GENERIC,
                        "child process has terminated abnormally%s%s", *output != '\0' ? ": " : "",
                        output);
  if (*output != '\0')
    return g_error_new (NEGO_ERROR, NEGO_ERROR_GENERIC, "child process has failed to %s: %s",
                        run->action, output);
  return g_error_new (NEGO_ERROR, NEGO_ERROR_GENERIC,
                      "child process has failed to %s: exit status %d", run->action, run->status);
}

/* Tells the end and forgets the run. */
static void
nego_tools_end (NegoToolsRun *run)
{
  g_autofree char *output = nego_tools_get_output (run);
  g_autoptr (GError) error = nego_tools_make_error (run, output);
  const NegoToolsResult result = {
    .status = run->outcome == NEGO_EXEC_EXITED && !run->timed_out ? run->status : -1,
    .error = error,
    .reason = run->reason,
    .output = output,
  };

  g_hash_table_steal (run->tools->runs, run);
  run->done (&result, run->user_data);
  nego_tools_run_free (run);
}

static void
nego_tools_on_exited (NegoExec *exec, const NegoExecResult *result, gpointer user_data)
{
  NegoToolsRun *run = user_data;

  run->outcome = result->outcome;
  run->status = result->status;
  run->timed_out = result->timed_out;
  run->reason = g_strdup (result->reason);
}

static void
nego_tools_on_gone (NegoExec *exec, gpointer user_data)
{
  NegoToolsRun *run = user_data;
  int held = nego_capture_finish (run->capture);

  /* A daemon that it started has it, and may find nobody reading. */
  nego_pipe_close (&held);
  nego_tools_end (run);
}

static const NegoExecCallbacks callbacks = {
  .exited = nego_tools_on_exited,
  .gone = nego_tools_on_gone,
};

static void
nego_tools_on_output (NegoCapture *capture, gpointer user_data)
{
}

/* The environment of a program: that of all, and HOME if @spec has one. */
static char **
nego_tools_make_env (const NegoToolsSpec *spec)
{
  char **env = g_strdupv ((char **) environment);

  return spec->home != NULL ? g_environ_setenv (env, "HOME", spec->home, TRUE) : env;
}

/* Returns FALSE with the reason in @run. */
static gboolean
nego_tools_start (NegoToolsRun *run, const NegoToolsSpec *spec)
{
  const NegoCaptureLimits limits
    = { .max_bytes = spec->max_output > 0 ? spec->max_output : NEGO_TOOL_OUTPUT_BYTES };
  g_autofree char *path
    = spec->self ? g_strdup ("/proc/self/exe") : nego_tools_find (run->tools, spec->argv[0]);
  g_auto (GStrv) env = nego_tools_make_env (spec);
  g_autoptr (GError) error = NULL;
  int input_fd = -1, output_fd = -1;
  int errnum = path != NULL ? 0 : ENOENT;

  if (path != NULL)
    run->capture = nego_capture_new (&limits, &output_fd, nego_tools_on_output, run, &error);
  if (run->capture != NULL && spec->input != NULL)
    run->input = nego_input_new (g_memdup2 (spec->input, spec->input_len), spec->input_len,
                                 &input_fd, NULL, NULL, &error);
  if (error == NULL && run->capture != NULL) {
    const NegoExecSpec exec = {
      .path = path,
      .argv = spec->argv,
      .envp = (const char *const *) env,
      .user = spec->user,
      .fds = { input_fd, output_fd, output_fd },
      .survives = TRUE,
      .timeout_ms = spec->timeout_ms,
      .grace_ms = NEGO_SCRIPT_GRACE_S * 1000,
      .errnum = &errnum,
    };

    run->exec = nego_exec_start (&exec, &callbacks, run, &error);
  }
  nego_pipe_close (&input_fd);
  nego_pipe_close (&output_fd);
  if (run->exec != NULL)
    return TRUE;
  if (errnum != 0) /* as the child of qemu-ga says it */
    run->reason = g_strdup_printf ("failed to exec '%s': %s\n", spec->argv[0], g_strerror (errnum));
  else
    run->reason = g_strdup (error->message);
  return FALSE;
}

gboolean
nego_tools_is_busy (const NegoTools *tools)
{
  return g_hash_table_size (tools->runs) > 0;
}

void
nego_tools_run (NegoTools *tools,
                const NegoToolsSpec *spec,
                NegoToolsFunc done,
                gpointer user_data,
                GDestroyNotify free_data)
{
  NegoToolsRun *run = g_new0 (NegoToolsRun, 1);

  run->tools = tools;
  run->action = g_strdup (spec->action);
  run->timeout_ms = spec->timeout_ms;
  run->done = done;
  run->user_data = user_data;
  run->free_data = free_data;
  run->outcome = NEGO_EXEC_FAILED;
  g_hash_table_add (tools->runs, run);
  if (!nego_tools_start (run, spec))
    nego_tools_end (run);
}
