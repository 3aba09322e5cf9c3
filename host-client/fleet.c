/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/fleet.h"

#include "common/error.h"
#include "common/names.h"

#include <string.h>

/* One connection; opening it takes as long as the host likes, and only those who need it wait. */
typedef struct {
  GMutex lock;
  NegoLibvirt *libvirt; /* NULL: it is not open yet */
} NegoFleetConnection;

/* One host: its URI, and as many connections as workers need. */
typedef struct {
  const NegoFleet *fleet;
  const char *uri;
  GMutex lock;
  GPtrArray *connections; /* NegoFleetConnection; under the lock */
  GPtrArray *domains;     /* or NULL */
  GError *error;
} NegoFleetHost;

struct NegoFleet {
  const NegoOptions *options;
  const NegoLibvirtModule *module;
  gint64 deadline;
  GPtrArray *hosts;
  GPtrArray *guests;
};

static void
nego_fleet_host_free (gpointer data)
{
  NegoFleetHost *host = data;

  for (guint i = 0; i < host->connections->len; i++) {
    NegoFleetConnection *connection = host->connections->pdata[i];

    if (connection->libvirt != NULL)
      host->fleet->module->close (connection->libvirt);
    g_mutex_clear (&connection->lock);
    g_free (connection);
  }
  g_ptr_array_unref (host->connections);
  g_clear_pointer (&host->domains, g_ptr_array_unref);
  g_clear_error (&host->error);
  g_mutex_clear (&host->lock);
  g_free (host);
}

static void
nego_fleet_guest_free (gpointer data)
{
  NegoFleetGuest *guest = data;

  g_free (guest->label);
  g_free (guest->reason);
  g_free (guest);
}

static NegoFleetConnection *
nego_fleet_host_connection (NegoFleetHost *host, guint index)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&host->lock);

  while (host->connections->len <= index) {
    NegoFleetConnection *connection = g_new0 (NegoFleetConnection, 1);

    g_mutex_init (&connection->lock);
    g_ptr_array_add (host->connections, connection);
  }
  return host->connections->pdata[index];
}

/* The connection number @index of @host, opened when it is needed first. */
static NegoLibvirt *
nego_fleet_host_open (NegoFleetHost *host, guint index, gint64 deadline, GError **error)
{
  NegoFleetConnection *connection = nego_fleet_host_connection (host, index);
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&connection->lock);

  if (connection->libvirt == NULL)
    connection->libvirt = host->fleet->module->open (host->uri, deadline, error);
  return connection->libvirt;
}

/* Reads the host's guests; on a thread. */
static gpointer
nego_fleet_host_list (gpointer data)
{
  NegoFleetHost *host = data;
  NegoLibvirt *libvirt = nego_fleet_host_open (host, 0, host->fleet->deadline, &host->error);

  if (libvirt != NULL)
    host->domains = host->fleet->module->list (libvirt, host->fleet->deadline, &host->error);
  return NULL;
}

static void
nego_fleet_list_hosts (NegoFleet *fleet)
{
  g_autofree GThread **threads = g_new0 (GThread *, fleet->hosts->len);

  for (guint i = 1; i < fleet->hosts->len; i++)
    threads[i] = g_thread_new ("host", nego_fleet_host_list, fleet->hosts->pdata[i]);
  nego_fleet_host_list (fleet->hosts->pdata[0]);
  for (guint i = 1; i < fleet->hosts->len; i++)
    g_thread_join (threads[i]);
}

static NegoFleetGuest *
nego_fleet_add (NegoFleet *fleet, guint host_index, const char *label)
{
  const NegoFleetHost *host = fleet->hosts->pdata[host_index];
  NegoFleetGuest *guest = g_new0 (NegoFleetGuest, 1);

  guest->label = g_strdup (label);
  guest->host = host->uri;
  guest->host_index = host_index;
  g_ptr_array_add (fleet->guests, guest);
  return guest;
}

static gboolean
nego_fleet_is_called (const NegoDomain *domain, const char *name)
{
  return strcmp (domain->name, name) == 0 || strcmp (domain->uuid, name) == 0;
}

/* Adds the guests of the host that are called @name; NULL: that @options choose and that run. */
static guint
nego_fleet_add_host (NegoFleet *fleet, guint host_index, const char *name)
{
  const NegoFleetHost *host = fleet->hosts->pdata[host_index];
  guint found = 0;

  for (guint i = 0; host->domains != NULL && i < host->domains->len; i++) {
    NegoDomain *domain = host->domains->pdata[i];

    if (name != NULL ? !nego_fleet_is_called (domain, name)
                     : !domain->running
                         || (fleet->options->match != NULL
                             && !g_pattern_match_simple (fleet->options->match, domain->name)))
      continue;
    nego_fleet_add (fleet, host_index, domain->name)->domain = domain;
    found++;
  }
  return found;
}

static void
nego_fleet_add_names (NegoFleet *fleet)
{
  g_auto (GStrv) names = g_strsplit (fleet->options->guest, ",", -1);

  for (guint i = 0; names[i] != NULL; i++) {
    guint found = 0;

    if (names[i][0] == '\0')
      continue;
    for (guint j = 0; j < fleet->hosts->len; j++)
      found += nego_fleet_add_host (fleet, j, names[i]);
    if (found == 0)
      nego_fleet_add (fleet, 0, names[i])->reason = g_strdup ("no such guest");
  }
}

