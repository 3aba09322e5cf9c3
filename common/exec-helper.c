/* SPDX-License-Identifier: MIT */
/*
 * The helper between posix_spawn() and the script: the program's own binary, started under the name
 * NEGO_EXEC_HELPER, sets what posix_spawn() cannot, then executes the script. It is a process of
 * its own, single-threaded and about to be replaced: look-ups may block, and nothing is freed.
 *
 * Its arguments: KEY=VALUE settings, "--", the path, the script's argv. The script's environment
 * comes in the helper's, which only its user can read; each name has a prefix, since it is the
 * script's, not the helper's.
 */
#include "config.h"

#include "common/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* The status of a shell whose program cannot be run; nobody sees it beside the report. */
#define HELPER_STATUS 127
/* Of each name in the helper's environment: not one of any library's. */
#define HELPER_ENV "env:"

typedef struct {
  const char *user, *group, *directory;
  const char *cgroup;
  const char *nice; /* NULL: unchanged */
  gboolean other_user, no_new_privs;
  GPtrArray *env;
  const char *path;
  char **argv;
} NegoExecHelper;

gboolean
nego_exec_is_helper (int argc, char **argv)
{
  return argc > 0 && strcmp (argv[0], NEGO_EXEC_HELPER) == 0;
}

static void
add_setting (GPtrArray *argv, const char *key, const char *value)
{
  if (value != NULL)
    g_ptr_array_add (argv, g_strconcat (key, value, NULL));
}

GPtrArray *
nego_exec_helper_argv (const NegoExecSpec *spec)
{
  GPtrArray *argv = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_add (argv, g_strdup (NEGO_EXEC_HELPER));
  add_setting (argv, "user=", spec->user);
  add_setting (argv, "group=", spec->group);
  if (spec->other_user)
    g_ptr_array_add (argv, g_strdup ("other-user"));
  add_setting (argv, "directory=", spec->directory);
  if (spec->cgroup != NULL)
    add_setting (argv, "cgroup=", nego_cgroup_get_path (spec->cgroup));
  if (spec->nice != 0)
    g_ptr_array_add (argv, g_strdup_printf ("nice=%d", spec->nice));
  if (spec->no_new_privs)
    g_ptr_array_add (argv, g_strdup ("no-new-privs"));
  g_ptr_array_add (argv, g_strdup ("--"));
  g_ptr_array_add (argv, g_strdup (spec->path));
  for (const char *const *arg = spec->argv; *arg != NULL; arg++)
    g_ptr_array_add (argv, g_strdup (*arg));
  g_ptr_array_add (argv, NULL);
  return argv;
}

GPtrArray *
nego_exec_helper_envp (const NegoExecSpec *spec)
{
  GPtrArray *envp = g_ptr_array_new_with_free_func (g_free);

  for (const char *const *env = spec->envp; *env != NULL; env++)
    add_setting (envp, HELPER_ENV, *env);
  g_ptr_array_add (envp, NULL);
  return envp;
}

/* Reports the failed step and ends the process. */
static void fail (const char *format, ...) G_GNUC_PRINTF (1, 2) G_GNUC_NORETURN;

static void
fail (const char *format, ...)
{
  char *text;
  va_list args;
  ssize_t n;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  /* The pipe is empty and takes more than this. */
  n = write (NEGO_EXEC_HELPER_FD, text, strlen (text));
  _exit (n > 0 ? HELPER_STATUS : HELPER_STATUS - 1);
}

static void
parse (NegoExecHelper *helper, int argc, char **argv)
{
  int i;

  helper->env = g_ptr_array_new ();
  for (char **env = environ; *env != NULL; env++)
    if (g_str_has_prefix (*env, HELPER_ENV))
      g_ptr_array_add (helper->env, *env + strlen (HELPER_ENV));
  for (i = 1; i < argc && strcmp (argv[i], "--") != 0; i++) {
    if (g_str_has_prefix (argv[i], "user="))
      helper->user = argv[i] + strlen ("user=");
    else if (g_str_has_prefix (argv[i], "group="))
      helper->group = argv[i] + strlen ("group=");
    else if (g_str_has_prefix (argv[i], "directory="))
      helper->directory = argv[i] + strlen ("directory=");
    else if (g_str_has_prefix (argv[i], "cgroup="))
      helper->cgroup = argv[i] + strlen ("cgroup=");
    else if (g_str_has_prefix (argv[i], "nice="))
      helper->nice = argv[i] + strlen ("nice=");
    else if (strcmp (argv[i], "other-user") == 0)
      helper->other_user = TRUE;
    else if (strcmp (argv[i], "no-new-privs") == 0)
      helper->no_new_privs = TRUE;
    else
      fail ("unknown setting '%s' of the exec helper", argv[i]);
  }
  if (argc - i < 3)
    fail ("the exec helper was started without a program");
  helper->path = argv[i + 1];
  helper->argv = argv + i + 2;
}

