/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/names.h"
#include "tests/helpers/broker-fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ERROR(text) "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" text "\"}}"
#define ROOT        0
#define ALICE       1000
#define BOB         1001

/* Replies come in any order; each goes to its client, with the id that it gave. */
static void
test_ids (BrokerFixture *fixture, gconstpointer data)
{
  static const char *const ids[] = {
    "1", "\"one\"", "{\"a\": [1, null, 1.5]}", "null", "-5", "18446744073709551615", "[true]", NULL,
  };
  BrokerClient *clients[G_N_ELEMENTS (ids)];
  guint64 sent[G_N_ELEMENTS (ids)];

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++) {
    clients[i] = broker_fixture_add (fixture, ALICE);
    broker_client_ask (clients[i], "guest-info", "{\"x\":[1,\"}\"]}", ids[i]);
    sent[i] = broker_fixture_expect (fixture, "guest-info", "{\"x\":[1,\"}\"]}");
  }
  for (guint i = G_N_ELEMENTS (ids); i-- > 0;) {
    g_autofree char *value = g_strdup_printf ("%u", i);
    g_autofree char *reply = ids[i] == NULL
                               ? g_strdup_printf ("{\"return\": %u}", i)
                               : g_strdup_printf ("{\"return\": %u, \"id\": %s}", i, ids[i]);

    broker_fixture_return (fixture, sent[i], value);
    broker_client_expect (clients[i], reply);
  }
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    broker_client_expect (clients[i], NULL);
}

/* One client's requests go up one after the other. */
static void
test_order (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *client = broker_fixture_add (fixture, ALICE);
  guint64 first, second;

  broker_client_ask (client, "negotiator-info", NULL, "1");
  broker_client_ask (client, "guest-ping", NULL, "2");
  broker_client_ask (client, "negotiator-list", NULL, "3");
  first = broker_fixture_expect (fixture, "negotiator-info", "{}");
  broker_fixture_expect_nothing (fixture);
  broker_client_expect (client, NULL);
  broker_fixture_return (fixture, first, "{}");
  broker_client_expect (client, "{\"return\": {}, \"id\": 1}");
  broker_client_expect (client, "{\"return\": {}, \"id\": 2}");
  second = broker_fixture_expect (fixture, "negotiator-list", "{}");
  g_assert_cmpuint (first, !=, second);
  broker_fixture_return (fixture, second, "[]");
  broker_client_expect (client, "{\"return\": [], \"id\": 3}");
}

static void
test_errors (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *client = broker_fixture_add (fixture, ALICE);
  g_autofree char *error = NULL;
  guint64 id;

  broker_client_ask (client, "no-such", NULL, "5");
  id = broker_fixture_expect (fixture, "no-such", "{}");
  error = g_strdup_printf ("{\"id\":%" G_GUINT64_FORMAT ",\"error\":{\"class\":\"CommandNotFound\","
                           "\"desc\":\"caf\303\251\"}}",
                           id);
  broker_fixture_say (fixture, error);
  broker_client_expect (client, "{\"id\": 5, \"error\": {\"class\":\"CommandNotFound\","
                                "\"desc\":\"caf\303\251\"}}");
  /* What is wrong in itself is answered here. */
  broker_client_say (client, "{\"execute\":1}]");
  broker_client_expect (client, ERROR ("QMP input member 'execute' must be a string"));
  broker_client_expect (client, ERROR ("JSON parse error, expecting value"));
  broker_client_ask (client, "negotiator-session", "{\"concurrent\":true}", NULL);
  broker_client_expect (client, ERROR ("this channel runs requests in order"));
  broker_client_ask (client, "negotiator-cancel", "{\"request\":1}", NULL);
  broker_client_expect (client, ERROR ("this channel runs requests in order"));
  broker_fixture_expect_nothing (fixture);
  /* An answer that is none. */
  broker_client_ask (client, "guest-info", NULL, NULL);
  id = broker_fixture_expect (fixture, "guest-info", "{}");
  g_clear_pointer (&error, g_free);
  error = g_strdup_printf ("{\"id\":%" G_GUINT64_FORMAT ",\"error\":1}", id);
  broker_fixture_say (fixture, error);
  broker_client_expect (client, ERROR ("the reply of the other side makes no sense"));
}

