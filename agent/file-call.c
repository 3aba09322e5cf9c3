/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/file-call.h"

#include "agent/agent.h"
#include "agent/file-table.h"

typedef struct {
  NegoCall *call;
  NegoFile *file;
  NegoOwner *owner; /* valid as long as the call is not abandoned */
  NegoFileCallOpenedFunc opened;
} NegoFileCallOpening;

gboolean
nego_file_call_run (NegoCall *call, NegoFile *file, NegoFileWork *work, NegoFileDoneFunc done)
{
  GError *error = NULL;

  if (nego_file_start (file, nego_agent_of (call)->offload, work, done, nego_call_ref (call),
                       &error))
    return TRUE;
  nego_call_fail (call, error);
  nego_call_unref (call);
  return FALSE;
}

void
nego_file_call_start (NegoCall *call, gint64 handle, NegoFileWork *work, NegoFileDoneFunc done)
{
  GError *error = NULL;
  NegoFile *file = nego_file_table_find (nego_agent_of (call)->files, nego_call_get_owner (call),
                                         handle, &error);

  if (file != NULL) {
    nego_file_call_run (call, file, work, done);
    return;
  }
  work->free_work (work);
  nego_call_fail (call, error);
}

static void
nego_file_call_opened (NegoFileWork *work, const GError *error, gpointer user_data)
{
  g_autofree NegoFileCallOpening *opening = user_data;
  g_autoptr (NegoCall) call = opening->call;
  NegoAgent *agent = nego_agent_of (call);

  if (work != NULL)
    nego_file_work_end (work, TRUE);
  if (error != NULL || nego_call_is_abandoned (call)) {
    nego_file_table_give_up (agent->files, opening->file);
    if (error != NULL)
      nego_call_fail (call, g_error_copy (error));
    return;
  }
  opening->opened (call, nego_file_table_add (agent->files, opening->owner, opening->file), work);
}

void
nego_file_call_open (NegoCall *call, NegoFileWork *work, NegoFileCallOpenedFunc opened)
{
  NegoAgent *agent = nego_agent_of (call);
  NegoFileCallOpening *opening;
  GError *error = NULL;
  NegoFile *file = nego_file_table_reserve (agent->files, nego_call_get_owner (call), &error);

  if (file == NULL) {
    work->free_work (work);
    nego_call_fail (call, error);
    return;
  }
  opening = g_new0 (NegoFileCallOpening, 1);
  opening->call = nego_call_ref (call);
  opening->file = file;
  opening->owner = nego_call_get_owner (call);
  opening->opened = opened;
  if (nego_file_start (opening->file, agent->offload, work, nego_file_call_opened, opening, &error))
    return;
  nego_file_table_give_up (agent->files, file);
  nego_call_unref (opening->call);
  g_free (opening);
  nego_call_fail (call, error);
}
