/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/trim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct NegoTrim {
  NegoOffload *offload;
  NegoTrimFunc func;
  GPtrArray *paths;
  guint next;
  guint64 minimum;
  GPtrArray *results;
  NegoOffloadTask *task;
  NegoTrimDoneFunc done;
  gpointer user_data;
  GDestroyNotify free_data;
};

/* One file system, for the thread. */
typedef struct {
  NegoTrimFunc func;
  char *path;
  guint64 trimmed, minimum;
  int open_errno, errnum;
} NegoTrimWork;

int
nego_trim_real (const char *path, int fd, guint64 *trimmed, guint64 *minimum)
{
  struct fstrim_range range = { .start = 0, .len = G_MAXUINT64, .minlen = *minimum };

  if (ioctl (fd, FITRIM, &range) < 0)
    return errno;
  *trimmed = range.len;
  *minimum = range.minlen;
  return 0;
}

static void
nego_trim_thread (gpointer data)
{
  NegoTrimWork *work = data;
  /* As for freezing: a file can be a mount point. */
  int fd = open (work->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

  if (fd < 0) {
    work->open_errno = errno;
    return;
  }
  work->errnum = work->func (work->path, fd, &work->trimmed, &work->minimum);
  close (fd);
}

static void
nego_trim_work_free (gpointer data)
{
  NegoTrimWork *work = data;

  g_free (work->path);
  g_free (work);
}

static QapiGuestFilesystemTrimResult *
nego_trim_new_result (const NegoTrimWork *work)
{
  QapiGuestFilesystemTrimResult *result = qapi_guest_filesystem_trim_result_new ();

  result->path = g_strdup (work->path);
  if (work->open_errno != 0) {
    result->error = g_strdup_printf ("failed to open: %s", g_strerror (work->open_errno));
  } else if (work->errnum == ENOTTY || work->errnum == EOPNOTSUPP) {
    result->error = g_strdup ("trim not supported");
  } else if (work->errnum != 0) {
    result->error = g_strdup_printf ("failed to trim: %s", g_strerror (work->errnum));
  } else {
    result->has_trimmed = result->has_minimum = TRUE;
    result->trimmed = (gint64) work->trimmed;
    result->minimum = (gint64) work->minimum;
  }
  return result;
}

static void
nego_trim_work_done_cb (gpointer data, gpointer user_data)
{
  NegoTrim *trim = user_data;

  trim->task = NULL;
  g_ptr_array_add (trim->results, nego_trim_new_result (data));
  nego_trim_start (trim);
}

NegoTrim *
nego_trim_new (NegoOffload *offload,
               NegoTrimFunc func,
               GPtrArray *paths,
               guint64 minimum,
               NegoTrimDoneFunc done,
               gpointer user_data,
               GDestroyNotify free_data)
{
  NegoTrim *trim = g_new0 (NegoTrim, 1);

  trim->offload = offload;
  trim->func = func;
  trim->minimum = minimum;
  trim->done = done;
  trim->user_data = user_data;
  trim->free_data = free_data;
  trim->paths = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < paths->len; i++)
    g_ptr_array_add (trim->paths, g_strdup (paths->pdata[i]));
  trim->results
    = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_guest_filesystem_trim_result_free);
  return trim;
}

void
nego_trim_start (NegoTrim *trim)
{
  while (trim->next < trim->paths->len) {
    NegoTrimWork *work = g_new0 (NegoTrimWork, 1);
    NegoTrimWork busy
      = { .path = trim->paths->pdata[trim->next++], .minimum = trim->minimum, .errnum = EBUSY };

    work->func = trim->func;
    work->path = g_strdup (busy.path);
    work->minimum = trim->minimum;
    trim->task = nego_offload_run (trim->offload, nego_trim_thread, work, nego_trim_work_free, 0,
                                   nego_trim_work_done_cb, trim, NULL);
    if (trim->task != NULL)
      return;
    g_ptr_array_add (trim->results, nego_trim_new_result (&busy));
  }
  trim->done (trim->results, trim->user_data);
}

void
nego_trim_free (NegoTrim *trim)
{
  if (trim == NULL)
    return;
  if (trim->task != NULL)
    nego_offload_cancel (trim->task);
  trim->free_data (trim->user_data);
  g_ptr_array_unref (trim->paths);
  g_ptr_array_unref (trim->results);
  g_free (trim);
}
