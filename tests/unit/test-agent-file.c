/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/file.h"
#include "common/error.h"
#include "common/names.h"

#include <glib/gstdio.h>

#include <fcntl.h>
#include <unistd.h>

/* What an operation does, shared with the test. */
typedef struct {
  GMutex lock;
  GCond changed;
  gboolean is_open;
} Gate;

typedef struct {
  NegoFileWork work;
  Gate *gate; /* NULL: it does not wait */
  gboolean fail;
  int *committed;  /* atomic: what nego_file_commit() says; or NULL */
  char *temporary; /* the file's name from now on; or NULL */
} Work;

typedef struct {
  guint done, failed;
  gboolean taken;
} Seen;

static void
open_gate (Gate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->is_open = TRUE;
  g_cond_broadcast (&gate->changed);
  g_mutex_unlock (&gate->lock);
}

static void
work_free (gpointer data)
{
  nego_file_work_clear (data);
  g_free (data);
}

/* Reads three bytes. */
static gboolean
work_func (int fd, NegoFileWork *work, GError **error)
{
  Work *self = (Work *) work;
  char data[3];

  if (self->gate != NULL) {
    g_mutex_lock (&self->gate->lock);
    while (!self->gate->is_open)
      g_cond_wait (&self->gate->changed, &self->gate->lock);
    g_mutex_unlock (&self->gate->lock);
  }
  if (self->temporary != NULL)
    nego_file_set_temporary (work->file, g_steal_pointer (&self->temporary));
  if (self->committed != NULL)
    g_atomic_int_set (self->committed, nego_file_commit (work->file));
  if (self->fail)
    return nego_error_set_errno (error, EIO, "failed to read file");
  g_assert_cmpint (read (fd, data, sizeof data), ==, sizeof data);
  work->undo = 0;
  return TRUE;
}

static void
work_done (NegoFileWork *work, const GError *error, gpointer user_data)
{
  Seen *seen = user_data;

  nego_file_work_end (work, seen->taken);
  seen->done++;
  seen->failed += error != NULL;
}

static NegoFileWork *
work_new (Gate *gate, gboolean fail)
{
  Work *self = g_new0 (Work, 1);

  self->work.func = work_func;
  self->work.free_work = work_free;
  self->work.what = "failed to read file";
  self->gate = gate;
  self->fail = fail;
  return &self->work;
}

static NegoFile *
file_new (int *fd)
{
  NegoFile *file = nego_file_new ();
  g_autofree char *path = NULL;

  *fd = g_file_open_tmp ("nego-file-XXXXXX", &path, NULL);
  g_assert_cmpint (*fd, >=, 0);
  g_unlink (path);
  g_assert_cmpint (write (*fd, "abcdef", 6), ==, 6);
  g_assert_cmpint (lseek (*fd, 0, SEEK_SET), ==, 0);
  g_assert_cmpint (nego_file_set_fd (file, *fd), ==, -1);
  return file;
}

static void
run (NegoFile *file, NegoOffload *offload, NegoFileWork *work, Seen *seen)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (nego_file_start (file, offload, work, work_done, seen, &error));
  g_assert_no_error (error);
}

static void
await (const Seen *seen, guint done)
{
  while (seen->done < done)
    g_main_context_iteration (NULL, TRUE);
}

/* A result that nobody took: the next read begins where it did. */
static void
test_undo (void)
{
  g_autoptr (NegoOffload) offload = nego_offload_new ();
  Seen seen = { 0 };
  int fd;
  NegoFile *file = file_new (&fd);

  run (file, offload, work_new (NULL, FALSE), &seen);
  await (&seen, 1);
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 0);
  seen.taken = TRUE;
  run (file, offload, work_new (NULL, FALSE), &seen);
  await (&seen, 2);
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 3);
  run (file, offload, work_new (NULL, TRUE), &seen);
  await (&seen, 3);
  g_assert_cmpuint (seen.failed, ==, 1);
  nego_file_unref (file);
}

