/* SPDX-License-Identifier: MIT */
/*
 * exec: one child process, from its start to its reaping, in the main loop.
 *
 * The child is the leader of a process group of its own, has default signals, an empty signal mask
 * and no descriptor but 0, 1 and 2. Its end is seen by exec-watch.h. A signal goes to the
 * whole group; so that the group's number cannot be somebody else's by then, the child is reaped
 * only after the last signal was sent. A process that leaves the group (setsid) is out of reach,
 * unless there is a control group: then KILL, and what follows a TERM at the latest, goes to all of
 * that.
 *
 * It does not read or write the child's pipes (capture.h, input.h), and knows no scripts
 * (registry.h) and no jobs (job.h).
 *
 * The end of a child is told in two steps: `exited`, the result is known; `gone`, the group was
 * dealt with and the child is reaped. They come together unless the child ended between TERM and
 * KILL and left others of its group: those still have their grace time.
 */
#pragma once

#include "common/cgroup.h"

#include <glib.h>

typedef struct NegoExec NegoExec;

typedef enum {
  NEGO_EXEC_EXITED,    /* status: the exit code */
  NEGO_EXEC_SIGNALLED, /* status: the signal */
  NEGO_EXEC_FAILED,    /* the program was never executed; reason says why */
} NegoExecOutcome;

typedef struct {
  NegoExecOutcome outcome;
  int status;
  gboolean timed_out; /* the time limit passed before the end; outcome says how it ended */
  const char *reason; /* FAILED: borrowed for the call; else NULL */
} NegoExecResult;

typedef struct {
  void (*exited) (NegoExec *exec, const NegoExecResult *result, gpointer user_data);
  /* Freeing @exec from here is right, and from `exited` wrong. */
  void (*gone) (NegoExec *exec, gpointer user_data);
} NegoExecCallbacks;

typedef struct {
  const char *path;        /* absolute; what is executed */
  const char *const *argv; /* with argv[0] */
  const char *const *envp; /* all of the child's environment */
  /* The child's 0, 1 and 2: descriptors above 2, borrowed; -1 is /dev/null. */
  int fds[3];
  /* With one of these, the program's own binary is started first, under the name NEGO_EXEC_HELPER,
   * and does what posix_spawn cannot. NULL: the user and group of this process; the directory "/".
   */
  const char *user;  /* with HOME, USER and LOGNAME from its account unless they are in envp, and
                        with its supplementary groups */
  const char *group; /* instead of the user's first one; without a user: no supplementary groups */
  gboolean other_user;   /* the user must not be that of this process, by whatever name */
  const char *directory; /* entered as the user */
  NegoCgroup *cgroup;    /* borrowed until the end: entered first; NULL: none */
  int nice;              /* set; 0: as this process */
  gboolean no_new_privs; /* prctl(2)'s PR_SET_NO_NEW_PRIVS */
  gboolean kill_rest;    /* what is left of the groups when the child ends by itself is killed */
  gboolean survives;     /* nego_exec_free () kills nobody */
  guint timeout_ms;      /* the time limit; 0: none */
  guint grace_ms;        /* from TERM to KILL */
  int *errnum;           /* of a start that failed: the errno; may be NULL */
} NegoExecSpec;

/* Starts a child. @callbacks must be static; none is called before the main loop runs. Errors:
 * NEGO_ERROR_IO, with the reason as text. What a helper meets is not an error here: it is an
 * outcome. */
NegoExec *nego_exec_start (const NegoExecSpec *spec,
                           const NegoExecCallbacks *callbacks,
                           gpointer user_data,
                           GError **error);

/* The child's process id, and its group's; 0 once it is reaped. */
GPid nego_exec_get_pid (const NegoExec *exec);

/* Sends @signal to the process group, KILL to the control group too. Nothing happens once the child
 * is reaped. */
void nego_exec_kill (NegoExec *exec, int signal);

/* TERM to the process group, and KILL when the grace time is over; to what is left of the control
 * group once nobody is left in the process group. */
void nego_exec_terminate (NegoExec *exec);

/* KILL to the group if it was not dealt with, unless it survives; no callback is called any more. A
 * child that has not ended by then is left to init: for the end of the process. */
void nego_exec_free (NegoExec *exec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoExec, nego_exec_free)

/* Why execve() of @path failed with @errnum. Returns: (transfer full). */
char *nego_exec_reason (const char *path, int errnum);

/* argv[0] of the helper. A program that starts children with a user, group or directory begins
 * main() with: if (nego_exec_is_helper (argc, argv)) return nego_exec_helper_main (argc, argv); */
#define NEGO_EXEC_HELPER "nego-exec-helper"
/* The descriptor on which the helper reports the step that failed. */
#define NEGO_EXEC_HELPER_FD 3

gboolean nego_exec_is_helper (int argc, char **argv);
int nego_exec_helper_main (int argc, char **argv);
/* The helper's arguments for @spec, ended by NULL. */
GPtrArray *nego_exec_helper_argv (const NegoExecSpec *spec);
/* And its environment, with the script's in it. */
GPtrArray *nego_exec_helper_envp (const NegoExecSpec *spec);