static void
add_default_env (NegoExecHelper *helper, const char *name, const char *value)
{
  char *entry = g_strconcat (name, "=", value, NULL);
  size_t prefix = strlen (name) + 1;

  for (guint i = 0; i < helper->env->len; i++)
    if (strncmp (g_ptr_array_index (helper->env, i), entry, prefix) == 0)
      return;
  g_ptr_array_add (helper->env, entry);
}

static const struct passwd *
look_up_user (const char *name)
{
  const struct passwd *entry;

  errno = 0;
  entry = getpwnam (name);
  if (entry == NULL && (errno == 0 || errno == ENOENT || errno == ESRCH))
    fail ("user '%s' does not exist", name);
  if (entry == NULL)
    fail ("cannot look up user '%s': %s", name, g_strerror (errno));
  return entry;
}

static gid_t
look_up_group (const char *name)
{
  const struct group *entry;

  errno = 0;
  entry = getgrnam (name);
  if (entry == NULL && (errno == 0 || errno == ENOENT || errno == ESRCH))
    fail ("group '%s' does not exist", name);
  if (entry == NULL)
    fail ("cannot look up group '%s': %s", name, g_strerror (errno));
  return entry->gr_gid;
}

static void
set_identity (NegoExecHelper *helper)
{
  const struct passwd *user = helper->user != NULL ? look_up_user (helper->user) : NULL;
  uid_t uid = user != NULL ? user->pw_uid : geteuid ();
  gid_t gid = user != NULL ? user->pw_gid : getegid ();

  if (helper->other_user && uid == geteuid ())
    fail ("user '%s' is the daemon's own", user != NULL ? user->pw_name : "");
  if (helper->group != NULL)
    gid = look_up_group (helper->group);
  if (user != NULL) {
    add_default_env (helper, "HOME", user->pw_dir);
    add_default_env (helper, "USER", user->pw_name);
    add_default_env (helper, "LOGNAME", user->pw_name);
  }
  /* An agent that is not root may name its own user, and no other. */
  if (geteuid () != 0 && uid == geteuid () && gid == getegid ())
    return;
  if ((user != NULL ? initgroups (user->pw_name, gid) : setgroups (0, NULL)) != 0)
    fail ("cannot set the supplementary groups: %s", g_strerror (errno));
  if (setresgid (gid, gid, gid) != 0)
    fail ("cannot change to group %u: %s", (unsigned) gid, g_strerror (errno));
  if (setresuid (uid, uid, uid) != 0)
    fail ("cannot change to user %u: %s", (unsigned) uid, g_strerror (errno));
}

static void
enter_cgroup (const char *path)
{
  NegoCgroup *cgroup;
  GError *error = NULL;

  cgroup = nego_cgroup_open (path, &error);
  /* 0: whoever writes it. */
  if (cgroup == NULL || !nego_cgroup_write (cgroup, "cgroup.procs", "0", &error))
    fail ("cannot enter the control group: %s", error->message);
  nego_cgroup_free (cgroup);
}

int
nego_exec_helper_main (int argc, char **argv)
{
  NegoExecHelper helper = { 0 };

  /* The pipe must end with the helper: that it closes without a report says that the script runs.
   */
  if (fcntl (NEGO_EXEC_HELPER_FD, F_SETFD, FD_CLOEXEC) != 0)
    return HELPER_STATUS;
  parse (&helper, argc, argv);
  /* As long as it may. */
  if (helper.cgroup != NULL)
    enter_cgroup (helper.cgroup);
  if (helper.nice != NULL && setpriority (PRIO_PROCESS, 0, atoi (helper.nice)) != 0)
    fail ("cannot set the nice value %s: %s", helper.nice, g_strerror (errno));
  if (helper.user != NULL || helper.group != NULL || helper.other_user)
    set_identity (&helper);
  if (helper.directory != NULL && chdir (helper.directory) != 0)
    fail ("cannot enter the working directory '%s': %s", helper.directory, g_strerror (errno));
  if (helper.no_new_privs && prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    fail ("cannot forbid new privileges: %s", g_strerror (errno));
  g_ptr_array_add (helper.env, NULL);
  execve (helper.path, helper.argv, (char **) helper.env->pdata);
  fail ("%s", nego_exec_reason (helper.path, errno));
}
