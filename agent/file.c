/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/file.h"

#include "agent/file-io.h"
#include "common/error.h"
#include "common/names.h"

#include <unistd.h>

struct NegoFile {
  gatomicrefcount ref_count;
  int busy; /* atomic: an operation has the descriptor */
  /* Of the operation that goes on; between them the main context's. */
  int fd;
  char *temporary;
};

typedef struct {
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

void
nego_file_unref (NegoFile *file)
{
  if (file == NULL || !g_atomic_ref_count_dec (&file->ref_count))
    return;
  if (file->fd >= 0)
    close (file->fd);
  nego_file_set_temporary (file, NULL);
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
  NegoFile *file = data;

  /* Else an operation goes on, whose end closes it. */
  if (!g_atomic_ref_count_compare (&file->ref_count, 1) || file->fd < 0)
    return;
  close (nego_file_set_fd (file, -1));
  nego_file_set_temporary (file, NULL);
}

static void
nego_file_close_done (gpointer data, gpointer user_data)
{
}

static void
nego_file_unref_data (gpointer data)
{
  nego_file_unref (data);
}

void
nego_file_release (NegoFile *file, NegoOffload *offload)
{
  g_autoptr (GError) error = NULL;

  if (nego_offload_run (offload, nego_file_close_func, file, nego_file_unref_data, 0,
                        nego_file_close_done, NULL, &error)
      == NULL)
    g_debug ("a file was closed in the main loop: %s", error->message);
}

/* The next operation may start. */
static void
nego_file_work_leave (NegoFileWork *work)
{
  NegoFile *file = g_steal_pointer (&work->file);

  if (file == NULL)
    return;
  if (work->undo >= 0)
    lseek (file->fd, work->undo, SEEK_SET);
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
  g_autoptr (GError) late = NULL;

  if (work != NULL) {
    waiter->done (work, work->error, waiter->user_data);
    return;
  }
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
  work->file = nego_file_ref (file);
  work->undo = -1;
  waiter->done = done;
  waiter->user_data = user_data;
  waiter->what = work->what;
  waiter->wait_ms = work->wait_ms > 0 ? work->wait_ms : NEGO_FILE_WAIT_MS;
  if (nego_offload_run (offload, nego_file_thread, work, nego_file_work_free, waiter->wait_ms,
                        nego_file_done, waiter, error)
      == NULL)
    return FALSE;
  g_steal_pointer (&waiter);
  return TRUE;
}
