/* SPDX-License-Identifier: MIT */
/*
 * main: parse, wire, run. Exit status: 0 after help, a signal or the end of all channels; 1 for a
 * wrong option, a wrong setting, or what cannot be opened, with one line on the standard error.
 */
#define G_LOG_DOMAIN "nego-main"

#include "config.h"

#include "agent/activation.h"
#include "agent/authorized-keys.h"
#include "agent/daemonize.h"
#include "agent/frozen-marker.h"
#include "agent/options.h"
#include "agent/pidfile.h"
#include "agent/server.h"
#include "agent/sysfs.h"
#include "common/error.h"
#include "common/exec.h"
#include "common/log.h"
#include "common/names.h"
#include "common/pipe.h"

#include <glib-unix.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEGO_MAIN_PROGRAM "nego-agent"
/* Blocks from here on are mapped: above those of a file that is copied in pieces of 1 MiB, since
 * each new page of a process costs a fault, which takes longer than all that is done with it. */
#define NEGO_MAIN_MMAP_BYTES (3 << 20)
/* What stays at the heap's end while such pieces come; sessions give it back when they are idle. */
#define NEGO_MAIN_HEAP_BYTES (4 << 20)

/* Those that end the agent, cleanly. A reload there is not: SIGHUP is one of them, as for qemu-ga.
 */
static const int nego_main_signals[] = { SIGINT, SIGTERM, SIGHUP };

/* From the first line of main until they have handlers, so that none is lost and none kills. */
static void
nego_main_hold_signals (int how)
{
  sigset_t set;
  gsize i;

  sigemptyset (&set);
  for (i = 0; i < G_N_ELEMENTS (nego_main_signals); i++)
    sigaddset (&set, nego_main_signals[i]);
  sigprocmask (how, &set, NULL);
}

static gboolean
nego_main_signal_cb (gpointer user_data)
{
  nego_server_stop (user_data);
  return G_SOURCE_CONTINUE;
}

static void
nego_main_handle_signals (NegoServer *server)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (nego_main_signals); i++) {
    struct sigaction old;

    /* nohup (1) means it. */
    if (nego_main_signals[i] == SIGHUP && sigaction (SIGHUP, NULL, &old) == 0
        && old.sa_handler == SIG_IGN)
      continue;
    g_unix_signal_add (nego_main_signals[i], nego_main_signal_cb, server);
  }
  nego_main_hold_signals (SIG_UNBLOCK);
}

static gboolean
nego_main_check_statedir (const NegoConf *conf, GError **error)
{
  struct stat st;

  if (stat (conf->statedir, &st) < 0)
    return nego_error_set_errno (error, errno, "wrong 'statedir' (option -t) '%s'", conf->statedir);
  if (!S_ISDIR (st.st_mode))
    return nego_error_set_errno (error, ENOTDIR, "wrong 'statedir' (option -t) '%s'",
                                 conf->statedir);
  return TRUE;
}

/* Whether an agent before this one left file systems frozen: then no file may be opened to write.
 */
static gboolean
nego_main_is_frozen (const NegoConf *conf)
{
  g_autofree char *marker = nego_frozen_marker_get_path (conf->statedir);
  g_autofree char *boot_id = nego_sysfs_read_attribute ("", "/proc/sys/kernel/random", "boot_id");

  return nego_frozen_marker_is_set (marker, boot_id);
}

static NegoLog *
nego_main_start_log (const NegoConf *conf, gboolean frozen, GError **error)
{
  NegoLog *log = conf->logfile != NULL && !frozen
                   ? nego_log_open (conf->logfile, conf->verbose, error)
                   : nego_log_new_stderr (conf->verbose);

  if (log == NULL)
    return NULL;
  if (frozen)
    nego_log_hold (log);
  nego_log_install (log);
  return log;
}

/* The daemon's directory is another one: what was named from here is still what is meant. */
static void
nego_main_make_absolute (char **path)
{
  g_autofree char *relative = *path;

  *path = g_canonicalize_filename (relative, NULL);
}

static void
nego_main_make_paths_absolute (NegoConf *conf)
{
  guint i;

  nego_main_make_absolute (&conf->pidfile);
  nego_main_make_absolute (&conf->statedir);
  if (conf->logfile != NULL)
    nego_main_make_absolute (&conf->logfile);
  if (conf->path != NULL && conf->method != NEGO_METHOD_VSOCK_LISTEN
      && conf->method != NEGO_METHOD_FD)
    nego_main_make_absolute (&conf->path);
  for (i = 0; i < conf->channels->len; i++) {
    NegoAddress *address = conf->channels->pdata[i];

    if (address->method != NEGO_METHOD_VSOCK_LISTEN && address->method != NEGO_METHOD_FD)
      nego_main_make_absolute (&address->path);
  }
}

