/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/guest.h"

#include "host-client/reply.h"

#include <string.h>

struct NegoGuest {
  NegoLink *link;
};

NegoGuest *
nego_guest_new (NegoLink *link)
{
  NegoGuest *guest = g_new (NegoGuest, 1);

  guest->link = link;
  return guest;
}

void
nego_guest_free (NegoGuest *guest)
{
  nego_link_free (guest->link);
  g_free (guest);
}

gboolean
nego_guest_is_shared (const NegoGuest *guest)
{
  return guest->link->shared;
}

gboolean
nego_guest_sync (NegoGuest *guest, gint64 deadline, GError **error)
{
  return guest->link->klass->sync (guest->link, deadline, error);
}

/* Returns: (transfer full). */
static char *
nego_guest_make_request (const char *command, const char *arguments)
{
  return arguments != NULL
           ? g_strdup_printf ("{\"execute\":\"%s\",\"arguments\":%s}", command, arguments)
           : g_strdup_printf ("{\"execute\":\"%s\"}", command);
}

gboolean
nego_guest_can_post (const NegoGuest *guest)
{
  return guest->link->klass->post != NULL;
}

gboolean
nego_guest_post (
  NegoGuest *guest, const char *command, const char *arguments, gint64 deadline, GError **error)
{
  g_autofree char *text = nego_guest_make_request (command, arguments);
  const NegoLinkRequest request = { .text = text, .len = strlen (text) };

  return guest->link->klass->post (guest->link, &request, deadline, error);
}

gboolean
nego_guest_next (NegoGuest *guest, NegoFramerMessage *message, GError **error)
{
  return guest->link->klass->next (guest->link, message, error);
}

int
nego_guest_get_fd (NegoGuest *guest)
{
  return guest->link->klass->get_fd (guest->link);
}

static JsonNode *
nego_guest_exchange (NegoGuest *guest,
                     const char *command,
                     const char *arguments,
                     gboolean harmless,
                     gint64 deadline,
                     GError **error)
{
  g_autofree char *text = nego_guest_make_request (command, arguments);
  const NegoLinkRequest request = {
    .text = text,
    .len = strlen (text),
    .max_reply = nego_reply_max_bytes (command),
    .harmless = harmless,
  };
  g_autoptr (GString) reply = guest->link->klass->call (guest->link, &request, deadline, error);

  return reply != NULL ? nego_reply_parse (reply, command, error) : NULL;
}

JsonNode *
nego_guest_call (
  NegoGuest *guest, const char *command, const char *arguments, gint64 deadline, GError **error)
{
  return nego_guest_exchange (guest, command, arguments, FALSE, deadline, error);
}

JsonNode *
nego_guest_ask (NegoGuest *guest, const char *command, gint64 deadline, GError **error)
{
  return nego_guest_exchange (guest, command, NULL, TRUE, deadline, error);
}

GString *
nego_guest_pass (NegoGuest *guest,
                 const char *request,
                 gsize len,
                 const char *command,
                 gint64 deadline,
                 GError **error)
{
  const NegoLinkRequest passed = {
    .text = request,
    .len = len,
    .max_reply = nego_reply_max_bytes (command),
  };

  return guest->link->klass->call (guest->link, &passed, deadline, error);
}
