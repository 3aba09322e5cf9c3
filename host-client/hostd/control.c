/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-control"

#include "config.h"

#include "host-client/hostd/control.h"

#include "common/error.h"
#include "common/listener.h"
#include "common/names.h"
#include "common/session.h"
#include "host-client/hostd/handlers.h"

/* The handlers' context; its beginning is what common/service/ sees. */
struct NegoControl {
  NegoService service;
  NegoGuests *guests;
  NegoListener *listener;
  GPtrArray *sessions;
};

static void
nego_control_update (NegoControl *control)
{
  nego_listener_set_accepting (control->listener, control->sessions->len < NEGO_CONTROL_CLIENTS);
}

static void
nego_control_on_closed (NegoSession *session, const GError *error, gpointer user_data)
{
  NegoControl *control = user_data;

  g_ptr_array_remove_fast (control->sessions, session);
  nego_control_update (control);
}

static void
nego_control_on_connected (NegoListener *listener, int fd, gpointer user_data)
{
  static const NegoSessionOptions options = {
    .name = "control",
    .kind = NEGO_STREAM_SOCKET,
    .limits = { NEGO_HOSTD_MESSAGE_BYTES, NEGO_HOSTD_MESSAGE_TOKENS, NEGO_HOSTD_MESSAGE_DEPTH },
  };
  NegoControl *control = user_data;

  g_ptr_array_add (control->sessions, nego_session_new (control->service.dispatcher, fd, &options,
                                                        nego_control_on_closed, control));
  nego_control_update (control);
}

NegoControl *
nego_control_new (NegoGuests *guests, const char *path, gid_t gid, guint mode, GError **error)
{
  g_autoptr (NegoControl) control = g_new0 (NegoControl, 1);

  control->guests = guests;
  control->sessions = g_ptr_array_new_with_free_func ((GDestroyNotify) nego_session_free);
  nego_service_init (&control->service, &nego_control_handlers, nego_policy_new (),
                     nego_registry_new (NULL, NULL),
                     nego_job_table_new ("host", &nego_job_limits_default));
  control->listener = nego_listener_new_unix (path, error);
  if (control->listener == NULL || !nego_listener_set_access (control->listener, gid, mode, error))
    return NULL;
  nego_listener_set_func (control->listener, nego_control_on_connected, control);
  nego_control_update (control);
  return g_steal_pointer (&control);
}

void
nego_control_free (NegoControl *control)
{
  if (control == NULL)
    return;
  nego_listener_free (control->listener);
  g_ptr_array_unref (control->sessions);
  nego_service_clear (&control->service);
  g_free (control);
}

NegoGuests *
nego_control_guests_of (NegoCall *call)
{
  return ((NegoControl *) nego_call_get_context (call))->guests;
}
