/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/told.h"

#include "common/client/link-socket.h"
#include "common/json.h"
#include "common/names.h"
#include "qapi/qapi-visit.h"

NegoRemote *
nego_told_open (const NegoOptions *options, GError **error)
{
  const char *path = options->hostd != NULL ? options->hostd : NEGO_CONTROL_SOCKET;
  NegoLink *link = nego_link_socket_new_shared (path, NEGO_GUEST_PROBE_S, error);

  if (link != NULL)
    return nego_remote_new (link);
  g_prefix_error (error, "nego-hostd is not there: ");
  return NULL;
}

static void
nego_told_write_text (NegoJsonWriter *writer, const char *name, const char *value)
{
  if (value == NULL)
    return;
  nego_json_writer_key (writer, name);
  nego_json_writer_string (writer, value);
}

/* One reply's worth, behind the guest @after. */
static GPtrArray *
nego_told_list_after (NegoRemote *hostd, const char *after, gint64 deadline, GError **error)
{
  g_autoptr (GString) arguments = g_string_new (NULL);
  g_autoptr (JsonNode) node = NULL;
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, arguments);
  nego_json_writer_begin_object (&writer);
  nego_told_write_text (&writer, "after", after);
  nego_json_writer_end_object (&writer);
  node = nego_remote_call (hostd, "negotiator-guests", arguments->str, deadline, error);
  return node != NULL ? qapi_negotiator_guest_list_decode (node, "negotiator-guests", FALSE, error)
                      : NULL;
}

GPtrArray *
nego_told_list (NegoRemote *hostd, gint64 deadline, GError **error)
{
  g_autoptr (GPtrArray) all
    = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_negotiator_guest_free);
  guint n;

  do {
    const QapiNegotiatorGuest *last = all->len > 0 ? all->pdata[all->len - 1] : NULL;
    GPtrArray *some
      = nego_told_list_after (hostd, last != NULL ? last->name : NULL, deadline, error);

    if (some == NULL)
      return NULL;
    n = some->len;
    g_ptr_array_extend_and_steal (all, some);
  } while (n > 0);
  return g_steal_pointer (&all);
}

QapiNegotiatorNote *
nego_told_wait (NegoRemote *hostd,
                const char *guest,
                const char *name,
                const char *value,
                double timeout,
                GError **error)
{
  g_autoptr (GString) arguments = g_string_new (NULL);
  g_autoptr (JsonNode) node = NULL;
  NegoJsonWriter writer;
  /* The daemon's own clock counts; ours only notices that it does not answer. */
  const gint64 deadline
    = timeout > 0
        ? g_get_monotonic_time () + (gint64) ((timeout + NEGO_GUEST_ANSWER_S) * G_USEC_PER_SEC)
        : G_MAXINT64;

  nego_json_writer_init (&writer, arguments);
  nego_json_writer_begin_object (&writer);
  nego_told_write_text (&writer, "guest", guest);
  nego_told_write_text (&writer, "name", name);
  nego_told_write_text (&writer, "value", value);
  if (timeout > 0) {
    nego_json_writer_key (&writer, "timeout");
    nego_json_writer_double (&writer, timeout);
  }
  nego_json_writer_end_object (&writer);
  node = nego_remote_call (hostd, "negotiator-wait", arguments->str, deadline, error);
  return node != NULL ? qapi_negotiator_note_decode (node, "negotiator-wait", FALSE, error) : NULL;
}

const QapiNegotiatorGuest *
nego_told_find (const GPtrArray *list, const char *uuid)
{
  for (guint i = 0; list != NULL && i < list->len; i++) {
    const QapiNegotiatorGuest *guest = list->pdata[i];

    if (g_strcmp0 (guest->uuid, uuid) == 0)
      return guest;
  }
  return NULL;
}
