/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "common/offload.h"

/* What the threads work at, shared with the test. */
typedef struct {
  GMutex lock;
  GCond changed;
  gboolean is_open;
  int started, freed; /* atomic */
} Gate;

typedef struct {
  Gate *gate;
  int value;
  NegoOffloadHold *hold;
} Work;

typedef struct {
  GMainLoop *loop;
  int ended, late, value;
} Seen;

static void
gate_init (Gate *gate)
{
  *gate = (Gate){ 0 };
  g_mutex_init (&gate->lock);
  g_cond_init (&gate->changed);
}

static void
gate_open (Gate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->is_open = TRUE;
  g_cond_broadcast (&gate->changed);
  g_mutex_unlock (&gate->lock);
}

static void
pass (gpointer data)
{
  Work *work = data;

  g_atomic_int_inc (&work->gate->started);
  g_mutex_lock (&work->gate->lock);
  while (!work->gate->is_open)
    g_cond_wait (&work->gate->changed, &work->gate->lock);
  g_mutex_unlock (&work->gate->lock);
  work->value *= 2;
}

static void
work_free (gpointer data)
{
  Work *work = data;

  g_atomic_int_inc (&work->gate->freed);
  g_free (work);
}

static void
done_cb (gpointer data, gpointer user_data)
{
  const Work *work = data;
  Seen *seen = user_data;

  if (work == NULL)
    seen->late++;
  else
    seen->value = work->value;
  seen->ended++;
  if (seen->loop != NULL)
    g_main_loop_quit (seen->loop);
}

static Work *
work_new (Gate *gate, int value)
{
  Work *work = g_new0 (Work, 1);

  work->gate = gate;
  work->value = value;
  return work;
}

static void
wait_until_freed (Gate *gate, int n)
{
  const gint64 deadline = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;

  while (g_atomic_int_get (&gate->freed) < n) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    if (!g_main_context_iteration (NULL, FALSE))
      g_thread_yield ();
  }
}

static void
test_result (void)
{
  g_autoptr (NegoOffload) offload = nego_offload_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  Seen seen = { .loop = loop };
  Gate gate;

  gate_init (&gate);
  gate_open (&gate);
  g_assert_nonnull (nego_offload_run (offload, pass, work_new (&gate, 21), work_free, 10000,
                                      done_cb, &seen, &error));
  g_assert_no_error (error);
  g_main_loop_run (loop);
  g_assert_cmpint (seen.value, ==, 42);
  g_assert_cmpint (seen.late, ==, 0);
  wait_until_freed (&gate, 1);
}

/* The main loop goes on, is told once, and the thread's own end frees the data. */
static void
test_deadline (void)
{
  g_autoptr (NegoOffload) offload = nego_offload_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Seen seen = { .loop = loop };
  Gate gate;

  gate_init (&gate);
  nego_offload_run (offload, pass, work_new (&gate, 1), work_free, 20, done_cb, &seen, NULL);
  g_main_loop_run (loop);
  g_assert_cmpint (seen.late, ==, 1);
  g_assert_cmpint (gate.freed, ==, 0);
  gate_open (&gate);
  wait_until_freed (&gate, 1);
  g_assert_cmpint (seen.ended, ==, 1);
}

static void
test_cancel (void)
{
  g_autoptr (NegoOffload) offload = nego_offload_new ();
  NegoOffloadTask *task;
  Seen seen = { 0 };
  Gate gate;

  gate_init (&gate);
  task = nego_offload_run (offload, pass, work_new (&gate, 1), work_free, 0, done_cb, &seen, NULL);
  nego_offload_cancel (task);
  gate_open (&gate);
  wait_until_freed (&gate, 1);
  g_assert_cmpint (seen.ended, ==, 0);
}

/* Held threads hold up what comes behind them, which ends late; the queue is bounded. */
static void
test_limits (void)
{
  NegoOffload *offload = nego_offload_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  Seen held = { 0 }, late = { .loop = loop };
  const int all = NEGO_OFFLOAD_THREADS + NEGO_OFFLOAD_WAITING;
  Gate gate;
  int i;

  gate_init (&gate);
  for (i = 0; i < NEGO_OFFLOAD_THREADS; i++)
    nego_offload_run (offload, pass, work_new (&gate, 1), work_free, 0, done_cb, &held, NULL);
  while (g_atomic_int_get (&gate.started) < NEGO_OFFLOAD_THREADS)
    g_thread_yield ();
  for (; i < all; i++)
    g_assert_nonnull (nego_offload_run (offload, pass, work_new (&gate, 1), work_free,
                                        i + 1 == all ? 20 : 0, done_cb,
                                        i + 1 == all ? &late : &held, NULL));
  g_assert_null (
    nego_offload_run (offload, pass, work_new (&gate, 1), work_free, 0, done_cb, &held, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_BUSY);
  g_assert_cmpstr (error->message, ==, "too much work that blocks waits (limit 256)");
  g_assert_cmpint (gate.freed, ==, 1);
  g_main_loop_run (loop);
  g_assert_cmpint (late.late, ==, 1);
  /* Those that have not started never do. */
  nego_offload_free (offload);
  gate_open (&gate);
  wait_until_freed (&gate, all + 1);
  g_assert_cmpint (gate.started, ==, NEGO_OFFLOAD_THREADS);
  g_assert_cmpint (held.ended, ==, 0);
}

static void
pass_and_drop (gpointer data)
{
  Work *work = data;

  pass (work);
  nego_offload_drop (work->hold);
}

static gpointer
open_later (gpointer data)
{
  gate_open (data);
  return NULL;
}

/* What is pushed is done even if nobody wants it any more, and can be waited for. */
static void
test_push (void)
{
  NegoOffload *offload = nego_offload_new ();
  GThread *opener;
  Gate gate;

  gate_init (&gate);
  nego_offload_wait (offload, G_MAXUINT);
  for (guint i = 0; i < NEGO_OFFLOAD_THREADS + NEGO_OFFLOAD_WAITING + 1; i++) {
    Work *work = work_new (&gate, 1);

    work->hold = nego_offload_hold (offload);
    nego_offload_push (offload, pass_and_drop, work, work_free);
  }
  nego_offload_wait (offload, 1);
  g_assert_cmpint (g_atomic_int_get (&gate.freed), ==, 0);
  opener = g_thread_new ("opener", open_later, &gate);
  nego_offload_wait (offload, G_MAXUINT);
  g_thread_join (opener);
  wait_until_freed (&gate, NEGO_OFFLOAD_THREADS + NEGO_OFFLOAD_WAITING + 1);
  nego_offload_free (offload);
}

/* And freeing the engine cancels none of it. */
static void
test_push_and_free (void)
{
  NegoOffload *offload = nego_offload_new ();
  Gate gate;

  gate_init (&gate);
  for (guint i = 0; i < NEGO_OFFLOAD_THREADS + 1; i++)
    nego_offload_push (offload, pass, work_new (&gate, 1), work_free);
  nego_offload_free (offload);
  gate_open (&gate);
  wait_until_freed (&gate, NEGO_OFFLOAD_THREADS + 1);
  g_assert_cmpint (g_atomic_int_get (&gate.started), ==, NEGO_OFFLOAD_THREADS + 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/offload/result", test_result);
  g_test_add_func ("/offload/deadline", test_deadline);
  g_test_add_func ("/offload/cancel", test_cancel);
  g_test_add_func ("/offload/limits", test_limits);
  g_test_add_func ("/offload/push", test_push);
  g_test_add_func ("/offload/push-and-free", test_push_and_free);
  return g_test_run ();
}
