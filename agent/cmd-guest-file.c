/* SPDX-License-Identifier: MIT */
/*
 * guest-file-open, -close, -write, -seek and -flush; guest-file-read is in cmd-guest-file-read.c.
 */
#include "config.h"

#include "agent/agent.h"
#include "agent/file-call.h"
#include "agent/file-io.h"
#include "agent/file-table.h"
#include "agent/handlers.h"
#include "common/base64.h"
#include "common/error.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  NegoFileWork work;
  char *path, *mode;
} NegoCmdOpen;

static void
nego_cmd_open_free (gpointer data)
{
  NegoCmdOpen *self = data;

  nego_file_work_clear (&self->work);
  g_free (self->path);
  g_free (self->mode);
  g_free (self);
}

static gboolean
nego_cmd_open_func (int fd, NegoFileWork *work, GError **error)
{
  const NegoCmdOpen *self = (const NegoCmdOpen *) work;

  fd = nego_file_io_open (self->path, self->mode, error);
  nego_file_set_fd (work->file, fd);
  return fd >= 0;
}

static void
nego_cmd_opened (NegoCall *call, gint64 handle, NegoFileWork *work)
{
  qapi_guest_file_open_return (call, handle);
}

void
nego_cmd_guest_file_open (NegoCall *call, const QapiGuestFileOpenArgs *args)
{
  const char *mode = args->mode != NULL ? args->mode : "r";
  NegoCmdOpen *self;
  GError *error = NULL;

  if (!nego_file_io_check_mode (mode, &error)) {
    nego_call_fail (call, error);
    return;
  }
  self = g_new0 (NegoCmdOpen, 1);
  self->work.func = nego_cmd_open_func;
  self->work.free_work = nego_cmd_open_free;
  self->work.what = "failed to open file";
  self->path = g_strdup (args->path);
  self->mode = g_strdup (mode);
  nego_file_call_open (call, &self->work, nego_cmd_opened);
}

static void
nego_cmd_plain_free (gpointer data)
{
  nego_file_work_clear (data);
  g_free (data);
}

static gboolean
nego_cmd_close_func (int fd, NegoFileWork *work, GError **error)
{
  nego_file_set_temporary (work->file, NULL);
  fd = nego_file_set_fd (work->file, -1);
  /* Linux closes whatever close() says. */
  return close (fd) == 0 || errno == EINTR
         || nego_error_set_errno (error, errno, "failed to close handle");
}

static void
nego_cmd_close_done (NegoFileWork *work, const GError *error, gpointer user_data)
{
  g_autoptr (NegoCall) call = user_data;

  if (work != NULL)
    nego_file_work_end (work, TRUE);
  if (error != NULL)
    nego_call_fail (call, g_error_copy (error));
  else
    qapi_guest_file_close_return (call);
}

void
nego_cmd_guest_file_close (NegoCall *call, const QapiGuestFileCloseArgs *args)
{
  NegoAgent *agent = nego_agent_of (call);
  GError *error = NULL;
  NegoFile *file
    = nego_file_table_steal (agent->files, nego_call_get_owner (call), args->handle, &error);
  NegoFileWork *work;

  if (file == NULL) {
    nego_call_fail (call, error);
    return;
  }
  work = g_new0 (NegoFileWork, 1);
  work->func = nego_cmd_close_func;
  work->free_work = nego_cmd_plain_free;
  work->what = "failed to close handle";
  /* Where it cannot start, the operation that goes on closes it. */
  if (!nego_file_call_run (call, file, work, nego_cmd_close_done))
    nego_file_give_up (file);
  nego_file_release (file, agent->offload);
}

typedef struct {
  NegoFileWork work;
  char *text; /* base64, decoded in place */
  gboolean has_count;
  gint64 count;
  gsize written;
} NegoCmdWrite;

static void
nego_cmd_write_free (gpointer data)
{
  NegoCmdWrite *self = data;

  nego_file_work_clear (&self->work);
  g_free (self->text);
  g_free (self);
}

