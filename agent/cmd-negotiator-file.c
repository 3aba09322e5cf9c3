/* SPDX-License-Identifier: MIT */
/*
 * negotiator-file-create, -finish and -stat: copying whole files. They do nothing that guest-file-*
 * could not be asked for, and so are allowed only where those are.
 */
#include "config.h"

#include "agent/agent.h"
#include "agent/file-call.h"
#include "agent/file-table.h"
#include "agent/handlers.h"
#include "common/epoch.h"
#include "common/error.h"
#include "common/names.h"
#include "common/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEGO_CMD_MODE_BITS 07777

/* Whether @command, of guest-file-*, is allowed, too. Answers @call when it is not. */
static gboolean
nego_cmd_file_is_allowed (NegoCall *call, const char *command)
{
  GError *error = NULL;

  if (nego_dispatcher_find (nego_service_of (call)->dispatcher, command, &error) != NULL)
    return TRUE;
  nego_call_fail (call, error);
  return FALSE;
}

/* To make a file is to open and to write it: who forbids one of them forbids this. */
static gboolean
nego_cmd_file_may_make (NegoCall *call)
{
  return nego_cmd_file_is_allowed (call, "guest-file-open")
         && nego_cmd_file_is_allowed (call, "guest-file-write");
}

static gboolean
nego_cmd_file_refuse (NegoCall *call, const char *text)
{
  nego_call_fail (call, g_error_new_literal (NEGO_ERROR, NEGO_ERROR_GENERIC, text));
  return FALSE;
}

typedef struct {
  NegoFileWork work;
  char *path;
  char *temporary; /* a copy, for the reply */
} NegoCmdCreate;

static void
nego_cmd_create_free (gpointer data)
{
  NegoCmdCreate *self = data;

  nego_file_work_clear (&self->work);
  g_free (self->path);
  g_free (self->temporary);
  g_free (self);
}

static gboolean
nego_cmd_create_func (int fd, NegoFileWork *work, GError **error)
{
  NegoCmdCreate *self = (NegoCmdCreate *) work;
  g_autofree char *dir = g_path_get_dirname (self->path);
  g_autofree char *name = g_build_filename (dir, ".nego-XXXXXX", NULL);

  if (!nego_target_check (self->path, error))
    return FALSE;
  fd = g_mkstemp_full (name, O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0)
    return nego_error_set_errno (error, errno, "failed to create a file beside '%s'", self->path);
  nego_file_set_fd (work->file, fd);
  self->temporary = g_strdup (name);
  nego_file_set_temporary (work->file, g_steal_pointer (&name));
  return TRUE;
}

static void
nego_cmd_created (NegoCall *call, gint64 handle, NegoFileWork *work)
{
  QapiNegotiatorFile ret = { .handle = handle, .temporary = ((NegoCmdCreate *) work)->temporary };

  qapi_negotiator_file_create_return (call, &ret);
}

void
nego_cmd_negotiator_file_create (NegoCall *call, const QapiNegotiatorFileCreateArgs *args)
{
  NegoCmdCreate *self;

  if (!nego_cmd_file_may_make (call))
    return;
  self = g_new0 (NegoCmdCreate, 1);
  self->work.func = nego_cmd_create_func;
  self->work.free_work = nego_cmd_create_free;
  self->work.what = "failed to create a file";
  self->path = g_strdup (args->path);
  nego_file_call_open (call, &self->work, nego_cmd_created);
}

typedef struct {
  NegoFileWork work;
  gint64 handle;
  char *path;
  mode_t mode;
  gboolean has_time;
  gint64 time;
} NegoCmdFinish;

static void
nego_cmd_finish_free (gpointer data)
{
  NegoCmdFinish *self = data;

  nego_file_work_clear (&self->work);
  g_free (self->path);
  g_free (self);
}

static gboolean
nego_cmd_set_time (int fd, const struct timespec *time)
{
  const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, *time };

  return futimens (fd, times) == 0;
}

static gboolean
nego_cmd_finish_place (int fd, const NegoCmdFinish *self, const char *temporary)
{
  const struct timespec time = nego_epoch_to_timespec (self->time);

  if (fchmod (fd, self->mode) < 0 || (self->has_time && !nego_cmd_set_time (fd, &time))
      || fsync (fd) < 0)
    return FALSE;
  if (nego_file_commit (self->work.file))
    return rename (temporary, self->path) == 0;
  errno = ECANCELED;
  return FALSE;
}

static gboolean
nego_cmd_finish_func (int fd, NegoFileWork *work, GError **error)
{
  const NegoCmdFinish *self = (const NegoCmdFinish *) work;
  const char *temporary = nego_file_get_temporary (work->file);
  struct stat before;

  if (temporary == NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                 "the file of handle '%" G_GINT64_FORMAT "' is not to be finished", self->handle);
    return FALSE;
  }
  if (!nego_target_check (self->path, error))
    return FALSE;
  if (fstat (fd, &before) < 0)
    return nego_error_set_errno (error, errno, "failed to finish file '%s'", self->path);
  if (!nego_cmd_finish_place (fd, self, temporary)) {
    nego_error_set_errno (error, errno, "failed to finish file '%s'", self->path);
    /* Whether it is told or not, there was an error before these. */
    if (fchmod (fd, before.st_mode & NEGO_CMD_MODE_BITS) == 0 && self->has_time)
      nego_cmd_set_time (fd, &before.st_mtim);
    return FALSE;
  }
  /* It has no other name any more. */
  nego_file_keep (work->file);
  close (nego_file_set_fd (work->file, -1));
  return TRUE;
}

