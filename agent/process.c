/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/process.h"

#include "common/error.h"
#include "common/exec.h"
#include "common/input.h"
#include "common/names.h"
#include "common/pipe.h"
#include "common/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* GLib's, where there is no PATH at all. */
#define DEFAULT_PATH "/bin:/usr/bin:."
/* What execvp(3) runs a program with that the kernel does not know, such as a script without "#!".
 */
#define SHELL "/bin/sh"

enum { OUT, ERR, STREAMS };

struct NegoProcess {
  GPid pid;
  NegoExec *exec; /* until the child is reaped */
  NegoInput *input;
  NegoCapture *captures[STREAMS];
  NegoDrain *drain;
  NegoExecOutcome outcome;
  int status;
  gboolean exited;
  gboolean ended;
  GSource *linger;
  NegoProcessFunc ended_func;
  gpointer user_data;
};

static gboolean
nego_process_is_output_final (const NegoProcess *process)
{
  for (guint i = 0; i < STREAMS; i++) {
    NegoCaptureView view;

    if (process->captures[i] == NULL)
      continue;
    nego_capture_get_view (process->captures[i], &view);
    if (!view.final)
      return FALSE;
  }
  return TRUE;
}

static void
nego_process_end (NegoProcess *process)
{
  process->ended = TRUE;
  nego_source_clear (&process->linger);
  process->ended_func (process, process->user_data);
}

static gboolean
nego_process_on_lingered (gpointer user_data)
{
  NegoProcess *process = user_data;

  for (guint i = 0; i < STREAMS; i++) {
    int held = process->captures[i] != NULL ? nego_capture_finish (process->captures[i]) : -1;

    if (held >= 0)
      nego_drain_add (process->drain, held);
  }
  nego_process_end (process);
  return G_SOURCE_REMOVE;
}

static void
nego_process_on_output (NegoCapture *capture, gpointer user_data)
{
  NegoProcess *process = user_data;

  if (process->exited && !process->ended && nego_process_is_output_final (process))
    nego_process_end (process);
}

static void
nego_process_on_exited (NegoExec *exec, const NegoExecResult *result, gpointer user_data)
{
  NegoProcess *process = user_data;

  process->exited = TRUE;
  process->outcome = result->outcome;
  process->status = result->status;
}

static void
nego_process_on_gone (NegoExec *exec, gpointer user_data)
{
  NegoProcess *process = user_data;

  g_clear_pointer (&process->exec, nego_exec_free);
  /* Nobody is there to read the rest. */
  g_clear_pointer (&process->input, nego_input_free);
  if (nego_process_is_output_final (process))
    nego_process_end (process);
  else
    process->linger
      = nego_source_add_timeout (NEGO_PROCESS_LINGER_S * 1000, nego_process_on_lingered, process);
}

static const NegoExecCallbacks callbacks = {
  .exited = nego_process_on_exited,
  .gone = nego_process_on_gone,
};

/* The arguments with @before in front of them. */
static GPtrArray *
nego_process_make_argv (const NegoProcessSpec *spec, const char *before, const char *path)
{
  GPtrArray *argv = g_ptr_array_new ();

  if (before != NULL)
    g_ptr_array_add (argv, (gpointer) before);
  g_ptr_array_add (argv, (gpointer) path);
  for (guint i = 0; spec->args != NULL && spec->args[i] != NULL; i++)
    g_ptr_array_add (argv, (gpointer) spec->args[i]);
  g_ptr_array_add (argv, NULL);
  return argv;
}

/* Starts the program @path. Returns 0 or an errno. */
static int
nego_process_try (NegoProcess *process,
                  const NegoProcessSpec *spec,
                  const char *path,
                  const int fds[3])
{
  g_autoptr (GPtrArray) argv = nego_process_make_argv (spec, NULL, spec->path);
  g_autoptr (GPtrArray) shell_argv = nego_process_make_argv (spec, SHELL, path);
  int errnum = 0;
  NegoExecSpec exec = {
    .path = path,
    .argv = (const char *const *) argv->pdata,
    .envp = spec->env != NULL ? spec->env : (const char *const *) environ,
    .fds = { fds[0], fds[1], fds[2] },
    .survives = TRUE,
    .errnum = &errnum,
  };

  process->exec = nego_exec_start (&exec, &callbacks, process, NULL);
  if (process->exec == NULL && errnum == ENOEXEC) {
    exec.path = SHELL;
    exec.argv = (const char *const *) shell_argv->pdata;
    process->exec = nego_exec_start (&exec, &callbacks, process, NULL);
  }
  if (process->exec != NULL)
    return 0;
  return errnum != 0 ? errnum : EAGAIN;
}

/* The directories to look in. */
static const char *
nego_process_get_search_path (const NegoProcessSpec *spec)
{
  const char *own = g_getenv ("PATH");

  for (guint i = 0; spec->env != NULL && spec->env[i] != NULL; i++)
    if (g_str_has_prefix (spec->env[i], "PATH="))
      return spec->env[i] + strlen ("PATH=");
  return own != NULL ? own : DEFAULT_PATH;
}

