/* SPDX-License-Identifier: MIT */
/* Runs of scripts whose agent answers what no real one does; real runs are in tests/cli. */
#include "config.h"

#include "common/error.h"
#include "common/client/link-socket.h"
#include "common/client/run.h"
#include "tests/helpers/fake-agent.h"

#include <string.h>

#define OUT(data, encoding, offset, next, eof)                                              \
  "\"out-data\": \"" data "\", \"out-encoding\": \"" encoding "\", \"out-offset\": " offset \
  ", \"out-next\": " next ", \"out-eof\": " eof ", "
#define ERR_NONE                                                                          \
  "\"err-data\": \"\", \"err-encoding\": \"utf-8\", \"err-offset\": 0, \"err-next\": 0, " \
  "\"err-eof\": true, "
/* A reply: how it ended, and the output. */
#define STATUS(how, out)                                                     \
  "{\"return\": {\"job\": \"j\", \"command\": \"x\", " how ", " out ERR_NONE \
  "\"started-ns\": 1, \"elapsed-ns\": 1, \"instance\": \"i\"}}\n"
/* The channel has no events; then the agent is asked. */
#define NO_EVENTS \
  "{\"error\": {\"class\": \"GenericError\", \"desc\": \"this channel carries no events\"}}\n"
#define EXEC(stream, wait)                                                                   \
  "{\"execute\":\"negotiator-exec\",\"arguments\":{\"command\": \"x\", \"arg\": [\"a b\"], " \
  "\"wait\": " wait ", \"key\": \"k\"" stream "}}\n"
#define STATUS_REQUEST(arguments) \
  "{\"execute\":\"negotiator-exec-status\",\"arguments\":{" arguments "}}\n"
#define RUNNING   "\"state\": \"running\", \"exited\": false"
#define EXITED(n) "\"state\": \"exited\", \"exited\": true, \"exitcode\": " n
#define NO_OUT    OUT ("", "utf-8", "0", "0", "true")

typedef struct {
  GString *output; /* what the script wrote */
  GError *error;
  QapiNegotiatorJobStatus *status;
  char *requests;
  gboolean reopens;
  const FakeAgent *second; /* where the run is to be found then */
} Outcome;

static NegoRemote *reopen (gint64 deadline, gpointer user_data, GError **error);

static void
outcome_clear (Outcome *outcome)
{
  if (outcome->output != NULL)
    g_string_free (outcome->output, TRUE);
  g_clear_error (&outcome->error);
  qapi_negotiator_job_status_free (outcome->status);
  g_free (outcome->requests);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outcome, outcome_clear)

static gboolean
put (guint stream, const guint8 *data, gsize len, gpointer user_data, GError **error)
{
  Outcome *outcome = user_data;

  g_assert_cmpuint (stream, ==, 0);
  g_string_append_len (outcome->output, (const char *) data, (gssize) len);
  return TRUE;
}

/* Runs 'x' with an agent that gives these replies. */
static void
do_run (Outcome *outcome, const char *const *replies)
{
  static const char *const args[] = { "a b", NULL };
  g_autoptr (FakeAgent) agent = fake_agent_new ("", replies);
  NegoRemote *guest = nego_remote_new (nego_link_socket_new (fake_agent_get_path (agent), 0, NULL));
  const NegoRun run = {
    .command = "x",
    .args = args,
    .key = "k",
    .silence = 10,
    .input_fd = -1,
    .signal_fd = -1,
    .put = put,
    .reopen = outcome->reopens ? reopen : NULL,
    .user_data = outcome,
  };

  outcome->output = g_string_new (NULL);
  outcome->status = nego_run_do (&run, guest, &outcome->error);
  outcome->requests = g_strdup (fake_agent_finish (agent));
}

/* @first: NULL, or the reply before. */
static void
check_nonsense_behind (const char *first, const char *reply, const char *what)
{
  const char *const replies[]
    = { first != NULL ? first : reply, reply, first != NULL ? reply : NULL, NULL };
  g_autofree char *expected = g_strdup_printf ("the agent's answer makes no sense: %s", what);
  g_auto (Outcome) outcome = { 0 };

  do_run (&outcome, replies);
  g_assert_null (outcome.status);
  g_assert_error (outcome.error, NEGO_ERROR, NEGO_ERROR_PARSE);
  g_assert_cmpstr (outcome.error->message, ==, expected);
}

