/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/rpc-lists.h"

#include "qapi/qapi-commands.h"

/* What qemu-ga 10.2.2 lists on Linux (qemu-ga -b help). A list may name what we do not have yet. */
static const char *const nego_rpc_lists_names[] = {
  "guest-sync-delimited",
  "guest-sync",
  "guest-ping",
  "guest-get-time",
  "guest-set-time",
  "guest-info",
  "guest-shutdown",
  "guest-file-open",
  "guest-file-close",
  "guest-file-read",
  "guest-file-write",
  "guest-file-seek",
  "guest-file-flush",
  "guest-fsfreeze-status",
  "guest-fsfreeze-freeze",
  "guest-fsfreeze-freeze-list",
  "guest-fsfreeze-thaw",
  "guest-fstrim",
  "guest-suspend-disk",
  "guest-suspend-ram",
  "guest-suspend-hybrid",
  "guest-network-get-interfaces",
  "guest-get-vcpus",
  "guest-set-vcpus",
  "guest-get-disks",
  "guest-get-fsinfo",
  "guest-set-user-password",
  "guest-get-memory-blocks",
  "guest-set-memory-blocks",
  "guest-get-memory-block-info",
  "guest-exec-status",
  "guest-exec",
  "guest-get-host-name",
  "guest-get-users",
  "guest-get-timezone",
  "guest-get-osinfo",
  "guest-ssh-get-authorized-keys",
  "guest-ssh-add-authorized-keys",
  "guest-ssh-remove-authorized-keys",
  "guest-get-diskstats",
  "guest-get-cpustats",
  "guest-get-load",
  "guest-network-get-route",
  NULL,
};

static gboolean
nego_rpc_lists_is_known (const char *name)
{
  return g_strv_contains (nego_rpc_lists_names, name) || qapi_command_find (name) != NULL;
}

static void
nego_rpc_lists_apply_one (NegoConf *conf,
                          NegoPolicy *policy,
                          const char *key,
                          GPtrArray *names,
                          void (*apply) (NegoPolicy *policy, const char *name))
{
  guint i;

  for (i = 0; i < names->len; i++) {
    const char *name = names->pdata[i];

    apply (policy, name);
    if (!nego_rpc_lists_is_known (name))
      nego_conf_warn (conf, "'%s' names '%s', which is no command", key, name);
  }
}

void
nego_rpc_lists_apply (NegoConf *conf, NegoPolicy *policy)
{
  nego_rpc_lists_apply_one (conf, policy, "block-rpcs", conf->block_rpcs, nego_policy_block);
  nego_rpc_lists_apply_one (conf, policy, "allow-rpcs", conf->allow_rpcs, nego_policy_allow);
  nego_policy_set_commands (policy, conf->commands);
}
