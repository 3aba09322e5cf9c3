/* SPDX-License-Identifier: MIT */
/*
 * The commands for scripts, asked over a socket pair of the real session, dispatcher and agent.
 */
#include "config.h"

#include "agent/agent.h"
#include "common/exec.h"
#include "common/names.h"
#include "common/session.h"
#include "tests/helpers/script-dir.h"
#include "tests/helpers/valgrind.h"

#include <glib-unix.h>
#include <json-glib/json-glib.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  char *dir;
  NegoPolicy *policy; /* the agent's */
  NegoAgent *agent;
  NegoSession *session;
  int peer;
  GString *heard;
  guint watch;
} Fixture;

static gboolean
on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  Fixture *fixture = user_data;
  char buffer[65536];
  ssize_t n = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT);

  if (n > 0)
    g_string_append_len (fixture->heard, buffer, n);
  return G_SOURCE_CONTINUE;
}

static void
on_closed (NegoSession *session, const GError *error, gpointer user_data)
{
  g_assert_not_reached ();
}

static void
set_up (Fixture *fixture, gconstpointer qga)
{
  NegoSessionOptions options = {
    .name = "test",
    .kind = NEGO_STREAM_SOCKET,
    .limits = { NEGO_MESSAGE_BYTES_QGA, NEGO_MESSAGE_TOKENS, NEGO_MESSAGE_DEPTH },
    .qga = qga != NULL,
  };
  const char *dirs[] = { NULL, NULL };
  NegoJobLimits limits = nego_job_limits_default;
  int fds[2];

  fixture->dir = script_dir_new ();
  if (fixture->dir == NULL)
    return;
  dirs[0] = fixture->dir;
  limits.running = 2;
  limits.grace_ms = 50;
  fixture->policy = nego_policy_new ();
  fixture->agent = nego_agent_new (fixture->policy, nego_registry_new (dirs, NULL),
                                   nego_job_table_new ("guest", &limits));
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  fixture->peer = fds[0];
  fixture->session
    = nego_session_new (fixture->agent->dispatcher, fds[1], &options, on_closed, fixture);
  fixture->heard = g_string_new (NULL);
  fixture->watch = g_unix_fd_add (fds[0], G_IO_IN, on_readable, fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer qga)
{
  if (fixture->dir == NULL)
    return;
  g_source_remove (fixture->watch);
  nego_session_free (fixture->session);
  nego_agent_free (fixture->agent);
  while (waitpid (-1, NULL, 0) > 0)
    ;
  close (fixture->peer);
  g_string_free (fixture->heard, TRUE);
  script_dir_free (fixture->dir);
}

static void
add (Fixture *fixture, const char *name, const char *text)
{
  g_free (
    script_dir_add (fixture->dir, name, g_str_has_suffix (name, ".conf") ? 0644 : 0755, text));
}

/* Adds a script that runs @before, waits for a line on the descriptor that is returned, and runs
 * @after. */
static int
add_waiting (Fixture *fixture, const char *name, const char *before, const char *after)
{
  g_autofree char *fifo = g_build_filename (fixture->dir, ".fifo", NULL);
  g_autofree char *text
    = g_strdup_printf ("#!/bin/sh\n%s\nread line <%s\n%s\n", before, fifo, after);
  int fd;

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  fd = open (fifo, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  add (fixture, name, text);
  return fd;
}

static void
tell (Fixture *fixture, const char *text)
{
  gsize len = strlen (text);

  while (len > 0) {
    ssize_t n = send (fixture->peer, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0) {
      text += n;
      len -= (gsize) n;
    }
    g_main_context_iteration (NULL, FALSE);
  }
}

/* The next reply line. */
static char *
hear (Fixture *fixture)
{
  char *end;
  char *line;

  while ((end = memchr (fixture->heard->str, '\n', fixture->heard->len)) == NULL)
    g_main_context_iteration (NULL, TRUE);
  line = g_strndup (fixture->heard->str, (gsize) (end - fixture->heard->str));
  g_string_erase (fixture->heard, 0, (gssize) strlen (line) + 1);
  g_assert_cmpuint (strlen (line) + 1, <=, NEGO_REPLY_BYTES);
  return line;
}

static JsonNode *
hear_node (Fixture *fixture)
{
  g_autofree char *line = hear (fixture);
  g_autoptr (GError) error = NULL;
  JsonNode *node = json_from_string (line, &error);

  g_assert_no_error (error);
  return node;
}

/* Asks, and returns the reply. @arguments: a JSON object, with ' for ". */
static JsonNode *
ask (Fixture *fixture, const char *command, const char *arguments)
{
  g_autofree char *request
    = g_strdup_printf ("{'execute':'%s','arguments':%s}", command, arguments);

  tell (fixture, request);
  return hear_node (fixture);
}

static void
assert_error (Fixture *fixture, const char *command, const char *arguments, const char *text)
{
  g_autoptr (JsonNode) node = ask (fixture, command, arguments);
  JsonObject *reply = json_node_get_object (node);
  JsonObject *error;

  g_assert_true (json_object_has_member (reply, "error"));
  error = json_object_get_object_member (reply, "error");
  g_assert_cmpstr (json_object_get_string_member (error, "desc"), ==, text);
  g_assert_cmpstr (json_object_get_string_member (error, "class"), ==, "GenericError");
}

static JsonObject *
returned (JsonNode *node)
{
  JsonObject *reply = json_node_get_object (node);

  g_assert_true (json_object_has_member (reply, "return"));
  return json_object_get_object_member (reply, "return");
}

static void
assert_text (JsonNode *node, const char *member, const char *text)
{
  g_assert_cmpstr (json_object_get_string_member_with_default (returned (node), member, NULL), ==,
                   text);
}

static void
assert_int (JsonNode *node, const char *member, gint64 value)
{
  g_assert_true (json_object_has_member (returned (node), member));
  g_assert_cmpint (json_object_get_int_member (returned (node), member), ==, value);
}

static void
assert_bool (JsonNode *node, const char *member, gboolean value)
{
  g_assert_true (json_object_has_member (returned (node), member));
  g_assert_cmpint (json_object_get_boolean_member (returned (node), member), ==, value);
}

static void
assert_absent (JsonNode *node, const char *const *members)
{
  for (; *members != NULL; members++)
    g_assert_false (json_object_has_member (returned (node), *members));
}

static void
test_list (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL, read_only = NULL;
  g_autofree char *expected = NULL, *line = NULL, *read_line = NULL;

  if (fixture->dir == NULL)
    return;
  add (fixture, "changes", "#!/bin/sh\n");
  add (fixture, "reads", "#!/bin/sh\n");
  add (fixture, "reads.conf",
       "[Command]\nDescription=Reads\nReadOnly=true\nTimeout=1.5\nUser=nobody\nArguments=false\n");
  add (fixture, "wrong", "no program");
  tell (fixture, "{'execute':'negotiator-list'}");
  line = hear (fixture);
  expected = g_strdup_printf (
    "{\"return\": ["
    "{\"name\": \"changes\", \"source\": \"user\", \"timeout\": 10, \"arguments\": true, "
    "\"read-only\": false, \"enabled\": true}, "
    "{\"name\": \"reads\", \"source\": \"user\", \"description\": \"Reads\", \"timeout\": 1.5, "
    "\"user\": \"nobody\", \"arguments\": false, \"read-only\": true, \"enabled\": true}, "
    "{\"name\": \"wrong\", \"source\": \"user\", \"timeout\": 10, \"arguments\": true, "
    "\"read-only\": false, \"enabled\": false, "
    "\"reason\": \"'%s/wrong' is no program and has no interpreter line (#!)\"}]}",
    fixture->dir);
  g_assert_cmpstr (line, ==, expected);

  nego_policy_set_commands (fixture->policy, NEGO_POLICY_COMMANDS_READ);
  tell (fixture, "{'execute':'negotiator-list'}");
  read_line = hear (fixture);
  g_clear_pointer (&expected, g_free);
  expected
    = g_strdup_printf ("\"enabled\": false, \"reason\": \"'commands = read' in [negotiator]: "
                       "'%s/changes.conf' does not say ReadOnly=true\"}, {\"name\": \"reads\"",
                       fixture->dir);
  g_assert_nonnull (strstr (read_line, expected));
}

static void
test_list_too_long (Fixture *fixture, gconstpointer data)
{
  g_autofree char *padding = g_strnfill (100, 'n');

  if (fixture->dir == NULL)
    return;
  for (guint i = 0; i < 2500; i++) {
    g_autofree char *name = g_strdup_printf ("%04u-%s", i, padding);

    add (fixture, name, "");
  }
  assert_error (fixture, "negotiator-list", "{}",
                "the list of negotiator commands is longer than 1048576 bytes");
}

static void
test_exec (Fixture *fixture, gconstpointer data)
{
  static const char *const absent[]
    = { "key",           "reason",        "signal", "output-still-open",
        "out-truncated", "err-truncated", "user",   NULL };
  g_autoptr (JsonNode) node = NULL, plain = NULL, base64 = NULL;

  if (fixture->dir == NULL)
    return;
  add (fixture, "x", "#!/bin/sh\ncat; echo \"$1|$2|$A\"; echo err >&2; exit 3\n");
  add (fixture, "x.conf", "[Command]\nAllowEnvironment=A\n");
  node = ask (fixture, "negotiator-exec",
              "{'command':'x','arg':['b c',''],'input-data':'aW4g','env':['A=1 2']}");
  assert_text (node, "command", "x");
  assert_text (node, "state", "exited");
  assert_bool (node, "exited", TRUE);
  assert_int (node, "exitcode", 3);
  assert_text (node, "out-data", "in b c||1 2\n");
  assert_text (node, "out-encoding", "utf-8");
  assert_int (node, "out-offset", 0);
  assert_int (node, "out-next", 12);
  assert_bool (node, "out-eof", TRUE);
  assert_text (node, "err-data", "err\n");
  assert_bool (node, "err-eof", TRUE);
  assert_text (node, "instance", fixture->agent->instance);
  g_assert_cmpint (json_object_get_int_member (returned (node), "elapsed-ns"), >, 0);
  assert_absent (node, absent);
  base64 = ask (fixture, "negotiator-exec", "{'command':'x','encoding':'base64'}");
  assert_text (base64, "out-data", "fHwK");
  assert_text (base64, "out-encoding", "base64");
}

static void
test_exec_outcomes (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) signalled = NULL, timed_out = NULL, truncated = NULL, held = NULL;

  if (fixture->dir == NULL)
    return;
  add (fixture, "signalled", "#!/bin/sh\nkill -USR1 $$\n");
  signalled = ask (fixture, "negotiator-exec", "{'command':'signalled'}");
  assert_text (signalled, "state", "signalled");
  assert_int (signalled, "signal", SIGUSR1);

  add (fixture, "sleeps", "#!/bin/sh\nexec sleep 100\n");
  timed_out = ask (fixture, "negotiator-exec", "{'command':'sleeps','timeout':0.05}");
  assert_text (timed_out, "state", "timed-out");
  assert_bool (timed_out, "exited", TRUE);

  add (fixture, "truncated", "#!/bin/sh\nprintf 12345\n");
  add (fixture, "truncated.conf", "[Command]\nMaxOutput=4\n");
  truncated = ask (fixture, "negotiator-exec", "{'command':'truncated'}");
  assert_text (truncated, "out-data", "1234");
  assert_bool (truncated, "out-truncated", TRUE);
  assert_bool (truncated, "out-eof", TRUE);

  add (fixture, "held", "#!/bin/sh\nsleep 3 &\necho early\n");
  held = ask (fixture, "negotiator-exec", "{'command':'held'}");
  assert_text (held, "state", "exited");
  assert_bool (held, "output-still-open", TRUE);
  assert_text (held, "out-data", "early\n");
}

static void
test_exec_failed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) failed = NULL;

  if (fixture->dir == NULL || skip_under_valgrind ())
    return;
  add (fixture, "failed", "#!/no/such/interpreter\n");
  failed = ask (fixture, "negotiator-exec", "{'command':'failed'}");
  assert_text (failed, "state", "failed");
  g_assert_true (g_str_has_suffix (json_object_get_string_member (returned (failed), "reason"),
                                   "failed': it, or its interpreter, does not exist"));
}