static void
check_nonsense (const char *reply, const char *what)
{
  check_nonsense_behind (NULL, reply, what);
}

static void
test_pages (void)
{
  static const char *const replies[]
    = { NO_EVENTS, STATUS (RUNNING, OUT ("ab", "utf-8", "0", "2", "false")),
        STATUS (EXITED ("3"), OUT ("Yw==", "base64", "2", "3", "false")),
        STATUS (EXITED ("3"), OUT ("d", "utf-8", "3", "4", "true")), NULL };
  g_auto (Outcome) outcome = { 0 };

  do_run (&outcome, replies);
  g_assert_no_error (outcome.error);
  g_assert_cmpint (outcome.status->exitcode, ==, 3);
  g_assert_cmpstr (outcome.output->str, ==, "abcd");
  g_assert_cmpstr (outcome.requests, ==,
                   EXEC (", \"stream\": true", "0.10000000000000001")
                     EXEC ("", "0.90000000000000002")
                       STATUS_REQUEST ("\"key\": \"k\", \"wait\": 0.90000000000000002, "
                                       "\"out-offset\": 2, \"err-offset\": 0")
                         STATUS_REQUEST ("\"key\": \"k\", \"wait\": 0.90000000000000002, "
                                         "\"out-offset\": 3, \"err-offset\": 0"));
}

/* A background child may hold the output open: what is there is all. */
static void
test_still_open (void)
{
  static const char *const replies[]
    = { STATUS (EXITED ("0") ", \"output-still-open\": true",
                OUT ("ab", "utf-8", "0", "2", "false")),
        STATUS (EXITED ("0") ", \"output-still-open\": true", OUT ("", "utf-8", "2", "2", "false")),
        NULL };
  g_auto (Outcome) outcome = { 0 };

  do_run (&outcome, replies);
  g_assert_no_error (outcome.error);
  g_assert_cmpstr (outcome.output->str, ==, "ab");
}

static void
test_nonsense_end (void)
{
  check_nonsense (STATUS ("\"state\": \"exited\", \"exited\": true", NO_OUT),
                  "exitcode is not from 0 to 255");
  check_nonsense (STATUS (EXITED ("256"), NO_OUT), "exitcode is not from 0 to 255");
  check_nonsense (STATUS (EXITED ("-1"), NO_OUT), "exitcode is not from 0 to 255");
  check_nonsense (STATUS ("\"state\": \"signalled\", \"exited\": true", NO_OUT),
                  "signal is not from 1 to 127");
  check_nonsense (STATUS ("\"state\": \"signalled\", \"exited\": true, \"signal\": 128", NO_OUT),
                  "signal is not from 1 to 127");
  check_nonsense (STATUS ("\"state\": \"running\", \"exited\": true", NO_OUT),
                  "state and exited contradict each other");
  check_nonsense (STATUS ("\"state\": \"exited\", \"exited\": false, \"exitcode\": 0", NO_OUT),
                  "state and exited contradict each other");
}

static void
test_nonsense_output (void)
{
  static const char offsets[] = "its offsets do not fit its output";

  check_nonsense (STATUS (RUNNING, OUT ("ab", "utf-8", "1", "3", "false")), offsets);
  check_nonsense (STATUS (RUNNING, OUT ("ab", "utf-8", "0", "3", "false")), offsets);
  check_nonsense (STATUS (RUNNING, OUT ("", "utf-8", "0", "-1", "false")), offsets);
  check_nonsense (STATUS (RUNNING, OUT ("YWI=", "base64", "0", "4", "false")), offsets);
  check_nonsense (STATUS (RUNNING, OUT ("YW", "base64", "0", "1", "false")),
                  "out-data: Base64 data is incomplete");
  check_nonsense_behind (NO_EVENTS, STATUS (EXITED ("0"), OUT ("", "utf-8", "0", "0", "false")),
                         "it keeps output back");
}

/* What an event says, and what comes of it. */
static void
check_event (const char *event, const char *what)
{
  g_autofree char *first
    = g_strconcat (STATUS (RUNNING, OUT ("ab", "utf-8", "0", "2", "false")), event, NULL);
  const char *const replies[] = { first, NULL };
  g_autofree char *expected
    = g_strdup_printf ("negotiator command 'x' was started (--key k collects it), but: %s", what);
  g_auto (Outcome) outcome = { 0 };

  do_run (&outcome, replies);
  g_assert_null (outcome.status);
  g_assert_nonnull (outcome.error);
  g_assert_cmpstr (outcome.error->message, ==, expected);
  g_assert_cmpstr (outcome.output->str, ==, "ab");
}

