/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "host-client/hostd/admission.h"
#include "host-client/hostd/guests.h"

#define UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
#define URI  "qemu:///system"

typedef struct {
  NegoGuests *guests;
  NegoGuest *guest;
  NegoScript *script;
  NegoJobRequest request;
} Fixture;

/* A guest of a daemon whose scripts run so, and a script of its host. */
static void
start (Fixture *f, const NegoGuestsRunAs *run_as)
{
  const char *const commands[] = { "/no/such/directory", NULL };

  f->guests = nego_guests_new (commands, NULL, run_as, nego_rules_new ());
  f->guest = nego_guests_take (f->guests, "web", UUID, URI);
  f->script = g_new0 (NegoScript, 1);
  f->script->name = g_strdup ("hello");
  f->script->path = g_strdup ("/c/hello");
  f->script->source = NEGO_SCRIPT_USER;
  f->script->conf = nego_script_conf_new ();
}

static void
set_up (Fixture *f, gconstpointer data)
{
  const NegoGuestsRunAs run_as = { "somebody", "me", NULL };

  start (f, &run_as);
}

static void
set_up_problem (Fixture *f, gconstpointer data)
{
  const NegoGuestsRunAs run_as = { "somebody", "me", "'run-as': a reason" };

  start (f, &run_as);
}

static void
set_up_self (Fixture *f, gconstpointer data)
{
  const NegoGuestsRunAs run_as = { NULL, "me", NULL };

  start (f, &run_as);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  nego_script_free (f->script);
  nego_guests_free (f->guests);
}

static void
assert_admitted (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (nego_admission.refusal (&f->guest->service, f->script));
  g_assert_true (nego_admission.admit (&f->guest->service, f->script, &f->request, &error));
  g_assert_no_error (error);
}

/* @reason: also what a list says; NULL: only this call is refused. */
static void
assert_refused (Fixture *f, const char *message, const char *reason)
{
  g_autofree char *refusal = nego_admission.refusal (&f->guest->service, f->script);
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (refusal, ==, reason);
  g_assert_false (nego_admission.admit (&f->guest->service, f->script, &f->request, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_completes (Fixture *f, gconstpointer data)
{
  const NegoScriptConf *conf = f->script->conf;
  g_autofree char *env = NULL;

  g_strfreev (f->script->conf->environment);
  f->script->conf->environment = g_strsplit ("OWN=1", " ", -1);
  assert_admitted (f);
  env = g_strjoinv (" ", conf->environment);
  g_assert_cmpstr (env, ==,
                   "OWN=1 NEGOTIATOR_GUEST=web NEGOTIATOR_GUEST_UUID=" UUID
                   " NEGOTIATOR_CONNECT_URI=" URI);
  g_assert_cmpstr (conf->user, ==, "somebody");
  g_assert_true (conf->no_new_privileges);
  g_assert_true (conf->other_user);
  g_assert_cmpuint (conf->max_output, ==, NEGO_HOSTD_OUTPUT_BYTES);
  g_assert_true (f->request.queue);
}

/* The key file's user and its smaller limit stay. */
static void
test_key_file (Fixture *f, gconstpointer data)
{
  f->script->conf->user = g_strdup ("other");
  f->script->conf->max_output = 10;
  assert_admitted (f);
  g_assert_cmpstr (f->script->conf->user, ==, "other");
  g_assert_cmpuint (f->script->conf->max_output, ==, 10);
  g_assert_true (f->script->conf->other_user);
}

static void
test_rules (Fixture *f, gconstpointer data)
{
  const char *const args[] = { "x", NULL };

  f->request.args = args;
  assert_refused (f,
                  "negotiator command 'hello' is refused by the host's default policy, which "
                  "admits no arguments",
                  NULL);
  f->request.args = NULL;
  f->request.input_open = TRUE;
  assert_refused (f,
                  "negotiator command 'hello' is refused by the host's default policy, which "
                  "admits no input",
                  NULL);
}

static void
test_builtin (Fixture *f, gconstpointer data)
{
  g_autofree char *refusal = NULL;

  f->script->source = NEGO_SCRIPT_BUILTIN;
  refusal = nego_admission.refusal (&f->guest->service, f->script);
  g_assert_true (g_str_has_prefix (refusal, "the host's default policy"));
}

static void
test_own_user (Fixture *f, gconstpointer data)
{
  const char *const reason = "'User' in '/c/hello.conf': scripts do not run as nego-hostd's own "
                             "user";
  g_autofree char *message
    = g_strconcat ("negotiator command 'hello' is refused by ", reason, NULL);

  f->script->conf->user = g_strdup ("me");
  assert_refused (f, message, reason);
}

/* A script that names its user needs none of the daemon's. */
static void
test_problem (Fixture *f, gconstpointer data)
{
  assert_refused (f, "negotiator command 'hello' is refused by 'run-as': a reason",
                  "'run-as': a reason");
  f->script->conf->user = g_strdup ("other");
  assert_admitted (f);
}

/* Somebody wanted that: run-as = self. */
static void
test_self (Fixture *f, gconstpointer data)
{
  assert_admitted (f);
  g_assert_null (f->script->conf->user);
  g_assert_false (f->script->conf->other_user);
  g_assert_false (f->script->conf->no_new_privileges);
}

/* A list is as many calls as it has scripts: what it takes is owed. */
static void
test_list (Fixture *f, gconstpointer data)
{
  const gint64 now = g_get_monotonic_time ();

  nego_quota_init (&f->guest->calls, 1, 10, now);
  for (guint i = 0; i < 600; i++) {
    g_autofree char *refusal = nego_admission.refusal (&f->guest->service, f->script);

    g_assert_null (refusal);
  }
  /* Ten minutes' worth. */
  g_assert_false (nego_quota_take (&f->guest->calls, 1, now + (gint64) 500 * G_USEC_PER_SEC));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* The warnings about guests are not what is tested here. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR);
#define ADD(name, prepare, func) \
  g_test_add ("/admission/" name, Fixture, NULL, prepare, func, tear_down)
  ADD ("builtin", set_up, test_builtin);
  ADD ("completes", set_up, test_completes);
  ADD ("key-file", set_up, test_key_file);
  ADD ("list", set_up, test_list);
  ADD ("own-user", set_up, test_own_user);
  ADD ("problem", set_up_problem, test_problem);
  ADD ("rules", set_up, test_rules);
  ADD ("self", set_up_self, test_self);
  return g_test_run ();
}