static void
test_local (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *client = broker_fixture_add (fixture, ALICE);

  broker_client_ask (client, "guest-ping", NULL, "1");
  broker_client_expect (client, "{\"return\": {}, \"id\": 1}");
  broker_client_ask (client, "guest-sync", "{\"id\":7}", NULL);
  broker_client_expect (client, "{\"return\": 7}");
  broker_client_ask (client, "guest-sync-delimited", "{\"id\":8}", NULL);
  broker_client_expect (client, "\xff{\"return\": 8}");
  broker_fixture_expect_nothing (fixture);
}

static void
test_connection (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *client = broker_fixture_add (fixture, ALICE), *waiting;
  g_autofree char *line = NULL, *line_later = NULL;

  broker_client_ask (client, "negotiator-connection", NULL, NULL);
  line = broker_client_next (client);
  g_assert_true (g_str_has_prefix (line, "{\"return\": {\"connected\": true, \"since-ns\": "));
  g_assert_true (g_str_has_suffix (line, ", \"clients\": 1}}"));
  nego_broker_unset_upstream (fixture->broker, "it was unplugged");
  broker_client_ask (client, "negotiator-connection", NULL, NULL);
  broker_client_expect (client, "{\"return\": {\"connected\": false, \"reason\": \"it was "
                                "unplugged\", \"clients\": 1}}");
  broker_client_ask (client, "guest-ping", NULL, NULL);
  broker_client_expect (client, ERROR ("it was unplugged"));
  broker_client_ask (client, "negotiator-connection", "{\"wait\":-1}", NULL);
  broker_client_expect (client, ERROR ("wait must not be below 0"));
  /* The time is over; another's is not, and a third one leaves. */
  broker_client_ask (broker_fixture_add (fixture, ALICE), "negotiator-connection",
                     "{\"wait\":1e300}", NULL);
  waiting = broker_fixture_add (fixture, ALICE);
  broker_client_ask (waiting, "negotiator-connection", "{\"wait\":1000000}", NULL);
  broker_client_ask (client, "negotiator-connection", "{\"wait\":0.001}", NULL);
  for (;;) {
    g_autofree char *late = broker_client_next (client);

    if (late != NULL)
      break;
    g_main_context_iteration (NULL, TRUE);
  }
  broker_client_leave (fixture->clients->pdata[1]);
  broker_client_expect (waiting, NULL);
  broker_fixture_connect (fixture);
  broker_client_expect (waiting, NULL);
  broker_fixture_answer_sync (fixture);
  line_later = broker_client_next (waiting);
  g_assert_nonnull (strstr (line_later, "\"connected\": true"));
}

/* At once without an upstream; once when it is lost; and each upstream begins anew. */
static void
test_lost (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *client = broker_fixture_add (fixture, ALICE);
  BrokerClient *other = broker_fixture_add (fixture, BOB);
  guint64 id;

  broker_client_ask (client, "guest-info", NULL, "1");
  broker_client_ask (client, "guest-info", NULL, "2");
  broker_client_ask (other, "guest-info", NULL, "3");
  id = broker_fixture_expect (fixture, "guest-info", "{}");
  broker_fixture_expect (fixture, "guest-info", "{}");
  close (fixture->host);
  fixture->host = -1;
  broker_fixture_settle ();
  g_assert_cmpuint (fixture->closed, ==, 1);
  g_assert_cmpuint (fixture->ready, ==, 1);
  g_assert_false (nego_broker_is_ready (fixture->broker));
  broker_client_expect (client, "{\"id\": 1, \"error\": {\"class\": \"GenericError\", "
                                "\"desc\": \"" BROKER_LOST "\"}}");
  broker_client_expect (client, "{\"id\": 2, \"error\": {\"class\": \"GenericError\", "
                                "\"desc\": \"" BROKER_ABSENT "\"}}");
  broker_client_expect (other, "{\"id\": 3, \"error\": {\"class\": \"GenericError\", "
                               "\"desc\": \"" BROKER_LOST "\"}}");
  broker_fixture_connect (fixture);
  broker_client_ask (client, "guest-info", NULL, "4");
  broker_client_expect (client, NULL);
  broker_fixture_answer_sync (fixture);
  g_assert_cmpuint (broker_fixture_expect (fixture, "guest-info", "{}"), >, id + 1);
  broker_fixture_expect_nothing (fixture);
  /* A reply to a call of before is nobody's. */
  broker_fixture_return (fixture, id, "{}");
  broker_client_expect (client, NULL);
}

