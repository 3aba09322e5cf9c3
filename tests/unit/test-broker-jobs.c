/* SPDX-License-Identifier: MIT */
/*
 * Whose jobs are whose, and who is told of them.
 */
#include "config.h"

#include "common/names.h"
#include "tests/helpers/broker-fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#define ERROR(text)     "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" text "\"}}"
#define JOB_STATUS(job) "{\"job\":\"" job "\",\"exited\":false}"
#define EVENT(name, job, more) \
  "{\"event\":\"" name "\",\"data\":{\"job\":\"" job "\"" more "},\"timestamp\":{\"seconds\":1}}"
#define OUTPUT(job, more) EVENT ("NEGOTIATOR_OUTPUT", job, ",\"data\":\"" more "\"")
#define EXITED(job)       EVENT ("NEGOTIATOR_EXITED", job, "")
#define ROOT              0
#define ALICE             1000
#define BOB               1001

/* @client starts @job, with these arguments. */
static void
start (BrokerFixture *fixture, BrokerClient *client, const char *arguments, const char *job)
{
  g_autofree char *status = g_strdup_printf ("{\"job\":\"%s\",\"exited\":false}", job);
  g_autofree char *reply = g_strdup_printf ("{\"return\": %s}", status);

  broker_client_ask (client, "negotiator-exec", arguments, NULL);
  broker_fixture_return (fixture, broker_fixture_expect (fixture, "negotiator-exec", arguments),
                         status);
  broker_client_expect (client, reply);
}

/* @client may do what it asks. */
static void
assert_passes (BrokerFixture *fixture,
               BrokerClient *client,
               const char *execute,
               const char *arguments)
{
  broker_client_ask (client, execute, arguments, NULL);
  broker_fixture_return (fixture, broker_fixture_expect (fixture, execute, arguments), "{}");
  broker_client_expect (client, "{\"return\": {}}");
}

static void
assert_refused (BrokerFixture *fixture,
                BrokerClient *client,
                const char *execute,
                const char *arguments,
                const char *error)
{
  broker_client_ask (client, execute, arguments, NULL);
  broker_client_expect (client, error);
  broker_fixture_expect_nothing (fixture);
}

static void
test_owner (BrokerFixture *fixture, gconstpointer data)
{
  static const char *const commands[] = {
    "negotiator-exec-status",
    "negotiator-exec-input",
    "negotiator-exec-signal",
  };
  BrokerClient *alice = broker_fixture_add (fixture, ALICE),
               *bob = broker_fixture_add (fixture, BOB);
  BrokerClient *root = broker_fixture_add (fixture, ROOT);

  start (fixture, alice, "{\"key\":\"k\"}", "j1");
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    assert_refused (fixture, bob, commands[i], "{\"job\":\"j1\"}", ERROR ("unknown job 'j1'"));
    assert_refused (fixture, bob, commands[i], "{\"key\":\"k\"}", ERROR ("unknown job 'k'"));
    assert_passes (fixture, alice, commands[i], "{\"job\":\"j1\"}");
    assert_passes (fixture, alice, commands[i], "{\"key\":\"k\"}");
    assert_passes (fixture, root, commands[i], "{\"job\":\"j1\"}");
    assert_passes (fixture, root, commands[i], "{\"key\":\"k\"}");
  }
  assert_refused (fixture, bob, "negotiator-exec", "{\"key\":\"k\"}", ERROR ("key 'k' is in use"));
  /* Names that the broker does not know: nobody guesses a job's. */
  assert_passes (fixture, bob, "negotiator-exec-status", "{\"job\":\"j2\"}");
  assert_refused (fixture, bob, "negotiator-exec-status", "{\"key\":\"l\"}",
                  ERROR ("unknown job 'l'"));
  assert_passes (fixture, root, "negotiator-exec-status", "{\"key\":\"l\"}");
  /* After it was let go its key is free. */
  assert_refused (fixture, bob, "negotiator-exec-forget", "{\"key\":\"k\"}",
                  ERROR ("unknown job 'k'"));
  assert_passes (fixture, alice, "negotiator-exec-forget", "{\"job\":\"j1\"}");
  start (fixture, bob, "{\"key\":\"k\"}", "j3");
  assert_refused (fixture, alice, "negotiator-exec-status", "{\"job\":\"j3\"}",
                  ERROR ("unknown job 'j3'"));
}

