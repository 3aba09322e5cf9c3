/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/agent.h"
#include "agent/handlers.h"
#include "agent/query.h"
#include "agent/switches.h"
#include "agent/vcpus.h"
#include "common/names.h"

static gpointer
nego_cmd_collect_vcpus (gpointer root, GError **error)
{
  return nego_vcpus_list (root, error);
}

static void
nego_cmd_answer_vcpus (NegoCall *call, gpointer result)
{
  qapi_guest_get_vcpus_return (call, result);
}

void
nego_cmd_guest_get_vcpus (NegoCall *call)
{
  static const NegoQuery query = {
    .func = nego_cmd_collect_vcpus,
    .answer = nego_cmd_answer_vcpus,
    .free_arguments = g_free,
    .free_result = (GDestroyNotify) g_ptr_array_unref,
    .timeout_s = NEGO_QUERY_S,
  };

  nego_query_start (&query, call, g_strdup (nego_agent_of (call)->root));
}

/* Returns how many were done, as a gint64, or NULL if the first failed. */
static gpointer
nego_cmd_switch_vcpus (gpointer arguments, GError **error)
{
  const NegoSwitches *switches = arguments;
  g_autofree gint64 *done = g_new0 (gint64, 1);

  for (guint i = 0; i < switches->all->len; i++, (*done)++) {
    const NegoSwitch *one = &g_array_index (switches->all, NegoSwitch, i);

    /* The count alone says that a later one failed. */
    if (!nego_vcpus_switch (switches->root, (gint64) one->number, one->online,
                            i == 0 ? error : NULL))
      return i == 0 ? NULL : g_steal_pointer (&done);
  }
  return g_steal_pointer (&done);
}

static void
nego_cmd_answer_switched (NegoCall *call, gpointer result)
{
  qapi_guest_set_vcpus_return (call, *(gint64 *) result);
}

void
nego_cmd_guest_set_vcpus (NegoCall *call, const QapiGuestSetVcpusArgs *args)
{
  static const NegoQuery query = {
    .func = nego_cmd_switch_vcpus,
    .answer = nego_cmd_answer_switched,
    .free_arguments = nego_switches_free,
    .free_result = g_free,
  };
  NegoSwitches *switches = nego_switches_new (nego_agent_of (call)->root);

  for (guint i = 0; i < args->vcpus->len; i++) {
    const QapiGuestLogicalProcessor *cpu = args->vcpus->pdata[i];

    nego_switches_add (switches, (guint64) cpu->logical_id, cpu->online);
  }
  nego_query_start (&query, call, switches);
}