/* The other side says that it is at another place. */
static void
test_out_of_step (BrokerFixture *fixture, gconstpointer data)
{
  static const char *const words[] = {
    "{\"id\": %" G_GUINT64_FORMAT
    ", \"error\": {\"class\": \"GenericError\", \"desc\": \"not synchronised\"}}\n",
    "{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON token size limit exceeded\"}}\n",
    "]\n",
  };
  BrokerClient *client = broker_fixture_add (fixture, ALICE);

  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    g_autofree char *said = NULL;
    guint64 id;

    broker_client_ask (client, "guest-info", NULL, NULL);
    id = broker_fixture_expect (fixture, "guest-info", "{}");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    said = i == 0 ? g_strdup_printf (words[i], id) : g_strdup (words[i]);
#pragma GCC diagnostic pop
    broker_fixture_say (fixture, said);
    broker_client_expect (client, ERROR (BROKER_LOST));
    broker_client_expect (client, NULL);
    broker_client_ask (client, "guest-info", NULL, NULL);
    /* What comes before the answer to the sync is not looked at. */
    broker_fixture_return (fixture, id, "1");
    broker_fixture_say (fixture, "\xff{\"return\": 1}\n{\"return\": 2}]]\n");
    broker_fixture_answer_sync (fixture);
    broker_fixture_return (fixture, broker_fixture_expect (fixture, "guest-info", "{}"), "3");
    broker_client_expect (client, "{\"return\": 3}");
  }
}

/* A sync whose number was used before, by the same random numbers in a restored snapshot, is
 * refused: another is sent, by itself. */
