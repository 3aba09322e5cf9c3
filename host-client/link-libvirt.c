/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/link-libvirt.h"

#include "common/error.h"
#include "common/json.h"
#include "common/names.h"
#include "host-client/reply.h"
#include "host-client/worker.h"

#include <gmodule.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* VIR_ERR_AGENT_COMMAND_TIMEOUT, which libvirt 9.0's header does not have yet. */
#define AGENT_COMMAND_TIMEOUT 112

G_DEFINE_AUTOPTR_CLEANUP_FUNC (virConnect, virConnectClose)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (virDomain, virDomainFree)

struct NegoLibvirt {
  virConnect *connection;
  GMutex lock;
  GCond freed;
  guint calls; /* agent calls in flight */
  gatomicrefcount refs;
};

typedef struct {
  NegoLink link;
  NegoLibvirt *libvirt;
  char *uuid;
} NegoLinkLibvirt;

/* Errors are returned; libvirt would also print them. */
static void
nego_libvirt_on_error (void *user_data, virErrorPtr error)
{
}

static const char *
nego_libvirt_last_message (void)
{
  const char *message = virGetLastErrorMessage ();

  return message != NULL ? message : "unknown error";
}

static void
nego_libvirt_unref (NegoLibvirt *libvirt)
{
  if (!g_atomic_ref_count_dec (&libvirt->refs))
    return;
  virConnectClose (libvirt->connection);
  g_mutex_clear (&libvirt->lock);
  g_cond_clear (&libvirt->freed);
  g_free (libvirt);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoLibvirt, nego_libvirt_unref)

static NegoLibvirt *
nego_libvirt_ref (NegoLibvirt *libvirt)
{
  g_atomic_ref_count_inc (&libvirt->refs);
  return libvirt;
}

/* What a worker asks of the connection. */
typedef struct {
  NegoLibvirt *libvirt;
  char *text; /* a name, a UUID; NULL: none */
  char *request;
  int timeout_s;
} NegoLibvirtQuery;

static NegoLibvirtQuery *
nego_libvirt_query_new (NegoLibvirt *libvirt, const char *text)
{
  NegoLibvirtQuery *query = g_new0 (NegoLibvirtQuery, 1);

  query->libvirt = nego_libvirt_ref (libvirt);
  query->text = g_strdup (text);
  return query;
}

static void
nego_libvirt_query_free (gpointer data)
{
  NegoLibvirtQuery *query = data;

  nego_libvirt_unref (query->libvirt);
  g_free (query->text);
  g_free (query->request);
  g_free (query);
}

/* --- the connection */

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

static NegoLibvirt *
nego_libvirt_open (const char *uri, gint64 deadline, GError **error)
{
  return nego_worker_run (nego_libvirt_do_open, g_strdup (uri), g_free, nego_libvirt_drop, deadline,
                          error);
}

static gboolean
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

/* --- domains */

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

static void
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

static GPtrArray *
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

static NegoDomain *
nego_libvirt_find (NegoLibvirt *libvirt, const char *name, gint64 deadline, GError **error)
{
  return nego_worker_run (nego_libvirt_do_find, nego_libvirt_query_new (libvirt, name),
                          nego_libvirt_query_free, nego_libvirt_drop_domain, deadline, error);
}

/* --- agent calls */

/* Takes one of the connection's calls. */
static gboolean
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

static void
nego_libvirt_end_call (NegoLibvirt *libvirt)
{
  g_mutex_lock (&libvirt->lock);
  libvirt->calls--;
  g_cond_signal (&libvirt->freed);
  g_mutex_unlock (&libvirt->lock);
}

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
  nego_libvirt_end_call (query->libvirt);
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
};
