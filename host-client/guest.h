/* SPDX-License-Identifier: MIT */
/*
 * guest: one remote agent: commands to it and what they return, over a link.
 *
 * Deadlines are g_get_monotonic_time() values, G_MAXINT64 is none. Errors are those of link.h and
 * reply.h. A call that ends with NEGO_ERROR_TIMEOUT may still be carried out; the next call finds
 * its way past the late reply.
 */
#pragma once

#include "host-client/link.h"

#include <json-glib/json-glib.h>

typedef struct NegoGuest NegoGuest;

/* Takes @link. */
NegoGuest *nego_guest_new (NegoLink *link);
void nego_guest_free (NegoGuest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoGuest, nego_guest_free)

/* Whether libvirt's other users of the agent wait during a call. */
gboolean nego_guest_is_shared (const NegoGuest *guest);

/* Makes sure that an agent answers, if the link can tell at all without a command. */
gboolean nego_guest_sync (NegoGuest *guest, gint64 deadline, GError **error);

/* Sends @command with @arguments (a JSON object's text, or NULL for none).
 * Returns: (transfer full): what it returned. */
JsonNode *nego_guest_call (
  NegoGuest *guest, const char *command, const char *arguments, gint64 deadline, GError **error);

/* The same for a command that only asks, and takes no arguments. */
JsonNode *nego_guest_ask (NegoGuest *guest, const char *command, gint64 deadline, GError **error);

/* Whether messages also arrive unasked, and requests can be posted; else the next three are not to
 * be called. */
gboolean nego_guest_can_post (const NegoGuest *guest);
/* Sends @command and does not wait for its reply (link.h). */
gboolean nego_guest_post (
  NegoGuest *guest, const char *command, const char *arguments, gint64 deadline, GError **error);
/* The next reply or event that is there (link.h). */
gboolean nego_guest_next (NegoGuest *guest, NegoFramerMessage *message, GError **error);
int nego_guest_get_fd (NegoGuest *guest);

/* Sends the JSON object @request as it is. Returns: (transfer full): the reply, with an error as a
 * reply. */
GString *nego_guest_pass (NegoGuest *guest,
                          const char *request,
                          gsize len,
                          const char *command,
                          gint64 deadline,
                          GError **error);
