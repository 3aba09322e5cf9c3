/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/client/remote.h"

#include "common/client/reply.h"

#include <string.h>

struct NegoRemote {
  NegoLink *link;
};

NegoRemote *
nego_remote_new (NegoLink *link)
{
  NegoRemote *guest = g_new (NegoRemote, 1);

  guest->link = link;
  return guest;
}

void
nego_remote_free (NegoRemote *guest)
{
  nego_link_free (guest->link);
  g_free (guest);
}

gboolean
nego_remote_is_shared (const NegoRemote *guest)
{
  return guest->link->shared;
}

gboolean
nego_remote_sync (NegoRemote *guest, gint64 deadline, GError **error)
{
  return guest->link->klass->sync (guest->link, deadline, error);
}

/* Returns: (transfer full). */
static char *
nego_remote_make_request (const char *command, const char *arguments)
{
  return arguments != NULL
           ? g_strdup_printf ("{\"execute\":\"%s\",\"arguments\":%s}", command, arguments)
           : g_strdup_printf ("{\"execute\":\"%s\"}", command);
}

gboolean
nego_remote_can_post (const NegoRemote *guest)
{
  return guest->link->klass->post != NULL;
}

gboolean
nego_remote_post (
  NegoRemote *guest, const char *command, const char *arguments, gint64 deadline, GError **error)
{
  g_autofree char *text = nego_remote_make_request (command, arguments);
  const NegoLinkRequest request = { .text = text, .len = strlen (text) };

  return guest->link->klass->post (guest->link, &request, deadline, error);
}

gboolean
nego_remote_next (NegoRemote *guest, NegoFramerMessage *message, GError **error)
{
  return guest->link->klass->next (guest->link, message, error);
}

int
nego_remote_get_fd (NegoRemote *guest)
{
  return guest->link->klass->get_fd (guest->link);
}

static JsonNode *
nego_remote_exchange (NegoRemote *guest,
                      const char *command,
                      const char *arguments,
                      gboolean harmless,
                      gint64 deadline,
                      GError **error)
{
  g_autofree char *text = nego_remote_make_request (command, arguments);
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
nego_remote_call (
  NegoRemote *guest, const char *command, const char *arguments, gint64 deadline, GError **error)
{
  return nego_remote_exchange (guest, command, arguments, FALSE, deadline, error);
}

JsonNode *
nego_remote_ask (NegoRemote *guest, const char *command, gint64 deadline, GError **error)
{
  return nego_remote_exchange (guest, command, NULL, TRUE, deadline, error);
}

GString *
nego_remote_pass (NegoRemote *guest,
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
