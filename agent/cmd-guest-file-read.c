/* SPDX-License-Identifier: MIT */
/*
 * guest-file-read. A small one is done at once, if the bytes are at hand: going to a thread and
 * back costs more. The reply of a large read costs milliseconds to write, which other channels
 * would wait for; so it is written on the thread that reads, slice by slice while the bytes are in
 * the cache, and goes into the channel's queue as it is.
 */
#include "config.h"

#include "agent/agent.h"
#include "agent/file-call.h"
#include "agent/file-io.h"
#include "agent/file-table.h"
#include "agent/handlers.h"
#include "common/base64.h"
#include "common/error.h"
#include "common/memory.h"
#include "common/names.h"

/* What a reply has besides the base64, but for its id. */
#define NEGO_CMD_READ_FRAME_BYTES 256u
/* QGA's default. */
#define NEGO_CMD_READ_COUNT 4096

typedef struct {
  NegoFileWork work;
  gsize max;
  GString *text;
} NegoCmdRead;

static void
nego_cmd_read_free (gpointer data)
{
  NegoCmdRead *self = data;

  nego_file_work_clear (&self->work);
  if (self->text != NULL)
    g_string_free (self->text, TRUE);
  g_free (self);
}

/* The object up to the base64 of @count bytes. */
static void
nego_cmd_read_begin_object (NegoJsonWriter *writer, gsize count)
{
  nego_json_writer_begin_object (writer);
  nego_json_writer_key (writer, "count");
  nego_json_writer_uint (writer, count);
  nego_json_writer_key (writer, "buf-b64");
}

/* The rest. */
static void
nego_cmd_read_end_object (NegoJsonWriter *writer, gboolean eof)
{
  nego_json_writer_key (writer, "eof");
  nego_json_writer_boolean (writer, eof);
  nego_json_writer_end_object (writer);
}

/* The reply of @count bytes up to its base64; @writer goes on. */
static void
nego_cmd_read_begin (GString *text, NegoJsonWriter *writer, gsize count)
{
  nego_call_begin_text (writer, text);
  nego_cmd_read_begin_object (writer, count);
  g_string_append_c (text, '"');
}

static void
nego_cmd_read_sink (const guint8 *data, gsize len, gpointer user_data)
{
  nego_base64_append (user_data, data, len);
}

static gboolean
nego_cmd_read_func (int fd, NegoFileWork *work, GError **error)
{
  NegoCmdRead *self = (NegoCmdRead *) work;
  const gsize expect = nego_file_io_expect (fd, self->max);
  NegoJsonWriter writer;
  gsize count, start;
  gboolean eof, seekable;
  gint64 position;

  seekable = nego_file_io_seek (fd, 0, SEEK_CUR, &position, NULL);
  self->text = g_string_sized_new (NEGO_CMD_READ_FRAME_BYTES + expect / 3 * 4);
  nego_memory_expect (self->text->str, NEGO_CMD_READ_FRAME_BYTES + expect / 3 * 4);
  nego_cmd_read_begin (self->text, &writer, expect);
  start = self->text->len;
  if (!nego_file_io_read (fd, self->max, nego_cmd_read_sink, self->text, &count, &eof, error))
    return FALSE;
  if (seekable)
    work->undo = position;
  if (count != expect) { /* no regular file, or one that changed */
    GString *data = self->text;

    self->text = g_string_sized_new (NEGO_CMD_READ_FRAME_BYTES + data->len);
    nego_cmd_read_begin (self->text, &writer, count);
    g_string_append_len (self->text, data->str + start, (gssize) (data->len - start));
    g_string_free (data, TRUE);
  }
  g_string_append_c (self->text, '"');
  writer.separator = TRUE;
  nego_cmd_read_end_object (&writer, eof);
  return TRUE;
}

static void
nego_cmd_read_done (NegoFileWork *work, const GError *error, gpointer user_data)
{
  g_autoptr (NegoCall) call = user_data;

  if (work != NULL)
    nego_file_work_end (work, error == NULL && !nego_call_is_abandoned (call));
  if (error != NULL)
    nego_call_fail (call, g_error_copy (error));
  else
    nego_call_return_written (call, g_steal_pointer (&((NegoCmdRead *) work)->text));
}

/* Answers @call, if that needs no thread. */
static gboolean
nego_cmd_read_now (NegoCall *call, NegoFile *file, gsize max)
{
  guint8 data[NEGO_FILE_NOW_BYTES];
  NegoJsonWriter *writer;
  gboolean eof;
  gsize count;

  if (max > sizeof data || !nego_file_read_now (file, data, max, &count, &eof))
    return FALSE;
  writer = nego_call_begin_return (call);
  if (writer == NULL)
    return TRUE;
  nego_cmd_read_begin_object (writer, count);
  nego_json_writer_base64 (writer, data, count);
  nego_cmd_read_end_object (writer, eof);
  nego_call_end_return (call);
  return TRUE;
}

void
nego_cmd_guest_file_read (NegoCall *call, const QapiGuestFileReadArgs *args)
{
  const gint64 count = args->has_count ? args->count : NEGO_CMD_READ_COUNT;
  NegoAgent *agent = nego_agent_of (call);
  GError *error = NULL;
  NegoFile *file
    = nego_file_table_find (agent->files, nego_call_get_owner (call), args->handle, &error);
  NegoCmdRead *self;

  if (file != NULL && (count < 0 || count > NEGO_FILE_READ_BYTES))
    g_set_error (&error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                 "value '%" G_GINT64_FORMAT "' is invalid for argument count", count);
  if (error != NULL) {
    nego_call_fail (call, error);
    return;
  }
  if (nego_cmd_read_now (call, file, (gsize) count))
    return;
  self = g_new0 (NegoCmdRead, 1);
  self->work.func = nego_cmd_read_func;
  self->work.free_work = nego_cmd_read_free;
  self->work.what = "failed to read file";
  self->max = (gsize) count;
  nego_file_call_run (call, file, &self->work, nego_cmd_read_done);
}
