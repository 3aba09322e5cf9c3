/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "host-client/libvirt-conn.h"
#include "host-client/worker.h"

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

/* libvirt thaws what it froze. Where that failed, or the agent's freeze itself failed half-way, a
 * guest must not stay frozen. */
static void
nego_libvirt_snapshot_thaw (virDomain *handle, const char *failure, GError **error)
{
  if (virDomainFSThaw (handle, NULL, 0, 0) >= 0)
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
  g_autoptr (virDomain) handle
    = virDomainLookupByUUIDString (self->libvirt->connection, self->uuid);
  g_autoptr (virDomainSnapshot) made = NULL;
  g_autofree char *failure = NULL;

  if (handle != NULL)
    made = virDomainSnapshotCreateXML (handle, self->xml, self->flags);
  if (made != NULL)
    return g_strdup (self->uuid);
  failure = g_strdup (nego_libvirt_last_message ());
  if (handle != NULL && (self->flags & VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE) != 0)
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
