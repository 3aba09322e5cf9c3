/* SPDX-License-Identifier: MIT */
/*
 * Jobs over the agent's own kind of channel: output as events, clients that leave, do not read or
 * come back, and the agent's end. What each command answers is in tests/unit/.
 */
#include "config.h"

#include "common/names.h"
#include "tests/qtest-like/libnegotest.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define OWN "channels = unix-listen:@DIR@/own.sock\n"

typedef struct {
  NegoTest *test;
  NegoTestClient *client; /* of a channel that carries events */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer negotiator)
{
  const NegoTestOptions options = { .negotiator = negotiator };

  fixture->test = nego_test_start (&options);
  fixture->client = nego_test_connect_to (fixture->test, "own.sock");
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  nego_test_client_free (fixture->client);
  nego_test_stop (fixture->test);
}

static JsonObject *
parse (const char *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;

  g_assert_nonnull (line);
  node = json_from_string (line, &error);
  g_assert_no_error (error);
  return json_object_ref (json_node_get_object (node));
}

static gsize
decoded_length (JsonObject *event)
{
  const char *data = json_object_get_string_member (event, "data");
  g_autofree guchar *bytes = NULL;
  gsize len;

  if (g_str_equal (json_object_get_string_member (event, "encoding"), "utf-8"))
    return strlen (data);
  bytes = g_base64_decode (data, &len);
  return len;
}

/* What a client has got of a job that streams and flows. */
typedef struct {
  guint64 next;         /* of the standard output */
  guint64 acknowledged; /* each so many bytes; 0: never */
  JsonObject *exited;   /* the data of NEGOTIATOR_EXITED */
} Stream;

