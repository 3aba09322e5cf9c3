/* SPDX-License-Identifier: MIT */
/* Runs of scripts whose agent answers what no real one does; real runs are in tests/cli. */
#include "config.h"

#include "common/error.h"
#include "host-client/link-socket.h"
#include "host-client/run.h"
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
#define RUNNING   "\"state\": \"running\", \"exited\": false"
#define EXITED(n) "\"state\": \"exited\", \"exited\": true, \"exitcode\": " n
#define NO_OUT    OUT ("", "utf-8", "0", "0", "true")

typedef struct {
  GString *output; /* what the script wrote */
  GError *error;
  QapiNegotiatorJobStatus *status;
  char *requests;
} Outcome;

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

/* Runs 'x' with an agent that gives these replies. */
static void
do_run (Outcome *outcome, const char *const *replies)
{
  static const char *const args[] = { "a b", NULL };
  g_autoptr (FakeAgent) agent = fake_agent_new ("", replies);
  g_autoptr (GByteArray) out = g_byte_array_new (), err = g_byte_array_new ();
  g_autoptr (NegoGuest) guest
    = nego_guest_new (nego_link_socket_new (fake_agent_get_path (agent), 0, NULL));
  const NegoRun run = {
    .guest = guest,
    .command = "x",
    .args = args,
    .key = "k",
    .silence = 10,
    .collected = { out, err },
  };
  g_autoptr (GString) arguments = nego_run_arguments (&run);

  outcome->status = nego_run_do (&run, arguments, &outcome->error);
  outcome->output = g_string_new_len ((const char *) out->data, out->len);
  g_clear_pointer (&guest, nego_guest_free);
  outcome->requests = g_strdup (fake_agent_finish (agent));
}

static void
check_nonsense (const char *reply, const char *what)
{
  const char *const replies[] = { reply, reply, NULL };
  g_autofree char *expected = g_strdup_printf ("the agent's answer makes no sense: %s", what);
  g_auto (Outcome) outcome = { 0 };

  do_run (&outcome, replies);
  g_assert_null (outcome.status);
  g_assert_error (outcome.error, NEGO_ERROR, NEGO_ERROR_PARSE);
  g_assert_cmpstr (outcome.error->message, ==, expected);
}

static void
test_pages (void)
{
  static const char *const replies[]
    = { STATUS (RUNNING, OUT ("ab", "utf-8", "0", "2", "false")),
        STATUS (EXITED ("3"), OUT ("Yw==", "base64", "2", "3", "false")),
        STATUS (EXITED ("3"), OUT ("d", "utf-8", "3", "4", "true")), NULL };
  g_auto (Outcome) outcome = { 0 };

  do_run (&outcome, replies);
  g_assert_no_error (outcome.error);
  g_assert_cmpint (outcome.status->exitcode, ==, 3);
  g_assert_cmpstr (outcome.output->str, ==, "abcd");
  g_assert_cmpstr (outcome.requests, ==,
                   "{\"execute\":\"negotiator-exec\",\"arguments\":{\"command\": \"x\", "
                   "\"arg\": [\"a b\"], \"wait\": 4, \"key\": \"k\"}}\n"
                   "{\"execute\":\"negotiator-exec-status\",\"arguments\":{\"key\": \"k\", "
                   "\"wait\": 4, \"out-offset\": 2, \"err-offset\": 0}}\n"
                   "{\"execute\":\"negotiator-exec-status\",\"arguments\":{\"key\": \"k\", "
                   "\"wait\": 4, \"out-offset\": 3, \"err-offset\": 0}}\n");
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
  check_nonsense (STATUS (EXITED ("0"), OUT ("", "utf-8", "0", "0", "false")),
                  "it keeps output back");
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/run/pages", test_pages);
  g_test_add_func ("/run/still-open", test_still_open);
  g_test_add_func ("/run/nonsense/end", test_nonsense_end);
  g_test_add_func ("/run/nonsense/output", test_nonsense_output);
  g_test_add_func ("/run/missing-member", test_missing_member);
  g_test_add_func ("/run/lost", test_lost);
  return g_test_run ();
}