static void
test_sync_refused (BrokerFixture *fixture, gconstpointer data)
{
  static const char refusal[] = "{\"error\": {\"class\": \"GenericError\", \"desc\": \"the id of "
                                "the synchronisation was used "
                                "before\"}}\n";
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  nego_broker_resync (fixture->broker);
  first = broker_fixture_next (fixture);
  g_assert_nonnull (first);
  broker_fixture_say (fixture, refusal);
  /* Said twice, it is one more sync all the same. */
  broker_fixture_say (fixture, refusal);
  while ((second = broker_fixture_next (fixture)) == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_nonnull (strstr (second, "guest-sync-delimited"));
  g_assert_cmpstr (second, !=, first);
  broker_fixture_expect_nothing (fixture);
}

/* Nobody answers the sync: calls wait for a while, and are refused. */
static void
test_silent (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *client = broker_fixture_add (fixture, ALICE);
  g_autofree char *line = NULL;

  nego_broker_resync (fixture->broker);
  broker_client_ask (client, "guest-ping", NULL, NULL);
  broker_client_expect (client, NULL);
  while ((line = broker_client_next (client)) == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (line, ==, ERROR (BROKER_SILENT));
  broker_client_ask (client, "negotiator-connection", NULL, NULL);
  broker_client_expect (client, "{\"return\": {\"connected\": false, \"reason\": \"" BROKER_SILENT
                                "\", \"clients\": 1}}");
}

/* A call that waited for others' replies does not wait for ever for the answer to a sync. */
static void
test_silent_behind_others (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *last = NULL;
  g_autofree char *line = NULL;

  for (guint i = 0; i <= NEGO_BROKER_CALLS; i++) {
    last = broker_fixture_add (fixture, 1000 + i);
    broker_client_ask (last, "guest-info", NULL, NULL);
  }
  broker_client_expect (last, NULL);
  nego_broker_resync (fixture->broker);
  while ((line = broker_client_next (last)) == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (line, ==, ERROR (BROKER_SILENT));
}

/* Fifty clients of two users, whose replies come in another order. */
static void
test_many (BrokerFixture *fixture, gconstpointer data)
{
  enum { N = 50, ROUNDS = 20 };
  BrokerClient *clients[N];
  guint64 sent[N];

  for (guint i = 0; i < N; i++)
    clients[i] = broker_fixture_add (fixture, i % 2 == 0 ? ALICE : BOB);
  for (guint round = 0; round < ROUNDS; round++) {
    for (guint i = 0; i < N; i++) {
      g_autofree char *arguments
        = g_strdup_printf ("{\"command\":\"%u\",\"key\":\"%u-%u\"}", i, round, i);
      g_autofree char *id = g_strdup_printf ("%u", i % 3);

      broker_client_ask (clients[i], "negotiator-exec", arguments, id);
      sent[i] = broker_fixture_expect (fixture, "negotiator-exec", arguments);
    }
    for (guint j = 0; j < N; j++) {
      guint i = (j * 7 + round) % N;
      g_autofree char *value = g_strdup_printf ("{\"job\": \"j%u-%u\"}", round, i);

      broker_fixture_return (fixture, sent[i], value);
    }
    for (guint i = 0; i < N; i++) {
      g_autofree char *reply
        = g_strdup_printf ("{\"return\": {\"job\":\"j%u-%u\"}, \"id\": %u}", round, i, i % 3);

      broker_client_expect (clients[i], reply);
      broker_client_expect (clients[i], NULL);
    }
  }
}

/* At the limits, and one above: further calls and clients wait, and none is refused. */
static void
test_limits (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *clients[NEGO_BROKER_CALLS + 1], *of_user;
  guint64 sent[NEGO_BROKER_CALLS];
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (clients); i++) {
    clients[i] = broker_fixture_add (fixture, 1000 + i);
    broker_client_ask (clients[i], "guest-info", NULL, NULL);
  }
  for (; n < NEGO_BROKER_CALLS; n++)
    sent[n] = broker_fixture_expect (fixture, "guest-info", "{}");
  broker_fixture_expect_nothing (fixture);
  broker_fixture_return (fixture, sent[3], "{}");
  broker_client_expect (clients[3], "{\"return\": {}}");
  broker_fixture_return (fixture, broker_fixture_expect (fixture, "guest-info", "{}"), "1");
  broker_client_expect (clients[NEGO_BROKER_CALLS], "{\"return\": 1}");
  for (n = 0; n < NEGO_BROKER_CLIENTS_OF_USER + 1; n++)
    of_user = broker_fixture_add (fixture, ALICE - 1);
  broker_client_ask (of_user, "guest-ping", NULL, NULL);
  broker_client_expect (of_user, NULL);
  /* Another user is served meanwhile. */
  broker_client_ask (clients[3], "guest-ping", NULL, NULL);
  broker_client_expect (clients[3], "{\"return\": {}}");
  broker_client_leave (clients[0]); /* of another user: no turn for this one */
  broker_client_expect (of_user, NULL);
  broker_client_leave (fixture->clients->pdata[G_N_ELEMENTS (clients)]);
  broker_client_expect (of_user, "{\"return\": {}}");
}

static void
test_too_many (BrokerFixture *fixture, gconstpointer data)
{
  const guint of_user = NEGO_BROKER_CLIENTS_OF_USER + NEGO_BROKER_LINE_OF_USER;
  BrokerClient *last;
  char byte;

  /* No user takes all. */
  for (guint i = 0; i < of_user; i++)
    broker_fixture_add (fixture, ALICE);
  last = broker_fixture_add (fixture, ALICE);
  broker_client_expect (last, ERROR ("too many clients (limit 64)"));
  g_assert_cmpint (recv (last->fd, &byte, 1, MSG_DONTWAIT), ==, 0);
  g_assert_cmpuint (nego_broker_count_clients (fixture->broker), ==, of_user);
  for (guint i = of_user; i < NEGO_BROKER_CLIENTS; i++)
    broker_fixture_add (fixture, ALICE + i / of_user);
  last = broker_fixture_add (fixture, BOB + NEGO_BROKER_CLIENTS);
  broker_client_expect (last, ERROR ("too many clients (limit 512)"));
  g_assert_cmpint (recv (last->fd, &byte, 1, MSG_DONTWAIT), ==, 0);
  /* Nor do all together leave none to root. */
  last = broker_fixture_add (fixture, ROOT);
  broker_client_ask (last, "guest-ping", NULL, NULL);
  broker_client_expect (last, "{\"return\": {}}");
  g_assert_cmpuint (nego_broker_count_clients (fixture->broker), ==, NEGO_BROKER_CLIENTS + 1);
}

/* What the broker adds still fits into what the other side takes. */
static void
test_large (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *client = broker_fixture_add (fixture, ALICE);
  const char *start
    = "{\"execute\":\"negotiator-exec\",\"arguments\":{\"command\":\"x\",\"input-data\":\"";
  g_autoptr (GString) text = g_string_new (start);
  g_autofree char *line = NULL;

  while (text->len < NEGO_MESSAGE_BYTES_PORT - NEGO_BROKER_SPLICE_BYTES - strlen ("\"}}"))
    g_string_append_c (text, 'A');
  g_string_append (text, "\"}}");
  broker_client_say (client, text->str);
  broker_client_expect (client, NULL);
  line = broker_fixture_next (fixture);
  g_assert_true (
    g_str_has_prefix (line, "{\"execute\":\"negotiator-exec\",\"arguments\":{\"key\":\""));
  g_assert_cmpuint (strlen (line), <=, NEGO_MESSAGE_BYTES_PORT);
  client = broker_fixture_add (fixture, ALICE);
  g_string_insert (text, (gssize) strlen (start), "A");
  broker_client_say (client, text->str);
  broker_client_expect (client, ERROR ("JSON token size limit exceeded"));
}

/* What is longer upstream than the client sent it, and too long there, is that client's own affair.
 */
static void
test_longer_upstream (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *client = broker_fixture_add (fixture, ALICE);
  BrokerClient *other = broker_fixture_add (fixture, BOB);
  g_autoptr (GString) text = g_string_new ("{'execute':'");
  guint64 id;

  broker_client_ask (other, "guest-info", NULL, NULL);
  id = broker_fixture_expect (fixture, "guest-info", "{}");
  for (guint i = 0; i < 300000; i++)
    g_string_append (text, "\303\251");
  g_string_append (text, "','id':1}");
  broker_client_say (client, text->str);
  broker_client_expect (client, "{\"id\": 1, \"error\": {\"class\": \"GenericError\", \"desc\": "
                                "\"the request is longer than the other side takes\"}}");
  broker_fixture_expect_nothing (fixture);
  broker_fixture_return (fixture, id, "2");
  broker_client_expect (other, "{\"return\": 2}");
  broker_client_ask (client, "guest-info", NULL, NULL);
  broker_fixture_return (fixture, broker_fixture_expect (fixture, "guest-info", "{}"), "3");
  broker_client_expect (client, "{\"return\": 3}");
}

/* In place of one that waits its user's next call is not lost, nor anybody's else. */
static void
test_vanished (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *first = broker_fixture_add (fixture, ALICE);
  BrokerClient *second = broker_fixture_add (fixture, ALICE);
  g_autofree char *key = NULL, *line = NULL, *cancel = NULL, *forget = NULL;
  guint64 id, other;
  g_auto (GStrv) parts = NULL;

  /* A run without a key gets one of the broker's, and is ended. */
  broker_client_ask (first, "negotiator-exec", "{\"command\":\"x\"}", NULL);
  line = broker_fixture_next (fixture);
  parts = g_strsplit (line, "\"", -1);
  g_assert_cmpstr (parts[7], ==, "key");
  key = g_strdup (parts[9]);
  g_assert_cmpuint (strlen (key), ==, 32);
  id = g_ascii_strtoull (strrchr (line, ':') + 1, NULL, 10);
  broker_client_ask (second, "guest-info", NULL, NULL);
  other = broker_fixture_expect (fixture, "guest-info", "{}");
  broker_client_leave (first);
  cancel = g_strdup_printf ("{\"request\":%" G_GUINT64_FORMAT "}", id);
  g_assert_cmpuint (broker_fixture_expect (fixture, "negotiator-cancel", cancel), ==, 0);
  forget = g_strdup_printf ("{\"key\":\"%s\"}", key);
  g_assert_cmpuint (broker_fixture_expect (fixture, "negotiator-exec-forget", forget), ==, 0);
  broker_fixture_return (fixture, 0, "{}");
  broker_fixture_return (fixture, id, "{}");
  broker_fixture_return (fixture, other, "2");
  broker_client_expect (second, "{\"return\": 2}");
  /* One with a key can be asked for again. */
  broker_client_ask (second, "negotiator-exec", "{\"key\":\"mine\"}", NULL);
  id = broker_fixture_expect (fixture, "negotiator-exec", "{\"key\":\"mine\"}");
  broker_client_leave (second);
  g_clear_pointer (&cancel, g_free);
  cancel = g_strdup_printf ("{\"request\":%" G_GUINT64_FORMAT "}", id);
  broker_fixture_expect (fixture, "negotiator-cancel", cancel);
  broker_fixture_expect_nothing (fixture);
}

/* A call that waits for its turn goes with its client. */
static void
test_vanished_waiting (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *client = broker_fixture_add (fixture, ALICE);

  nego_broker_resync (fixture->broker);
  broker_client_ask (client, "guest-info", NULL, NULL);
  broker_client_leave (client);
  broker_fixture_answer_sync (fixture);
  broker_fixture_expect_nothing (fixture);
}

/* A sync of a client that waits ends its call, and nobody else's. */
static void
test_client_sync (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *client = broker_fixture_add (fixture, ALICE);
  g_autofree char *line = NULL, *cancel = NULL;
  guint64 id;

  broker_client_ask (client, "negotiator-exec-status", "{\"job\":\"x\",\"wait\":60}", NULL);
  id = broker_fixture_expect (fixture, "negotiator-exec-status", "{\"job\":\"x\",\"wait\":60}");
  broker_client_ask (client, "guest-sync", "{\"id\":5}", NULL);
  while ((line = broker_client_next (client)) == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (line, ==, "{\"return\": 5}");
  cancel = g_strdup_printf ("{\"request\":%" G_GUINT64_FORMAT "}", id);
  broker_fixture_expect (fixture, "negotiator-cancel", cancel);
}

/* A virtio port: its host comes and goes, and the descriptor stays. */
static void
test_port (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *client = broker_fixture_add (fixture, ALICE);
  g_autofree char *line = NULL;

  broker_fixture_connect_as (fixture, NEGO_STREAM_PORT);
  broker_fixture_answer_sync (fixture);
  broker_client_ask (client, "guest-info", NULL, NULL);
  broker_fixture_return (fixture, broker_fixture_expect (fixture, "guest-info", "{}"), "1");
  broker_client_expect (client, "{\"return\": 1}");
  broker_client_ask (client, "guest-info", NULL, NULL);
  broker_fixture_expect (fixture, "guest-info", "{}");
  shutdown (fixture->host, SHUT_WR); /* reads as a port whose host is away */
  while ((line = broker_client_next (client)) == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (line, ==, ERROR (BROKER_LOST));
  broker_client_ask (client, "guest-info", NULL, NULL);
  broker_client_expect (client, ERROR (BROKER_ABSENT));
  g_assert_cmpuint (fixture->closed, ==, 0);
}

static void
test_switches (BrokerFixture *fixture, gconstpointer data)
{
  g_assert_cmpuint (broker_fixture_expect (fixture, "negotiator-session", "{\"concurrent\":true}"),
                    ==, 0);
  broker_fixture_return (fixture, 0, "{}");
  nego_broker_resync (fixture->broker);
  broker_fixture_answer_sync (fixture);
  broker_fixture_expect (fixture, "negotiator-session", "{\"concurrent\":true}");
}

#define ADD(path, switches, func) \
  g_test_add (path, BrokerFixture, switches, broker_fixture_set_up, func, broker_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGPIPE, SIG_IGN);
  ADD ("/broker/ids", NULL, test_ids);
  ADD ("/broker/order", NULL, test_order);
  ADD ("/broker/errors", NULL, test_errors);
  ADD ("/broker/local", NULL, test_local);
  ADD ("/broker/connection", NULL, test_connection);
  ADD ("/broker/lost", NULL, test_lost);
  ADD ("/broker/out-of-step", NULL, test_out_of_step);
  ADD ("/broker/silent", NULL, test_silent);
  ADD ("/broker/silent-behind-others", NULL, test_silent_behind_others);
  ADD ("/broker/many", NULL, test_many);
  ADD ("/broker/limits", NULL, test_limits);
  ADD ("/broker/too-many", NULL, test_too_many);
  ADD ("/broker/large", NULL, test_large);
  ADD ("/broker/longer-upstream", NULL, test_longer_upstream);
  ADD ("/broker/vanished", NULL, test_vanished);
  ADD ("/broker/vanished-waiting", NULL, test_vanished_waiting);
  ADD ("/broker/client-sync", NULL, test_client_sync);
  ADD ("/broker/sync-refused", NULL, test_sync_refused);
  ADD ("/broker/port", NULL, test_port);
  ADD ("/broker/switches", "", test_switches);
  return g_test_run ();
}
