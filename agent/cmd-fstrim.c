/* SPDX-License-Identifier: MIT */
/*
 * guest-fstrim. One at a time: a second one would only wait for the same disks.
 */
#include "config.h"

#include "agent/agent.h"
#include "agent/handlers.h"
#include "agent/mounts.h"
#include "common/error.h"

static void
nego_cmd_fstrim_done_cb (GPtrArray *results, gpointer user_data)
{
  NegoCall *call = user_data;
  NegoAgent *agent = nego_agent_of (call);
  QapiGuestFilesystemTrimResponse response = { .paths = results };
  /* Before the reply, with which the channel's next request starts. It holds the call. */
  g_autoptr (NegoTrim) trim G_GNUC_UNUSED = g_steal_pointer (&agent->trim);

  qapi_guest_fstrim_return (call, &response);
}

void
nego_cmd_guest_fstrim (NegoCall *call, const QapiGuestFstrimArgs *args)
{
  NegoAgent *agent = nego_agent_of (call);
  g_autoptr (GPtrArray) paths = g_ptr_array_new ();
  g_autoptr (GPtrArray) mounts = NULL;
  GError *error = NULL;

  if (agent->trim != NULL) {
    nego_call_fail (call, g_error_new_literal (NEGO_ERROR, NEGO_ERROR_BUSY,
                                               "a guest-fstrim goes on already"));
    return;
  }
  mounts = nego_mounts_read (agent->root, &error);
  if (mounts == NULL) {
    nego_call_fail (call, error);
    return;
  }
  /* qemu-ga's order in the reply: the last mounted first. */
  for (guint i = mounts->len; i > 0; i--)
    g_ptr_array_add (paths, ((NegoMount *) mounts->pdata[i - 1])->path);
  /* A negative number is one of 64 bits without a sign, as in qemu-ga. */
  agent->trim
    = nego_trim_new (agent->offload, agent->trim_func, paths,
                     args->has_minimum ? (guint64) args->minimum : 0, nego_cmd_fstrim_done_cb,
                     nego_call_ref (call), (GDestroyNotify) nego_call_unref);
  nego_trim_start (agent->trim);
}
