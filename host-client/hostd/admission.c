/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/admission.h"

#include "common/error.h"
#include "common/names.h"
#include "host-client/hostd/guests.h"

static const NegoGuest *
nego_admission_guest (const NegoService *service)
{
  return (const NegoGuest *) service;
}

static NegoRulesCall
nego_admission_call (const NegoGuest *guest, const NegoScript *script)
{
  return (NegoRulesCall){
    .guest = guest->name,
    .uuid = guest->uuid,
    .command = script->name,
    .builtin = script->source == NEGO_SCRIPT_BUILTIN,
  };
}

/* Why @script cannot be run as its user, or NULL. */
static char *
nego_admission_user_refusal (const NegoGuest *guest, const NegoScript *script)
{
  const NegoGuestsRunAs *run_as = nego_guests_get_run_as (guest->guests);

  if (script->conf->user == NULL)
    return g_strdup (run_as->problem);
  /* Of other names for it the run itself finds out (other_user): looking one up may block. */
  if (run_as->user != NULL && g_strcmp0 (script->conf->user, run_as->own) == 0)
    return g_strdup_printf ("'User' in '%s.conf': scripts do not run as nego-hostd's own user",
                            script->path);
  return NULL;
}

/* Of each script of a list: the list is one call, and as much work as so many. */
static char *
nego_admission_refusal (const NegoService *service, const NegoScript *script)
{
  NegoGuest *guest = (NegoGuest *) service;
  const NegoRulesCall call = nego_admission_call (guest, script);
  g_auto (NegoRulesVerdict) verdict = { 0 };

  nego_quota_owe (&guest->calls, 1, g_get_monotonic_time ());
  if (!nego_rules_check_command (nego_guests_get_rules (guest->guests), &call, &verdict))
    return g_strdup (verdict.reason);
  return nego_admission_user_refusal (guest, script);
}

/* Above the limit of all guests, those go on that hold less than their share of it. */
static gboolean
nego_admission_has_memory (const NegoGuest *guest, GError **error)
{
  const gsize share = (gsize) (NEGO_HOSTD_ALL_BYTES / MAX (nego_guests_count (guest->guests), 1));

  /* First what costs nothing: the sum is of all guests. */
  if (nego_job_table_get_size (guest->service.jobs) < share
      || nego_guests_get_size (guest->guests) < NEGO_HOSTD_ALL_BYTES)
    return TRUE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY,
               "the host keeps too much output of its guests' jobs (limit %" G_GUINT64_FORMAT
               " bytes)",
               (guint64) NEGO_HOSTD_ALL_BYTES);
  return FALSE;
}

static void
nego_admission_add_env (GPtrArray *all, const char *name, const char *value)
{
  if (value != NULL)
    g_ptr_array_add (all, g_strconcat (name, "=", value, NULL));
}

/* The caller's identity goes behind the key file's variables, and so before them. */
static void
nego_admission_complete (const NegoGuest *guest, NegoScript *script, NegoJobRequest *request)
{
  NegoScriptConf *conf = script->conf;
  GPtrArray *env = g_ptr_array_new ();

  for (char **entry = conf->environment; *entry != NULL; entry++)
    g_ptr_array_add (env, *entry);
  g_free (conf->environment);
  nego_admission_add_env (env, "NEGOTIATOR_GUEST", guest->name);
  nego_admission_add_env (env, "NEGOTIATOR_GUEST_UUID", guest->uuid);
  nego_admission_add_env (env, "NEGOTIATOR_CONNECT_URI", guest->connection);
  g_ptr_array_add (env, NULL);
  conf->environment = (char **) g_ptr_array_free (env, FALSE);
  if (conf->user == NULL)
    conf->user = g_strdup (nego_guests_get_run_as (guest->guests)->user);
  /* As the daemon's own user nothing is to be gained. */
  conf->no_new_privileges |= conf->user != NULL;
  conf->other_user = nego_guests_get_run_as (guest->guests)->user != NULL;
  conf->max_output = MIN (conf->max_output, NEGO_HOSTD_OUTPUT_BYTES);
  /* Many programs of a guest may call at once: they wait for each other. */
  request->queue = TRUE;
}

static gboolean
nego_admission_admit (const NegoService *service,
                      NegoScript *script,
                      NegoJobRequest *request,
                      GError **error)
{
  const NegoGuest *guest = nego_admission_guest (service);
  NegoRulesCall call = nego_admission_call (guest, script);
  g_auto (NegoRulesVerdict) verdict = { 0 };
  g_autofree char *refusal = NULL;

  call.args = request->args;
  call.input = request->input != NULL || request->input_open;
  call.environment = request->env != NULL && request->env[0] != NULL;
  if (!nego_rules_check (nego_guests_get_rules (guest->guests), &call, &verdict))
    refusal = g_strdup (verdict.reason);
  else
    refusal = nego_admission_user_refusal (guest, script);
  if (refusal != NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED, "negotiator command '%s' is refused by %s",
                 script->name, refusal);
    nego_guest_complain ((NegoGuest *) guest, "negotiator command '%s' is refused by %s",
                         script->name, refusal);
    return FALSE;
  }
  if (!nego_admission_has_memory (guest, error))
    return FALSE;
  nego_admission_complete (guest, script, request);
  return TRUE;
}

const NegoServiceRules nego_admission = {
  .refusal = nego_admission_refusal,
  .admit = nego_admission_admit,
};