/* A key is its user's from the asking on, unless nothing came of it. */
static void
test_reserved_key (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *alice = broker_fixture_add (fixture, ALICE),
               *bob = broker_fixture_add (fixture, BOB);
  g_autofree char *error = NULL;
  guint64 id;

  broker_client_ask (alice, "negotiator-exec", "{\"key\":\"k\"}", NULL);
  id = broker_fixture_expect (fixture, "negotiator-exec", "{\"key\":\"k\"}");
  assert_refused (fixture, bob, "negotiator-exec", "{\"key\":\"k\"}", ERROR ("key 'k' is in use"));
  error = g_strdup_printf ("{\"id\":%" G_GUINT64_FORMAT ",\"error\":{\"desc\":\"no\"}}\n", id);
  broker_fixture_say (fixture, error);
  broker_client_expect (alice, "{\"error\": {\"desc\":\"no\"}}");
  start (fixture, bob, "{\"key\":\"k\"}", "j1");
}

/* A call that was not sent leaves no reservation; one whose reply nobody waited for does. */
static void
test_reserved_abandoned (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *alice = broker_fixture_add (fixture, ALICE);
  BrokerClient *bob = broker_fixture_add (fixture, BOB);
  g_autofree char *cancel = NULL;
  guint64 id;

  nego_broker_resync (fixture->broker);
  broker_client_ask (alice, "negotiator-exec", "{\"key\":\"k\"}", NULL);
  broker_client_expect (alice, NULL);
  broker_client_leave (alice);
  broker_fixture_answer_sync (fixture);
  start (fixture, bob, "{\"key\":\"k\"}", "j1");
  alice = broker_fixture_add (fixture, ALICE);
  broker_client_ask (alice, "negotiator-exec", "{\"key\":\"l\"}", NULL);
  id = broker_fixture_expect (fixture, "negotiator-exec", "{\"key\":\"l\"}");
  broker_client_leave (alice);
  cancel = g_strdup_printf ("{\"request\":%" G_GUINT64_FORMAT "}", id);
  broker_fixture_expect (fixture, "negotiator-cancel", cancel);
  assert_refused (fixture, bob, "negotiator-exec", "{\"key\":\"l\"}", ERROR ("key 'l' is in use"));
  start (fixture, broker_fixture_add (fixture, ALICE), "{\"key\":\"l\"}", "j2");
}

/* Root may use anybody's key; what it starts is its own all the same. */
static void
test_root_takes_key (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *alice = broker_fixture_add (fixture, ALICE);
  BrokerClient *other = broker_fixture_add (fixture, ALICE);
  BrokerClient *root = broker_fixture_add (fixture, ROOT);
  guint64 id;

  /* The other side has forgotten the first one. */
  start (fixture, alice, "{\"key\":\"k\"}", "j1");
  start (fixture, root, "{\"key\":\"k\"}", "j2");
  assert_refused (fixture, alice, "negotiator-exec-status", "{\"key\":\"k\"}",
                  ERROR ("unknown job 'k'"));
  assert_refused (fixture, alice, "negotiator-exec-status", "{\"job\":\"j2\"}",
                  ERROR ("unknown job 'j2'"));
  /* The key is reserved only. */
  broker_client_ask (alice, "negotiator-exec", "{\"key\":\"l\"}", NULL);
  id = broker_fixture_expect (fixture, "negotiator-exec", "{\"key\":\"l\"}");
  start (fixture, root, "{\"key\":\"l\"}", "j3");
  assert_refused (fixture, other, "negotiator-exec-status", "{\"job\":\"j3\"}",
                  ERROR ("unknown job 'j3'"));
  broker_fixture_return (fixture, id, JOB_STATUS ("j3"));
  broker_client_expect (alice, "{\"return\": " JOB_STATUS ("j3") "}");
  assert_refused (fixture, alice, "negotiator-exec-status", "{\"key\":\"l\"}",
                  ERROR ("unknown job 'l'"));
}

