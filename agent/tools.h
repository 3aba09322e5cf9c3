/* SPDX-License-Identifier: MIT */
/*
 * tools: the system's own programs that commands need (chpasswd, systemctl, shutdown), run as
 * children without a shell, with a clean environment, their input from memory and their output as
 * the reason of a failure.
 *
 * A program is looked for in the system's directories, never in PATH. One that runs is
 * not ended with the agent, since a shutdown ends the agent first; but systemd ends what is left in
 * the unit's control group (KillMode=mixed).
 */
#pragma once

#include <glib.h>

typedef struct NegoTools NegoTools;

typedef struct {
  const char *const *argv; /* with the program's name */
  const char *action;      /* what it is to do, for the errors: "set user password" */
  const char *input;       /* NULL: /dev/null */
  gsize input_len;
  guint timeout_ms; /* then it gets SIGTERM, and SIGKILL; 0: none */
  gsize max_output; /* kept; 0: enough for a reason */
  gboolean self;    /* this program, under the name in argv, instead of a tool */
  const char *user; /* whom it becomes, with HOME of the account; NULL: nobody else */
  const char *home; /* HOME instead; NULL: the account's */
} NegoToolsSpec;

typedef struct {
  int status; /* the exit status; -1: there is none */
  /* NULL for exit status 0; else NEGO_ERROR_GENERIC with QGA's texts (QEMU 10.2, ga_run_command()):
   * "child process has failed to ACTION: OUTPUT" or "…: exit status N", and "child process has
   * terminated abnormally[: OUTPUT]". Borrowed. */
  const GError *error;
  const char *reason; /* why it was never executed: it is not there, or there is no such user; NULL:
                         it was. Borrowed. */
  const char *output; /* what it printed, as valid UTF-8. Borrowed. */
} NegoToolsResult;

typedef void (*NegoToolsFunc) (const NegoToolsResult *result, gpointer user_data);

/* @root is put before all paths: "" for the real system, another one in tests. */
NegoTools *nego_tools_new (const char *root);
/* Nobody is told of what still runs. */
void nego_tools_free (NegoTools *tools);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoTools, nego_tools_free)

void nego_tools_set_root (NegoTools *tools, const char *root);
const char *nego_tools_get_root (const NegoTools *tools);

/* Where the program @name is. Returns: (transfer full), or NULL. */
char *nego_tools_find (const NegoTools *tools, const char *name);

/* Whether one runs. */
gboolean nego_tools_is_busy (const NegoTools *tools);

/* Calls @done once; before this returns, if the program cannot be started. @free_data frees
 * @user_data afterwards, or when @tools goes. */
void nego_tools_run (NegoTools *tools,
                     const NegoToolsSpec *spec,
                     NegoToolsFunc done,
                     gpointer user_data,
                     GDestroyNotify free_data);
