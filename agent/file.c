/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/file.h"

#include "agent/file-io.h"
#include "common/error.h"
#include "common/names.h"

#include <unistd.h>

/* What is to become of an operation. */
enum {
  NEGO_FILE_GOES_ON,
  NEGO_FILE_COMMITTED,
  NEGO_FILE_GIVEN_UP,
};

struct NegoFile {
  gatomicrefcount ref_count;
  int busy;    /* atomic: an operation goes on, or its result was not taken yet */
  int outcome; /* atomic, one of the above */
  GMutex lock; /* of all below, except that a pending operation has the last two for itself */
  gboolean pending;
  NegoOffloadHold *released; /* to be closed, since nobody has it; or NULL */
  int fd;
  char *temporary;
};

typedef struct {
  NegoFile *file;
  NegoFileDoneFunc done;
  gpointer user_data;
  const char *what;
  guint wait_ms;
} NegoFileWaiter;

NegoFile *
nego_file_new (void)
{
  NegoFile *file = g_new0 (NegoFile, 1);

  g_atomic_ref_count_init (&file->ref_count);
  g_mutex_init (&file->lock);
  file->fd = -1;
  return file;
}

NegoFile *
nego_file_ref (NegoFile *file)
{
  g_atomic_ref_count_inc (&file->ref_count);
  return file;
}

void
nego_file_set_temporary (NegoFile *file, char *path)
{
  g_autofree char *old = file->temporary;

  file->temporary = path;
  if (old != NULL && path == NULL)
    unlink (old);
}

void
nego_file_keep (NegoFile *file)
{
  g_clear_pointer (&file->temporary, g_free);
}

const char *
nego_file_get_temporary (NegoFile *file)
{
  return file->temporary;
}

/* Unless an operation has it, whose end closes it. May block. */
static void
nego_file_close (NegoFile *file)
{
  g_autofree char *temporary = NULL;
  NegoOffloadHold *hold = NULL;
  int fd = -1;

  g_mutex_lock (&file->lock);
  if (!file->pending) {
    fd = nego_file_set_fd (file, -1);
    temporary = g_steal_pointer (&file->temporary);
    hold = g_steal_pointer (&file->released);
  }
  g_mutex_unlock (&file->lock);
  if (temporary != NULL)
    unlink (temporary);
  if (fd >= 0)
    close (fd);
  if (hold != NULL)
    nego_offload_drop (hold);
}

void
nego_file_unref (NegoFile *file)
{
  if (file == NULL || !g_atomic_ref_count_dec (&file->ref_count))
    return;
  nego_file_close (file);
  g_mutex_clear (&file->lock);
  g_free (file);
}

int
nego_file_set_fd (NegoFile *file, int fd)
{
  int old = file->fd;

  file->fd = fd;
  return old;
}

static void
nego_file_close_func (gpointer data)
{
  nego_file_close (data);
}

static void
nego_file_unref_data (gpointer data)
{
  nego_file_unref (data);
}

void
nego_file_release (NegoFile *file, NegoOffload *offload)
{
  gboolean pending, closed;

  g_mutex_lock (&file->lock);
  pending = file->pending;
  closed = !pending && file->fd < 0 && file->temporary == NULL;
  if (!closed)
    file->released = nego_offload_hold (offload);
  g_mutex_unlock (&file->lock);
  if (pending || closed)
    nego_file_unref (file);
  else
    nego_offload_push (offload, nego_file_close_func, file, nego_file_unref_data);
}

gboolean
nego_file_commit (NegoFile *file)
{
  return g_atomic_int_compare_and_exchange (&file->outcome, NEGO_FILE_GOES_ON, NEGO_FILE_COMMITTED);
}

void
nego_file_give_up (NegoFile *file)
{
  g_atomic_int_compare_and_exchange (&file->outcome, NEGO_FILE_GOES_ON, NEGO_FILE_GIVEN_UP);
}

/* @work will not touch the descriptor any more. */
static void
nego_file_work_pass (NegoFileWork *work)
{
  NegoFile *file = work->file;
  gboolean released;

  work->pending = FALSE;
  g_mutex_lock (&file->lock);
  file->pending = FALSE;
  released = file->released != NULL;
  g_mutex_unlock (&file->lock);
  if (released)
    nego_file_close (file);
}

/* The next operation may start. */
static void
nego_file_work_leave (NegoFileWork *work)
{
  NegoFile *file;

  if (work->file == NULL)
    return;
  /* It never came to a thread. */
  if (work->pending)
    nego_file_work_pass (work);
  file = g_steal_pointer (&work->file);
  g_mutex_lock (&file->lock);
  if (work->undo >= 0 && file->fd >= 0)
    lseek (file->fd, work->undo, SEEK_SET);
  g_mutex_unlock (&file->lock);
  g_atomic_int_set (&file->busy, FALSE);
  nego_file_unref (file);
}

void
nego_file_work_clear (NegoFileWork *work)
{
  nego_file_work_leave (work);
  g_clear_error (&work->error);
}

void
nego_file_work_end (NegoFileWork *work, gboolean taken)
{
  if (taken)
    work->undo = -1;
  nego_file_work_leave (work);
}

static void
nego_file_thread (gpointer data)
{
  NegoFileWork *work = data;

  work->func (work->file->fd, work, &work->error);
  nego_file_work_pass (work);
}

static void
nego_file_work_free (gpointer data)
{
  NegoFileWork *work = data;

  work->free_work (work);
}

static void
nego_file_done (gpointer data, gpointer user_data)
{
  g_autofree NegoFileWaiter *waiter = user_data;
  NegoFileWork *work = data;
  g_autoptr (NegoFile) file = waiter->file;
  g_autoptr (GError) late = NULL;

  if (work != NULL) {
    waiter->done (work, work->error, waiter->user_data);
    return;
  }
  nego_file_give_up (file);
  late = g_error_new (NEGO_ERROR, NEGO_ERROR_TIMEOUT, "%s: it took longer than %u s", waiter->what,
                      waiter->wait_ms / 1000);
  waiter->done (NULL, late, waiter->user_data);
}

gboolean
nego_file_read_now (NegoFile *file, guint8 *data, gsize len, gsize *count, gboolean *eof)
{
  return !g_atomic_int_get (&file->busy) && nego_file_io_read_now (file->fd, data, len, count, eof);
}

gboolean
nego_file_start (NegoFile *file,
                 NegoOffload *offload,
                 NegoFileWork *work,
                 NegoFileDoneFunc done,
                 gpointer user_data,
                 GError **error)
{
  g_autofree NegoFileWaiter *waiter = g_new0 (NegoFileWaiter, 1);

  if (g_atomic_int_get (&file->busy)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY, "%s: an earlier operation on it goes on",
                 work->what);
    work->free_work (work);
    return FALSE;
  }
  g_atomic_int_set (&file->busy, TRUE);
  g_atomic_int_set (&file->outcome, NEGO_FILE_GOES_ON);
  g_mutex_lock (&file->lock);
  file->pending = TRUE;
  g_mutex_unlock (&file->lock);
  work->file = nego_file_ref (file);
  work->undo = -1;
  work->pending = TRUE;
  waiter->done = done;
  waiter->user_data = user_data;
  waiter->what = work->what;
  waiter->wait_ms = work->wait_ms > 0 ? work->wait_ms : NEGO_FILE_WAIT_MS;
  if (nego_offload_run (offload, nego_file_thread, work, nego_file_work_free, waiter->wait_ms,
                        nego_file_done, waiter, error)
      == NULL)
    return FALSE;
  waiter->file = nego_file_ref (file);
  g_steal_pointer (&waiter);
  return TRUE;
}
