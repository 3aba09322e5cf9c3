/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/audit.h"

#include <string.h>
#include <sys/random.h>

#define DOMAIN "nego-audit"
/* What is kept of HMAC-SHA-256: 128 bits. */
#define HASH_DIGITS 32
/* Fields of the largest record. */
#define FIELDS 20u

struct NegoAudit {
  guint8 key[32];
};

NegoAudit *
nego_audit_new (void)
{
  NegoAudit *audit = g_new0 (NegoAudit, 1);

  /* Early at boot there may be too little entropy: better a weaker key than a guest that waits. */
  if (getrandom (audit->key, sizeof audit->key, GRND_INSECURE) != sizeof audit->key)
    for (gsize i = 0; i < sizeof audit->key; i++)
      audit->key[i] = (guint8) g_random_int ();
  return audit;
}

void
nego_audit_free (NegoAudit *audit)
{
  if (audit == NULL)
    return;
  explicit_bzero (audit->key, sizeof audit->key);
  g_free (audit);
}

char *
nego_audit_hash (const NegoAudit *audit, const char *const *args)
{
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA256, audit->key, sizeof audit->key);

  /* With their NULs: no two lists are the same bytes. */
  for (; args != NULL && *args != NULL; args++)
    g_hmac_update (hmac, (const guchar *) *args, (gssize) strlen (*args) + 1);
  return g_strndup (g_hmac_get_string (hmac), HASH_DIGITS);
}

/* The fields of a record. */
typedef struct {
  GLogField fields[FIELDS];
  gsize n;
} NegoAuditRecord;

static void
nego_audit_add (NegoAuditRecord *record, const char *key, const char *value)
{
  if (value != NULL && record->n < FIELDS)
    record->fields[record->n++] = (GLogField){ key, value, -1 };
}

static void
nego_audit_add_run (NegoAuditRecord *record,
                    const NegoAuditRun *run,
                    const char *message_id,
                    const char *message)
{
  nego_audit_add (record, "PRIORITY", "5");
  nego_audit_add (record, "GLIB_DOMAIN", DOMAIN);
  nego_audit_add (record, "MESSAGE", message);
  nego_audit_add (record, "MESSAGE_ID", message_id);
  nego_audit_add (record, "NEGOTIATOR_JOB", run->job);
  nego_audit_add (record, "NEGOTIATOR_KEY", run->key);
  nego_audit_add (record, "NEGOTIATOR_COMMAND", run->command);
  nego_audit_add (record, "NEGOTIATOR_ARGUMENTS_HASH", run->arguments);
  nego_audit_add (record, "NEGOTIATOR_USER", run->user);
  nego_audit_add (record, "NEGOTIATOR_ORIGIN", run->origin);
}

void
nego_audit_started (const NegoAuditRun *run)
{
  NegoAuditRecord record = { .n = 0 };
  g_autofree char *message
    = g_strdup_printf ("job %s: '%s' is started%s%s for %s (arguments %s)", run->job, run->command,
                       run->user != NULL ? " as " : "", run->user != NULL ? run->user : "",
                       run->origin, run->arguments);

  nego_audit_add_run (&record, run, NEGO_AUDIT_STARTED_ID, message);
  g_log_structured_array (G_LOG_LEVEL_MESSAGE, record.fields, record.n);
}

/* "exited 3", "signalled 9", "failed: why". */
static char *
nego_audit_describe (const NegoAuditResult *result)
{
  if (result->reason != NULL)
    return g_strdup_printf ("%s: %s", result->state, result->reason);
  if (result->exit_code >= 0)
    return g_strdup_printf ("%s %d", result->state, result->exit_code);
  if (result->signal > 0)
    return g_strdup_printf ("%s %d", result->state, result->signal);
  return g_strdup (result->state);
}

void
nego_audit_ended (const NegoAuditRun *run, const NegoAuditResult *result)
{
  NegoAuditRecord record = { .n = 0 };
  g_autofree char *how = nego_audit_describe (result);
  g_autofree char *message = g_strdup_printf ("job %s: '%s' has ended after %.3f s: %s", run->job,
                                              run->command, (double) result->elapsed_ns / 1e9, how);
  g_autofree char *exit_code = g_strdup_printf ("%d", result->exit_code);
  g_autofree char *signal = g_strdup_printf ("%d", result->signal);
  g_autofree char *elapsed = g_strdup_printf ("%" G_GINT64_FORMAT, result->elapsed_ns);

  nego_audit_add_run (&record, run, NEGO_AUDIT_ENDED_ID, message);
  nego_audit_add (&record, "NEGOTIATOR_STATE", result->state);
  nego_audit_add (&record, "NEGOTIATOR_EXITCODE", result->exit_code >= 0 ? exit_code : NULL);
  nego_audit_add (&record, "NEGOTIATOR_SIGNAL", result->signal > 0 ? signal : NULL);
  nego_audit_add (&record, "NEGOTIATOR_REASON", result->reason);
  nego_audit_add (&record, "NEGOTIATOR_ELAPSED_NS", elapsed);
  g_log_structured_array (G_LOG_LEVEL_MESSAGE, record.fields, record.n);
}