static gboolean
nego_main_serve (NegoConf *conf, NegoLog *log, gboolean frozen, int ready_fd, GError **error)
{
  g_autoptr (NegoServer) server = nego_server_new (conf, log, frozen, error);
  guint i;

  if (server == NULL)
    return FALSE;
  nego_main_handle_signals (server);
  for (i = 0; i < conf->warnings->len; i++)
    g_warning ("%s", (const char *) conf->warnings->pdata[i]);
  if (ready_fd >= 0)
    nego_daemonize_ready (ready_fd);
  nego_server_run (server);
  g_message ("the end");
  return TRUE;
}

static gboolean
nego_main_run (NegoConf *conf, GError **error)
{
  g_autoptr (NegoPidfile) pidfile = NULL;
  int ready_fd = -1;
  gboolean frozen;
  NegoLog *log;

  if (!nego_main_check_statedir (conf, error))
    return FALSE;
  frozen = nego_main_is_frozen (conf);
  log = nego_main_start_log (conf, frozen, error);
  if (log == NULL)
    return FALSE;
  if (!conf->daemonize)
    return nego_main_serve (conf, log, frozen, ready_fd, error);
  nego_main_make_paths_absolute (conf);
  if (!nego_daemonize_fork (&ready_fd, error))
    return FALSE;
  /* Before any channel: a second daemon must not touch the first one's socket. While file systems
   * are frozen nothing can be written, and only the channels bring the thaw: the server makes the
   * pid file then. */
  if (frozen)
    return nego_pidfile_check (conf->pidfile, error)
           && nego_main_serve (conf, log, frozen, ready_fd, error);
  pidfile = nego_pidfile_new (conf->pidfile, error);
  return pidfile != NULL && nego_main_serve (conf, log, frozen, ready_fd, error);
}

static gboolean
nego_main_print (char *text, GError **error)
{
  g_autofree char *owned = text;

  if (fputs (owned, stdout) == EOF || fflush (stdout) == EOF)
    return nego_error_set_errno (error, errno, "failed to write to the standard output");
  return TRUE;
}

static gboolean
nego_main_act (int argc, char **argv, GError **error)
{
  g_autoptr (NegoConf) conf = nego_conf_new ();
  NegoOptionsAction action;

  if (!nego_options_parse (argc, argv, conf, &action, error))
    return FALSE;
  if (action == NEGO_OPTIONS_HELP)
    return nego_main_print (nego_options_help (NEGO_MAIN_PROGRAM), error);
  if (action == NEGO_OPTIONS_VERSION)
    return nego_main_print (g_strdup (nego_options_version ()), error);
  if (action == NEGO_OPTIONS_LIST_COMMANDS)
    return nego_main_print (nego_server_list_commands (), error);
  if (!nego_activation_take (conf, error) || !nego_conf_check (conf, error))
    return FALSE;
  if (action == NEGO_OPTIONS_DUMP)
    return nego_main_print (nego_conf_dump (conf), error);
  return nego_main_run (conf, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (nego_exec_is_helper (argc, argv))
    return nego_exec_helper_main (argc, argv);
  if (nego_authorized_keys_is_helper (argc, argv))
    return nego_authorized_keys_helper_main (argc, argv);
  /* glibc raises this limit to the largest block that was freed, up to 32 MiB, and what is below it
   * comes from the heap, where one small block behind a large one keeps it (mallopt (3)). Set, it
   * stays: a large message's memory goes back as it came. */
  mallopt (M_MMAP_THRESHOLD, NEGO_MAIN_MMAP_BYTES);
  mallopt (M_TRIM_THRESHOLD, NEGO_MAIN_HEAP_BYTES);
  /* One heap for all threads: what one leaves is there for the next. */
  mallopt (M_ARENA_MAX, 1);
  nego_main_hold_signals (SIG_BLOCK);
  umask (NEGO_CHILD_UMASK);
  signal (SIGPIPE, SIG_IGN);
  /* Whoever starts us may ignore it, and that is inherited: the kernel would then reap our
   * children, and their results were lost. */
  signal (SIGCHLD, SIG_DFL);
  nego_pipe_fill_standard ();
  g_set_prgname (NEGO_MAIN_PROGRAM);
  if (nego_main_act (argc, argv, &error))
    return EXIT_SUCCESS;
  fprintf (stderr, NEGO_MAIN_PROGRAM ": %s\n", error->message);
  return EXIT_FAILURE;
}