/* A host that cannot be reached is told of under its own name. */
static void
nego_fleet_add_silent_hosts (NegoFleet *fleet)
{
  for (guint i = 0; i < fleet->hosts->len; i++) {
    const NegoFleetHost *host = fleet->hosts->pdata[i];

    if (host->error != NULL)
      nego_fleet_add (fleet, i, host->uri != NULL ? host->uri : "libvirt")->reason
        = g_strdup (host->error->message);
  }
}

/* The host in a URI "DRIVER://USER@HOST:PORT/PATH"; this machine's has none. */
static char *
nego_fleet_host_name (const char *uri)
{
  g_autoptr (GUri) parsed = uri != NULL ? g_uri_parse (uri, G_URI_FLAGS_NONE, NULL) : NULL;
  const char *host = parsed != NULL ? g_uri_get_host (parsed) : NULL;

  return g_strdup (host != NULL && host[0] != '\0' ? host : "localhost");
}

/* Tells guests of one name apart. */
static void
nego_fleet_label (NegoFleet *fleet)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) several = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < fleet->guests->len; i++) {
    const NegoFleetGuest *guest = fleet->guests->pdata[i];

    if (guest->domain != NULL && !g_hash_table_add (names, guest->domain->name))
      g_hash_table_add (several, guest->domain->name);
  }
  for (guint i = 0; i < fleet->guests->len; i++) {
    NegoFleetGuest *guest = fleet->guests->pdata[i];
    g_autofree char *host = NULL;

    if (guest->domain == NULL || !g_hash_table_contains (several, guest->domain->name))
      continue;
    host = nego_fleet_host_name (guest->host);
    g_free (guest->label);
    guest->label = g_strdup_printf ("%s@%s", guest->domain->name, host);
  }
}

NegoFleet *
nego_fleet_new (const NegoOptions *options, gint64 deadline, GError **error)
{
  static const char *const default_uri[] = { NULL, NULL };
  g_autoptr (NegoFleet) fleet = g_new0 (NegoFleet, 1);
  const char *const *uris
    = options->connects != NULL ? (const char *const *) options->connects : default_uri;

  fleet->options = options;
  fleet->deadline = deadline;
  fleet->hosts = g_ptr_array_new_with_free_func (nego_fleet_host_free);
  fleet->guests = g_ptr_array_new_with_free_func (nego_fleet_guest_free);
  fleet->module = nego_libvirt_module_load (error);
  if (fleet->module == NULL)
    return NULL;
  do {
    NegoFleetHost *host = g_new0 (NegoFleetHost, 1);

    host->fleet = fleet;
    host->uri = *uris;
    host->connections = g_ptr_array_new ();
    g_mutex_init (&host->lock);
    g_ptr_array_add (fleet->hosts, host);
  } while (*uris != NULL && *++uris != NULL);
  nego_fleet_list_hosts (fleet);
  nego_fleet_add_silent_hosts (fleet);
  if (options->guest != NULL)
    nego_fleet_add_names (fleet);
  else
    for (guint i = 0; i < fleet->hosts->len; i++)
      nego_fleet_add_host (fleet, i, NULL);
  nego_fleet_label (fleet);
  if (fleet->guests->len > 0)
    return g_steal_pointer (&fleet);
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_CLOSED, "no guest %s (nego-host list shows them)",
               options->match != NULL ? "that runs matches the pattern" : "runs");
  return NULL;
}

void
nego_fleet_free (NegoFleet *fleet)
{
  g_ptr_array_unref (fleet->guests);
  g_ptr_array_unref (fleet->hosts);
  g_free (fleet);
}

const GPtrArray *
nego_fleet_get_guests (const NegoFleet *fleet)
{
  return fleet->guests;
}

NegoLibvirt *
nego_fleet_open (
  NegoFleet *fleet, const NegoFleetGuest *guest, guint worker, gint64 deadline, GError **error)
{
  return nego_fleet_host_open (fleet->hosts->pdata[guest->host_index], worker / NEGO_GUEST_CALLS,
                               deadline, error);
}

const NegoLibvirtModule *
nego_fleet_get_module (const NegoFleet *fleet)
{
  return fleet->module;
}

NegoRoute *
nego_fleet_new_route (
  NegoFleet *fleet, const NegoFleetGuest *guest, guint worker, gint64 deadline, GError **error)
{
  NegoLibvirt *libvirt = nego_fleet_open (fleet, guest, worker, deadline, error);

  if (libvirt == NULL)
    return NULL;
  return nego_route_new_for_domain (fleet->options, fleet->module, libvirt, guest->domain, error);
}

void
nego_fleet_write_guest (NegoJsonWriter *writer, const NegoFleetGuest *guest)
{
  nego_json_writer_key (writer, "guest");
  nego_json_writer_string (writer, guest->label);
  if (guest->domain != NULL) {
    nego_json_writer_key (writer, "uuid");
    nego_json_writer_string (writer, guest->domain->uuid);
  }
}