/* The key that the broker gave comes back in the status, and names the job to its user. */
static void
test_broker_key (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *alice = broker_fixture_add (fixture, ALICE);
  BrokerClient *bob = broker_fixture_add (fixture, BOB);
  g_autofree char *line = NULL, *arguments = NULL, *error = NULL;
  g_auto (GStrv) parts = NULL;

  broker_client_ask (alice, "negotiator-exec", "{\"command\":\"x\"}", NULL);
  line = broker_fixture_next (fixture);
  parts = g_strsplit (line, "\"", -1);
  g_assert_cmpstr (parts[7], ==, "key");
  broker_fixture_return (fixture, g_ascii_strtoull (strrchr (line, ':') + 1, NULL, 10),
                         JOB_STATUS ("j1"));
  broker_client_expect (alice, "{\"return\": " JOB_STATUS ("j1") "}");
  arguments = g_strdup_printf ("{\"key\":\"%s\"}", parts[9]);
  error = g_strdup_printf (ERROR ("unknown job '%s'"), parts[9]);
  assert_passes (fixture, alice, "negotiator-exec-status", arguments);
  assert_refused (fixture, bob, "negotiator-exec-status", arguments, error);
}

static void
test_jobs (BrokerFixture *fixture, gconstpointer data)
{
  const char *all
    = "[{\"job\":\"j1\",\"command\":\"]\"},{\"job\":\"j2\"},{\"x\":1},{\"job\":\"j3\"}]";
  BrokerClient *alice = broker_fixture_add (fixture, ALICE),
               *bob = broker_fixture_add (fixture, BOB);
  BrokerClient *root = broker_fixture_add (fixture, ROOT);
  BrokerClient *nobody = broker_fixture_add (fixture, BOB + 1);
  const struct {
    BrokerClient *client;
    const char *reply;
  } rows[] = {
    { alice, "{\"return\": [{\"job\":\"j1\",\"command\":\"]\"},{\"job\":\"j3\"}]}" },
    { bob, "{\"return\": [{\"job\":\"j2\"}]}" },
    { nobody, "{\"return\": []}" },
    { root, "{\"return\": [{\"job\":\"j1\",\"command\":\"]\"},{\"job\":\"j2\"},{\"x\":1},"
            "{\"job\":\"j3\"}]}" },
  };

  start (fixture, alice, "{\"key\":\"a\"}", "j1");
  start (fixture, bob, "{\"key\":\"b\"}", "j2");
  start (fixture, alice, "{\"key\":\"c\"}", "j3");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    broker_client_ask (rows[i].client, "negotiator-jobs", NULL, NULL);
    broker_fixture_return (fixture, broker_fixture_expect (fixture, "negotiator-jobs", "{}"), all);
    broker_client_expect (rows[i].client, rows[i].reply);
  }
}

/* Runs @n more jobs of @client, whose keys and names begin with @prefix. */
static void
start_many (
  BrokerFixture *fixture, BrokerClient *client, guint n, const char *prefix, gboolean exited)
{
  for (guint i = 0; i < n; i++) {
    g_autofree char *arguments = g_strdup_printf ("{\"key\":\"%s%u\"}", prefix, i);
    g_autofree char *status = g_strdup_printf ("{\"job\":\"j-%s%u\",\"exited\":%s}", prefix, i,
                                               exited ? "true" : "false");
    g_autofree char *reply = g_strdup_printf ("{\"return\": %s}", status);

    broker_client_ask (client, "negotiator-exec", arguments, NULL);
    broker_fixture_return (fixture, broker_fixture_expect (fixture, "negotiator-exec", arguments),
                           status);
    broker_client_expect (client, reply);
  }
}

/* What is known is bounded: a user's own go first, those that ended before others; of a user's that
 * go the keys are nobody's. */
