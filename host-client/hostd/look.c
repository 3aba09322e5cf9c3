/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-look"

#include "config.h"

#include "host-client/hostd/look.h"

#include "common/error.h"
#include "common/names.h"
#include "host-client/discover.h"

#include <libvirt/virterror.h>
#include <stdlib.h>

void
nego_look_domain_free (NegoLookDomain *domain)
{
  if (domain == NULL)
    return;
  g_free (domain->name);
  g_free (domain->uuid);
  g_free (domain->agent);
  g_free (domain->port);
  g_free (domain);
}

NegoLookListener *
nego_look_listener_ref (NegoLookListener *listener)
{
  g_atomic_ref_count_inc (&listener->refs);
  return listener;
}

void
nego_look_listener_unref (gpointer listener)
{
  if (g_atomic_ref_count_dec (&((NegoLookListener *) listener)->refs))
    g_free (listener);
}

/* Errors are returned; libvirt would also print them. */
static void
nego_look_on_error (void *user_data, virErrorPtr error)
{
}

void
nego_look_start (void)
{
  virSetErrorFunc (NULL, nego_look_on_error);
  virEventRegisterDefaultImpl ();
}

static void
nego_look_set_error (GError **error, const char *what, const char *object)
{
  const char *message = virGetLastErrorMessage ();

  g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO, "cannot %s '%s': %s", what, object,
               message != NULL ? message : "unknown error");
}

static void
nego_look_tell (virDomainPtr handle, gboolean rebooted, NegoLookListener *listener)
{
  char uuid[VIR_UUID_STRING_BUFLEN];

  if (listener->user_data != NULL && virDomainGetUUIDString (handle, uuid) == 0)
    listener->changed (uuid, rebooted, listener->user_data);
}

static int
nego_look_on_lifecycle (
  virConnectPtr connection, virDomainPtr handle, int event, int detail, void *user_data)
{
  nego_look_tell (handle, FALSE, user_data);
  return 0;
}

static void
nego_look_on_reboot (virConnectPtr connection, virDomainPtr handle, void *user_data)
{
  nego_look_tell (handle, TRUE, user_data);
}

static void
nego_look_on_device (virConnectPtr connection,
                     virDomainPtr handle,
                     const char *alias,
                     void *user_data)
{
  nego_look_tell (handle, FALSE, user_data);
}

static void
nego_look_on_closed (virConnectPtr connection, int reason, void *user_data)
{
  NegoLookListener *listener = user_data;

  if (listener->user_data != NULL)
    listener->closed (listener->user_data);
}

static gboolean
nego_look_register (NegoLookConnection *connection,
                    NegoLookListener *listener,
                    int event,
                    virConnectDomainEventGenericCallback func)
{
  const int id = virConnectDomainEventRegisterAny (connection->handle, NULL, event, func,
                                                   nego_look_listener_ref (listener),
                                                   nego_look_listener_unref);

  if (id < 0) {
    nego_look_listener_unref (listener);
    return FALSE;
  }
  connection->events[connection->n_events++] = id;
  return TRUE;
}

static gboolean
nego_look_listen (NegoLookConnection *connection, NegoLookListener *listener)
{
  connection->tells_end
    = virConnectRegisterCloseCallback (connection->handle, nego_look_on_closed,
                                       nego_look_listener_ref (listener), nego_look_listener_unref)
      == 0;
  if (!connection->tells_end) {
    nego_look_listener_unref (listener);
    return FALSE;
  }
  return nego_look_register (connection, listener, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                             VIR_DOMAIN_EVENT_CALLBACK (nego_look_on_lifecycle))
         && nego_look_register (connection, listener, VIR_DOMAIN_EVENT_ID_REBOOT,
                                VIR_DOMAIN_EVENT_CALLBACK (nego_look_on_reboot))
         && nego_look_register (connection, listener, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
                                VIR_DOMAIN_EVENT_CALLBACK (nego_look_on_device))
         && nego_look_register (connection, listener, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
                                VIR_DOMAIN_EVENT_CALLBACK (nego_look_on_device));
}

void
nego_look_hang_up (gpointer data)
{
  NegoLookConnection *connection = data;

  if (connection->handle == NULL)
    return;
  while (connection->n_events > 0)
    virConnectDomainEventDeregisterAny (connection->handle,
                                        connection->events[--connection->n_events]);
  if (connection->tells_end)
    virConnectUnregisterCloseCallback (connection->handle, nego_look_on_closed);
  virConnectClose (connection->handle);
  connection->handle = NULL;
}

void
nego_look_connection_free (gpointer data)
{
  if (data == NULL)
    return;
  nego_look_hang_up (data);
  g_free (data);
}

static void
nego_look_read_channels (NegoLookDomain *domain, const char *xml)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) channels = nego_discover_channels (xml, &error);
  const NegoChannel *channel;

  if (channels == NULL) {
    g_warning ("guest '%s': %s", domain->name, error->message);
    return;
  }
  channel = nego_discover_find (channels, NEGO_PORT_GUEST_TO_HOST);
  if (channel != NULL)
    domain->port = g_strdup (channel->path);
  channel = nego_discover_find (channels, NEGO_PORT_HOST_TO_GUEST);
  if (channel != NULL)
    domain->agent = g_strdup (channel->path);
}

