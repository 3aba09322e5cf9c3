/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "host-client/worker.h"

typedef struct {
  GMutex lock;
  GCond changed;
  gboolean may_end, is_freed;
  int n_calls;
} Work;

static gpointer
call (gpointer data, GError **error)
{
  Work *work = data;

  g_mutex_lock (&work->lock);
  work->n_calls++;
  while (!work->may_end)
    g_cond_wait (&work->changed, &work->lock);
  g_mutex_unlock (&work->lock);
  return g_strdup ("result");
}

static void
end (gpointer data)
{
  Work *work = data;

  g_mutex_lock (&work->lock);
  work->is_freed = TRUE;
  g_cond_signal (&work->changed);
  g_mutex_unlock (&work->lock);
}

/* Waits until the worker has let @work go. */
static void
wait_for_end (Work *work)
{
  g_mutex_lock (&work->lock);
  while (!work->is_freed)
    g_cond_wait (&work->changed, &work->lock);
  g_mutex_unlock (&work->lock);
}

static void
test_result (void)
{
  static Work work = { .may_end = TRUE };
  g_autoptr (GError) error = NULL;
  g_autofree char *result = nego_worker_run (call, &work, end, g_free, G_MAXINT64, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (result, ==, "result");
  g_assert_cmpint (work.n_calls, ==, 1);
  wait_for_end (&work);
}

/* One that does not end in time goes on alone. */
static void
test_deadline (void)
{
  static Work work; /* outlives the thread, whose end nobody waits for */
  g_autoptr (GError) error = NULL;

  g_assert_null (nego_worker_run (call, &work, end, g_free,
                                  g_get_monotonic_time () + G_USEC_PER_SEC / 10, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT);
  g_mutex_lock (&work.lock);
  work.may_end = TRUE;
  g_cond_signal (&work.changed);
  g_mutex_unlock (&work.lock);
  wait_for_end (&work);
}

/* What nobody would wait for is not begun. */
static void
test_too_late (void)
{
  static Work work = { .may_end = TRUE };
  g_autoptr (GError) error = NULL;

  g_assert_null (nego_worker_run (call, &work, end, g_free, g_get_monotonic_time (), &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT);
  g_assert_cmpstr (error->message, ==, "the time was over before libvirt could be asked");
  g_assert_cmpint (work.n_calls, ==, 0);
  wait_for_end (&work);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/result", test_result);
  g_test_add_func ("/worker/deadline", test_deadline);
  g_test_add_func ("/worker/too-late", test_too_late);
  return g_test_run ();
}
