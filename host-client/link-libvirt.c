/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/link-libvirt.h"

#include "common/error.h"
#include "common/json.h"
#include "common/names.h"
#include "host-client/libvirt-conn.h"
#include "common/client/reply.h"
#include "host-client/worker.h"

#include <gmodule.h>
#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>
#include <string.h>

/* VIR_ERR_AGENT_COMMAND_TIMEOUT, which libvirt 9.0's header does not have yet. */
#define AGENT_COMMAND_TIMEOUT 112

typedef struct {
  NegoLink link;
  NegoLibvirt *libvirt;
  char *uuid;
} NegoLinkLibvirt;

/* The error reply that libvirt's @message was made of: "… agent command 'NAME': DESC". NULL: it is
 * of libvirt's own. */
static char *
nego_libvirt_error_reply (const char *message)
{
  g_autoptr (GString) reply = NULL;
  NegoJsonWriter writer;
  const char *desc = strstr (message, "unable to execute QEMU agent command '");

  desc = desc != NULL ? strstr (desc, "': ") : NULL;
  if (desc == NULL)
    return NULL;
  desc += strlen ("': ");
  reply = g_string_new (NULL);
  nego_json_writer_init (&writer, reply);
  nego_json_writer_begin_object (&writer);
  nego_json_writer_key (&writer, "error");
  nego_json_writer_begin_object (&writer);
  nego_json_writer_key (&writer, "class");
  nego_json_writer_string (&writer, strstr (desc, "has not been found") != NULL
                                        || strstr (desc, "has been disabled") != NULL
                                      ? "CommandNotFound"
                                      : "GenericError");
  nego_json_writer_key (&writer, "desc");
  nego_json_writer_string (&writer, desc);
  nego_json_writer_end_object (&writer);
  nego_json_writer_end_object (&writer);
  return g_string_free (g_steal_pointer (&reply), FALSE);
}

/* What libvirt's own error means. */
static void
nego_libvirt_set_call_error (int code, const char *message, GError **error)
{
  static const struct {
    int code;
    const char *text; /* in the message; NULL: any */
    NegoErrorCode meaning;
    const char *advice;
  } rows[] = {
    { VIR_ERR_AGENT_UNRESPONSIVE, "not connected", NEGO_ERROR_CLOSED,
      "the agent is not connected: is nego-agent (or qemu-ga) installed and running in the "
      "guest?" },
    { VIR_ERR_AGENT_UNRESPONSIVE, "due to an error", NEGO_ERROR_CLOSED,
      "libvirt gave up on the agent after it had sent a wrong line: restart the agent in the "
      "guest" },
    { VIR_ERR_AGENT_UNRESPONSIVE, NULL, NEGO_ERROR_TIMEOUT,
      "the agent does not answer: is nego-agent (or qemu-ga) installed and running in the guest?" },
    { AGENT_COMMAND_TIMEOUT, NULL, NEGO_ERROR_TIMEOUT, "the agent does not answer in time" },
    { VIR_ERR_OPERATION_TIMEOUT, NULL, NEGO_ERROR_BUSY,
      "libvirt is busy with the guest: another program's call is going on; try again later" },
    { VIR_ERR_OPERATION_INVALID, NULL, NEGO_ERROR_CLOSED, "the guest does not run" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].code == code && (rows[i].text == NULL || strstr (message, rows[i].text) != NULL)) {
      g_set_error (error, NEGO_ERROR, rows[i].meaning, "%s (libvirt: %s)", rows[i].advice, message);
      return;
    }
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO, "libvirt's agent call: %s", message);
}

/* Returns: the reply's text. */
static gpointer
nego_libvirt_do_call (gpointer data, GError **error)
{
  const NegoLibvirtQuery *query = data;
  g_autoptr (virDomain) handle
    = virDomainLookupByUUIDString (query->libvirt->connection, query->text);
  g_autofree char *text = NULL;
  char *reply = NULL;

  if (handle != NULL)
    reply = virDomainQemuAgentCommand (handle, query->request, query->timeout_s, 0);
  if (reply != NULL) {
    text = g_strdup (reply);
    free (reply);
  } else {
    text = nego_libvirt_error_reply (nego_libvirt_last_message ());
    if (text == NULL)
      nego_libvirt_set_call_error (virGetLastErrorCode (), nego_libvirt_last_message (), error);
  }
  return g_steal_pointer (&text);
}

/* libvirt's own limit, in whole seconds: not before the @deadline, where the reply may just come.
 */
static int
nego_link_libvirt_timeout (gint64 deadline)
{
  if (deadline == G_MAXINT64)
    return VIR_DOMAIN_QEMU_AGENT_COMMAND_BLOCK;
  return MAX (1, (nego_link_time_left (deadline) + 999) / 1000);
}

static gboolean
nego_link_libvirt_sync (NegoLink *link, gint64 deadline, GError **error)
{
  return TRUE;
}

static GString *
nego_link_libvirt_call (NegoLink *link,
                        const NegoLinkRequest *request,
                        gint64 deadline,
                        GError **error)
{
  NegoLinkLibvirt *self = (NegoLinkLibvirt *) link;
  g_autofree char *reply = NULL;
  NegoLibvirtQuery *query;

  if (request->len > NEGO_GUEST_REQUEST_BYTES_LIBVIRT) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                 "a request of %" G_GSIZE_FORMAT
                 " bytes is more than libvirt's agent call takes (limit %u)",
                 request->len, NEGO_GUEST_REQUEST_BYTES_LIBVIRT);
    return NULL;
  }
  if (!nego_libvirt_begin_call (self->libvirt, deadline)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT,
                 "%u other agent calls over libvirt do not end", NEGO_GUEST_CALLS);
    return NULL;
  }
  query = nego_libvirt_query_new (self->libvirt, self->uuid);
  query->is_call = TRUE;
  query->request = g_strndup (request->text, request->len);
  query->timeout_s = nego_link_libvirt_timeout (deadline);
  reply = nego_worker_run (nego_libvirt_do_call, query, nego_libvirt_query_free, g_free, deadline,
                           error);
  return reply != NULL ? nego_reply_check (reply, strlen (reply), request->max_reply, error) : NULL;
}

static void
nego_link_libvirt_free (NegoLink *link)
{
  NegoLinkLibvirt *self = (NegoLinkLibvirt *) link;

  nego_libvirt_unref (self->libvirt);
  g_free (self->uuid);
  g_free (self);
}

static NegoLink *
nego_link_libvirt_new (NegoLibvirt *libvirt, const NegoDomain *domain)
{
  static const NegoLinkClass klass = {
    .sync = nego_link_libvirt_sync,
    .call = nego_link_libvirt_call,
    .free = nego_link_libvirt_free,
  };
  NegoLinkLibvirt *self = g_new0 (NegoLinkLibvirt, 1);

  self->link = (NegoLink){ .klass = &klass, .shared = TRUE };
  self->libvirt = nego_libvirt_ref (libvirt);
  self->uuid = g_strdup (domain->uuid);
  return &self->link;
}

G_MODULE_EXPORT extern const NegoLibvirtModule nego_libvirt_module;
const NegoLibvirtModule nego_libvirt_module = {
  .version = NEGO_LIBVIRT_MODULE_VERSION,
  .open = nego_libvirt_open,
  .close = nego_libvirt_unref,
  .is_local = nego_libvirt_is_local,
  .list = nego_libvirt_list,
  .find = nego_libvirt_find,
  .free_domain = nego_libvirt_free_domain,
  .link = nego_link_libvirt_new,
  .snapshot = nego_libvirt_snapshot,
};