static void
test_exec_errors (Fixture *fixture, gconstpointer data)
{
  g_autofree char *no_args = NULL, *refused = NULL, *policy = NULL;

  if (fixture->dir == NULL)
    return;
  add (fixture, "x", "#!/bin/sh\n");
  add (fixture, "x.conf", "[Command]\nArguments=false\n");
  add (fixture, "wrong", "no program");
  assert_error (fixture, "negotiator-exec", "{'command':'gone'}",
                "unknown negotiator command 'gone'");
  assert_error (fixture, "negotiator-exec", "{'command':'../x'}",
                "unknown negotiator command '../x'");
  assert_error (fixture, "negotiator-exec", "{'command':'x\\n'}",
                "unknown negotiator command 'x\\n'");
  refused = g_strdup_printf ("negotiator command 'wrong' is refused by the checks of its files: "
                             "'%s/wrong' is no program and has no interpreter line (#!)",
                             fixture->dir);
  assert_error (fixture, "negotiator-exec", "{'command':'wrong'}", refused);
  no_args = g_strdup_printf ("negotiator command 'x' takes no arguments (Arguments in '%s/x.conf')",
                             fixture->dir);
  assert_error (fixture, "negotiator-exec", "{'command':'x','arg':['a']}", no_args);
  assert_error (fixture, "negotiator-exec", "{'command':'x','env':['A=1']}",
                "environment variable 'A' is not in AllowEnvironment of negotiator command 'x'");
  assert_error (fixture, "negotiator-exec", "{'command':'x','env':['PATH=/tmp']}",
                "environment variable 'PATH' is never admitted");
  assert_error (fixture, "negotiator-exec", "{'command':'x','timeout':0}",
                "timeout must be above 0");
  assert_error (fixture, "negotiator-exec", "{'command':'x','wait':-0.1}",
                "wait must not be below 0");
  assert_error (fixture, "negotiator-exec", "{'command':'x','input-data':'a b'}",
                "Base64 data contains invalid characters");
  assert_error (fixture, "negotiator-exec", "{'command':'x','input-data':'abc'}",
                "Base64 data is incomplete");
  assert_error (fixture, "negotiator-exec", "{'command':'x','key':''}",
                "key '' is not 1 to 64 of A-Z a-z 0-9 . _ -");
  nego_policy_set_commands (fixture->policy, NEGO_POLICY_COMMANDS_READ);
  policy
    = g_strdup_printf ("negotiator command 'x' is refused by 'commands = read' in [negotiator]: "
                       "'%s/x.conf' does not say ReadOnly=true",
                       fixture->dir);
  assert_error (fixture, "negotiator-exec", "{'command':'x'}", policy);
}

