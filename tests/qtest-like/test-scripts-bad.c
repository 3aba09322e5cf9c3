/* SPDX-License-Identifier: MIT */
/*
 * Scripts that are not as they should be: each has its own error or result.
 */
#include "config.h"

#include "common/names.h"
#include "tests/qtest-like/libnegotest.h"

#include <glib/gstdio.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SH(text)      "#!/bin/sh\n" text "\n"
#define REFUSED(text) "negotiator command 'x' is refused by the checks of its files: " text
#define X             "'@SCRIPTS@/x'"
#define RSS_SLACK_KIB 2048u

typedef struct {
  NegoTest *test;
  NegoTestClient *client;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer negotiator)
{
  const NegoTestOptions options = { .negotiator = negotiator };

  fixture->test = nego_test_start (&options);
  fixture->client = nego_test_connect (fixture->test);
  nego_test_add_script (fixture->test, "good", SH ("echo good"));
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (JsonObject) job = nego_test_exec (fixture->client, "'command':'good'");

  nego_test_check_members (job, "{'out-data':'good\\n'}"); /* whatever was before */
  nego_test_client_free (fixture->client);
  nego_test_stop (fixture->test);
}

/* @text with the directory of scripts filled in. */
static char *
fill_in (Fixture *fixture, const char *text)
{
  g_autoptr (GString) filled = g_string_new (text);

  g_string_replace (filled, "@SCRIPTS@", nego_test_get_script_dir (fixture->test), 0);
  return g_string_free (g_steal_pointer (&filled), FALSE);
}

static void
check_refused (Fixture *fixture, const char *arguments, const char *error)
{
  g_autofree char *text = fill_in (fixture, error);

  nego_test_exec_fails (fixture->client, arguments, text);
}

/* Files that are no script "x". */

static void
make_directory (const char *path)
{
  g_assert_cmpint (g_mkdir (path, 0755), ==, 0);
}

static void
make_link (const char *path)
{
  g_assert_cmpint (symlink ("good", path), ==, 0);
}

static void
make_dangling_link (const char *path)
{
  g_assert_cmpint (symlink ("nothing", path), ==, 0);
}

static void
make_fifo (const char *path)
{
  g_assert_cmpint (mkfifo (path, 0755), ==, 0);
}

static void
make_file (const char *path, const char *text, mode_t mode)
{
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_cmpint (chmod (path, mode), ==, 0);
}

static void
make_writable_by_group (const char *path)
{
  make_file (path, SH (""), 0775);
}

static void
make_writable_by_others (const char *path)
{
  make_file (path, SH (""), 0757);
}

static void
make_not_executable (const char *path)
{
  make_file (path, SH (""), 0644);
}

static void
make_without_interpreter (const char *path)
{
  make_file (path, "echo hello\n", 0755);
}

static void
make_empty (const char *path)
{
  make_file (path, "", 0755);
}

static void
make_key_file (const char *path, const char *text, mode_t mode)
{
  g_autofree char *conf = g_strconcat (path, ".conf", NULL);

  make_file (path, SH (""), 0755);
  make_file (conf, text, mode);
}

static void
make_unknown_key (const char *path)
{
  make_key_file (path, "[Command]\nTimeuot=5\n", 0644);
}

static void
make_wrong_value (const char *path)
{
  make_key_file (path, "[Command]\n\nTimeout=soon\n", 0644);
}

static void
make_writable_key_file (const char *path)
{
  make_key_file (path, "[Command]\n", 0666);
}

static void
make_deleted (const char *path)
{
  make_file (path, SH (""), 0755);
  g_assert_cmpint (unlink (path), ==, 0);
}

typedef struct {
  const char *name;
  void (*make) (const char *path);
  const char *error;
  gboolean unlisted;
} BadFile;