#define OUTPUT(members) "{\"event\": \"NEGOTIATOR_OUTPUT\", \"data\": {" members "}}\n"
#define PIECE(stream, offset, encoding, data)                               \
  OUTPUT ("\"job\": \"j\", \"stream\": \"" stream "\", \"offset\": " offset \
          ", \"encoding\": \"" encoding "\", \"data\": " data)
#define EVENT_END "{\"event\": \"NEGOTIATOR_EXITED\", \"data\": {\"job\": \"j\"}}\n"

static void
test_events (void)
{
  static const char *const replies[]
    = { STATUS (RUNNING, OUT ("ab", "utf-8", "0", "2", "false"))
        /* Of others, of a newer agent, and to nothing that was asked. */
        OUTPUT (
          "\"job\": \"other\", \"stream\": \"out\", \"offset\": 7, \"encoding\": "
          "\"utf-8\", \"data\": \"no\"") "{\"event\": \"NEW\"}\n{\"return\": {}}\n" PIECE ("out",
                                                                                           "2",
                                                                                           "utf-8",
                                                                                           "\"c\\\""
                                                                                           "d\\n\"")
          PIECE ("out", "6", "base64", "\"ZWY=\"")
        /* Said again, in part. */
        PIECE ("out", "6", "utf-8", "\"efg\"") EVENT_END,
        STATUS (EXITED ("3"), OUT ("h", "utf-8", "9", "10", "true")), NULL };
  g_auto (Outcome) outcome = { 0 };

  do_run (&outcome, replies);
  g_assert_no_error (outcome.error);
  g_assert_cmpint (outcome.status->exitcode, ==, 3);
  g_assert_cmpstr (outcome.output->str, ==, "abc\"d\nefgh");
  g_assert_cmpstr (outcome.requests, ==,
                   EXEC (", \"stream\": true", "0.10000000000000001")
                     STATUS_REQUEST ("\"key\": \"k\", \"out-offset\": 9, \"err-offset\": 0"));
}

/* A reply that says all went ahead of the events with the output. */
static void
test_overtaken_events (void)
{
  static const char *const replies[]
    = { STATUS (EXITED ("3"), OUT ("", "utf-8", "4", "4", "true"))
          PIECE ("out", "0", "utf-8", "\"ab\"") PIECE ("out", "2", "utf-8", "\"cd\"") EVENT_END,
        STATUS (EXITED ("3"), OUT ("", "utf-8", "4", "4", "true")), NULL };
  g_auto (Outcome) outcome = { 0 };

  do_run (&outcome, replies);
  g_assert_no_error (outcome.error);
  g_assert_cmpint (outcome.status->exitcode, ==, 3);
  g_assert_cmpstr (outcome.output->str, ==, "abcd");
}

static void
test_nonsense_events (void)
{
#define SENSE "the agent's event makes no sense: "
  check_event ("{\"event\": \"NEGOTIATOR_OUTPUT\"}\n", SENSE "it has no data");
  check_event ("{\"event\": \"NEGOTIATOR_OUTPUT\", \"data\": []}\n", SENSE "it has no data");
  check_event (OUTPUT (""), SENSE "it names no job");
  check_event (OUTPUT ("\"job\": 1"), SENSE "it names no job");
  check_event (OUTPUT ("\"job\": \"j\""), SENSE "its stream is unknown");
  check_event (PIECE ("in", "2", "utf-8", "\"c\""), SENSE "its stream is unknown");
  check_event (PIECE ("out", "-1", "utf-8", "\"c\""), SENSE "its offset is no number");
  check_event (PIECE ("out", "\"2\"", "utf-8", "\"c\""), SENSE "its offset is no number");
  check_event (PIECE ("out", "9223372036854775808", "utf-8", "\"c\""),
               SENSE "its offset is no number");
  check_event (PIECE ("out", "2", "utf-16", "\"c\""), SENSE "its encoding is unknown");
  check_event (PIECE ("out", "2", "utf-8", "[\"c\"]"), SENSE "it has no data");
  check_event (PIECE ("out", "2", "utf-8", "\"\\u0000\""), SENSE "its text contains U+0000");
  check_event (PIECE ("out", "2", "base64", "\"YW\""), SENSE "Base64 data is incomplete");
  check_event (PIECE ("out", "2", "base64", "\"Y W=\""),
               SENSE "Base64 data contains invalid characters");
  check_event (PIECE ("out", "3", "utf-8", "\"c\""),
               "the agent's answer makes no sense: its offsets do not fit its output");
  check_event (PIECE ("out", "9223372036854775807", "utf-8", "\"c\""),
               "the agent's answer makes no sense: its offsets do not fit its output");
}