static void
test_limits (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) first = NULL, second = NULL;

  if (fixture->dir == NULL)
    return;
  add (fixture, "x", "#!/bin/sh\nexec sleep 100\n");
  add (fixture, "x.conf", "[Command]\nConcurrency=1\n");
  add (fixture, "y", "#!/bin/sh\nexec sleep 100\n");
  first = ask (fixture, "negotiator-exec", "{'command':'x','wait':0}");
  assert_text (first, "state", "running");
  assert_bool (first, "exited", FALSE);
  assert_error (fixture, "negotiator-exec", "{'command':'x'}",
                "negotiator command 'x' is busy (limit 1)");
  second = ask (fixture, "negotiator-exec", "{'command':'y','wait':0.01}");
  assert_text (second, "state", "running");
  assert_error (fixture, "negotiator-exec", "{'command':'y'}", "too many jobs (limit 2)");
}

static void
test_key (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) first = NULL, again = NULL, by_key = NULL;
  g_autofree char *script = NULL;

  if (fixture->dir == NULL)
    return;
  script
    = g_strdup_printf ("#!/bin/sh\necho run >>%s/runs\ncat %s/runs\n", fixture->dir, fixture->dir);
  add (fixture, "x", script);
  first = ask (fixture, "negotiator-exec", "{'command':'x','arg':['a'],'key':'k'}");
  assert_text (first, "out-data", "run\n");
  assert_text (first, "key", "k");
  again = ask (fixture, "negotiator-exec", "{'command':'x','arg':['a'],'key':'k'}");
  assert_text (again, "out-data", "run\n");
  assert_text (again, "job", json_object_get_string_member (returned (first), "job"));
  by_key = ask (fixture, "negotiator-exec-status", "{'key':'k'}");
  assert_text (by_key, "out-data", "run\n");
  assert_error (fixture, "negotiator-exec", "{'command':'x','arg':['b'],'key':'k'}",
                "key 'k' is in use");
  assert_error (fixture, "negotiator-exec", "{'command':'gone','key':'k'}", "key 'k' is in use");
}

