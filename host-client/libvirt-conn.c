/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/libvirt-conn.h"

#include "common/error.h"
#include "common/names.h"
#include "host-client/worker.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Errors are returned; libvirt would also print them. */
static void
nego_libvirt_on_error (void *user_data, virErrorPtr error)
{
}

const char *
nego_libvirt_last_message (void)
{
  const char *message = virGetLastErrorMessage ();

  return message != NULL ? message : "unknown error";
}

void
nego_libvirt_unref (NegoLibvirt *libvirt)
{
  if (!g_atomic_ref_count_dec (&libvirt->refs))
    return;
  virConnectClose (libvirt->connection);
  g_mutex_clear (&libvirt->lock);
  g_cond_clear (&libvirt->freed);
  g_free (libvirt);
}

NegoLibvirt *
nego_libvirt_ref (NegoLibvirt *libvirt)
{
  g_atomic_ref_count_inc (&libvirt->refs);
  return libvirt;
}

NegoLibvirtQuery *
nego_libvirt_query_new (NegoLibvirt *libvirt, const char *text)
{
  NegoLibvirtQuery *query = g_new0 (NegoLibvirtQuery, 1);

  query->libvirt = nego_libvirt_ref (libvirt);
  query->text = g_strdup (text);
  return query;
}

void
nego_libvirt_query_free (gpointer data)
{
  NegoLibvirtQuery *query = data;

  if (query->is_call)
    nego_libvirt_end_call (query->libvirt);
  nego_libvirt_unref (query->libvirt);
  g_free (query->text);
  g_free (query->request);
  g_free (query);
}

static gpointer
nego_libvirt_do_open (gpointer data, GError **error)
{
  const char *uri = data;
  g_autoptr (virConnect) connection = NULL;
  NegoLibvirt *libvirt;

  virSetErrorFunc (NULL, nego_libvirt_on_error);
  /* A question for a password must not eat the input of a script. */
  connection = virConnectOpenAuth (uri, isatty (STDIN_FILENO) ? virConnectAuthPtrDefault : NULL, 0);
  if (connection == NULL) {
    g_set_error (
      error, NEGO_ERROR, NEGO_ERROR_CLOSED,
      "cannot reach libvirt at '%s': %s; is libvirtd (or virtqemud) running, and may you "
      "use it?",
      uri != NULL ? uri : "the default URI", nego_libvirt_last_message ());
    return NULL;
  }
  libvirt = g_new0 (NegoLibvirt, 1);
  libvirt->connection = g_steal_pointer (&connection);
  g_mutex_init (&libvirt->lock);
  g_cond_init (&libvirt->freed);
  g_atomic_ref_count_init (&libvirt->refs);
  return libvirt;
}

static void
nego_libvirt_drop (gpointer data)
{
  nego_libvirt_unref (data);
}

NegoLibvirt *
nego_libvirt_open (const char *uri, gint64 deadline, GError **error)
{
  return nego_worker_run (nego_libvirt_do_open, g_strdup (uri), g_free, nego_libvirt_drop, deadline,
                          error);
}

gboolean
nego_libvirt_is_local (NegoLibvirt *libvirt)
{
  char *uri = virConnectGetURI (libvirt->connection);
  g_autofree char *host = NULL;
  gboolean local;

  local = uri != NULL
          && g_uri_split (uri, G_URI_FLAGS_PARSE_RELAXED, NULL, NULL, &host, NULL, NULL, NULL, NULL,
                          NULL)
          && (host == NULL || *host == '\0');
  free (uri);
  return local;
}

static const char *
nego_libvirt_state_name (int state)
{
  switch (state) {
  case VIR_DOMAIN_RUNNING:
    return "running";
  case VIR_DOMAIN_BLOCKED:
    return "idle";
  case VIR_DOMAIN_PAUSED:
    return "paused";
  case VIR_DOMAIN_SHUTDOWN:
    return "in shutdown";
  case VIR_DOMAIN_SHUTOFF:
    return "shut off";
  case VIR_DOMAIN_CRASHED:
    return "crashed";
  case VIR_DOMAIN_PMSUSPENDED:
    return "pmsuspended";
  default:
    return "no state";
  }
}

void
nego_libvirt_free_domain (NegoDomain *domain)
{
  g_free (domain->name);
  g_free (domain->uuid);
  g_free (domain->xml);
  g_free (domain);
}

static void
nego_libvirt_drop_domain (gpointer data)
{
  nego_libvirt_free_domain (data);
}

