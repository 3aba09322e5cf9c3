/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/client/old-remote.h"

#include "common/error.h"
#include "common/old-frame.h"
#include "common/old-request.h"
#include "common/client/link.h"

static gboolean
nego_old_remote_fail (const NegoOldRemote *remote, const char *what, GError **error)
{
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_PARSE, "'%s' answered %s", remote->end->path, what);
  return FALSE;
}

/* Reads one reply. */
static gboolean
nego_old_remote_read (NegoOldRemote *remote, NegoOldReply *reply, gint64 deadline, GError **error)
{
  g_auto (NegoOldFrame) frame = { 0 };
  NegoEnd *end = remote->end;

  for (;;) {
    NegoOldFrameResult result;
    gsize used = 0;

    /* Also when bytes keep coming. */
    if (nego_link_time_left (deadline) == 0)
      return nego_end_set_silent (end, error);
    if (end->start == end->stop && !nego_end_fill (end, deadline, error))
      return FALSE;
    result = nego_old_frame_feed (&frame, end->in + end->start, end->stop - end->start, &used);
    end->start += used;
    if (result == NEGO_OLD_FRAME_WRONG)
      return nego_old_remote_fail (remote, "what is no message of the Python negotiator", error);
    if (result == NEGO_OLD_FRAME_MESSAGE)
      break;
  }
  if (nego_old_reply_parse (reply, frame.text->str, frame.text->len, error))
    return TRUE;
  g_prefix_error (error, "'%s': ", end->path);
  return FALSE;
}

static gboolean
nego_old_remote_call (NegoOldRemote *remote,
                      const NegoOldRequest *request,
                      NegoOldReply *reply,
                      gint64 deadline,
                      GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  nego_old_request_write (text, request);
  if (!nego_end_write (remote->end, text->str, text->len, deadline, error)
      || !nego_old_remote_read (remote, reply, deadline, error))
    return FALSE;
  if (reply->success)
    return TRUE;
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                       reply->text != NULL ? reply->text : "the call failed");
  return FALSE;
}

NegoOldRemote *
nego_old_remote_new (NegoEnd *end, gint64 deadline, GError **error)
{
  g_autoptr (NegoOldRemote) remote = g_new0 (NegoOldRemote, 1);
  const NegoOldRequest request = { .method = NEGO_OLD_LIST_COMMANDS };
  g_auto (NegoOldReply) reply = { 0 };

  remote->end = end;
  if (!nego_old_remote_call (remote, &request, &reply, deadline, error))
    return NULL;
  if (reply.names == NULL) {
    nego_old_remote_fail (remote, "no list of commands", error);
    return NULL;
  }
  remote->speaks_qmp = reply.qmp;
  remote->names = g_steal_pointer (&reply.names);
  return g_steal_pointer (&remote);
}

void
nego_old_remote_free (NegoOldRemote *remote)
{
  if (remote == NULL)
    return;
  nego_end_free (remote->end);
  g_strfreev (remote->names);
  g_free (remote);
}

char *
nego_old_remote_execute (NegoOldRemote *remote,
                         const char *const *args,
                         const char *input,
                         gint64 deadline,
                         GError **error)
{
  const NegoOldRequest request = {
    .method = NEGO_OLD_EXECUTE,
    .args = (char **) args,
    .input = (char *) input,
  };
  g_auto (NegoOldReply) reply = { 0 };

  if (!nego_old_remote_call (remote, &request, &reply, deadline, error))
    return NULL;
  if (reply.text == NULL) {
    nego_old_remote_fail (remote, "no output", error);
    return NULL;
  }
  return g_steal_pointer (&reply.text);
}