static const BadFile files[] = {
  { "directory", make_directory, REFUSED (X " is a directory") },
  { "symbolic-link", make_link, REFUSED (X " is a symbolic link") },
  { "dangling-link", make_dangling_link, REFUSED (X " is a symbolic link") },
  { "fifo", make_fifo, REFUSED (X " is not a regular file") },
  { "writable-by-group", make_writable_by_group, REFUSED (X " is writable by group or others") },
  { "writable-by-others", make_writable_by_others, REFUSED (X " is writable by group or others") },
  { "not-executable", make_not_executable, REFUSED (X " is not executable") },
  { "no-interpreter-line", make_without_interpreter,
    REFUSED (X " is no program and has no interpreter line (#!)") },
  { "empty-file", make_empty, REFUSED (X " is no program and has no interpreter line (#!)") },
  { "unknown-key", make_unknown_key, REFUSED ("@SCRIPTS@/x.conf:2: unknown key 'Timeuot'") },
  { "wrong-value", make_wrong_value,
    REFUSED ("@SCRIPTS@/x.conf:3: 'Timeout' must be a number of seconds from 0 to 2592000") },
  { "writable-key-file", make_writable_key_file,
    REFUSED ("'@SCRIPTS@/x.conf' is writable by group or others") },
  { "deleted", make_deleted, "unknown negotiator command 'x'", TRUE },
};

static void
check_listed (Fixture *fixture, const char *reason)
{
  g_autoptr (JsonNode) value = nego_test_call (fixture->client, "{'execute':'negotiator-list'}");
  JsonArray *commands = json_node_get_array (value);
  JsonObject *x = NULL;

  for (guint i = 0; i < json_array_get_length (commands); i++) {
    JsonObject *command = json_array_get_object_element (commands, i);

    if (g_str_equal (json_object_get_string_member (command, "name"), "x"))
      x = command;
  }
  if (reason == NULL) {
    g_assert_null (x);
    return;
  }
  g_assert_nonnull (x);
  g_assert_false (json_object_get_boolean_member (x, "enabled"));
  g_assert_cmpstr (json_object_get_string_member (x, "reason"), ==, reason);
}

static void
test_file (Fixture *fixture, gconstpointer user_data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = fill_in (fixture, "@SCRIPTS@/x");
    g_autofree char *conf = fill_in (fixture, "@SCRIPTS@/x.conf");
    g_autofree char *error = fill_in (fixture, files[i].error);

    g_test_message ("%s", files[i].name);
    files[i].make (path);
    nego_test_exec_fails (fixture->client, "'command':'x'", error);
    check_listed (fixture, files[i].unlisted ? NULL : error + strlen (REFUSED ("")));
    g_remove (path);
    g_remove (conf);
  }
}

static void
test_writable_directory (Fixture *fixture, gconstpointer user_data)
{
  nego_test_add_script (fixture->test, "x", SH (""));
  g_assert_cmpint (chmod (nego_test_get_script_dir (fixture->test), 0777), ==, 0);
  check_refused (fixture, "'command':'x'",
                 REFUSED ("directory '@SCRIPTS@' is writable by group or others"));
  g_assert_cmpint (chmod (nego_test_get_script_dir (fixture->test), 0755), ==, 0);
  json_object_unref (nego_test_exec (fixture->client, "'command':'x'"));
}

/* It passes the checks, and the kernel cannot run it: a result, and not an error. */
static void
test_missing_interpreter (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (JsonObject) job = NULL;
  g_autofree char *reason
    = fill_in (fixture, "{'state':'failed','exited':true,'exitcode':null,'reason':\"cannot execute "
                        "\\u0027@SCRIPTS@/x\\u0027: it, or its interpreter, does not exist\"}");

  nego_test_add_script (fixture->test, "x", "#!/no/such/interpreter\n");
  job = nego_test_exec (fixture->client, "'command':'x'");
  nego_test_check_members (job, reason);
}

/* 1 GiB: the first bytes are kept, the rest is read and dropped, and the memory is that of what is
 * kept. */