static void
stream_clear (Stream *stream)
{
  g_clear_pointer (&stream->exited, json_object_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Stream, stream_clear)

static void
stream_take (Stream *stream, const char *line)
{
  g_autoptr (JsonObject) object = parse (line);
  JsonObject *data;

  if (!json_object_has_member (object, "event")) {
    g_assert_true (json_object_has_member (object, "return"));
    return;
  }
  data = json_object_get_object_member (object, "data");
  if (g_str_equal (json_object_get_string_member (object, "event"), "NEGOTIATOR_EXITED")) {
    stream->exited = json_object_ref (data);
    return;
  }
  g_assert_cmpstr (json_object_get_string_member (data, "stream"), ==, "out");
  g_assert_cmpint (json_object_get_int_member (data, "offset"), ==, (gint64) stream->next);
  stream->next += decoded_length (data);
}

/* Takes what comes until the end, or until @until bytes are there. */
static void
stream_run (Stream *stream, NegoTestClient *client, guint64 until)
{
  while (stream->exited == NULL && stream->next < until) {
    g_autofree char *line = nego_test_receive (client);

    stream_take (stream, line);
    if (stream->next - stream->acknowledged >= NEGO_JOB_WINDOW_BYTES / 2) {
      g_autofree char *request
        = g_strdup_printf ("{'execute':'negotiator-exec-status','arguments':{'key':'k',"
                           "'stream':true,'out-offset':%" G_GUINT64_FORMAT "}}\n",
                           stream->next);

      stream->acknowledged = stream->next;
      nego_test_send_text (client, request);
    }
  }
}

static void
start_stream (Fixture *fixture, Stream *stream, const char *arguments)
{
  g_autofree char *all = g_strdup_printf ("'key':'k','flow':true,'stream':true,%s", arguments);
  g_autoptr (JsonObject) job = nego_test_exec (fixture->client, all);

  stream->next = (guint64) json_object_get_int_member (job, "out-next");
}

#define MANY    "67108864"
#define MANY_NO G_GUINT64_CONSTANT (67108864)

/* 64 MiB come whole, and the agent holds no more than a window of them. */
static void
test_memory (Fixture *fixture, gconstpointer data)
{
  g_auto (Stream) stream = { 0 };
  gsize before;

  nego_test_add_script (fixture->test, "x", "#!/bin/sh\nexec head -c " MANY " /dev/zero\n");
  nego_test_add_script_conf (fixture->test, "x", "Timeout=0");
  before = nego_test_get_rss_kib (fixture->test);
  start_stream (fixture, &stream, "'command':'x'");
  stream_run (&stream, fixture->client, MANY_NO / 2);
  if (nego_test_is_plain (fixture->test))
    g_assert_cmpuint (nego_test_get_rss_kib (fixture->test), <, before + 4096);
  stream_run (&stream, fixture->client, G_MAXUINT64);
  g_assert_cmpuint (stream.next, ==, MANY_NO);
  nego_test_check_members (stream.exited, "{'state':'exited','exitcode':0,'out-next':" MANY "}");
}

/* A client that does not read stops its script, costs no CPU and holds up nobody. */
static void
test_reader_stops (Fixture *fixture, gconstpointer data)
{
  g_auto (Stream) stream = { 0 };
  g_autoptr (NegoTestClient) other = nego_test_connect (fixture->test);
  guint64 cpu, next = 0, before;

  nego_test_add_script (fixture->test, "x", "#!/bin/sh\nexec head -c " MANY " /dev/zero\n");
  nego_test_add_script_conf (fixture->test, "x", "Timeout=0");
  start_stream (fixture, &stream, "'command':'x'");
  /* Until the window is full and the script waits: another client sees how far it is. */
  do {
    g_autoptr (JsonNode) jobs = nego_test_call (other, "{'execute':'negotiator-jobs'}");
    JsonObject *job = json_array_get_object_element (json_node_get_array (jobs), 0);

    before = next;
    next = (guint64) json_object_get_int_member (job, "out-next");
  } while (next < NEGO_JOB_WINDOW_BYTES || next != before);
  g_assert_cmpuint (next, ==, NEGO_JOB_WINDOW_BYTES);
  cpu = nego_test_get_cpu_ns (fixture->test);
  g_assert_false (nego_test_is_answered (other, 300));
  if (nego_test_is_plain (fixture->test))
    g_assert_cmpuint (nego_test_get_cpu_ns (fixture->test) - cpu, <, 20000000);
  nego_test_ask (other, NEGO_TEST_PING, NEGO_TEST_PONG);
  /* It goes on where it was. */
  stream_run (&stream, fixture->client, G_MAXUINT64);
  g_assert_cmpuint (stream.next, ==, MANY_NO);
}

/* A connection is lost with events under way: the next one goes on behind what its client has. */
static void
test_reconnect (Fixture *fixture, gconstpointer data)
{
  g_auto (Stream) stream = { 0 };

  nego_test_add_script (fixture->test, "x", "#!/bin/sh\nexec head -c " MANY " /dev/zero\n");
  nego_test_add_script_conf (fixture->test, "x", "Timeout=0");
  start_stream (fixture, &stream, "'command':'x'");
  for (guint i = 1; i <= 4; i++) {
    g_autoptr (JsonObject) status = NULL;
    g_autofree char *arguments = NULL;

    stream_run (&stream, fixture->client, i * MANY_NO / 8);
    nego_test_client_reset (fixture->client);
    fixture->client = nego_test_connect_to (fixture->test, "own.sock");
    arguments
      = g_strdup_printf ("'key':'k','stream':true,'out-offset':%" G_GUINT64_FORMAT, stream.next);
    status = nego_test_status (fixture->client, arguments);
    g_assert_cmpint (json_object_get_int_member (status, "out-offset"), ==, (gint64) stream.next);
    stream.acknowledged = stream.next;
    stream.next = (guint64) json_object_get_int_member (status, "out-next");
  }
  stream_run (&stream, fixture->client, G_MAXUINT64);
  g_assert_cmpuint (stream.next, ==, MANY_NO);
}

/* Two channels can be told of one job; each gets all of it. */
static void
test_two_readers (Fixture *fixture, gconstpointer data)
{
  g_autoptr (NegoTestClient) other = nego_test_connect_to (fixture->test, "own.sock");
  g_autoptr (JsonObject) job = NULL, status = NULL;
  g_auto (Stream) first = { .acknowledged = G_MAXUINT64 / 2 };
  g_auto (Stream) second = { .acknowledged = G_MAXUINT64 / 2 };

  nego_test_add_gate (fixture->test, "x");
  job = nego_test_exec (fixture->client, "'command':'x','key':'k','stream':true,'wait':0");
  status = nego_test_status (other, "'key':'k','stream':true");
  {
    int gate = nego_test_open_gate (fixture->test, "x");

    nego_test_pass_gate (gate, "passed\n");
  }
  while (first.exited == NULL) {
    g_autofree char *line = nego_test_receive (fixture->client);

    stream_take (&first, line);
  }
  while (second.exited == NULL) {
    g_autofree char *line = nego_test_receive (other);

    stream_take (&second, line);
  }
  g_assert_cmpuint (first.next, ==, 7);
  g_assert_cmpuint (second.next, ==, 7);
}

/* A client that has said all it has to say gets its events, and then the end. */
static void
test_half_closed (Fixture *fixture, gconstpointer data)
{
  g_auto (Stream) stream = { .acknowledged = G_MAXUINT64 / 2 };
  int gate;

  nego_test_add_gate (fixture->test, "x");
  start_stream (fixture, &stream, "'command':'x','wait':0");
  nego_test_client_shutdown (fixture->client);
  gate = nego_test_open_gate (fixture->test, "x");
  nego_test_pass_gate (gate, "passed\n");
  while (stream.exited == NULL) {
    g_autofree char *line = nego_test_receive (fixture->client);

    stream_take (&stream, line);
  }
  g_assert_cmpuint (stream.next, ==, 7);
  nego_test_expect_eof (fixture->client);
}

/* The orderly stop ends the jobs, and tells those who stream them. */
static void
test_stop (void)
{
  const NegoTestOptions options = { .negotiator = OWN, .leaves_children = TRUE };
  Fixture fixture;
  g_auto (Stream) stream = { .acknowledged = G_MAXUINT64 / 2 };
  g_autoptr (NegoTestClient) waiting = NULL;
  g_autofree char *reply = NULL;
  g_autoptr (JsonObject) object = NULL;

  fixture.test = nego_test_start (&options);
  fixture.client = nego_test_connect_to (fixture.test, "own.sock");
  waiting = nego_test_connect (fixture.test);
  nego_test_add_script (fixture.test, "x",
                        "#!/bin/sh\ntrap 'echo bye; exit 0' TERM\necho ready\n"
                        "while :; do sleep 100 & wait; done\n");
  start_stream (&fixture, &stream, "'command':'x'");
  nego_test_send_text (
    waiting, "{'execute':'negotiator-exec','arguments':{'command':'x','key':'k','wait':60}}\n");
  nego_test_await_read (waiting);
  nego_test_settle (fixture.test);
  g_assert_cmpint (kill (nego_test_get_pid (fixture.test), SIGTERM), ==, 0);
  while (stream.exited == NULL) {
    g_autofree char *line = nego_test_receive (fixture.client);

    stream_take (&stream, line);
  }
  nego_test_check_members (stream.exited, "{'state':'cancelled','exited':true,'out-next':10}");
  reply = nego_test_receive (waiting);
  object = parse (reply);
  nego_test_check_members (json_object_get_object_member (object, "return"),
                           "{'state':'cancelled','out-data':'ready\\nbye\\n'}");
  nego_test_client_free (fixture.client);
  nego_test_end (fixture.test);
}

/* As many jobs at once as may be, each with its own output and end, all on one channel. */
static void
test_many (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GHashTable) ends = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  nego_test_add_script (fixture->test, "x", "#!/bin/sh\nread line\necho \"$line\"\n");
  nego_test_add_script_conf (fixture->test, "x", "Concurrency=64\nTimeout=0");
  for (guint i = 0; i < NEGO_JOBS_RUNNING; i++) {
    g_autofree char *arguments = g_strdup_printf (
      "'command':'x','key':'%u','stream':true,'input':true,'wait':0,'queue':true", i);
    g_autoptr (JsonObject) job = nego_test_exec (fixture->client, arguments);

    nego_test_check_members (job, "{'state':'running'}");
  }
  nego_test_exec_fails (fixture->client, "'command':'x'",
                        "negotiator command 'x' is busy (limit 64)");
  for (guint i = 0; i < NEGO_JOBS_RUNNING; i++) {
    g_autofree char *text = g_strdup_printf ("%u\n", i);
    g_autofree char *base64 = g_base64_encode ((const guchar *) text, strlen (text));
    g_autofree char *request
      = g_strdup_printf ("{'execute':'negotiator-exec-input','arguments':"
                         "{'key':'%u','offset':0,'input-data':'%s','eof':true}}\n",
                         i, base64);

    nego_test_send_text (fixture->client, request);
  }
  while (g_hash_table_size (ends) < NEGO_JOBS_RUNNING) {
    g_autofree char *line = nego_test_receive (fixture->client);
    g_autoptr (JsonObject) object = parse (line);
    JsonObject *event;

    if (!json_object_has_member (object, "event"))
      continue;
    event = json_object_get_object_member (object, "data");
    if (g_str_equal (json_object_get_string_member (object, "event"), "NEGOTIATOR_EXITED"))
      g_assert_true (
        g_hash_table_add (ends, g_strdup (json_object_get_string_member (event, "key"))));
  }
  for (guint i = 0; i < NEGO_JOBS_RUNNING; i++) {
    g_autofree char *arguments = g_strdup_printf ("'key':'%u'", i);
    g_autofree char *expected
      = g_strdup_printf ("{'state':'exited','exitcode':0,'out-data':'%u\\n'}", i);
    g_autoptr (JsonObject) status = nego_test_status (fixture->client, arguments);

    nego_test_check_members (status, expected);
  }
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*func) (Fixture *fixture, gconstpointer data);
  } tests[] = {
    { "/jobs/memory", test_memory },           { "/jobs/reader-stops", test_reader_stops },
    { "/jobs/reconnect", test_reconnect },     { "/jobs/two-readers", test_two_readers },
    { "/jobs/half-closed", test_half_closed }, { "/jobs/many", test_many },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, OWN, set_up, tests[i].func, tear_down);
  g_test_add_func ("/jobs/stop", test_stop);
  return g_test_run ();
}