static void
nego_cmd_finish_done (NegoFileWork *work, const GError *error, gpointer user_data)
{
  g_autoptr (NegoCall) call = user_data;
  NegoAgent *agent = nego_agent_of (call);

  if (work != NULL)
    nego_file_work_end (work, TRUE);
  if (error != NULL) {
    nego_call_fail (call, g_error_copy (error));
    return;
  }
  /* Nobody waits for an abandoned one: its handle goes with its client. */
  if (!nego_call_is_abandoned (call)) {
    NegoFile *file = nego_file_table_steal (agent->files, nego_call_get_owner (call),
                                            ((NegoCmdFinish *) work)->handle, NULL);

    if (file != NULL)
      nego_file_release (file, agent->offload);
  }
  qapi_negotiator_file_finish_return (call);
}

void
nego_cmd_negotiator_file_finish (NegoCall *call, const QapiNegotiatorFileFinishArgs *args)
{
  NegoCmdFinish *self;

  if (!nego_cmd_file_may_make (call))
    return;
  if (args->has_mode && (args->mode < 0 || args->mode > NEGO_CMD_MODE_BITS)) {
    nego_cmd_file_refuse (call, "mode must be 0 to 4095");
    return;
  }
  self = g_new0 (NegoCmdFinish, 1);
  self->work.func = nego_cmd_finish_func;
  self->work.free_work = nego_cmd_finish_free;
  self->work.what = "failed to finish file";
  self->work.wait_ms = NEGO_FILE_FINISH_WAIT_MS;
  self->handle = args->handle;
  self->path = g_strdup (args->path);
  self->mode = args->has_mode ? (mode_t) args->mode : 0600;
  self->has_time = args->has_mtime_ns;
  self->time = args->mtime_ns;
  nego_file_call_start (call, args->handle, &self->work, nego_cmd_finish_done);
}

typedef struct {
  NegoFileWork work;
  gint64 offset, count;
  QapiNegotiatorFileStat ret;
} NegoCmdStat;

static void
nego_cmd_stat_free (gpointer data)
{
  NegoCmdStat *self = data;

  nego_file_work_clear (&self->work);
  g_free (self->ret.sha256);
  g_free (self);
}

static gboolean
nego_cmd_hash (int fd, NegoCmdStat *self)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *data = g_malloc (NEGO_FILE_SLICE_BYTES);
  gint64 left = self->count, offset = self->offset;

  while (left > 0) {
    ssize_t n = pread (fd, data, (gsize) MIN (left, NEGO_FILE_SLICE_BYTES), offset);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return FALSE;
    if (n == 0)
      break;
    g_checksum_update (checksum, data, n);
    left -= n;
    offset += n;
  }
  self->ret.sha256 = g_strdup (g_checksum_get_string (checksum));
  return TRUE;
}

static gboolean
nego_cmd_stat_func (int fd, NegoFileWork *work, GError **error)
{
  NegoCmdStat *self = (NegoCmdStat *) work;
  struct stat st;

  if (fstat (fd, &st) < 0 || (self->count > 0 && !nego_cmd_hash (fd, self)))
    return nego_error_set_errno (error, errno, "failed to look at file");
  self->ret.regular = S_ISREG (st.st_mode);
  self->ret.size = st.st_size;
  self->ret.mode = st.st_mode & NEGO_CMD_MODE_BITS;
  self->ret.mtime_ns = nego_epoch_from_timespec (&st.st_mtim);
  return TRUE;
}

static void
nego_cmd_stat_done (NegoFileWork *work, const GError *error, gpointer user_data)
{
  g_autoptr (NegoCall) call = user_data;

  if (work != NULL)
    nego_file_work_end (work, TRUE);
  if (error != NULL)
    nego_call_fail (call, g_error_copy (error));
  else
    qapi_negotiator_file_stat_return (call, &((NegoCmdStat *) work)->ret);
}

static gboolean
nego_cmd_stat_check (NegoCall *call, const QapiNegotiatorFileStatArgs *args)
{
  g_autofree char *text = NULL;

  if (!nego_cmd_file_is_allowed (call, "guest-file-read"))
    return FALSE;
  if (args->offset < 0)
    return nego_cmd_file_refuse (call, "offset must not be below 0");
  if (args->count >= 0 && args->count <= NEGO_FILE_HASH_BYTES)
    return TRUE;
  text
    = g_strdup_printf ("value '%" G_GINT64_FORMAT "' is invalid for argument count", args->count);
  return nego_cmd_file_refuse (call, text);
}

void
nego_cmd_negotiator_file_stat (NegoCall *call, const QapiNegotiatorFileStatArgs *args)
{
  NegoCmdStat *self;

  if (!nego_cmd_stat_check (call, args))
    return;
  self = g_new0 (NegoCmdStat, 1);
  self->work.func = nego_cmd_stat_func;
  self->work.free_work = nego_cmd_stat_free;
  self->work.what = "failed to look at file";
  self->offset = args->offset;
  self->count = args->count;
  nego_file_call_start (call, args->handle, &self->work, nego_cmd_stat_done);
}
