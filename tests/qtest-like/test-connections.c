/* SPDX-License-Identifier: MIT */
/*
 * Clients that come, stay, leave in the middle of something, or do not read.
 */
#include "config.h"

#include "common/names.h"
#include "tests/qtest-like/libnegotest.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PING NEGO_TEST_PING
#define PONG NEGO_TEST_PONG

/* How long an agent that is to do nothing is watched. */
#define WATCH_MS 500u
/* Of CPU in that time: what a wake-up that does nothing would be seen in. */
#define WATCH_CPU_NS 2000000u

typedef struct {
  const char *path;
  void (*func) (NegoTest *test);
  const char *better; /* what qemu-ga does instead; NULL: the same */
} Case;

static void
test_half_close (NegoTest *test)
{
  g_autoptr (NegoTestClient) client = nego_test_connect (test);

  nego_test_send_text (client, PING "\n{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1}}");
  nego_test_client_shutdown (client);
  nego_test_expect (client, PONG);
  nego_test_expect (client, NEGO_TEST_RETURN ("1"));
  nego_test_expect_eof (client);
}

static void
test_next_client (NegoTest *test)
{
  for (int i = 0; i < 50; i++) {
    g_autoptr (NegoTestClient) client = nego_test_connect (test);

    nego_test_ask (client, PING, PONG);
  }
}

static void
test_connect_and_leave (NegoTest *test)
{
  for (int i = 0; i < 50; i++)
    nego_test_client_free (nego_test_connect (test));
}

static void
test_leave_before_reply (NegoTest *test)
{
  for (int i = 0; i < 50; i++) {
    g_autoptr (NegoTestClient) client = nego_test_connect (test);

    nego_test_send_text (client, PING "\n");
  }
}

static void
test_leave_reply_unread (NegoTest *test)
{
  for (int i = 0; i < 50; i++) {
    NegoTestClient *client = nego_test_connect (test);

    nego_test_send_text (client, PING "\n");
    nego_test_client_reset (client);
  }
}

static void
test_leave_in_request (NegoTest *test)
{
  const char *const cuts[]
    = { "{", "{\"execute\":\"gue", "{\"execute\":\"guest-ping\"", "[[[[", "x" };

  for (gsize i = 0; i < G_N_ELEMENTS (cuts); i++) {
    NegoTestClient *client = nego_test_connect (test);
    g_autoptr (NegoTestClient) next = NULL;

    nego_test_send_text (client, cuts[i]);
    nego_test_client_free (client);
    next = nego_test_connect (test);
    nego_test_ask (next, PING, PONG);
  }
}

/* A ping whose reply has @len bytes of id. */
static char *
make_large_ping (gsize len)
{
  g_autofree char *id = g_strnfill (len, 'x');

  return g_strdup_printf ("{\"execute\":\"guest-ping\",\"id\":\"%s\"}\n", id);
}

static void
test_leave_in_reply (NegoTest *test)
{
  g_autofree char *request = make_large_ping (8 << 20);
  gsize before = nego_test_get_rss_kib (test);

  for (int i = 0; i < 5; i++) {
    NegoTestClient *client = nego_test_connect (test);

    nego_test_send_text (client, request);
    nego_test_client_reset (client);
  }
  nego_test_settle (test);
  nego_test_expect_rss_kib (test, before + 1024);
}

static void
test_leave_running_script (NegoTest *test)
{
  NegoTestClient *client = nego_test_connect (test);
  g_autoptr (NegoTestClient) next = NULL;
  g_autoptr (JsonObject) job = NULL;
  int gate;

  nego_test_add_gate (test, "slow");
  nego_test_send_text (client, "{\"execute\":\"negotiator-exec\",\"arguments\":"
                               "{\"command\":\"slow\",\"wait\":600,\"key\":\"k\"}}");
  gate = nego_test_open_gate (test, "slow");
  nego_test_client_free (client);
  next = nego_test_connect (test);
  job = nego_test_status (next, "\"key\":\"k\"");
  g_assert_cmpstr (json_object_get_string_member (job, "state"), ==, "running");
  g_clear_pointer (&job, json_object_unref);
  nego_test_pass_gate (gate, "went on");
  job = nego_test_exec (next, "\"command\":\"slow\",\"wait\":600,\"key\":\"k\"");
  g_assert_cmpstr (json_object_get_string_member (job, "state"), ==, "exited");
  g_assert_cmpstr (json_object_get_string_member (job, "out-data"), ==, "went on\n");
}