static gboolean
nego_cmd_write_func (int fd, NegoFileWork *work, GError **error)
{
  NegoCmdWrite *self = (NegoCmdWrite *) work;
  guint8 *data = (guint8 *) self->text;
  gsize len;

  /* In place: three bytes never reach beyond the four characters that they came of. */
  if (!nego_base64_decode_to (self->text, strlen (self->text), data, &len, error))
    return FALSE;
  if (self->has_count && (self->count < 0 || (guint64) self->count > len)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                 "value '%" G_GINT64_FORMAT "' is invalid for argument count", self->count);
    return FALSE;
  }
  if (self->has_count)
    len = (gsize) self->count;
  return nego_file_io_write (fd, data, len, &self->written, error);
}

static void
nego_cmd_write_done (NegoFileWork *work, const GError *error, gpointer user_data)
{
  g_autoptr (NegoCall) call = user_data;
  QapiGuestFileWrite ret = { 0 };

  if (work != NULL) {
    ret.count = (gint64) ((NegoCmdWrite *) work)->written;
    nego_file_work_end (work, TRUE);
  }
  if (error != NULL)
    nego_call_fail (call, g_error_copy (error));
  else
    qapi_guest_file_write_return (call, &ret);
}

void
nego_cmd_guest_file_write (NegoCall *call, const QapiGuestFileWriteArgs *args)
{
  NegoCmdWrite *self = g_new0 (NegoCmdWrite, 1);

  self->work.func = nego_cmd_write_func;
  self->work.free_work = nego_cmd_write_free;
  self->work.what = "failed to write to file";
  self->text = nego_call_take_bulk (call, "buf-b64");
  if (self->text == NULL)
    self->text = g_strdup (args->buf_b64);
  self->has_count = args->has_count;
  self->count = args->count;
  nego_file_call_start (call, args->handle, &self->work, nego_cmd_write_done);
}

typedef struct {
  NegoFileWork work;
  gint64 offset, position;
  int whence;
} NegoCmdSeek;

static gboolean
nego_cmd_seek_func (int fd, NegoFileWork *work, GError **error)
{
  NegoCmdSeek *self = (NegoCmdSeek *) work;

  return nego_file_io_seek (fd, self->offset, self->whence, &self->position, error);
}

static void
nego_cmd_seek_done (NegoFileWork *work, const GError *error, gpointer user_data)
{
  g_autoptr (NegoCall) call = user_data;
  QapiGuestFileSeek ret = { 0 };

  if (work != NULL) {
    ret.position = ((NegoCmdSeek *) work)->position;
    nego_file_work_end (work, TRUE);
  }
  if (error != NULL)
    nego_call_fail (call, g_error_copy (error));
  else
    qapi_guest_file_seek_return (call, &ret);
}

/* SEEK_SET, SEEK_CUR and SEEK_END are 0, 1 and 2, as the schema's names in their order. */
static gboolean
nego_cmd_get_whence (const QapiGuestFileWhence *whence, int *ret, GError **error)
{
  if (whence->kind == QAPI_GUEST_FILE_WHENCE_KIND_NAME) {
    *ret = (int) whence->u.name;
    return TRUE;
  }
  if (whence->u.value >= SEEK_SET && whence->u.value <= SEEK_END) {
    *ret = (int) whence->u.value;
    return TRUE;
  }
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "invalid whence code %" G_GINT64_FORMAT,
               whence->u.value);
  return FALSE;
}

void
nego_cmd_guest_file_seek (NegoCall *call, const QapiGuestFileSeekArgs *args)
{
  NegoCmdSeek *self;
  GError *error = NULL;
  int whence;

  if (!nego_cmd_get_whence (args->whence, &whence, &error)) {
    nego_call_fail (call, error);
    return;
  }
  self = g_new0 (NegoCmdSeek, 1);
  self->work.func = nego_cmd_seek_func;
  self->work.free_work = nego_cmd_plain_free;
  self->work.what = "failed to seek file";
  self->offset = args->offset;
  self->whence = whence;
  nego_file_call_start (call, args->handle, &self->work, nego_cmd_seek_done);
}

gboolean
nego_cmd_guest_file_flush (NegoCall *call, const QapiGuestFileFlushArgs *args, GError **error)
{
  return nego_file_table_find (nego_agent_of (call)->files, nego_call_get_owner (call),
                               args->handle, error)
         != NULL;
}