static void
test_flood (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (JsonObject) job = NULL;
  gsize before = nego_test_get_rss_kib (fixture->test);

  nego_test_add_script (fixture->test, "flood", SH ("head -c 1073741824 /dev/zero"));
  nego_test_add_script_conf (fixture->test, "flood", "Timeout=0");
  job = nego_test_exec (fixture->client, "'command':'flood','wait':600,'key':'k'");
  nego_test_check_members (job, "{'state':'exited','exitcode':0,'out-truncated':true}");
  nego_test_expect_rss_kib (fixture->test,
                            before + NEGO_SCRIPT_OUTPUT_BYTES / 1024 + RSS_SLACK_KIB);
  g_clear_pointer (&job, json_object_unref);
  job = nego_test_status (fixture->client, "'key':'k','out-offset':8388608");
  nego_test_check_members (job, "{'out-data':'','out-eof':true,'out-truncated':true}");
}

/* Waits for the end of the process, whose pid the output of @job is. */
static void
await_process (JsonObject *job)
{
  pid_t pid = atoi (json_object_get_string_member (job, "out-data"));
  int fd = (int) syscall (SYS_pidfd_open, pid, 0);
  struct pollfd end = { .fd = fd, .events = POLLIN };

  g_assert_cmpint (pid, >, 1);
  if (fd < 0) { /* it is gone already, or this is valgrind, which has no pidfd */
    while (kill (pid, 0) == 0)
      sched_yield ();
    return;
  }
  g_assert_cmpint (poll (&end, 1, NEGO_TEST_DEADLINE_MS), ==, 1);
  close (fd);
}

/* It ignores TERM, and so do its children: KILL ends all of them. */
static void
test_ignores_term (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (JsonObject) job = NULL;

  nego_test_add_script (fixture->test, "x",
                        SH ("trap '' TERM; sleep 600 & echo $!; while :; do sleep 600; done"));
  nego_test_add_script_conf (fixture->test, "x", "Timeout=0.2");
  job = nego_test_exec (fixture->client, "'command':'x','wait':600");
  nego_test_check_members (job, "{'state':'timed-out','exited':true}");
  await_process (job);
}

/* It ends and leaves a child that holds its output: the result is there at once. */
static void
test_leaves_child (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (JsonObject) job = NULL;
  g_autofree char *gate = g_build_filename (nego_test_get_dir (fixture->test), "x.gate", NULL);
  g_autofree char *text = g_strdup_printf (SH ("(read -r line <'%s') & echo $!"), gate);

  nego_test_add_gate (fixture->test, "x");
  nego_test_add_script (fixture->test, "x", text);
  job = nego_test_exec (fixture->client, "'command':'x','wait':600,'key':'k'");
  nego_test_check_members (job, "{'state':'exited','exitcode':0,'output-still-open':true}");
  nego_test_pass_gate (nego_test_open_gate (fixture->test, "x"), "");
  await_process (job);
}

/* The agent's end is the end of what runs. */
static void
test_stop (void)
{
  NegoTest *test = nego_test_start (NULL);
  NegoTestClient *client = nego_test_connect (test);
  struct pollfd end = { 0 };

  nego_test_add_gate (test, "slow");
  json_object_unref (nego_test_exec (client, "'command':'slow','wait':0"));
  end.fd = nego_test_open_gate (test, "slow");
  nego_test_end (test);
  nego_test_expect_eof (client);
  nego_test_client_free (client);
  g_assert_cmpint (poll (&end, 1, 0), ==, 1); /* POLLERR: nobody reads from it */
  close (end.fd);
}

static void
add (const char *name, const char *negotiator, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf ("/scripts-bad/%s", name);

  g_test_add (path, Fixture, negotiator, set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("files", NULL, test_file);
  add ("writable-directory", NULL, test_writable_directory);
  if (!nego_test_is_valgrind ())
    add ("missing-interpreter", NULL, test_missing_interpreter);
  add ("flood", NULL, test_flood);
  add ("ignores-term", "grace-seconds = 1", test_ignores_term);
  add ("leaves-child", NULL, test_leaves_child);
  g_test_add_func ("/scripts-bad/stop", test_stop);
  return g_test_run ();
}