static void
test_owned_limit (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *alice = broker_fixture_add (fixture, ALICE),
               *bob = broker_fixture_add (fixture, BOB);

  start_many (fixture, bob, 1, "ended", TRUE);
  start_many (fixture, bob, 1, "b", FALSE);
  start_many (fixture, alice, 1, "long", FALSE);
  start_many (fixture, alice, NEGO_BROKER_OWNED - 3, "short", TRUE);
  assert_passes (fixture, alice, "negotiator-exec-status", "{\"key\":\"short0\"}");
  /* At the limit; one above, it is one that has ended. */
  start_many (fixture, alice, 1, "over", TRUE);
  assert_refused (fixture, alice, "negotiator-exec-status", "{\"key\":\"short0\"}",
                  ERROR ("unknown job 'short0'"));
  start_many (fixture, alice, NEGO_BROKER_OWNED, "more", TRUE);
  assert_passes (fixture, alice, "negotiator-exec-status", "{\"key\":\"long0\"}");
  /* None of which has ended. */
  start_many (fixture, alice, NEGO_BROKER_OWNED, "still", FALSE);
  assert_refused (fixture, alice, "negotiator-exec", "{\"key\":\"ended0\"}",
                  ERROR ("key 'ended0' is in use"));
  assert_refused (fixture, alice, "negotiator-exec", "{\"key\":\"b0\"}",
                  ERROR ("key 'b0' is in use"));
  assert_refused (fixture, alice, "negotiator-exec-status", "{\"key\":\"long0\"}",
                  ERROR ("unknown job 'long0'"));
  /* Another user finds room, and not at bob's cost. */
  start_many (fixture, broker_fixture_add (fixture, BOB + 1), 1, "c", FALSE);
  assert_refused (fixture, alice, "negotiator-exec", "{\"key\":\"b0\"}",
                  ERROR ("key 'b0' is in use"));
  assert_refused (fixture, alice, "negotiator-exec", "{\"key\":\"c0\"}",
                  ERROR ("key 'c0' is in use"));
}

static void
test_events (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *alice = broker_fixture_add (fixture, ALICE);
  BrokerClient *other = broker_fixture_add (fixture, ALICE);

  start (fixture, alice, "{\"key\":\"a\",\"stream\":true}", "j1");
  start (fixture, other, "{\"key\":\"b\",\"stream\":true}", "j2");
  start (fixture, other, "{\"key\":\"c\"}", "j3");
  broker_fixture_say (fixture, OUTPUT ("j2", "two") OUTPUT ("j1", "one") OUTPUT ("j3", "three")
                                 OUTPUT ("j2", "more") EXITED ("j1") OUTPUT ("j1", "late"));
  broker_client_expect (alice, OUTPUT ("j1", "one"));
  broker_client_expect (alice, EXITED ("j1"));
  broker_client_expect (alice, NULL);
  broker_client_expect (other, OUTPUT ("j2", "two"));
  broker_client_expect (other, OUTPUT ("j2", "more"));
  broker_client_expect (other, NULL);
  /* Acknowledging changes nothing, and asking for nothing ends it. */
  assert_passes (fixture, other, "negotiator-exec-status", "{\"job\":\"j2\",\"out-offset\":7}");
  broker_client_ask (other, "negotiator-exec-status", "{\"key\":\"b\",\"stream\":false}", NULL);
  broker_fixture_return (fixture,
                         broker_fixture_expect (fixture, "negotiator-exec-status",
                                                "{\"key\":\"b\",\"stream\":false}"),
                         JOB_STATUS ("j2"));
  broker_client_expect (other, "{\"return\": " JOB_STATUS ("j2") "}");
  broker_fixture_say (fixture, OUTPUT ("j2", "unasked"));
  broker_client_expect (other, NULL);
  broker_fixture_expect_nothing (fixture);
}

/* A reply that says all has no events behind it. */
static void
test_complete (BrokerFixture *fixture, gconstpointer data)
{
  const char *complete = "{\"job\":\"j1\",\"exited\":true,\"out-eof\":true,\"err-eof\":true}";
  BrokerClient *alice = broker_fixture_add (fixture, ALICE);
  g_autofree char *line = NULL;

  broker_client_ask (alice, "negotiator-exec", "{\"key\":\"a\",\"stream\":true}", NULL);
  broker_fixture_return (
    fixture, broker_fixture_expect (fixture, "negotiator-exec", "{\"key\":\"a\",\"stream\":true}"),
    complete);
  line = broker_client_next (alice);
  broker_fixture_say (fixture, OUTPUT ("j1", "late"));
  broker_client_expect (alice, NULL);
  /* So nothing is to be ended either. */
  broker_client_leave (alice);
  broker_fixture_expect_nothing (fixture);
}

