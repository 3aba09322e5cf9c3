/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/route.h"

#include "common/error.h"
#include "common/names.h"
#include "host-client/discover.h"
#include "host-client/guest-socket.h"
#include "common/client/link-socket.h"
#include "common/client/output.h"

/* How many names the error about an unknown guest tells. */
#define NAMES_TOLD 8u

struct NegoRoute {
  const NegoOptions *options;
  const NegoLibvirtModule *module; /* NULL: --socket */
  NegoLibvirt *libvirt;
  const NegoDomain *domain;
  GPtrArray *channels;
  NegoLibvirt *own_libvirt;
  NegoDomain *own_domain;
};

void
nego_route_free (NegoRoute *route)
{
  g_clear_pointer (&route->channels, g_ptr_array_unref);
  if (route->own_domain != NULL)
    route->module->free_domain (route->own_domain);
  if (route->own_libvirt != NULL)
    route->module->close (route->own_libvirt);
  g_free (route);
}

/* The names of guests there are, for a person who mistyped one. */
static char *
nego_route_known_names (const NegoRoute *route, gint64 deadline)
{
  g_autoptr (GPtrArray) domains = route->module->list (route->libvirt, deadline, NULL);
  g_autoptr (GString) names = g_string_new (NULL);

  if (domains == NULL || domains->len == 0)
    return g_strdup ("there is none on this connection; -c URI chooses another");
  for (guint i = 0; i < domains->len && i < NAMES_TOLD; i++)
    g_string_append_printf (names, "%s'%s'", i == 0 ? "there are " : ", ",
                            ((const NegoDomain *) domains->pdata[i])->name);
  if (domains->len > NAMES_TOLD)
    g_string_append (names, ", … (nego-host list)");
  return g_string_free (g_steal_pointer (&names), FALSE);
}

static gboolean
nego_route_find (NegoRoute *route, gint64 deadline, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *names = NULL;

  route->module = nego_libvirt_module_load (error);
  if (route->module == NULL)
    return FALSE;
  route->own_libvirt = route->module->open (route->options->connect, deadline, error);
  if (route->own_libvirt == NULL)
    return FALSE;
  route->libvirt = route->own_libvirt;
  route->own_domain
    = route->module->find (route->libvirt, route->options->guest, deadline, &failure);
  if (route->own_domain != NULL) {
    route->domain = route->own_domain;
    return TRUE;
  }
  if (failure != NULL) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  names = nego_route_known_names (route, deadline);
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_CLOSED, "no such guest; %s", names);
  return FALSE;
}

/* Reads the domain's channels, and sees whether an agent can be there at all. */
static gboolean
nego_route_discover (NegoRoute *route, GError **error)
{
  const NegoDomain *domain = route->domain;

  if (!domain->running) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CLOSED, "the guest is %s; virsh %s %s",
                 domain->state, domain->active ? "resume" : "start", domain->name);
    return FALSE;
  }
  route->channels = nego_discover_channels (domain->xml, error);
  if (route->channels == NULL)
    return FALSE;
  if (nego_discover_has_agent (route->channels))
    return TRUE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_CLOSED,
               "the guest has no channel to an agent; write this to channel.xml and run "
               "'virsh attach-device %s channel.xml --live --config': "
               "<channel type='unix'><target type='virtio' name='" NEGO_PORT_QGA "'/></channel>",
               domain->name);
  return FALSE;
}

NegoRoute *
nego_route_new (const NegoOptions *options, gint64 deadline, GError **error)
{
  g_autoptr (NegoRoute) route = g_new0 (NegoRoute, 1);

  route->options = options;
  if (options->socket == NULL
      && (!nego_route_find (route, deadline, error) || !nego_route_discover (route, error)))
    return NULL;
  return g_steal_pointer (&route);
}

NegoRoute *
nego_route_new_for_domain (const NegoOptions *options,
                           const NegoLibvirtModule *module,
                           NegoLibvirt *libvirt,
                           const NegoDomain *domain,
                           GError **error)
{
  g_autoptr (NegoRoute) route = g_new0 (NegoRoute, 1);

  route->options = options;
  route->module = module;
  route->libvirt = libvirt;
  route->domain = domain;
  return nego_route_discover (route, error) ? g_steal_pointer (&route) : NULL;
}

static NegoRemote *
nego_route_open_socket (const char *path, double patience, GError **error)
{
  NegoLink *link = nego_link_socket_new (path, patience, error);

  return link != NULL ? nego_remote_new (link) : NULL;
}

/* The socket of our own port, or NULL. */
static const char *
nego_route_port_path (const NegoRoute *route)
{
  const NegoChannel *port = nego_discover_find (route->channels, NEGO_PORT_HOST_TO_GUEST);

  return port != NULL && route->module->is_local (route->libvirt) ? port->path : NULL;
}

/* libvirt's agent call; NULL: the guest has no channel for it. */
static NegoRemote *
nego_route_open_libvirt (NegoRoute *route)
{
  if (route->module == NULL || nego_discover_find (route->channels, NEGO_PORT_QGA) == NULL)
    return NULL;
  return nego_remote_new (route->module->link (route->libvirt, route->domain));
}

