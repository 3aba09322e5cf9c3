/* SPDX-License-Identifier: MIT */
/*
 * guest-shutdown and guest-suspend-*, with programs of the test's own and a reboot(2) that only
 * counts: nothing here can touch the machine.
 */
#include "config.h"

#include "tests/helpers/agent-fixture.h"
#include "tests/helpers/tool-root.h"

#include <errno.h>
#include <sys/reboot.h>

/* What reboot(2) was asked for, by one thread at a time; 0: nothing. */
static int rebooted;
static int reboot_errno;

static int
fake_reboot (int command)
{
  rebooted = command;
  errno = reboot_errno;
  return errno == 0 ? 0 : -1;
}

typedef struct {
  AgentFixture agent;
  ToolRoot root;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  rebooted = 0;
  reboot_errno = 0;
  tool_root_init (&fixture->root);
  agent_fixture_set_up (&fixture->agent, NULL);
  if (fixture->agent.dir == NULL)
    return;
  nego_tools_set_root (fixture->agent.agent->tools, fixture->root.path);
  nego_power_set_reboot (fixture->agent.agent->power, fake_reboot);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  agent_fixture_tear_down (&fixture->agent, NULL);
  tool_root_clear (&fixture->root);
}

/* Asks for @command, which must succeed: then there is no reply, and the next one's is the first.
 */
static void
succeed (Fixture *fixture, const char *command, const char *arguments)
{
  g_autofree char *request
    = g_strdup_printf ("{'execute':'%s','arguments':%s}{'execute':'guest-ping','id':1}", command,
                       arguments);
  g_autofree char *line = NULL;

  agent_fixture_tell (&fixture->agent, request);
  line = agent_fixture_hear (&fixture->agent);
  g_assert_cmpstr (line, ==, "{\"return\": {}, \"id\": 1}");
}

static void
fail (Fixture *fixture, const char *command, const char *arguments, const char *text)
{
  agent_fixture_assert_error (&fixture->agent, command, arguments, text);
}

#define SHUTDOWN "guest-shutdown"
#define LOGIND_CALL(method)                                       \
  "busctl<call><org.freedesktop.login1></org/freedesktop/login1>" \
  "<org.freedesktop.login1.Manager><" method "><b><false>\n"
#define SHUTDOWN_CALL(how) "shutdown<-h><" how "><+0><hypervisor initiated shutdown>\n"

static const struct {
  const char *arguments;
  const char *method, *verb, *how, *program;
  int command;
} modes[] = {
  { "{}", LOGIND_CALL ("PowerOff"), "systemctl<poweroff>\n", SHUTDOWN_CALL ("-P"), "poweroff",
    RB_POWER_OFF },
  { "{'mode':'powerdown'}", LOGIND_CALL ("PowerOff"), "systemctl<poweroff>\n", SHUTDOWN_CALL ("-P"),
    "poweroff", RB_POWER_OFF },
  { "{'mode':'halt'}", LOGIND_CALL ("Halt"), "systemctl<halt>\n", SHUTDOWN_CALL ("-H"), "halt",
    RB_HALT_SYSTEM },
  { "{'mode':'reboot'}", LOGIND_CALL ("Reboot"), "systemctl<reboot>\n", SHUTDOWN_CALL ("-r"),
    "reboot", RB_AUTOBOOT },
};

/* From the last way to the first: each that is added comes before those that there were. */
static void
test_shutdown (Fixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    ToolRoot *root = &fixture->root;
    const char *args = modes[i].arguments;
    g_autofree char *program_call = g_strconcat (modes[i].program, "\n", NULL);
    g_autofree char *all
      = g_strconcat (modes[i].method, modes[i].verb, modes[i].how, program_call, NULL);

    tool_root_clear (root);
    tool_root_init (root);
    nego_tools_set_root (fixture->agent.agent->tools, root->path);
    rebooted = 0;
    succeed (fixture, SHUTDOWN, args);
    g_assert_cmpint (rebooted, ==, modes[i].command);
    rebooted = 0;
    tool_root_add (root, modes[i].program, "");
    succeed (fixture, SHUTDOWN, args);
    tool_root_assert_log (root, program_call);
    tool_root_add (root, "shutdown", "");
    succeed (fixture, SHUTDOWN, args);
    tool_root_assert_log (root, modes[i].how);
    /* Without systemd as the init, its programs mean nothing. */
    tool_root_add (root, "systemctl", "");
    succeed (fixture, SHUTDOWN, args);
    tool_root_assert_log (root, modes[i].how);
    tool_root_add_file (root, "run/systemd/system/x", "");
    succeed (fixture, SHUTDOWN, args);
    tool_root_assert_log (root, modes[i].verb);
    tool_root_add (root, "busctl", "");
    succeed (fixture, SHUTDOWN, args);
    tool_root_assert_log (root, modes[i].method);
    g_assert_cmpint (rebooted, ==, 0);
    /* None works: each is tried, in order. */
    tool_root_add (root, "busctl", "exit 1");
    tool_root_add (root, "systemctl", "kill -9 $$");
    tool_root_add (root, "shutdown", "echo no; exit 1");
    tool_root_add (root, modes[i].program, "exit 2");
    succeed (fixture, SHUTDOWN, args);
    tool_root_assert_log (root, all);
    g_assert_cmpint (rebooted, ==, modes[i].command);
  }
}