static void
test_status (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) started = NULL, news = NULL, rest = NULL, none = NULL, end = NULL;
  int go;

  if (fixture->dir == NULL)
    return;
  go = add_waiting (fixture, "x", "echo first", "echo second");
  started = ask (fixture, "negotiator-exec", "{'command':'x','wait':0,'key':'k'}");
  assert_text (started, "out-data", "");
  assert_bool (started, "out-eof", FALSE);
  news = ask (fixture, "negotiator-exec-status", "{'key':'k','wait':60}");
  assert_text (news, "out-data", "first\n");
  assert_text (news, "state", "running");
  none = ask (fixture, "negotiator-exec-status", "{'key':'k','wait':0.05,'out-offset':6}");
  assert_text (none, "out-data", "");
  assert_int (none, "out-offset", 6);
  assert_int (none, "out-next", 6);
  g_assert_cmpint (write (go, "\n", 1), ==, 1);
  rest = ask (fixture, "negotiator-exec-status", "{'key':'k','wait':60,'out-offset':6}");
  assert_text (rest, "out-data", "second\n");
  end = ask (fixture, "negotiator-exec-status", "{'key':'k','wait':60,'out-offset':13}");
  assert_text (end, "state", "exited");
  assert_bool (end, "out-eof", TRUE);
  close (go);
}

