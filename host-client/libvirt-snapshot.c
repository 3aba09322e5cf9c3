/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/client/reply.h"
#include "common/error.h"
#include "common/names.h"
#include "host-client/libvirt-conn.h"
#include "host-client/worker.h"

#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (virDomainSnapshot, virDomainSnapshotFree)

typedef struct {
  NegoLibvirt *libvirt;
  char *uuid;
  char *xml;
  guint flags;
} NegoLibvirtSnapshot;

static void
nego_libvirt_snapshot_free (gpointer data)
{
  NegoLibvirtSnapshot *self = data;

  nego_libvirt_unref (self->libvirt);
  g_free (self->uuid);
  g_free (self->xml);
  g_free (self);
}

/* Whether the guest's filesystems are all thawed, as its agent says. */
static gboolean
nego_libvirt_snapshot_ask (virDomain *handle, gboolean *thawed, GError **error)
{
  static const char command[] = "guest-fsfreeze-status";
  char *text = virDomainQemuAgentCommand (handle, "{\"execute\":\"guest-fsfreeze-status\"}",
                                          NEGO_GUEST_ANSWER_S, 0);
  GString *reply = NULL;
  g_autoptr (JsonNode) node = NULL;

  if (text == NULL) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_IO, nego_libvirt_last_message ());
    return FALSE;
  }
  reply = nego_reply_check (text, strlen (text), NEGO_GUEST_REPLY_BYTES, error);
  free (text);
  if (reply == NULL)
    return FALSE;
  node = nego_reply_parse (reply, command, error);
  g_string_free (reply, TRUE);
  if (node == NULL)
    return FALSE;
  *thawed = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
            && strcmp (json_node_get_string (node), "thawed") == 0;
  return TRUE;
}

/* What is frozen already is another program's: libvirt's freeze would fail, and the thaw after it
 * would undo the other's. */
static gboolean
nego_libvirt_snapshot_may_freeze (virDomain *handle, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gboolean thawed = FALSE;

  if (!nego_libvirt_snapshot_ask (handle, &thawed, &failure)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO,
                 "cannot make the snapshot: cannot tell whether the guest is frozen: %s",
                 failure->message);
    return FALSE;
  }
  if (!thawed)
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_BUSY,
                         "cannot make the snapshot: another program has frozen the guest");
  return thawed;
}

/* libvirt thaws what it froze. Where that failed, or the agent's freeze itself failed half-way, a
 * guest must not stay frozen. One that is thawed is left alone: there may have been no freeze. */
static void
nego_libvirt_snapshot_thaw (virDomain *handle, const char *failure, GError **error)
{
  gboolean thawed = FALSE;

  if ((nego_libvirt_snapshot_ask (handle, &thawed, NULL) && thawed)
      || virDomainFSThaw (handle, NULL, 0, 0) >= 0)
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO, "cannot make the snapshot: %s", failure);
  else
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO,
                 "cannot make the snapshot: %s; cannot tell whether the guest is thawed: %s",
                 failure, nego_libvirt_last_message ());
}

static gpointer
nego_libvirt_do_snapshot (gpointer data, GError **error)
{
  const NegoLibvirtSnapshot *self = data;
  const gboolean quiesce = (self->flags & VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE) != 0;
  g_autoptr (virDomain) handle
    = virDomainLookupByUUIDString (self->libvirt->connection, self->uuid);
  g_autoptr (virDomainSnapshot) made = NULL;
  g_autofree char *failure = NULL;

  if (handle != NULL && quiesce && !nego_libvirt_snapshot_may_freeze (handle, error))
    return NULL;
  if (handle != NULL)
    made = virDomainSnapshotCreateXML (handle, self->xml, self->flags);
  if (made != NULL)
    return g_strdup (self->uuid);
  failure = g_strdup (nego_libvirt_last_message ());
  if (handle != NULL && quiesce)
    nego_libvirt_snapshot_thaw (handle, failure, error);
  else
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO, "cannot make the snapshot: %s", failure);
  return NULL;
}

gboolean
nego_libvirt_snapshot (NegoLibvirt *libvirt,
                       const NegoDomain *domain,
                       const NegoSnapshot *snapshot,
                       gint64 deadline,
                       GError **error)
{
  NegoLibvirtSnapshot *self = g_new0 (NegoLibvirtSnapshot, 1);
  g_autofree char *result = NULL;

  self->libvirt = nego_libvirt_ref (libvirt);
  self->uuid = g_strdup (domain->uuid);
  self->xml = g_markup_printf_escaped (
    "<domainsnapshot><name>%s</name><memory snapshot='no'/></domainsnapshot>", snapshot->name);
  self->flags = VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC;
  if (snapshot->quiesce)
    self->flags |= VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE;
  if (snapshot->forgotten)
    self->flags |= VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA;
  result = nego_worker_run (nego_libvirt_do_snapshot, self, nego_libvirt_snapshot_free, g_free,
                            deadline, error);
  return result != NULL;
}
