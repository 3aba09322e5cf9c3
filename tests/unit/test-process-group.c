/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/process-group.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child in @group, or in a group of its own (0), with a name that looks like the rest of its
 * line. */
static pid_t
start (pid_t group)
{
  pid_t pid = fork ();

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0) {
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    prctl (PR_SET_NAME, "a) Z 1 1");
    for (;;)
      pause ();
  }
  /* The parent does it: it is done when this returns. */
  g_assert_no_errno (setpgid (pid, group != 0 ? group : pid));
  return pid;
}

static void
end (pid_t pid)
{
  siginfo_t info;

  g_assert_no_errno (kill (pid, SIGKILL));
  g_assert_no_errno (waitid (P_PID, (id_t) pid, &info, WEXITED | WNOWAIT));
}

static void
test_members (void)
{
  pid_t leader = start (0), member = start (leader), other = start (0);

  g_assert_true (nego_process_group_has (leader, member));
  g_assert_false (nego_process_group_has (leader, other));
  g_assert_false (nego_process_group_has (leader, 0));
  end (leader); /* and is not reaped: its number stays the group's */
  g_assert_false (nego_process_group_has (leader, leader));
  g_assert_cmpint (nego_process_group_find_member (leader), ==, member);
  end (member);
  g_assert_cmpint (nego_process_group_find_member (leader), ==, 0);
  end (other);
  while (waitpid (-1, NULL, 0) > 0)
    ;
  g_assert_false (nego_process_group_has (leader, member));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/process-group/members", test_members);
  return g_test_run ();
}