static void
test_status_errors (Fixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  add (fixture, "x", "#!/bin/sh\nprintf 12345\n");
  json_node_unref (ask (fixture, "negotiator-exec", "{'command':'x','key':'k'}"));
  assert_error (fixture, "negotiator-exec-status", "{}", "one of job and key must be given");
  assert_error (fixture, "negotiator-exec-status", "{'job':'j','key':'k'}",
                "one of job and key must be given");
  assert_error (fixture, "negotiator-exec-status", "{'job':'j'}", "unknown job 'j'");
  assert_error (fixture, "negotiator-exec-status", "{'key':'j'}", "unknown job 'j'");
  assert_error (fixture, "negotiator-exec-status", "{'key':'k','wait':-1}",
                "wait must not be below 0");
  assert_error (fixture, "negotiator-exec-status", "{'key':'k','out-offset':-1}",
                "out-offset must not be below 0");
  assert_error (fixture, "negotiator-exec-status", "{'key':'k','err-offset':-1}",
                "err-offset must not be below 0");
  assert_error (fixture, "negotiator-exec-status", "{'key':'k','out-offset':6}",
                "out-offset 6 is beyond the output (5 bytes)");
  assert_error (fixture, "negotiator-exec-status", "{'key':'k','err-offset':1}",
                "err-offset 1 is beyond the output (0 bytes)");
  json_node_unref (ask (fixture, "negotiator-exec-status", "{'key':'k','out-offset':5}"));
}

