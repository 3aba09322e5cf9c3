/* SPDX-License-Identifier: MIT */
/*
 * nego-hostd: parse, wire, run. Exit status: 0 after help or a signal; 1 for a wrong option, a
 * wrong setting, or what cannot be opened, with one line on the standard error.
 */
#define G_LOG_DOMAIN "nego-hostd"

#include "config.h"

#include "common/exec.h"
#include "common/log.h"
#include "common/names.h"
#include "common/pipe.h"
#include "host-client/hostd/check-policy.h"
#include "host-client/hostd/hostd.h"
#include "host-client/hostd/systemd.h"

#include <glib-unix.h>

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define NEGO_HOSTD_PROGRAM "nego-hostd"
/* Blocks from here on are mapped: glibc's own first value (agent/main.c says why). */
#define NEGO_HOSTD_MMAP_BYTES (128 << 10)

typedef struct {
  NegoHostd *hostd;
  NegoSystemd *systemd;
} NegoHostdMain;

static gboolean
nego_hostd_main_on_stop (gpointer user_data)
{
  NegoHostdMain *self = user_data;

  nego_systemd_tell (self->systemd, "STOPPING=1");
  nego_hostd_stop (self->hostd);
  return G_SOURCE_CONTINUE;
}

static gboolean
nego_hostd_main_on_reload (gpointer user_data)
{
  NegoHostdMain *self = user_data;

  nego_hostd_reload (self->hostd);
  return G_SOURCE_CONTINUE;
}

static void
nego_hostd_main_hold_signals (int how)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGHUP);
  sigaddset (&set, SIGINT);
  sigaddset (&set, SIGTERM);
  sigprocmask (how, &set, NULL);
}

static gboolean
nego_hostd_main_serve (const NegoSettings *settings, GError **error)
{
  g_autoptr (NegoSystemd) systemd = nego_systemd_new ();
  g_autoptr (NegoHostd) hostd = NULL;
  NegoHostdMain self;

  nego_log_install (nego_log_new_stderr (settings->verbose));
  hostd = nego_hostd_new (settings, error);
  if (hostd == NULL)
    return FALSE;
  self = (NegoHostdMain){ hostd, systemd };
  g_unix_signal_add (SIGHUP, nego_hostd_main_on_reload, &self);
  g_unix_signal_add (SIGINT, nego_hostd_main_on_stop, &self);
  g_unix_signal_add (SIGTERM, nego_hostd_main_on_stop, &self);
  nego_hostd_main_hold_signals (SIG_UNBLOCK);
  nego_systemd_tell (systemd, "READY=1");
  g_message ("ready");
  nego_hostd_run (hostd);
  g_message ("the end");
  return TRUE;
}

static int
nego_hostd_main_check_policy (const NegoSettings *settings)
{
  g_autoptr (NegoRegistry) registry
    = nego_registry_new ((const char *const *) settings->host_commands, NEGO_BUILTIN_DIR);

  return nego_check_policy (settings->policy, registry,
                            (const char *const *) settings->check_policy, stdout);
}

static gboolean
nego_hostd_main_act (const NegoSettings *settings, GError **error)
{
  if (settings->help)
    return fputs (settings->help_text, stdout) != EOF && fflush (stdout) != EOF;
  if (settings->version)
    return puts (NEGO_HOSTD_PROGRAM " " NEGO_VERSION) != EOF && fflush (stdout) != EOF;
  return nego_hostd_main_serve (settings, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoSettings) settings = NULL;

  if (nego_exec_is_helper (argc, argv))
    return nego_exec_helper_main (argc, argv);
  mallopt (M_MMAP_THRESHOLD, NEGO_HOSTD_MMAP_BYTES);
  nego_hostd_main_hold_signals (SIG_BLOCK);
  umask (NEGO_CHILD_UMASK);
  signal (SIGPIPE, SIG_IGN);
  /* As in the agent: an inherited "ignore" would let the kernel reap our children. */
  signal (SIGCHLD, SIG_DFL);
  nego_pipe_fill_standard ();
  g_set_prgname (NEGO_HOSTD_PROGRAM);
  settings = nego_settings_new (argc, argv, &error);
  if (settings != NULL && settings->check_policy != NULL)
    return nego_hostd_main_check_policy (settings);
  if (settings != NULL && nego_hostd_main_act (settings, &error))
    return EXIT_SUCCESS;
  fprintf (stderr, NEGO_HOSTD_PROGRAM ": %s\n",
           error != NULL ? error->message : "failed to write to the standard output");
  return EXIT_FAILURE;
}