/* NULL: it is gone, which is no error of a list. */
static NegoDomain *
nego_libvirt_describe (virDomain *handle)
{
  char uuid[VIR_UUID_STRING_BUFLEN];
  NegoDomain *domain;
  char *xml;
  int state;

  if (virDomainGetState (handle, &state, NULL, 0) < 0 || virDomainGetUUIDString (handle, uuid) < 0)
    return NULL;
  xml = virDomainGetXMLDesc (handle, 0);
  if (xml == NULL)
    return NULL;
  domain = g_new0 (NegoDomain, 1);
  domain->name = g_strdup (virDomainGetName (handle));
  domain->uuid = g_strdup (uuid);
  domain->state = nego_libvirt_state_name (state);
  domain->running = state == VIR_DOMAIN_RUNNING || state == VIR_DOMAIN_BLOCKED;
  domain->active = state != VIR_DOMAIN_SHUTOFF && state != VIR_DOMAIN_CRASHED;
  domain->xml = g_strdup (xml);
  free (xml);
  return domain;
}

static int
nego_libvirt_compare_domains (gconstpointer a, gconstpointer b)
{
  const NegoDomain *const *left = a, *const *right = b;

  return strcmp ((*left)->name, (*right)->name);
}

static gpointer
nego_libvirt_do_list (gpointer data, GError **error)
{
  const NegoLibvirtQuery *query = data;
  g_autoptr (GPtrArray) domains = g_ptr_array_new_with_free_func (nego_libvirt_drop_domain);
  virDomain **handles = NULL;
  const int n = virConnectListAllDomains (query->libvirt->connection, &handles, 0);

  if (n < 0) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO, "cannot list the guests: %s",
                 nego_libvirt_last_message ());
    return NULL;
  }
  for (int i = 0; i < n; i++) {
    NegoDomain *domain = nego_libvirt_describe (handles[i]);

    if (domain != NULL)
      g_ptr_array_add (domains, domain);
    virDomainFree (handles[i]);
  }
  free (handles);
  g_ptr_array_sort (domains, nego_libvirt_compare_domains);
  return g_steal_pointer (&domains);
}

static void
nego_libvirt_drop_list (gpointer data)
{
  g_ptr_array_unref (data);
}

GPtrArray *
nego_libvirt_list (NegoLibvirt *libvirt, gint64 deadline, GError **error)
{
  return nego_worker_run (nego_libvirt_do_list, nego_libvirt_query_new (libvirt, NULL),
                          nego_libvirt_query_free, nego_libvirt_drop_list, deadline, error);
}

static gpointer
nego_libvirt_do_find (gpointer data, GError **error)
{
  const NegoLibvirtQuery *query = data;
  virConnect *connection = query->libvirt->connection;
  g_autoptr (virDomain) handle = virDomainLookupByName (connection, query->text);
  NegoDomain *domain;

  if (handle == NULL && virGetLastErrorCode () == VIR_ERR_NO_DOMAIN)
    handle = virDomainLookupByUUIDString (connection, query->text);
  domain = handle != NULL ? nego_libvirt_describe (handle) : NULL;
  if (domain != NULL)
    return domain;
  /* VIR_ERR_INVALID_ARG: it is no UUID. */
  if (virGetLastErrorCode () != VIR_ERR_NO_DOMAIN && virGetLastErrorCode () != VIR_ERR_INVALID_ARG)
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO, "cannot look up the guest '%s': %s", query->text,
                 nego_libvirt_last_message ());
  return NULL;
}

NegoDomain *
nego_libvirt_find (NegoLibvirt *libvirt, const char *name, gint64 deadline, GError **error)
{
  return nego_worker_run (nego_libvirt_do_find, nego_libvirt_query_new (libvirt, name),
                          nego_libvirt_query_free, nego_libvirt_drop_domain, deadline, error);
}

gboolean
nego_libvirt_begin_call (NegoLibvirt *libvirt, gint64 deadline)
{
  gboolean go_on = TRUE;

  g_mutex_lock (&libvirt->lock);
  while (libvirt->calls >= NEGO_GUEST_CALLS && go_on) {
    if (deadline == G_MAXINT64)
      g_cond_wait (&libvirt->freed, &libvirt->lock);
    else
      go_on = g_cond_wait_until (&libvirt->freed, &libvirt->lock, deadline);
  }
  go_on = libvirt->calls < NEGO_GUEST_CALLS;
  if (go_on)
    libvirt->calls++;
  g_mutex_unlock (&libvirt->lock);
  return go_on;
}

void
nego_libvirt_end_call (NegoLibvirt *libvirt)
{
  g_mutex_lock (&libvirt->lock);
  libvirt->calls--;
  g_cond_signal (&libvirt->freed);
  g_mutex_unlock (&libvirt->lock);
}