/* Whether the guests run on this machine, so that the paths in their XML are ours. */
static gboolean
nego_look_is_local (virConnectPtr connection)
{
  char *uri = virConnectGetURI (connection);
  g_autofree char *host = NULL;
  const gboolean local = uri != NULL
                         && g_uri_split (uri, G_URI_FLAGS_PARSE_RELAXED, NULL, NULL, &host, NULL,
                                         NULL, NULL, NULL, NULL)
                         && (host == NULL || *host == '\0');

  free (uri);
  return local;
}

/* FALSE: libvirt's last error says why. */
static gboolean
nego_look_read (NegoLookDomain *domain, virDomainPtr handle)
{
  const int active = virDomainIsActive (handle);
  char *xml;

  if (active < 0)
    return FALSE;
  domain->active = active == 1;
  if (!domain->active || !nego_look_is_local (virDomainGetConnect (handle)))
    return TRUE;
  xml = virDomainGetXMLDesc (handle, 0);
  if (xml == NULL)
    return FALSE;
  nego_look_read_channels (domain, xml);
  free (xml);
  return TRUE;
}

/* NULL: it is gone. */
static NegoLookDomain *
nego_look_describe (virDomainPtr handle)
{
  char uuid[VIR_UUID_STRING_BUFLEN];
  g_autoptr (NegoLookDomain) domain = NULL;

  if (virDomainGetUUIDString (handle, uuid) < 0)
    return NULL;
  domain = g_new0 (NegoLookDomain, 1);
  domain->name = g_strdup (virDomainGetName (handle));
  domain->uuid = g_strdup (uuid);
  domain->unknown = !nego_look_read (domain, handle);
  if (domain->unknown && virGetLastErrorCode () == VIR_ERR_NO_DOMAIN)
    return NULL;
  return g_steal_pointer (&domain);
}

static gboolean
nego_look_list (NegoLookOpening *opening)
{
  virDomainPtr *handles = NULL;
  const int n = virConnectListAllDomains (opening->connection->handle, &handles,
                                          VIR_CONNECT_LIST_DOMAINS_ACTIVE);

  if (n < 0)
    return FALSE;
  opening->domains = g_ptr_array_new_with_free_func ((GDestroyNotify) nego_look_domain_free);
  for (int i = 0; i < n; i++) {
    NegoLookDomain *domain = nego_look_describe (handles[i]);

    if (domain != NULL)
      g_ptr_array_add (opening->domains, domain);
    virDomainFree (handles[i]);
  }
  free (handles);
  return TRUE;
}

NegoLookOpening *
nego_look_opening_new (const char *uri, NegoLookListener *listener)
{
  NegoLookOpening *opening = g_new0 (NegoLookOpening, 1);

  opening->uri = g_strdup (uri);
  opening->listener = nego_look_listener_ref (listener);
  return opening;
}

void
nego_look_open (gpointer data)
{
  NegoLookOpening *opening = data;
  virConnectPtr handle = virConnectOpen (opening->uri);

  if (handle != NULL && !nego_look_is_local (handle))
    g_warning ("the guests of '%s' run on another machine: they are not served", opening->uri);
  if (handle != NULL) {
    opening->connection = g_new0 (NegoLookConnection, 1);
    opening->connection->handle = handle;
    if (nego_look_listen (opening->connection, opening->listener) && nego_look_list (opening))
      return;
  }
  nego_look_set_error (&opening->error, "follow the guests of", opening->uri);
  g_clear_pointer (&opening->connection, nego_look_connection_free);
}

void
nego_look_opening_free (gpointer data)
{
  NegoLookOpening *opening = data;

  nego_look_connection_free (opening->connection);
  g_clear_pointer (&opening->domains, g_ptr_array_unref);
  g_clear_error (&opening->error);
  nego_look_listener_unref (opening->listener);
  g_free (opening->uri);
  g_free (opening);
}

NegoLookQuestion *
nego_look_question_new (virConnectPtr connection, const char *uuid)
{
  NegoLookQuestion *question = g_new0 (NegoLookQuestion, 1);

  virConnectRef (connection);
  question->connection = connection;
  question->uuid = g_strdup (uuid);
  return question;
}

void
nego_look_ask (gpointer data)
{
  NegoLookQuestion *question = data;
  virDomainPtr handle = virDomainLookupByUUIDString (question->connection, question->uuid);

  if (handle != NULL)
    question->domain = nego_look_describe (handle);
  if (question->domain != NULL && question->domain->unknown)
    g_clear_pointer (&question->domain, nego_look_domain_free);
  if (question->domain == NULL && virGetLastErrorCode () != VIR_ERR_NO_DOMAIN)
    nego_look_set_error (&question->error, "look up the guest", question->uuid);
  /* Which forgets the last error. */
  if (handle != NULL)
    virDomainFree (handle);
}

void
nego_look_question_free (gpointer data)
{
  NegoLookQuestion *question = data;

  virConnectClose (question->connection);
  nego_look_domain_free (question->domain);
  g_clear_error (&question->error);
  g_free (question->uuid);
  g_free (question);
}