static void
test_second_client (NegoTest *test)
{
  g_autoptr (NegoTestClient) first = nego_test_connect (test);
  g_autoptr (NegoTestClient) second = nego_test_connect (test);
  int gate;

  nego_test_ask (first, PING, PONG);
  nego_test_ask (second, PING, PONG);
  nego_test_add_gate (test, "slow");
  nego_test_send_text (first, "{\"execute\":\"negotiator-exec\",\"arguments\":"
                              "{\"command\":\"slow\",\"wait\":600}}");
  gate = nego_test_open_gate (test, "slow");
  nego_test_ask (second, PING, PONG);
  nego_test_send_text (first, "{\"exec"); /* its parser is its own */
  nego_test_ask (second, PING, PONG);
  nego_test_pass_gate (gate, "");
  json_node_unref (nego_test_receive_return (first));
  nego_test_send_text (first, "ute\":\"guest-ping\"}");
  nego_test_expect (first, PONG);
}

/* One more than the agent serves at a time waits, and is served when another leaves. */
static void
test_many_clients (NegoTest *test)
{
  NegoTestClient *clients[NEGO_CHANNEL_CLIENTS + 1];
  gsize i;

  for (i = 0; i <= NEGO_CHANNEL_CLIENTS; i++) {
    clients[i] = nego_test_connect (test);
    nego_test_send_text (clients[i], PING "\n");
    if (i < NEGO_CHANNEL_CLIENTS)
      nego_test_expect (clients[i], PONG);
  }
  nego_test_ask (clients[0], PING, PONG);
  g_assert_false (nego_test_is_answered (clients[NEGO_CHANNEL_CLIENTS], 0));
  nego_test_client_free (clients[0]);
  nego_test_expect (clients[NEGO_CHANNEL_CLIENTS], PONG);
  for (i = 1; i <= NEGO_CHANNEL_CLIENTS; i++)
    nego_test_client_free (clients[i]);
}

/* Sends pings as long as the agent takes them; returns how many bytes it took. */
static gsize
send_pings_unread (NegoTestClient *client)
{
  gsize len = strlen (PING), max = 4 << 20;
  g_autofree char *pings = g_malloc (len * max);
  gsize i, sent;

  for (i = 0; i < max; i++)
    memcpy (pings + i * len, PING, len);
  sent = nego_test_send_some (client, pings, len * max, WATCH_MS);
  g_assert_cmpuint (sent, <, len * max);
  return sent;
}

static void
test_never_reads (NegoTest *test)
{
  g_autoptr (NegoTestClient) client = nego_test_connect (test);
  g_autoptr (NegoTestClient) other = nego_test_connect (test);
  gsize before = nego_test_get_rss_kib (test), sent, i;
  guint64 cpu;

  sent = send_pings_unread (client);
  if (nego_test_is_plain (test))
    g_assert_cmpuint (nego_test_get_rss_kib (test), <=, before + 2048);
  cpu = nego_test_get_cpu_ns (test);
  g_assert_cmpuint (nego_test_send_some (client, "x", 1, WATCH_MS), ==, 0);
  if (nego_test_is_plain (test))
    g_assert_cmpuint (nego_test_get_cpu_ns (test) - cpu, <, WATCH_CPU_NS);
  nego_test_ask (other, PING, PONG);
  for (i = 0; i < sent / strlen (PING); i++)
    nego_test_expect (client, PONG);
  if (sent % strlen (PING) > 0) {
    nego_test_send_text (client, &PING[sent % strlen (PING)]);
    nego_test_expect (client, PONG);
  }
  nego_test_ask (client, PING, PONG);
}

/* The same, and then it leaves. */
static void
test_never_reads_and_leaves (NegoTest *test)
{
  NegoTestClient *client = nego_test_connect (test);

  send_pings_unread (client);
  nego_test_client_reset (client);
}

