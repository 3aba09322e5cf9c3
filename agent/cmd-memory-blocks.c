/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/agent.h"
#include "agent/handlers.h"
#include "agent/memory-blocks.h"
#include "agent/query.h"
#include "agent/switches.h"
#include "common/names.h"

static gpointer
nego_cmd_collect_memory_blocks (gpointer root, GError **error)
{
  return nego_memory_blocks_list (root, NEGO_MEMORY_BLOCKS, error);
}

static void
nego_cmd_answer_memory_blocks (NegoCall *call, gpointer result)
{
  qapi_guest_get_memory_blocks_return (call, result);
}

void
nego_cmd_guest_get_memory_blocks (NegoCall *call)
{
  static const NegoQuery query = {
    .func = nego_cmd_collect_memory_blocks,
    .answer = nego_cmd_answer_memory_blocks,
    .free_arguments = g_free,
    .free_result = (GDestroyNotify) g_ptr_array_unref,
    .timeout_s = NEGO_QUERY_S,
  };

  nego_query_start (&query, call, g_strdup (nego_agent_of (call)->root));
}

static gpointer
nego_cmd_switch_memory_blocks (gpointer arguments, GError **error)
{
  const NegoSwitches *switches = arguments;
  GPtrArray *responses
    = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_guest_memory_block_response_free);

  for (guint i = 0; i < switches->all->len; i++) {
    const NegoSwitch *one = &g_array_index (switches->all, NegoSwitch, i);

    g_ptr_array_add (responses,
                     nego_memory_blocks_switch (switches->root, one->number, one->online));
  }
  return responses;
}

static void
nego_cmd_answer_switched (NegoCall *call, gpointer result)
{
  qapi_guest_set_memory_blocks_return (call, result);
}

void
nego_cmd_guest_set_memory_blocks (NegoCall *call, const QapiGuestSetMemoryBlocksArgs *args)
{
  static const NegoQuery query = {
    .func = nego_cmd_switch_memory_blocks,
    .answer = nego_cmd_answer_switched,
    .free_arguments = nego_switches_free,
    .free_result = (GDestroyNotify) g_ptr_array_unref,
  };
  NegoSwitches *switches = nego_switches_new (nego_agent_of (call)->root);

  for (guint i = 0; i < args->mem_blks->len; i++) {
    const QapiGuestMemoryBlock *block = args->mem_blks->pdata[i];

    nego_switches_add (switches, block->phys_index, block->online);
  }
  nego_query_start (&query, call, switches);
}

QapiGuestMemoryBlockInfo *
nego_cmd_guest_get_memory_block_info (NegoCall *call, GError **error)
{
  QapiGuestMemoryBlockInfo *info;
  guint64 size;

  if (!nego_memory_blocks_get_size (nego_agent_of (call)->root, &size, error))
    return NULL;
  info = qapi_guest_memory_block_info_new ();
  info->size = size;
  return info;
}
