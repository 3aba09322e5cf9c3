/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/agent.h"
#include "agent/handlers.h"
#include "agent/memory-blocks.h"
#include "agent/query.h"
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

/* What guest-set-memory-blocks asks for. */
typedef struct {
  char *root;
  GArray *wishes; /* of NegoCmdWish */
} NegoCmdWishes;

typedef struct {
  guint64 index;
  gboolean online;
} NegoCmdWish;

static void
nego_cmd_wishes_free (gpointer data)
{
  NegoCmdWishes *wishes = data;

  g_free (wishes->root);
  g_array_unref (wishes->wishes);
  g_free (wishes);
}

static gpointer
nego_cmd_switch_memory_blocks (gpointer arguments, GError **error)
{
  NegoCmdWishes *wishes = arguments;
  GPtrArray *responses
    = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_guest_memory_block_response_free);

  for (guint i = 0; i < wishes->wishes->len; i++) {
    const NegoCmdWish *wish = &g_array_index (wishes->wishes, NegoCmdWish, i);

    g_ptr_array_add (responses,
                     nego_memory_blocks_switch (wishes->root, wish->index, wish->online));
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
    .free_arguments = nego_cmd_wishes_free,
    .free_result = (GDestroyNotify) g_ptr_array_unref,
  };
  NegoCmdWishes *wishes = g_new0 (NegoCmdWishes, 1);

  wishes->root = g_strdup (nego_agent_of (call)->root);
  wishes->wishes = g_array_new (FALSE, FALSE, sizeof (NegoCmdWish));
  for (guint i = 0; i < args->mem_blks->len; i++) {
    const QapiGuestMemoryBlock *block = args->mem_blks->pdata[i];
    NegoCmdWish wish = { block->phys_index, block->online };

    g_array_append_val (wishes->wishes, wish);
  }
  nego_query_start (&query, call, wishes);
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
