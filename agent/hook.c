/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-hook"

#include "config.h"

#include "agent/hook.h"

#include "common/capture.h"
#include "common/drain.h"
#include "common/error.h"
#include "common/exec.h"
#include "common/names.h"
#include "common/pipe.h"

#include <string.h>
#include <unistd.h>

#define NEGO_HOOK_PHRASE "child process has failed to execute fsfreeze hook: "

struct NegoHook {
  char *path;
  guint timeout_ms;
  NegoDrain *drain;
  /* While it runs: */
  const char *argument;
  NegoExec *exec;
  NegoCapture *capture;
  GString *tail; /* of its output */
  GError *error; /* how it ended, if not well */
  NegoHookDoneFunc done;
  gpointer user_data;
};

NegoHook *
nego_hook_new (const char *path, guint timeout_ms)
{
  NegoHook *hook = g_new0 (NegoHook, 1);

  hook->path = g_strdup (path);
  hook->timeout_ms = timeout_ms;
  hook->drain = nego_drain_new (NEGO_HOOKS_DRAINED);
  hook->tail = g_string_new (NULL);
  return hook;
}

void
nego_hook_free (NegoHook *hook)
{
  if (hook == NULL)
    return;
  nego_exec_free (hook->exec);
  nego_capture_free (hook->capture);
  nego_drain_free (hook->drain);
  g_string_free (hook->tail, TRUE);
  g_clear_error (&hook->error);
  g_free (hook->path);
  g_free (hook);
}

static void
nego_hook_take_output (NegoHook *hook)
{
  NegoCaptureView view;

  nego_capture_get_view (hook->capture, &view);
  if (view.len == 0)
    return;
  g_string_append_len (hook->tail, (const char *) view.data, (gssize) view.len);
  if (hook->tail->len > NEGO_HOOK_TAIL_BYTES)
    g_string_erase (hook->tail, 0, (gssize) (hook->tail->len - NEGO_HOOK_TAIL_BYTES));
  nego_capture_release (hook->capture, view.start + view.len);
}

static void
nego_hook_output_cb (NegoCapture *capture, gpointer user_data)
{
  nego_hook_take_output (user_data);
}

static const char *
nego_hook_find_last_line (NegoHook *hook)
{
  const char *line;

  /* A C string ends at the first of them. */
  for (gsize i = 0; i < hook->tail->len; i++)
    if (hook->tail->str[i] == '\0')
      hook->tail->str[i] = ' ';
  g_strchomp (hook->tail->str);
  line = strrchr (hook->tail->str, '\n');
  return line != NULL ? line + 1 : hook->tail->str;
}

static void
nego_hook_finish (NegoHook *hook)
{
  g_autoptr (GError) error = g_steal_pointer (&hook->error);
  int fd = nego_capture_finish (hook->capture);
  const char *line;

  nego_hook_take_output (hook);
  if (fd >= 0)
    nego_drain_add (hook->drain, fd);
  line = nego_hook_find_last_line (hook);
  if (error != NULL && *line != '\0') {
    g_autofree char *text = g_strdup_printf ("%s: %s", error->message, line);

    g_free (error->message);
    error->message = g_steal_pointer (&text);
  }
  g_clear_pointer (&hook->exec, nego_exec_free);
  g_clear_pointer (&hook->capture, nego_capture_free);
  g_string_truncate (hook->tail, 0);
  hook->done (error, hook->user_data);
}

static void
nego_hook_exited_cb (NegoExec *exec, const NegoExecResult *result, gpointer user_data)
{
  NegoHook *hook = user_data;
  GString *text;

  if (result->outcome == NEGO_EXEC_EXITED && result->status == 0 && !result->timed_out)
    return;
  text = g_string_new (NEGO_HOOK_PHRASE);
  g_string_append_printf (text, "'%s %s': ", hook->path, hook->argument);
  if (result->timed_out)
    g_string_append_printf (text, "it did not end within %u s", hook->timeout_ms / 1000);
  else if (result->outcome == NEGO_EXEC_EXITED)
    g_string_append_printf (text, "exit status %d", result->status);
  else if (result->outcome == NEGO_EXEC_SIGNALLED)
    g_string_append_printf (text, "terminated by signal %d", result->status);
  else
    g_string_append (text, result->reason);
  hook->error = g_error_new_literal (NEGO_ERROR, NEGO_ERROR_GENERIC, text->str);
  g_string_free (text, TRUE);
}

static void
nego_hook_gone_cb (NegoExec *exec, gpointer user_data)
{
  nego_hook_finish (user_data);
}

static const NegoExecCallbacks callbacks = {
  .exited = nego_hook_exited_cb,
  .gone = nego_hook_gone_cb,
};

static gboolean
nego_hook_start (NegoHook *hook, GError **error)
{
  static const NegoCaptureLimits limits = {
    .max_bytes = NEGO_HOOK_TAIL_BYTES,
    .window = NEGO_HOOK_TAIL_BYTES,
    .stall_ms = 1000,
  };
  const char *const argv[] = { hook->path, hook->argument, NULL };
  g_auto (GStrv) envp = g_get_environ ();
  NegoExecSpec spec = {
    .path = hook->path,
    .argv = argv,
    .envp = (const char *const *) envp,
    .fds = { -1, -1, -1 },
    .timeout_ms = hook->timeout_ms,
    .grace_ms = NEGO_SCRIPT_GRACE_S * 1000,
  };
  int fd = -1;

  hook->capture = nego_capture_new (&limits, &fd, nego_hook_output_cb, hook, error);
  if (hook->capture == NULL)
    return FALSE;
  spec.fds[1] = spec.fds[2] = fd;
  hook->exec = nego_exec_start (&spec, &callbacks, hook, error);
  nego_pipe_close (&fd);
  if (hook->exec != NULL)
    return TRUE;
  g_clear_pointer (&hook->capture, nego_capture_free);
  return FALSE;
}

void
nego_hook_run (NegoHook *hook, const char *argument, NegoHookDoneFunc done, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_assert (hook->exec == NULL);
  if (hook->path == NULL) {
    done (NULL, user_data);
    return;
  }
  hook->argument = argument;
  hook->done = done;
  hook->user_data = user_data;
  g_message ("running '%s %s'", hook->path, argument);
  if (nego_hook_start (hook, &error))
    return;
  g_prefix_error (&error, NEGO_HOOK_PHRASE "'%s %s': ", hook->path, argument);
  done (error, user_data);
}

void
nego_hook_end (NegoHook *hook)
{
  if (hook->exec != NULL)
    nego_exec_terminate (hook->exec);
}
