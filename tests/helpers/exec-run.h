/* SPDX-License-Identifier: MIT */
/*
 * exec-run: a child of exec.h, and what its callbacks were told.
 */
#pragma once

#include "common/exec.h"

typedef struct {
  NegoExec *exec;
  guint exited, gone;
  NegoExecResult result;
  char *reason;
  gboolean gone_at_exit; /* `gone` was called before the main loop went on */
} ExecRun;

extern const NegoExecCallbacks exec_run_callbacks;
extern const char *const exec_run_env[];

/* Starts @spec; an environment is added if it has none. */
void exec_run_start (ExecRun *run, NegoExecSpec *spec);
/* Until the result is known, or the group is dealt with. */
void exec_run_wait_exited (ExecRun *run);
void exec_run_wait_gone (ExecRun *run);
void exec_run_clear (ExecRun *run);
/* Runs `sh -c SCRIPT` and returns what it wrote to its standard output. */
char *exec_run_shell (ExecRun *run, NegoExecSpec *spec, const char *script);
/* Starts `sh -c SCRIPT` with a pipe as its standard output, whose reading end is returned
 * (blocking). */
int exec_run_start_shell (ExecRun *run, NegoExecSpec *spec, const char *script);
void exec_run_assert_result (ExecRun *run, NegoExecOutcome outcome, int status, gboolean timed_out);