/* A reply that says all may go ahead of events that still come. */
static void
test_complete_behind_events (BrokerFixture *fixture, gconstpointer data)
{
  const char *complete = "{\"job\":\"j1\",\"exited\":true,\"out-eof\":true,\"err-eof\":true}";
  const char *arguments = "{\"key\":\"a\",\"stream\":true}";
  BrokerClient *alice = broker_fixture_add (fixture, ALICE);

  start (fixture, alice, arguments, "j1");
  broker_client_ask (alice, "negotiator-exec-status", arguments, NULL);
  broker_fixture_return (fixture,
                         broker_fixture_expect (fixture, "negotiator-exec-status", arguments),
                         complete);
  broker_client_expect (alice, "{\"return\": {\"job\":\"j1\",\"exited\":true,\"out-eof\":true,"
                               "\"err-eof\":true}}");
  broker_fixture_say (fixture, OUTPUT ("j1", "one") EXITED ("j1"));
  broker_client_expect (alice, OUTPUT ("j1", "one"));
  broker_client_expect (alice, EXITED ("j1"));
}

/* A client that has no events ends nobody else's. */
static void
test_not_subscribed (BrokerFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *asked, *sent;
  } rows[] = {
    { "{\"key\":\"a\",\"stream\":false}", "{\"key\":\"a\"}" },
    { "{\"stream\":false,\"job\":\"j1\"}", "{\"job\":\"j1\"}" },
    { "{\"job\":\"j1\",\"stream\":false,\"wait\":1}", "{\"job\":\"j1\",\"wait\":1}" },
  };
  BrokerClient *alice = broker_fixture_add (fixture, ALICE);
  BrokerClient *other = broker_fixture_add (fixture, ALICE);

  start (fixture, alice, "{\"key\":\"a\",\"stream\":true}", "j1");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    guint64 id;

    broker_client_ask (other, "negotiator-exec-status", rows[i].asked, NULL);
    id = broker_fixture_expect (fixture, "negotiator-exec-status", rows[i].sent);
    broker_fixture_return (fixture, id, JOB_STATUS ("j1"));
    broker_client_expect (other, "{\"return\": " JOB_STATUS ("j1") "}");
    broker_fixture_say (fixture, OUTPUT ("j1", "one"));
    broker_client_expect (alice, OUTPUT ("j1", "one"));
  }
}

/* A client that says no more, and hears events, is done when these end, however they do. */
static void
test_half_closed (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *alice = broker_fixture_add (fixture, ALICE);
  char byte;

  start (fixture, alice, "{\"key\":\"a\",\"stream\":true}", "j1");
  shutdown (alice->fd, SHUT_WR);
  broker_fixture_say (fixture, OUTPUT ("j1", "one"));
  broker_client_expect (alice, OUTPUT ("j1", "one"));
  nego_broker_unset_upstream (fixture->broker, "it was unplugged");
  broker_client_expect (alice, NULL);
  g_assert_cmpint (recv (alice->fd, &byte, 1, MSG_DONTWAIT), ==, 0);
  g_assert_cmpuint (nego_broker_count_clients (fixture->broker), ==, 0);
}

/* The other side is told when nobody listens any more. */
static void
test_leaving (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *alice = broker_fixture_add (fixture, ALICE);
  BrokerClient *other = broker_fixture_add (fixture, ALICE);

  start (fixture, alice, "{\"key\":\"a\",\"stream\":true}", "j1");
  broker_client_leave (alice);
  broker_fixture_expect (fixture, "negotiator-exec-status", "{\"job\":\"j1\",\"stream\":false}");
  start (fixture, other, "{\"key\":\"b\",\"stream\":true}", "j2");
  broker_client_ask (other, "guest-sync", "{\"id\":1}", NULL);
  broker_client_expect (other, "{\"return\": 1}");
  broker_fixture_expect (fixture, "negotiator-exec-status", "{\"job\":\"j2\",\"stream\":false}");
  broker_fixture_say (fixture, OUTPUT ("j2", "late"));
  broker_client_expect (other, NULL);
}