/* On the QGA port a status holds the agent for a second at most. */
static void
test_status_wait_on_qga (Fixture *fixture, gconstpointer qga)
{
  gint64 begin;
  g_autoptr (JsonNode) node = NULL;

  if (fixture->dir == NULL)
    return;
  add (fixture, "x", "#!/bin/sh\nexec sleep 100\n");
  json_node_unref (ask (fixture, "negotiator-exec", "{'command':'x','wait':0,'key':'k'}"));
  begin = g_get_monotonic_time ();
  node = ask (fixture, "negotiator-exec-status", "{'key':'k','wait':60}");
  assert_text (node, "state", "running");
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 30 * G_USEC_PER_SEC);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 1 * G_USEC_PER_SEC);
}

/* Takes one stream of the job 'k' apart, beginning with the reply @node, and puts it together. */
static GByteArray *
collect (Fixture *fixture, JsonNode *node, const char *stream)
{
  GByteArray *whole = g_byte_array_new ();
  g_autofree char *data_name = g_strconcat (stream, "-data", NULL);
  g_autofree char *encoding_name = g_strconcat (stream, "-encoding", NULL);
  g_autofree char *next_name = g_strconcat (stream, "-next", NULL);
  g_autofree char *eof_name = g_strconcat (stream, "-eof", NULL);
  g_autoptr (JsonNode) reply = json_node_ref (node);

  for (;;) {
    JsonObject *status = returned (reply);
    const char *text = json_object_get_string_member (status, data_name);
    gsize len = strlen (text);
    g_autofree char *arguments = NULL;

    if (g_str_equal (json_object_get_string_member (status, encoding_name), "base64")) {
      g_autofree guchar *data = g_base64_decode (text, &len);

      g_byte_array_append (whole, data, (guint) len);
    } else {
      g_byte_array_append (whole, (const guint8 *) text, (guint) len);
    }
    g_assert_cmpint (json_object_get_int_member (status, next_name), ==, whole->len);
    if (json_object_get_boolean_member (status, eof_name))
      return whole;
    arguments = g_strdup_printf ("{'key':'k','%s-offset':%u}", stream, whole->len);
    json_node_unref (reply);
    reply = ask (fixture, "negotiator-exec-status", arguments);
  }
}

/* More than replies hold, of text and of bytes at once. hear() checks the length of each line. */
static void
test_pages (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GByteArray) out = NULL, err = NULL;

  if (fixture->dir == NULL)
    return;
  add (fixture, "x",
       "#!/bin/sh\nyes '0123456789 \xe2\x82\xac' | head -c 3000001\n"
       "tr '\\0' '\\377' </dev/zero | head -c 2000000 >&2\n");
  node = ask (fixture, "negotiator-exec", "{'command':'x','key':'k','wait':60}");
  assert_text (node, "state", "exited");
  out = collect (fixture, node, "out");
  err = collect (fixture, node, "err");
  g_assert_cmpuint (out->len, ==, 3000001);
  for (guint i = 0; i < out->len; i++)
    g_assert_cmpint (out->data[i], ==, (guint8) "0123456789 \xe2\x82\xac\n"[i % 15]);
  g_assert_cmpuint (err->len, ==, 2000000);
  for (guint i = 0; i < err->len; i++)
    g_assert_cmpint (err->data[i], ==, 0xff);
}

