/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/sweep.h"

/* Names of guests that are still waited for, in the progress line. */
#define NAMES_SHOWN 3u

struct NegoSweep {
  const GPtrArray *guests;
  NegoSweepFunc func;
  gpointer user_data;
  guint n_workers;
  GMutex lock; /* of what follows */
  NegoSweepState *states;
  guint next; /* the first guest that nobody works at */
  gboolean stopping;
};

typedef struct {
  NegoSweep *sweep;
  guint number;
} NegoSweepWorker;

NegoSweep *
nego_sweep_new (NegoFleet *fleet, guint parallel, NegoSweepFunc func, gpointer user_data)
{
  NegoSweep *sweep = g_new0 (NegoSweep, 1);

  sweep->guests = nego_fleet_get_guests (fleet);
  sweep->func = func;
  sweep->user_data = user_data;
  sweep->n_workers = MIN (parallel, sweep->guests->len);
  sweep->states = g_new0 (NegoSweepState, sweep->guests->len);
  g_mutex_init (&sweep->lock);
  return sweep;
}

void
nego_sweep_free (NegoSweep *sweep)
{
  g_mutex_clear (&sweep->lock);
  g_free (sweep->states);
  g_free (sweep);
}

/* The next guest that nobody works at; FALSE: there is none. */
static gboolean
nego_sweep_take (NegoSweep *sweep, guint *index)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&sweep->lock);

  if (sweep->stopping || sweep->next == sweep->guests->len)
    return FALSE;
  *index = sweep->next++;
  sweep->states[*index] = NEGO_SWEEP_RUNS;
  return TRUE;
}

static gpointer
nego_sweep_work (gpointer data)
{
  const NegoSweepWorker *worker = data;
  NegoSweep *sweep = worker->sweep;
  guint index;

  while (nego_sweep_take (sweep, &index)) {
    gboolean done
      = sweep->func (sweep->guests->pdata[index], index, worker->number, sweep->user_data);

    g_mutex_lock (&sweep->lock);
    sweep->states[index] = done ? NEGO_SWEEP_SUCCEEDED : NEGO_SWEEP_FAILED;
    g_mutex_unlock (&sweep->lock);
  }
  return NULL;
}

/* The calling thread is the first worker: there is one at least. */
void
nego_sweep_run (NegoSweep *sweep)
{
  g_autofree GThread **threads = g_new0 (GThread *, sweep->n_workers);
  g_autofree NegoSweepWorker *workers = g_new0 (NegoSweepWorker, sweep->n_workers);

  for (guint i = 0; i < sweep->n_workers; i++) {
    workers[i] = (NegoSweepWorker){ sweep, i };
    if (i > 0)
      threads[i] = g_thread_try_new ("guest", nego_sweep_work, &workers[i], NULL);
  }
  if (sweep->n_workers > 0)
    nego_sweep_work (&workers[0]);
  for (guint i = 1; i < sweep->n_workers; i++)
    if (threads[i] != NULL)
      g_thread_join (threads[i]);
}

void
nego_sweep_stop (NegoSweep *sweep)
{
  g_mutex_lock (&sweep->lock);
  sweep->stopping = TRUE;
  g_mutex_unlock (&sweep->lock);
}

/* Under the lock. */
static guint
nego_sweep_count_locked (const NegoSweep *sweep, NegoSweepState state)
{
  guint n = 0;

  for (guint i = 0; i < sweep->guests->len; i++)
    n += sweep->states[i] == state;
  return n;
}

guint
nego_sweep_count (NegoSweep *sweep, NegoSweepState state)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&sweep->lock);

  return nego_sweep_count_locked (sweep, state);
}

/* Appends the names of the guests in @state, at most @max. Under the lock. */
static void
nego_sweep_append_names (
  const NegoSweep *sweep, NegoSweepState state, guint max, const char *before, GString *out)
{
  guint shown = 0;

  for (guint i = 0; i < sweep->guests->len && shown <= max; i++) {
    if (sweep->states[i] != state)
      continue;
    g_string_append (out, shown == 0 ? before : ", ");
    g_string_append (out,
                     shown < max ? ((const NegoFleetGuest *) sweep->guests->pdata[i])->label : "…");
    shown++;
  }
}

void
nego_sweep_append_progress (NegoSweep *sweep, GString *out)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&sweep->lock);
  const guint failed = nego_sweep_count_locked (sweep, NEGO_SWEEP_FAILED);

  g_string_append_printf (out, "%u of %u guests done",
                          failed + nego_sweep_count_locked (sweep, NEGO_SWEEP_SUCCEEDED),
                          sweep->guests->len);
  if (failed > 0)
    g_string_append_printf (out, ", %u failed", failed);
  nego_sweep_append_names (sweep, NEGO_SWEEP_RUNS, NAMES_SHOWN, "; waiting for ", out);
}

void
nego_sweep_append_summary (NegoSweep *sweep, GString *out)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&sweep->lock);
  const guint waits = nego_sweep_count_locked (sweep, NEGO_SWEEP_WAITS);

  g_string_append_printf (out, "%u guests: %u succeeded, %u failed", sweep->guests->len,
                          nego_sweep_count_locked (sweep, NEGO_SWEEP_SUCCEEDED),
                          nego_sweep_count_locked (sweep, NEGO_SWEEP_FAILED));
  nego_sweep_append_names (sweep, NEGO_SWEEP_FAILED, G_MAXUINT - 1, ": ", out);
  if (waits > 0)
    g_string_append_printf (out, "; %u were not begun", waits);
}
