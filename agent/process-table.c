/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/process-table.h"

#include "common/error.h"
#include "common/names.h"

const NegoProcessLimits nego_process_limits_default = {
  .running = NEGO_PROCESSES_RUNNING,
  .ended = NEGO_PROCESSES_ENDED,
  .ended_bytes = NEGO_PROCESSES_ENDED_BYTES,
  .input_bytes = NEGO_PROCESSES_INPUT_BYTES,
  .stream_bytes = NEGO_PROCESS_STREAM_BYTES,
  .reply_bytes = NEGO_PROCESS_REPLY_BYTES,
};

struct NegoProcessTable {
  NegoProcessLimits limits;
  GHashTable *processes; /* pid → NegoProcess, owned */
  GQueue ended;          /* NegoProcess, oldest first */
  gsize ended_bytes;
  NegoDrain *drain;
};

NegoProcessTable *
nego_process_table_new (const NegoProcessLimits *limits)
{
  NegoProcessTable *table = g_new0 (NegoProcessTable, 1);

  table->limits = *limits;
  table->processes = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) nego_process_free);
  table->drain = nego_drain_new (NEGO_JOBS_DRAINED);
  return table;
}

void
nego_process_table_free (NegoProcessTable *table)
{
  if (table == NULL)
    return;
  g_queue_clear (&table->ended);
  g_hash_table_unref (table->processes);
  nego_drain_free (table->drain);
  g_free (table);
}

void
nego_process_table_set_reply_bytes (NegoProcessTable *table, gsize bytes)
{
  table->limits.reply_bytes = bytes;
}

/* The place of @process in the table. */
static gpointer
nego_process_table_get_key (const NegoProcess *process)
{
  return GINT_TO_POINTER (nego_process_get_pid (process));
}

static void
nego_process_table_count_out (NegoProcessTable *table, NegoProcess *process)
{
  if (nego_process_is_ended (process) && g_queue_remove (&table->ended, process))
    table->ended_bytes -= nego_process_count_output (process);
}

void
nego_process_table_forget (NegoProcessTable *table, NegoProcess *process)
{
  nego_process_table_count_out (table, process);
  g_hash_table_remove (table->processes, nego_process_table_get_key (process));
}

void
nego_process_table_take (NegoProcessTable *table, NegoProcess *process)
{
  nego_process_table_count_out (table, process);
  g_hash_table_steal (table->processes, nego_process_table_get_key (process));
}

static void
nego_process_table_on_ended (NegoProcess *process, gpointer user_data)
{
  NegoProcessTable *table = user_data;

  g_queue_push_tail (&table->ended, process);
  table->ended_bytes += nego_process_count_output (process);
  /* Never the last one, which is this: it fits the bytes alone, and it is in use. */
  while (table->ended.length > 1
         && (table->ended.length > table->limits.ended
             || table->ended_bytes > table->limits.ended_bytes))
    nego_process_table_forget (table, table->ended.head->data);
}

void
nego_process_table_put_back (NegoProcessTable *table, NegoProcess *process)
{
  if (g_hash_table_contains (table->processes, nego_process_table_get_key (process))) {
    nego_process_free (process);
    return;
  }
  g_hash_table_insert (table->processes, nego_process_table_get_key (process), process);
  nego_process_table_on_ended (process, table);
}

static gboolean
nego_process_table_has_room (NegoProcessTable *table, gsize input_len, GError **error)
{
  GHashTableIter iter;
  gpointer process;

  if (g_hash_table_size (table->processes) - table->ended.length >= table->limits.running) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY, "too many processes run (limit %u)",
                 table->limits.running);
    return FALSE;
  }
  g_hash_table_iter_init (&iter, table->processes);
  while (input_len > 0 && g_hash_table_iter_next (&iter, NULL, &process))
    input_len += nego_process_count_input (process);
  if (input_len > table->limits.input_bytes) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY,
                 "too much input waits for processes (limit %" G_GSIZE_FORMAT " bytes)",
                 table->limits.input_bytes);
    return FALSE;
  }
  return TRUE;
}

GPid
nego_process_table_start (NegoProcessTable *table, NegoProcessSpec *spec, GError **error)
{
  NegoProcess *process, *former;
  GPid pid;

  if (!nego_process_table_has_room (table, spec->input != NULL ? spec->input_len : 0, error)) {
    g_clear_pointer (&spec->input, g_free);
    return 0;
  }
  spec->max_bytes = MIN (table->limits.stream_bytes, table->limits.reply_bytes);
  process = nego_process_start (spec, table->drain, nego_process_table_on_ended, table, error);
  if (process == NULL)
    return 0;
  pid = nego_process_get_pid (process);
  /* The kernel gives a number again only when its process is reaped: so that one has ended, even if
   * its output goes on. */
  former = g_hash_table_lookup (table->processes, GINT_TO_POINTER (pid));
  if (former != NULL)
    nego_process_table_forget (table, former);
  g_hash_table_insert (table->processes, GINT_TO_POINTER (pid), process);
  return pid;
}

NegoProcess *
nego_process_table_find (NegoProcessTable *table, gint64 pid, GError **error)
{
  NegoProcess *process = NULL;

  if (pid > 0 && pid <= G_MAXINT)
    process = g_hash_table_lookup (table->processes, GINT_TO_POINTER ((int) pid));
  if (process == NULL)
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND, "PID %" G_GINT64_FORMAT " does not exist",
                 pid);
  return process;
}

static void
nego_process_table_cut (NegoCaptureView *view, gsize bytes)
{
  if (view->len <= bytes)
    return;
  view->len = bytes;
  view->truncated = TRUE;
}

void
nego_process_table_fit (const NegoProcessTable *table, NegoProcessResult *result)
{
  const gsize all = table->limits.reply_bytes;
  const gsize out = result->out.len, err = result->err.len;

  if (out + err <= all)
    return;
  nego_process_table_cut (&result->out, MAX (all / 2, all - MIN (err, all)));
  nego_process_table_cut (&result->err, all - MIN (result->out.len, all));
}