static void
test_idle (NegoTest *test)
{
  g_autoptr (NegoTestClient) client = nego_test_connect (test);
  guint64 sleeps;

  nego_test_ask (client, PING, PONG);
  sleeps = nego_test_count_sleeps (test);
  g_assert_false (nego_test_is_answered (client, WATCH_MS));
  /* Behind its reply it may have been still awake. */
  g_assert_cmpuint (nego_test_count_sleeps (test) - sleeps, <=, 1);
}

static void
run_case (gconstpointer user_data)
{
  const Case *test_case = user_data;
  NegoTest *test = nego_test_start (NULL);
  NegoTestClient *client;

  test_case->func (test);
  client = nego_test_connect (test);
  nego_test_ask (client, PING, PONG);
  nego_test_client_free (client);
  nego_test_stop (test);
}

/* The agent's own socket, not an inherited one. */
static void
test_own_socket (void)
{
  const NegoTestOptions options = { .by_path = TRUE };
  NegoTest *test = nego_test_start (&options);
  g_autofree char *path = g_build_filename (nego_test_get_dir (test), "agent.sock", NULL);
  NegoTestClient *client = nego_test_connect (test);
  struct stat st;

  nego_test_ask (client, PING, PONG);
  g_assert_cmpint (stat (path, &st), ==, 0);
  if (!nego_test_is_qga ()) /* whose socket has what the umask leaves */
    g_assert_cmpuint (st.st_mode & 07777, ==, 0600);
  nego_test_client_free (client);
  nego_test_stop (test);
}

static void
test_signals (void)
{
  const int signals[] = { SIGINT, SIGTERM, SIGHUP };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (signals); i++) {
    NegoTest *test = nego_test_start (NULL);
    g_autoptr (NegoTestClient) client = nego_test_connect (test);

    nego_test_send_text (client, PING "{\"execute\":");
    nego_test_expect (client, PONG);
    nego_test_end_by (test, signals[i]);
    nego_test_expect_eof (client);
  }
}

/* A signal at any moment of its start, and while requests are there. */
static void
test_term_at_any_moment (void)
{
  int rounds = g_getenv ("NEGO_TEST_LONG") != NULL ? 1000 : 50;

  for (int i = 0; i < rounds; i++) {
    const NegoTestOptions options = { .at_once = TRUE };
    NegoTest *test = nego_test_start (&options);
    g_autoptr (NegoTestClient) client = nego_test_connect (test);

    nego_test_send_text (client, PING);
    if (i % 2 == 0 || nego_test_is_valgrind ()) /* else it is still starting */
      nego_test_expect (client, PONG);
    nego_test_end (test);
  }
}

static const Case cases[] = {
  { "half-close", test_half_close },
  { "next-client", test_next_client },
  { "connect-and-leave", test_connect_and_leave },
  { "leave-before-reply", test_leave_before_reply, "ends if the reply was just written" },
  { "leave-reply-unread", test_leave_reply_unread, "ends with status 0" },
  { "leave-in-request", test_leave_in_request, "goes on with it for the next client" },
  { "leave-in-reply", test_leave_in_reply, "ends with status 0" },
  { "leave-running-script", test_leave_running_script, "has no scripts" },
  { "second-client", test_second_client, "serves one client at a time" },
  { "many-clients", test_many_clients, "serves one client at a time" },
  { "never-reads", test_never_reads, "loops on EAGAIN and serves nobody" },
  { "never-reads-and-leaves", test_never_reads_and_leaves, "ends with status 0" },
  { "idle", test_idle },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/connections/%s", cases[i].path);

    if (!nego_test_is_qga () || cases[i].better == NULL)
      g_test_add_data_func (path, &cases[i], run_case);
  }
  g_test_add_func ("/connections/own-socket", test_own_socket);
  if (nego_test_is_qga ()) /* which SIGHUP kills, and SIGTERM in its start */
    return g_test_run ();
  g_test_add_func ("/connections/signals", test_signals);
  g_test_add_func ("/connections/term-at-any-moment", test_term_at_any_moment);
  return g_test_run ();
}
