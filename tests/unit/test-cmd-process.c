/* SPDX-License-Identifier: MIT */
/* guest-exec-status while there is too much other work. What else it does is tested with the whole
 * agent (tests/qtest-like/test-process.c). */
#include "config.h"

#include "common/names.h"
#include "tests/helpers/agent-fixture.h"

#include <string.h>

/* Work that waits until the test lets it go. */
static struct {
  GMutex lock;
  GCond changed;
  guint waiting;
  gboolean is_open;
} gate;

static void
wait_at_gate (gpointer data)
{
  g_mutex_lock (&gate.lock);
  gate.waiting++;
  g_cond_broadcast (&gate.changed);
  while (!gate.is_open)
    g_cond_wait (&gate.changed, &gate.lock);
  g_mutex_unlock (&gate.lock);
}

static void
passed_cb (gpointer data, gpointer user_data)
{
  guint *left = user_data;

  (*left)--;
}

/* Fills all threads, then all places behind them. Returns how much work that is. */
static guint
fill (NegoOffload *offload, guint *left)
{
  guint n = 0;

  gate.waiting = 0;
  gate.is_open = FALSE;
  for (; n < NEGO_OFFLOAD_THREADS; n++)
    g_assert_nonnull (
      nego_offload_run (offload, wait_at_gate, NULL, NULL, 0, passed_cb, left, NULL));
  g_mutex_lock (&gate.lock);
  while (gate.waiting < NEGO_OFFLOAD_THREADS)
    g_cond_wait (&gate.changed, &gate.lock);
  g_mutex_unlock (&gate.lock);
  while (nego_offload_run (offload, wait_at_gate, NULL, NULL, 0, passed_cb, left, NULL) != NULL)
    n++;
  return n;
}

static void
let_go (const guint *left)
{
  g_mutex_lock (&gate.lock);
  gate.is_open = TRUE;
  g_cond_broadcast (&gate.changed);
  g_mutex_unlock (&gate.lock);
  while (*left > 0)
    g_main_context_iteration (NULL, TRUE);
}

/* A result that cannot be written now is not lost. */
static void
test_refused (AgentFixture *fixture, gconstpointer data)
{
  g_autofree char *exec = NULL, *arguments = NULL, *out = NULL;
  g_autoptr (JsonNode) started = NULL;
  const gsize len = NEGO_PROCESS_INLINE_BYTES + 1;
  NegoProcess *process;
  guint left = 0;
  gint64 pid;

  if (fixture->dir == NULL)
    return;
  exec = g_strdup_printf ("{'path':'head','arg':['-c','%" G_GSIZE_FORMAT "','/dev/zero'],"
                          "'capture-output':true}",
                          len);
  started = agent_fixture_ask (fixture, "guest-exec", exec);
  pid = json_object_get_int_member (agent_fixture_returned (started), "pid");
  process = nego_process_table_find (fixture->agent->processes, pid, NULL);
  while (!nego_process_is_ended (process))
    g_main_context_iteration (NULL, TRUE);

  left = fill (fixture->agent->offload, &left);
  arguments = g_strdup_printf ("{'pid':%" G_GINT64_FORMAT "}", pid);
  agent_fixture_assert_error (fixture, "guest-exec-status", arguments,
                              "too much work that blocks waits (limit 256)");
  let_go (&left);
  agent_fixture_tell (fixture, "{'execute':'guest-exec-status','arguments':");
  agent_fixture_tell (fixture, arguments);
  agent_fixture_tell (fixture, "}\n");
  out = agent_fixture_hear (fixture);
  g_assert_nonnull (strstr (out, "\"exitcode\": 0, \"out-data\": \"AAAA"));
  g_assert_cmpuint (strlen (out), >, len / 3 * 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/cmd-process/refused", AgentFixture, NULL, agent_fixture_set_up, test_refused,
              agent_fixture_tear_down);
  return g_test_run ();
}