/* Who asks last has the events: the other side knows one subscriber. */
static void
test_taking_over (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *alice = broker_fixture_add (fixture, ALICE);
  BrokerClient *other = broker_fixture_add (fixture, ALICE);
  const char *arguments = "{\"key\":\"a\",\"stream\":true}";

  start (fixture, alice, arguments, "j1");
  broker_client_ask (other, "negotiator-exec-status", arguments, NULL);
  broker_fixture_expect (fixture, "negotiator-exec-status", "{\"job\":\"j1\",\"stream\":false}");
  broker_fixture_return (fixture,
                         broker_fixture_expect (fixture, "negotiator-exec-status", arguments),
                         JOB_STATUS ("j1"));
  broker_client_expect (other, "{\"return\": " JOB_STATUS ("j1") "}");
  broker_fixture_say (fixture, OUTPUT ("j1", "one"));
  broker_client_expect (alice, NULL);
  broker_client_expect (other, OUTPUT ("j1", "one"));
}

/* A client that does not read keeps what its window allows, and loses the subscription above that;
 * others do not notice. */
static void
test_no_reader (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *alice = broker_fixture_add (fixture, ALICE);
  BrokerClient *other = broker_fixture_add (fixture, ALICE);
  g_autofree char *filler = g_strnfill (64u << 10, 'x');
  g_autofree char *event
    = g_strdup_printf (EVENT ("NEGOTIATOR_OUTPUT", "j1", ",\"data\":\"%s\""), filler);
  gsize said = 0, heard = 0;

  start (fixture, alice, "{\"key\":\"a\",\"stream\":true}", "j1");
  start (fixture, other, "{\"key\":\"b\",\"stream\":true}", "j2");
  for (; said + strlen (event) < NEGO_BROKER_EVENTS_BYTES; said += strlen (event))
    broker_fixture_say (fixture, event);
  broker_fixture_expect_nothing (fixture);
  for (guint i = 0; i < 32; i++)
    broker_fixture_say (fixture, event);
  broker_fixture_expect (fixture, "negotiator-exec-status", "{\"job\":\"j1\",\"stream\":false}");
  broker_fixture_expect_nothing (fixture);
  broker_fixture_say (fixture, OUTPUT ("j2", "two"));
  broker_client_expect (other, OUTPUT ("j2", "two"));
  for (;;) {
    g_autofree char *line = broker_client_next (alice);

    if (line == NULL)
      break;
    heard += strlen (line);
  }
  g_assert_cmpuint (heard, <=, NEGO_BROKER_EVENTS_BYTES);
}

/* The upstream is lost: no subscription outlives it, and none is ended on the next one. */
static void
test_lost (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *alice = broker_fixture_add (fixture, ALICE);

  start (fixture, alice, "{\"key\":\"a\",\"stream\":true}", "j1");
  broker_fixture_connect (fixture);
  broker_fixture_answer_sync (fixture);
  broker_fixture_say (fixture, OUTPUT ("j1", "one"));
  broker_client_expect (alice, NULL);
  broker_client_leave (alice);
  broker_fixture_expect_nothing (fixture);
}

#define ADD(path, func) \
  g_test_add (path, BrokerFixture, NULL, broker_fixture_set_up, func, broker_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGPIPE, SIG_IGN);
  ADD ("/broker/jobs/owner", test_owner);
  ADD ("/broker/jobs/reserved-key", test_reserved_key);
  ADD ("/broker/jobs/reserved-abandoned", test_reserved_abandoned);
  ADD ("/broker/jobs/root-takes-key", test_root_takes_key);
  ADD ("/broker/jobs/broker-key", test_broker_key);
  ADD ("/broker/jobs/list", test_jobs);
  ADD ("/broker/jobs/owned-limit", test_owned_limit);
  ADD ("/broker/events/routed", test_events);
  ADD ("/broker/events/complete", test_complete);
  ADD ("/broker/events/complete-behind-events", test_complete_behind_events);
  ADD ("/broker/events/not-subscribed", test_not_subscribed);
  ADD ("/broker/events/half-closed", test_half_closed);
  ADD ("/broker/events/leaving", test_leaving);
  ADD ("/broker/events/taking-over", test_taking_over);
  ADD ("/broker/events/no-reader", test_no_reader);
  ADD ("/broker/events/lost", test_lost);
  return g_test_run ();
}
