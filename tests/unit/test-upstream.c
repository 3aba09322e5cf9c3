/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/broker-fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ALICE 1001

/* The next request that the other side hears, which may take NEGO_BROKER_QUIET_MS. */
static guint64
wait_for (BrokerFixture *fixture, const char *execute)
{
  g_autofree char *line = NULL, *start = g_strdup_printf ("{\"execute\":\"%s\",", execute);
  const char *id;

  while ((line = broker_fixture_next (fixture)) == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (g_str_has_prefix (line, start));
  id = g_strrstr (line, "\"id\":");
  g_assert_nonnull (id);
  return g_ascii_strtoull (id + strlen ("\"id\":"), NULL, 10);
}

static void
answer_session (BrokerFixture *fixture, gboolean was)
{
  const guint64 id = wait_for (fixture, "negotiator-session");

  broker_fixture_return (fixture, id,
                         was ? "{\"concurrent\": true, \"was-concurrent\": true, \"limit\": 64}"
                             : "{\"concurrent\": true, \"was-concurrent\": false, \"limit\": 64}");
}

/* Behind a connection that stays the agent was started anew: the call that the former one had gets
 * no reply, though others do. */
static void
test_anew (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *client = broker_fixture_add (fixture, ALICE);
  BrokerClient *other = broker_fixture_add (fixture, ALICE);
  guint64 id;

  answer_session (fixture, FALSE);
  broker_client_ask (client, "guest-info", NULL, NULL);
  broker_fixture_expect (fixture, "guest-info", "{}");
  answer_session (fixture, TRUE);
  broker_client_expect (client, NULL);
  broker_client_ask (other, "guest-get-time", NULL, NULL);
  id = broker_fixture_expect (fixture, "guest-get-time", "{}");
  broker_fixture_return (fixture, id, "1");
  broker_client_expect (other, "{\"return\": 1}");
  answer_session (fixture, FALSE);
  broker_client_expect (client, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" BROKER_LOST
                                "\"}}");
  broker_fixture_answer_sync (fixture);
  answer_session (fixture, FALSE);
  broker_client_ask (client, "guest-info", NULL, NULL);
  id = broker_fixture_expect (fixture, "guest-info", "{}");
  broker_fixture_return (fixture, id, "2");
  broker_client_expect (client, "{\"return\": 2}");
}

/* What runs requests as they come by itself is asked in the way that each agent knows. */
static void
test_ping (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *client = broker_fixture_add (fixture, ALICE);
  guint64 id;

  broker_client_ask (client, "guest-info", NULL, NULL);
  id = broker_fixture_expect (fixture, "guest-info", "{}");
  broker_fixture_return (fixture, wait_for (fixture, "guest-ping"), "{}");
  broker_client_expect (client, NULL);
  broker_fixture_return (fixture, id, "1");
  broker_client_expect (client, "{\"return\": 1}");
}

static void
on_closed (NegoBroker *broker, const GError *error, gpointer user_data)
{
  g_assert_not_reached ();
}

/* Bytes that nobody has read from @fd. */
static int
count_unread (int fd)
{
  int n;

  g_assert_cmpint (ioctl (fd, FIONREAD, &n), ==, 0);
  return n;
}

/* What sends more than it may is not read before that is made up for; @data: whether it may. */
static void
test_rate (gconstpointer data)
{
  enum { RATE = 100, BYTES = 60 * RATE };
  static const NegoBrokerCallbacks callbacks = { .closed = on_closed };
  const NegoFramerLimits limits = { 1 << 20, 1000, 32 };
  const NegoBrokerOptions options = {
    .name = "test",
    .lost = BROKER_LOST,
    .silent = BROKER_SILENT,
    .absent = BROKER_ABSENT,
    .limits = limits,
    .requests = limits,
    .rate = data != NULL ? 0 : RATE,
  };
  g_autoptr (NegoBroker) broker = nego_broker_new (&options, &callbacks, NULL);
  g_autofree char *spaces = g_strnfill (BYTES, ' ');
  int ends[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), ==, 0);
  nego_broker_set_upstream (broker, ends[1], NEGO_STREAM_SOCKET);
  /* It has read all of it, and may read again a minute later. */
  g_assert_cmpint (write (ends[0], spaces, BYTES), ==, BYTES);
  while (count_unread (ends[1]) > 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (write (ends[0], spaces, 1), ==, 1);
  broker_fixture_settle ();
  g_assert_cmpint (count_unread (ends[1]), ==, data != NULL ? 0 : 1);
  close (ends[0]);
}

#define ADD(path, switches, func) \
  g_test_add (path, BrokerFixture, switches, broker_fixture_set_up, func, broker_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGPIPE, SIG_IGN);
  ADD ("/upstream/anew", "", test_anew);
  ADD ("/upstream/ping", NULL, test_ping);
  g_test_add_data_func ("/upstream/rate/any", "", test_rate);
  g_test_add_data_func ("/upstream/rate/some", NULL, test_rate);
  return g_test_run ();
}
