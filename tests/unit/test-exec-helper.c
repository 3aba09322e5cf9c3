/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/exec.h"
#include "tests/helpers/exec-run.h"
#include "tests/helpers/valgrind.h"

#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void
test_failures (void)
{
  static const struct {
    const char *user, *group, *directory, *reason;
  } cases[] = {
    { "no-such-user", NULL, NULL, "user 'no-such-user' does not exist" },
    { NULL, "no-such-group", NULL, "group 'no-such-group' does not exist" },
    { NULL, NULL, "/no/such",
      "cannot enter the working directory '/no/such': No such file or directory" },
  };
  ExecRun run;

  if (skip_under_valgrind ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    NegoExecSpec spec
      = { .user = cases[i].user, .group = cases[i].group, .directory = cases[i].directory };

    g_free (exec_run_shell (&run, &spec, "exit 0"));
    g_assert_cmpint (run.result.outcome, ==, NEGO_EXEC_FAILED);
    g_assert_cmpstr (run.reason, ==, cases[i].reason);
    exec_run_clear (&run);
  }
}

static void
test_sets (void)
{
  const char *const env[] = { "PATH=/usr/bin:/bin", "A=b c", "LD_PRELOAD=/no/such.so", NULL };
  NegoExecSpec spec = { .directory = "/usr", .envp = env };
  g_autofree char *text = NULL;
  ExecRun run;

  if (skip_under_valgrind ())
    return;
  text = exec_run_shell (&run, &spec, "pwd; echo \"$A\"; test -e /proc/$$/fd/3 || echo closed");
  exec_run_assert_result (&run, NEGO_EXEC_EXITED, 0, FALSE);
  g_assert_cmpstr (text, ==, "/usr\nb c\nclosed\n");
}

/* Arguments are for everybody to read: the environment is not in them, nor is it the helper's. */
static void
test_secret (void)
{
  const char *const argv[] = { "x", NULL };
  const char *const env[] = { "SECRET=word", "LD_PRELOAD=/no/such.so", NULL };
  const NegoExecSpec spec = { .path = "/x", .argv = argv, .envp = env, .user = "nobody" };
  g_autoptr (GPtrArray) helper_argv = nego_exec_helper_argv (&spec);
  g_autoptr (GPtrArray) helper_envp = nego_exec_helper_envp (&spec);

  for (guint i = 0; i + 1 < helper_argv->len; i++)
    g_assert_null (strstr (helper_argv->pdata[i], "word"));
  g_assert_cmpuint (helper_envp->len, ==, 3);
  g_assert_cmpstr (helper_envp->pdata[0], ==, "env:SECRET=word");
  g_assert_cmpstr (helper_envp->pdata[1], ==, "env:LD_PRELOAD=/no/such.so");
  g_assert_null (helper_envp->pdata[2]);
}

static void
test_user (void)
{
  NegoExecSpec spec = { .user = "nobody" };
  g_autofree char *by_user = NULL, *by_group = NULL, *set = NULL;
  const char *const env[] = { "PATH=/usr/bin:/bin", "HOME=/srv", NULL };
  ExecRun run;

  if (skip_under_valgrind ())
    return;
  if (geteuid () != 0) {
    g_test_skip ("only root can change the user");
    return;
  }
  by_user = exec_run_shell (&run, &spec, "id -un; id -Gn; echo $HOME $USER $LOGNAME");
  g_assert_cmpstr (by_user, ==, "nobody\nnogroup\n/nonexistent nobody nobody\n");
  spec = (NegoExecSpec){ .group = "daemon" };
  by_group = exec_run_shell (&run, &spec, "id -un; id -gn; id -Gn");
  g_assert_cmpstr (by_group, ==, "root\ndaemon\ndaemon\n");
  spec = (NegoExecSpec){ .user = "nobody", .group = "daemon", .envp = env };
  set = exec_run_shell (&run, &spec, "id -gn; echo $HOME");
  g_assert_cmpstr (set, ==, "daemon\n/srv\n");
}

/* By whatever name, and without one. */
static void
test_other_user (void)
{
  const struct passwd *entry = getpwuid (geteuid ());
  g_autofree char *own = g_strdup (entry != NULL ? entry->pw_name : NULL);
  g_autofree char *expected = g_strdup_printf ("user '%s' is the daemon's own", own);
  NegoExecSpec spec = { .user = own, .other_user = TRUE };
  ExecRun run;

  if (skip_under_valgrind ())
    return;
  if (own == NULL) {
    g_test_skip ("this user has no name");
    return;
  }
  g_free (exec_run_shell (&run, &spec, "exit 0"));
  g_assert_cmpint (run.result.outcome, ==, NEGO_EXEC_FAILED);
  g_assert_cmpstr (run.reason, ==, expected);
  exec_run_clear (&run);
  spec.user = NULL;
  g_free (exec_run_shell (&run, &spec, "exit 0"));
  g_assert_cmpint (run.result.outcome, ==, NEGO_EXEC_FAILED);
  g_assert_cmpstr (run.reason, ==, "user '' is the daemon's own");
  exec_run_clear (&run);
}

static void
test_nice_and_privileges (void)
{
  /* The highest, since this test may be nice itself, and cannot go back. */
  NegoExecSpec spec = { .nice = 19, .no_new_privs = TRUE };
  g_autofree char *text = NULL;
  ExecRun run;

  if (skip_under_valgrind ())
    return;
  /* The command's name, the second field, has no blank: the 19th is the nice value (proc(5)). */
  text = exec_run_shell (&run, &spec,
                         "cut -d' ' -f19 /proc/self/stat; grep NoNewPrivs /proc/self/status");
  exec_run_assert_result (&run, NEGO_EXEC_EXITED, 0, FALSE);
  g_assert_cmpstr (text, ==, "19\nNoNewPrivs:\t1\n");
}

int
main (int argc, char **argv)
{
  if (nego_exec_is_helper (argc, argv))
    return nego_exec_helper_main (argc, argv);
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/exec-helper/failures", test_failures);
  g_test_add_func ("/exec-helper/nice-and-privileges", test_nice_and_privileges);
  g_test_add_func ("/exec-helper/secret", test_secret);
  g_test_add_func ("/exec-helper/other-user", test_other_user);
  g_test_add_func ("/exec-helper/sets", test_sets);
  g_test_add_func ("/exec-helper/user", test_user);
  return g_test_run ();
}