static void
test_busy (void)
{
  g_autoptr (NegoOffload) offload = nego_offload_new ();
  g_autoptr (GError) error = NULL;
  Gate gate = { 0 };
  Seen seen = { .taken = TRUE };
  int fd;
  NegoFile *file = file_new (&fd);

  g_mutex_init (&gate.lock);
  g_cond_init (&gate.changed);
  run (file, offload, work_new (&gate, FALSE), &seen);
  g_assert_false (
    nego_file_start (file, offload, work_new (NULL, FALSE), work_done, &seen, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_BUSY);
  g_assert_cmpstr (error->message, ==, "failed to read file: an earlier operation on it goes on");
  open_gate (&gate);
  await (&seen, 1);
  run (file, offload, work_new (NULL, FALSE), &seen);
  await (&seen, 2);
  nego_file_unref (file);
  g_mutex_clear (&gate.lock);
  g_cond_clear (&gate.changed);
}

/* What the kernel has at hand is read at once; of the rest nothing is read. */
static void
test_now (void)
{
  g_autoptr (NegoFile) pipe_file = nego_file_new ();
  g_autoptr (NegoFile) file = NULL;
  guint8 data[8];
  gboolean eof;
  gsize count;
  int fd, fds[2];

  g_assert_no_errno (pipe2 (fds, O_CLOEXEC | O_NONBLOCK));
  nego_file_set_fd (pipe_file, fds[0]);
  g_assert_false (nego_file_read_now (pipe_file, data, sizeof data, &count, &eof));
  g_assert_cmpint (write (fds[1], "abc", 3), ==, 3);
  g_assert_true (nego_file_read_now (pipe_file, data, sizeof data, &count, &eof));
  g_assert_cmpmem (data, count, "abc", 3);
  g_assert_false (eof);
  close (fds[1]);
  g_assert_true (nego_file_read_now (pipe_file, data, sizeof data, &count, &eof));
  g_assert_cmpuint (count, ==, 0);
  g_assert_true (eof);
  file = file_new (&fd);
  if (!nego_file_read_now (file, data, 3, &count, &eof)) {
    g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 0);
    g_test_skip ("this file system cannot say whether a read would wait");
    return;
  }
  g_assert_cmpmem (data, count, "abc", 3);
  g_assert_false (eof);
  g_assert_true (nego_file_read_now (file, data, sizeof data, &count, &eof));
  g_assert_cmpmem (data, count, "def", 3);
  g_assert_true (eof);
}

static void
late_done (NegoFileWork *work, const GError *error, gpointer user_data)
{
  Seen *seen = user_data;

  g_assert_null (work);
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT);
  g_assert_cmpstr (error->message, ==, "failed to read file: it took longer than 1 s");
  seen->done++;
}

/* What takes too long is told, and the file is busy until it ends. */
static void
test_deadline (void)
{
  g_autoptr (NegoOffload) offload = nego_offload_new ();
  g_autoptr (NegoFile) file = NULL;
  g_autoptr (GError) error = NULL;
  NegoFileWork *work;
  Gate gate = { 0 };
  Seen late = { 0 }, next = { .taken = TRUE };
  gsize count;
  gboolean eof;
  guint8 data[3];
  int fd;

  file = file_new (&fd);
  g_mutex_init (&gate.lock);
  g_cond_init (&gate.changed);
  work = work_new (&gate, FALSE);
  work->wait_ms = 1000;
  g_assert_true (nego_file_start (file, offload, work, late_done, &late, &error));
  await (&late, 1);
  g_assert_false (
    nego_file_start (file, offload, work_new (NULL, FALSE), work_done, &next, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_BUSY);
  g_clear_error (&error);
  g_assert_false (nego_file_read_now (file, data, sizeof data, &count, &eof));
  open_gate (&gate);
  /* Its end is seen by the main loop, which tells nobody. */
  while (!nego_file_start (file, offload, work_new (NULL, FALSE), work_done, &next, NULL))
    g_main_context_iteration (NULL, TRUE);
  await (&next, 1);
  /* The late one's bytes count as not read. */
  g_assert_cmpuint (next.failed, ==, 0);
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 3);
  g_mutex_clear (&gate.lock);
  g_cond_clear (&gate.changed);
}