static void
test_shutdown_errors (Fixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  fail (fixture, SHUTDOWN, "{'mode':'sleep'}",
        "mode is invalid (valid values are: halt|powerdown|reboot");
  fail (fixture, SHUTDOWN, "{'mode':''}",
        "mode is invalid (valid values are: halt|powerdown|reboot");
  reboot_errno = EPERM;
  fail (fixture, SHUTDOWN, "{}", "failed to shutdown: Operation not permitted");
}

static const struct {
  const char *command;
  const char *unit, *verb, *probe, *program, *state;
} suspends[] = {
  { "guest-suspend-disk", "systemctl<status><systemd-hibernate>\n", "systemctl<hibernate>\n",
    "pm-is-supported<--hibernate>\n", "pm-hibernate", "disk" },
  { "guest-suspend-ram", "systemctl<status><systemd-suspend>\n", "systemctl<suspend>\n",
    "pm-is-supported<--suspend>\n", "pm-suspend", "mem" },
  { "guest-suspend-hybrid", "systemctl<status><systemd-hybrid-sleep>\n",
    "systemctl<hybrid-sleep>\n", "pm-is-supported<--suspend-hybrid>\n", "pm-suspend-hybrid", NULL },
};

#define STATE       "sys/power/state"
#define UNSUPPORTED "the requested suspend mode is not supported by the guest"

static void
test_suspend (Fixture *fixture, gconstpointer data)
{
  ToolRoot *root = &fixture->root;

  if (fixture->agent.dir == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (suspends); i++) {
    g_autofree char *program_call = g_strconcat (suspends[i].program, "\n", NULL);
    g_autofree char *by_pm = g_strconcat (suspends[i].probe, program_call, NULL);
    g_autofree char *by_systemd = g_strconcat (suspends[i].unit, suspends[i].verb, NULL);
    g_autofree char *neither = g_strconcat (suspends[i].unit, suspends[i].probe, NULL);

    tool_root_clear (root);
    tool_root_init (root);
    nego_tools_set_root (fixture->agent.agent->tools, root->path);
    fail (fixture, suspends[i].command, "{}", UNSUPPORTED);
    tool_root_add_file (root, STATE, "freeze standby\n");
    fail (fixture, suspends[i].command, "{}", UNSUPPORTED);
    tool_root_add_file (root, STATE, "freeze mem disk\n");
    if (suspends[i].state == NULL) {
      fail (fixture, suspends[i].command, "{}", UNSUPPORTED);
    } else {
      g_autofree char *written = NULL;

      succeed (fixture, suspends[i].command, "{}");
      written = tool_root_read_file (root, STATE);
      g_assert_true (g_str_has_prefix (written, suspends[i].state));
    }
    tool_root_add_file (root, STATE, "freeze\n");
    tool_root_add (root, "pm-is-supported", "");
    tool_root_add (root, suspends[i].program, "");
    succeed (fixture, suspends[i].command, "{}");
    tool_root_assert_log (root, by_pm);
    tool_root_add_file (root, "run/systemd/system/x", "");
    tool_root_add (root, "systemctl", "[ \"$1\" != status ] || exit 3");
    succeed (fixture, suspends[i].command, "{}");
    tool_root_assert_log (root, by_systemd);
    /* A unit that does not exist, and pm-utils that cannot. */
    tool_root_add (root, "systemctl", "exit 4");
    tool_root_add (root, "pm-is-supported", "exit 1");
    fail (fixture, suspends[i].command, "{}", UNSUPPORTED);
    tool_root_assert_log (root, neither);
  }
  g_assert_cmpint (rebooted, ==, 0);
}

static void
test_suspend_errors (Fixture *fixture, gconstpointer data)
{
  ToolRoot *root = &fixture->root;

  if (fixture->agent.dir == NULL)
    return;
  tool_root_add_file (root, "run/systemd/system/x", "");
  tool_root_add (root, "systemctl", "[ \"$1\" != status ] || exit 3; exit 5");
  fail (fixture, "guest-suspend-ram", "{}",
        "the helper program 'systemctl' returned an unexpected exit status code (5)");
  /* A later way that works makes it good. */
  tool_root_add (root, "pm-is-supported", "");
  tool_root_add (root, "pm-suspend", "");
  succeed (fixture, "guest-suspend-ram", "{}");
}

/* The agent serves others while a program does its work. */
static void
test_not_blocked (Fixture *fixture, gconstpointer data)
{
  ToolRoot *root = &fixture->root;
  g_autofree char *line = NULL;

  if (fixture->agent.dir == NULL)
    return;
  tool_root_add (root, "shutdown", "while [ ! -e '@ROOT@/go' ]; do sleep 0.01; done");
  agent_fixture_tell (&fixture->agent, "{'execute':'guest-shutdown'}"
                                       "{'execute':'guest-sync','arguments':{'id':5}}");
  line = agent_fixture_hear (&fixture->agent);
  g_assert_cmpstr (line, ==, "{\"return\": 5}");
  tool_root_add_file (root, "go", "");
  while (nego_tools_is_busy (fixture->agent.agent->tools))
    g_main_context_iteration (NULL, TRUE);
}

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/power/shutdown", test_shutdown);
  ADD ("/power/shutdown-errors", test_shutdown_errors);
  ADD ("/power/suspend", test_suspend);
  ADD ("/power/suspend-errors", test_suspend_errors);
  ADD ("/power/not-blocked", test_not_blocked);
  return g_test_run ();
}