/* A sync does not wait for the script; the job goes on, and is there to be collected. */
static void
test_abandoned (Fixture *fixture, gconstpointer data)
{
  g_autofree char *sync = NULL;
  g_autoptr (JsonNode) node = NULL;
  int go;

  if (fixture->dir == NULL)
    return;
  go = add_waiting (fixture, "x", "", "echo done");
  tell (fixture, "{'execute':'negotiator-exec','arguments':{'command':'x','key':'k','wait':60}}"
                 "{'execute':'guest-sync','arguments':{'id':7}}");
  sync = hear (fixture);
  g_assert_cmpstr (sync, ==, "{\"return\": 7}");
  g_assert_cmpuint (nego_job_table_count_running (fixture->agent->jobs), ==, 1);
  g_assert_cmpint (write (go, "\n", 1), ==, 1);
  do {
    g_clear_pointer (&node, json_node_unref);
    node = ask (fixture, "negotiator-exec-status", "{'key':'k','wait':60}");
  } while (!json_object_get_boolean_member (returned (node), "exited"));
  assert_text (node, "out-data", "done\n");
  close (go);
}

/* A client that goes while it waits takes nothing with it. */
static void
test_session_ends (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL;

  if (fixture->dir == NULL)
    return;
  add (fixture, "x", "#!/bin/sh\nexec sleep 100\n");
  tell (fixture, "{'execute':'negotiator-exec','arguments':{'command':'x','wait':60}}");
  while (nego_job_table_count_running (fixture->agent->jobs) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_clear_pointer (&fixture->session, nego_session_free);
  g_assert_cmpuint (nego_job_table_count_running (fixture->agent->jobs), ==, 1);
}

static void
test_frozen (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) refused = NULL;
  JsonObject *error;

  if (fixture->dir == NULL)
    return;
  add (fixture, "x", "#!/bin/sh\n");
  json_node_unref (ask (fixture, "negotiator-exec", "{'command':'x','key':'k'}"));
  nego_policy_set_frozen (fixture->policy, TRUE);
  json_node_unref (ask (fixture, "negotiator-exec-status", "{'key':'k'}"));
  json_node_unref (ask (fixture, "negotiator-list", "{}"));
  refused = ask (fixture, "negotiator-exec", "{'command':'x'}");
  error = json_object_get_object_member (json_node_get_object (refused), "error");
  g_assert_true (g_str_has_suffix (json_object_get_string_member (error, "desc"),
                                   "the agent is in frozen state"));
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*func) (Fixture *fixture, gconstpointer data);
    gboolean qga;
  } tests[] = {
    { "/cmd-negotiator/list", test_list, FALSE },
    { "/cmd-negotiator/list-too-long", test_list_too_long, FALSE },
    { "/cmd-negotiator/exec", test_exec, FALSE },
    { "/cmd-negotiator/exec-outcomes", test_exec_outcomes, FALSE },
    { "/cmd-negotiator/exec-failed", test_exec_failed, FALSE },
    { "/cmd-negotiator/exec-errors", test_exec_errors, FALSE },
    { "/cmd-negotiator/limits", test_limits, FALSE },
    { "/cmd-negotiator/key", test_key, FALSE },
    { "/cmd-negotiator/status", test_status, FALSE },
    { "/cmd-negotiator/status-errors", test_status_errors, FALSE },
    { "/cmd-negotiator/status-wait-on-qga", test_status_wait_on_qga, TRUE },
    { "/cmd-negotiator/pages", test_pages, FALSE },
    { "/cmd-negotiator/abandoned", test_abandoned, FALSE },
    { "/cmd-negotiator/session-ends", test_session_ends, FALSE },
    { "/cmd-negotiator/frozen", test_frozen, FALSE },
  };

  if (nego_exec_is_helper (argc, argv))
    return nego_exec_helper_main (argc, argv);
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, tests[i].qga ? tests : NULL, set_up, tests[i].func,
                tear_down);
  return g_test_run ();
}