/* Our own port, if somebody answers there. */
static NegoRemote *
nego_route_open_port (const char *path, gint64 deadline, GError **error)
{
  g_autoptr (NegoRemote) guest = nego_route_open_socket (path, NEGO_GUEST_SYNC_S, error);

  if (guest == NULL || !nego_remote_sync (guest, deadline, error))
    return NULL;
  return g_steal_pointer (&guest);
}

/* Whether the multiplexer at @guest has the port at the socket @path, and not that of a guest of
 * the same name on another connection, and an agent answers there. */
static gboolean
nego_route_is_connected (NegoRemote *guest, const char *path, gint64 deadline, GError **error)
{
  g_autoptr (JsonNode) node = nego_remote_ask (guest, "negotiator-connection", deadline, error);
  JsonObject *connection;

  if (node == NULL)
    return FALSE;
  connection = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  if (connection != NULL
      && g_strcmp0 (json_object_get_string_member_with_default (connection, "port", NULL), path)
           == 0
      && json_object_get_boolean_member_with_default (connection, "connected", FALSE))
    return TRUE;
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_CLOSED,
                       "nego-hostd has no connection to the guest's agent");
  return FALSE;
}

/* Where nego-hostd offers our own port, if it does. Returns: (transfer full). */
static char *
nego_route_outlet_path (const NegoRoute *route)
{
  const char *control = route->options->hostd != NULL ? route->options->hostd : NEGO_CONTROL_SOCKET;
  g_autofree char *dir = nego_guest_socket_dir (control);
  g_autofree char *outlet = nego_guest_socket_path (dir, route->domain->name);

  if (outlet == NULL || !g_file_test (outlet, G_FILE_TEST_EXISTS))
    return NULL;
  return g_steal_pointer (&outlet);
}

/* nego-hostd's way to our own port, if it has it. */
static NegoRemote *
nego_route_open_outlet (const NegoRoute *route, const char *path, gint64 deadline, GError **error)
{
  g_autofree char *outlet = nego_route_outlet_path (route);
  g_autoptr (NegoRemote) guest = NULL;
  NegoLink *link;

  if (outlet == NULL)
    return NULL;
  link = nego_link_socket_new_shared (outlet, NEGO_GUEST_PROBE_S, error);
  if (link == NULL)
    return NULL;
  guest = nego_remote_new (link);
  if (!nego_remote_sync (guest, deadline, error)
      || !nego_route_is_connected (guest, path, deadline, error))
    return NULL;
  return g_steal_pointer (&guest);
}

/* The socket behind which such a daemon may be, or NULL. */
static const char *
nego_route_old_path (const NegoRoute *route)
{
  g_autofree char *outlet = NULL;
  const NegoChannel *port;

  if (route->module == NULL)
    return route->options->socket;
  outlet = nego_route_outlet_path (route);
  port = nego_discover_find (route->channels, NEGO_PORT_HOST_TO_GUEST);
  return outlet == NULL && port != NULL && port->connected ? nego_route_port_path (route) : NULL;
}

NegoOldRemote *
nego_route_open_old (NegoRoute *route, gint64 deadline)
{
  const char *path = nego_route_old_path (route);
  NegoEnd *end = path != NULL ? nego_end_new (path, NULL) : NULL;
  g_autoptr (NegoOldRemote) remote = end != NULL ? nego_old_remote_new (end, deadline, NULL) : NULL;

  return remote != NULL && !remote->speaks_qmp ? g_steal_pointer (&remote) : NULL;
}

/* How long the agent at --socket may be silent. The --timeout of exec is the command's. */
static double
nego_route_patience (const NegoRoute *route)
{
  if (!route->options->has_timeout)
    return NEGO_GUEST_SYNC_S;
  return route->options->verb->runs ? NEGO_GUEST_ANSWER_S : route->options->timeout;
}

NegoRemote *
nego_route_open (NegoRoute *route, gint64 deadline, GError **error)
{
  g_autoptr (GError) failure = NULL;
  NegoRemote *guest;
  const char *path;

  if (route->module == NULL)
    return nego_route_open_socket (route->options->socket, nego_route_patience (route), error);
  path = nego_route_port_path (route);
  if (path != NULL) {
    guest = nego_route_open_outlet (route, path, deadline, NULL);
    if (guest == NULL)
      guest = nego_route_open_port (path, deadline, &failure);
    if (guest != NULL)
      return guest;
  }
  guest = nego_route_open_libvirt (route);
  if (guest != NULL) {
    if (failure != NULL && route->options->verbose)
      nego_output_say ("guest '%s': %s; trying libvirt's agent call", route->domain->name,
                       failure->message);
    return guest;
  }
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  else
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CLOSED,
                 "its only channel is " NEGO_PORT_HOST_TO_GUEST
                 ", whose socket is not on this machine; run nego-host on the guest's host");
  return NULL;
}
