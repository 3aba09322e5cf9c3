/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/audit.h"

#include <string.h>

/* The fields of the last record, by their keys. */
static GHashTable *seen;

static GLogWriterOutput
take (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  g_assert_cmpint (level, ==, G_LOG_LEVEL_MESSAGE);
  g_hash_table_remove_all (seen);
  for (gsize i = 0; i < n_fields; i++)
    g_assert_true (
      g_hash_table_insert (seen, g_strdup (fields[i].key), g_strdup (fields[i].value)));
  return G_LOG_WRITER_HANDLED;
}

static void
assert_field (const char *key, const char *value)
{
  g_assert_cmpstr (g_hash_table_lookup (seen, key), ==, value);
}

static const NegoAuditRun run = {
  .job = "4f2a",
  .key = "k",
  .command = "restart-web",
  .arguments = "0123",
  .user = "www",
  .origin = "fd:3 (process 12, user 0)",
};

static void
test_started (void)
{
  NegoAuditRun plain = run;

  nego_audit_started (&run);
  assert_field ("MESSAGE",
                "job 4f2a: 'restart-web' is started as www for fd:3 (process 12, user 0) "
                "(arguments 0123)");
  assert_field ("MESSAGE_ID", NEGO_AUDIT_STARTED_ID);
  assert_field ("PRIORITY", "5");
  assert_field ("NEGOTIATOR_JOB", "4f2a");
  assert_field ("NEGOTIATOR_KEY", "k");
  assert_field ("NEGOTIATOR_COMMAND", "restart-web");
  assert_field ("NEGOTIATOR_ARGUMENTS_HASH", "0123");
  assert_field ("NEGOTIATOR_USER", "www");
  assert_field ("NEGOTIATOR_ORIGIN", "fd:3 (process 12, user 0)");
  assert_field ("NEGOTIATOR_STATE", NULL);
  plain.key = plain.user = NULL;
  nego_audit_started (&plain);
  assert_field ("MESSAGE", "job 4f2a: 'restart-web' is started for fd:3 (process 12, user 0) "
                           "(arguments 0123)");
  assert_field ("NEGOTIATOR_KEY", NULL);
  assert_field ("NEGOTIATOR_USER", NULL);
}

static void
test_ended (void)
{
  static const struct {
    NegoAuditResult result;
    const char *said, *exit_code, *signal;
  } rows[] = {
    { { "exited", 3, 0, NULL, 1500000000 }, "1.500 s: exited 3", "3", NULL },
    { { "exited", 0, 0, NULL, 0 }, "0.000 s: exited 0", "0", NULL },
    { { "signalled", -1, 9, NULL, 1000000 }, "0.001 s: signalled 9", NULL, "9" },
    { { "timed-out", -1, 15, NULL, 0 }, "0.000 s: timed-out 15", NULL, "15" },
    { { "cancelled", -1, 0, NULL, 0 }, "0.000 s: cancelled", NULL, NULL },
    { { "failed", -1, 0, "no such user", 0 }, "0.000 s: failed: no such user", NULL, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *message
      = g_strconcat ("job 4f2a: 'restart-web' has ended after ", rows[i].said, NULL);
    g_autofree char *elapsed = g_strdup_printf ("%" G_GINT64_FORMAT, rows[i].result.elapsed_ns);

    nego_audit_ended (&run, &rows[i].result);
    assert_field ("MESSAGE", message);
    assert_field ("MESSAGE_ID", NEGO_AUDIT_ENDED_ID);
    assert_field ("NEGOTIATOR_JOB", "4f2a");
    assert_field ("NEGOTIATOR_STATE", rows[i].result.state);
    assert_field ("NEGOTIATOR_EXITCODE", rows[i].exit_code);
    assert_field ("NEGOTIATOR_SIGNAL", rows[i].signal);
    assert_field ("NEGOTIATOR_REASON", rows[i].result.reason);
    assert_field ("NEGOTIATOR_ELAPSED_NS", elapsed);
  }
}

static void
test_hash (void)
{
  static const char *const lists[][4]
    = { { NULL }, { "" }, { "a" }, { "a", "b" }, { "ab" }, { "a", "b", "" }, { "b", "a" } };
  g_autoptr (NegoAudit) audit = nego_audit_new (), other = nego_audit_new ();
  g_autoptr (GHashTable) hashes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *none = nego_audit_hash (audit, NULL);
  g_autofree char *empty = nego_audit_hash (audit, lists[0]);

  g_assert_cmpstr (none, ==, empty);
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++) {
    char *hash = nego_audit_hash (audit, lists[i]);
    g_autofree char *again = nego_audit_hash (audit, lists[i]);
    g_autofree char *elsewhere = nego_audit_hash (other, lists[i]);

    g_assert_cmpuint (strlen (hash), ==, 32);
    g_assert_cmpstr (hash, ==, again);
    g_assert_cmpstr (hash, !=, elsewhere);
    g_assert_true (g_hash_table_add (hashes, hash));
  }
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_log_set_writer_func (take, NULL, NULL);
  g_test_add_func ("/audit/started", test_started);
  g_test_add_func ("/audit/ended", test_ended);
  g_test_add_func ("/audit/hash", test_hash);
  status = g_test_run ();
  g_hash_table_unref (seen);
  return status;
}