/* The end of an operation closes what was released meanwhile. */
static void
test_release (void)
{
  g_autoptr (NegoOffload) offload = nego_offload_new ();
  Seen seen = { .taken = TRUE };
  int fd, pipe_fds[2];
  char byte;
  NegoFile *file = nego_file_new ();

  g_assert_cmpint (pipe2 (pipe_fds, O_CLOEXEC), ==, 0);
  nego_file_set_fd (file, pipe_fds[1]);
  nego_file_release (file, offload);
  /* Its end is the pipe's. */
  g_assert_cmpint (read (pipe_fds[0], &byte, 1), ==, 0);
  close (pipe_fds[0]);

  file = file_new (&fd);
  run (file, offload, work_new (NULL, FALSE), &seen);
  nego_file_release (file, offload);
  await (&seen, 1);
  nego_offload_wait (offload, G_MAXUINT);
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, -1);
}

/* A client that leaves in the middle of an operation: its thread closes the file and removes it,
 * and the main loop, which does not run here, has nothing to do with that. */
static void
test_release_meanwhile (void)
{
  NegoOffload *offload = nego_offload_new ();
  g_autofree char *path = NULL;
  NegoFile *file;
  NegoFileWork *work;
  Gate gate = { 0 };
  Seen seen = { .taken = TRUE };
  int fd;

  g_mutex_init (&gate.lock);
  g_cond_init (&gate.changed);
  close (g_file_open_tmp ("nego-file-XXXXXX", &path, NULL));
  file = file_new (&fd);
  work = work_new (&gate, FALSE);
  ((Work *) work)->temporary = g_strdup (path);
  run (file, offload, work, &seen);
  nego_file_release (file, offload);
  g_assert_cmpint (fcntl (fd, F_GETFD), !=, -1);
  open_gate (&gate);
  nego_offload_wait (offload, G_MAXUINT);
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, -1);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  await (&seen, 1);
  nego_offload_free (offload);
}

/* One that waits for a thread: it is closed behind it. */
static void
test_release_waiting (void)
{
  NegoOffload *offload = nego_offload_new ();
  NegoFile *files[NEGO_OFFLOAD_THREADS + 1];
  Gate gate = { 0 };
  Seen seen = { .taken = TRUE };
  int fd;

  g_mutex_init (&gate.lock);
  g_cond_init (&gate.changed);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    files[i] = file_new (&fd);
    run (files[i], offload, work_new (&gate, FALSE), &seen);
  }
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    nego_file_release (files[i], offload);
  open_gate (&gate);
  nego_offload_wait (offload, G_MAXUINT);
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, -1);
  await (&seen, G_N_ELEMENTS (files));
  nego_offload_free (offload);
}

/* After the deadline, or after nobody wants it any more, it is too late to commit. */
static void
test_commit (void)
{
  g_autoptr (NegoOffload) offload = nego_offload_new ();

  for (guint i = 0; i < 3; i++) {
    Gate gate = { 0 };
    Seen seen = { .taken = TRUE };
    int committed = -1, fd;
    NegoFile *file = file_new (&fd);
    NegoFileWork *work = work_new (&gate, FALSE);

    g_mutex_init (&gate.lock);
    g_cond_init (&gate.changed);
    ((Work *) work)->committed = &committed;
    work->wait_ms = i == 1 ? 1000 : 0;
    g_assert_true (
      nego_file_start (file, offload, work, i == 1 ? late_done : work_done, &seen, NULL));
    if (i == 1)
      await (&seen, 1);
    if (i == 2)
      nego_file_give_up (file);
    /* It had not come to a thread: then it never does. */
    nego_file_release (file, offload);
    open_gate (&gate);
    nego_offload_wait (offload, G_MAXUINT);
    await (&seen, 1);
    g_assert_true ((g_atomic_int_get (&committed) == TRUE) == (i == 0));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent-file/undo", test_undo);
  g_test_add_func ("/agent-file/busy", test_busy);
  g_test_add_func ("/agent-file/now", test_now);
  g_test_add_func ("/agent-file/deadline", test_deadline);
  g_test_add_func ("/agent-file/release", test_release);
  g_test_add_func ("/agent-file/release-meanwhile", test_release_meanwhile);
  g_test_add_func ("/agent-file/release-waiting", test_release_waiting);
  g_test_add_func ("/agent-file/commit", test_commit);
  return g_test_run ();
}