/* Whether another directory may have what this one has not: as execvp(3) sees it. */
static gboolean
nego_process_is_miss (int errnum)
{
  return errnum == ENOENT || errnum == ENOTDIR || errnum == EACCES || errnum == ESTALE
         || errnum == ENODEV || errnum == ETIMEDOUT;
}

static int
nego_process_check (const char *path)
{
  struct stat st;

  if (faccessat (AT_FDCWD, path, X_OK, AT_EACCESS) != 0)
    return errno;
  return stat (path, &st) == 0 && S_ISDIR (st.st_mode) ? EACCES : 0;
}

/* Starts the program of @spec, looking for it. Returns 0 or an errno. */
static int
nego_process_spawn (NegoProcess *process, const NegoProcessSpec *spec, const int fds[3])
{
  g_auto (GStrv) dirs = NULL;
  int result = ENOENT;

  if (strchr (spec->path, '/') != NULL)
    return nego_process_try (process, spec, spec->path, fds);
  if (*spec->path == '\0')
    return ENOENT;
  dirs = g_strsplit (nego_process_get_search_path (spec), ":", -1);
  for (guint i = 0; dirs[i] != NULL; i++) {
    g_autofree char *path = g_strconcat (*dirs[i] != '\0' ? dirs[i] : ".", "/", spec->path, NULL);
    int errnum = nego_process_check (path);

    if (errnum == 0)
      errnum = nego_process_try (process, spec, path, fds);
    if (!nego_process_is_miss (errnum))
      return errnum;
    /* That it is there and must not be executed says more than that it is nowhere. */
    if (errnum == EACCES)
      result = EACCES;
  }
  return result;
}

static gboolean
nego_process_open_output (
  NegoProcess *process, const NegoProcessSpec *spec, guint stream, int *child_fd, GError **error)
{
  const NegoCaptureLimits limits = { .max_bytes = spec->max_bytes };

  process->captures[stream]
    = nego_capture_new (&limits, child_fd, nego_process_on_output, process, error);
  return process->captures[stream] != NULL;
}

static gboolean
nego_process_open (NegoProcess *process, NegoProcessSpec *spec, int fds[3], GError **error)
{
  if (spec->input != NULL) {
    process->input = nego_input_new (g_steal_pointer (&spec->input), spec->input_len, &fds[0], NULL,
                                     NULL, error);
    if (process->input == NULL)
      return FALSE;
  }
  return (!spec->out || nego_process_open_output (process, spec, OUT, &fds[1], error))
         && (!spec->err || nego_process_open_output (process, spec, ERR, &fds[2], error));
}

NegoProcess *
nego_process_start (NegoProcessSpec *spec,
                    NegoDrain *drain,
                    NegoProcessFunc ended,
                    gpointer user_data,
                    GError **error)
{
  g_autoptr (NegoProcess) process = g_new0 (NegoProcess, 1);
  int fds[3] = { -1, -1, -1 };
  int errnum = -1;

  process->drain = drain;
  process->ended_func = ended;
  process->user_data = user_data;
  if (nego_process_open (process, spec, fds, error)) {
    const int child_fds[3] = { fds[0], fds[1], spec->merged ? fds[1] : fds[2] };

    errnum = nego_process_spawn (process, spec, child_fds);
  }
  for (guint i = 0; i < 3; i++)
    nego_pipe_close (&fds[i]);
  g_clear_pointer (&spec->input, g_free);
  if (errnum > 0)
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO, "Failed to execute child process “%s” (%s)",
                 spec->path, g_strerror (errnum));
  if (errnum != 0)
    return NULL;
  process->pid = nego_exec_get_pid (process->exec);
  return g_steal_pointer (&process);
}

void
nego_process_free (NegoProcess *process)
{
  if (process == NULL)
    return;
  nego_source_clear (&process->linger);
  nego_exec_free (process->exec);
  nego_input_free (process->input);
  for (guint i = 0; i < STREAMS; i++)
    nego_capture_free (process->captures[i]);
  g_free (process);
}

GPid
nego_process_get_pid (const NegoProcess *process)
{
  return process->pid;
}

gboolean
nego_process_is_ended (const NegoProcess *process)
{
  return process->ended;
}

void
nego_process_get_result (const NegoProcess *process, NegoProcessResult *result)
{
  *result = (NegoProcessResult){
    .signalled = process->outcome == NEGO_EXEC_SIGNALLED,
    .status = process->status,
  };
  if (process->captures[OUT] != NULL)
    nego_capture_get_view (process->captures[OUT], &result->out);
  if (process->captures[ERR] != NULL)
    nego_capture_get_view (process->captures[ERR], &result->err);
}

gsize
nego_process_count_input (const NegoProcess *process)
{
  return process->input != NULL ? nego_input_pending (process->input) : 0;
}

gsize
nego_process_count_output (const NegoProcess *process)
{
  gsize bytes = 0;

  for (guint i = 0; i < STREAMS; i++) {
    NegoCaptureView view;

    if (process->captures[i] == NULL)
      continue;
    nego_capture_get_view (process->captures[i], &view);
    bytes += view.len;
  }
  return bytes;
}