static void
test_missing_member (void)
{
  static const char *const replies[] = { "{\"return\": {\"job\": \"j\"}}\n", NULL };
  g_auto (Outcome) outcome = { 0 };

  do_run (&outcome, replies);
  g_assert_error (outcome.error, NEGO_ERROR, NEGO_ERROR_GENERIC);
  g_assert_cmpstr (outcome.error->message, ==, "Parameter 'negotiator-exec.command' is missing");
}

/* The script runs on, and can be collected. */
static void
test_lost (void)
{
  static const char *const replies[]
    = { STATUS (RUNNING, OUT ("", "utf-8", "0", "0", "false")), NULL };
  g_auto (Outcome) outcome = { 0 };

  do_run (&outcome, replies);
  g_assert_error (outcome.error, NEGO_ERROR, NEGO_ERROR_CLOSED);
  g_assert_true (g_str_has_prefix (
    outcome.error->message, "negotiator command 'x' was started (--key k collects it), but: "));
}

#define LOST                                                                   \
  "{\"error\": {\"class\": \"GenericError\", \"desc\": \"the host connection " \
  "changed; the command may have run\"}}\n"

static NegoRemote *
reopen (gint64 deadline, gpointer user_data, GError **error)
{
  const Outcome *outcome = user_data;
  NegoLink *link;

  g_assert_nonnull (outcome->second);
  link = nego_link_socket_new (fake_agent_get_path (outcome->second), 0, error);
  g_assert_nonnull (link);
  return nego_remote_new (link);
}

/* A multiplexer says that the connection behind it was lost: the run is found again, on another. */
static void
test_found_again (void)
{
  static const char *const replies[]
    = { STATUS (RUNNING, OUT ("ab", "utf-8", "0", "2", "false")) EVENT_END, LOST, NULL };
  static const char *const second[]
    = { STATUS (RUNNING, OUT ("c", "utf-8", "2", "3", "false")) EVENT_END,
        STATUS (EXITED ("3"), OUT ("d", "utf-8", "3", "4", "true")), NULL };
  g_autoptr (FakeAgent) agent = fake_agent_new ("", second);
  g_auto (Outcome) outcome = { .reopens = TRUE, .second = agent };

  do_run (&outcome, replies);
  g_assert_no_error (outcome.error);
  g_assert_cmpint (outcome.status->exitcode, ==, 3);
  g_assert_cmpstr (outcome.output->str, ==, "abcd");
  g_assert_cmpstr (fake_agent_finish (agent), ==,
                   STATUS_REQUEST ("\"key\": \"k\", \"out-offset\": 2, \"err-offset\": 0, "
                                   "\"stream\": true")
                     STATUS_REQUEST ("\"key\": \"k\", \"out-offset\": 3, \"err-offset\": 0"));
}

/* What may have been started is not started again. */
static void
test_not_again (void)
{
  static const char *const replies[] = { LOST, NULL };
  g_auto (Outcome) outcome = { .reopens = TRUE };

  do_run (&outcome, replies);
  g_assert_error (outcome.error, NEGO_ERROR, NEGO_ERROR_GENERIC);
  g_assert_cmpstr (outcome.requests, ==, EXEC (", \"stream\": true", "0.10000000000000001"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/run/pages", test_pages);
  g_test_add_func ("/run/events", test_events);
  g_test_add_func ("/run/overtaken-events", test_overtaken_events);
  g_test_add_func ("/run/nonsense/events", test_nonsense_events);
  g_test_add_func ("/run/still-open", test_still_open);
  g_test_add_func ("/run/nonsense/end", test_nonsense_end);
  g_test_add_func ("/run/nonsense/output", test_nonsense_output);
  g_test_add_func ("/run/missing-member", test_missing_member);
  g_test_add_func ("/run/lost", test_lost);
  g_test_add_func ("/run/found-again", test_found_again);
  g_test_add_func ("/run/not-again", test_not_again);
  return g_test_run ();
}
