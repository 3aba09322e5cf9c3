/* SPDX-License-Identifier: MIT */
/*
 * guest: one remote agent: commands to it and what they return, over a link.
 *
 * Deadlines are g_get_monotonic_time() values, G_MAXINT64 is none. Errors are those of link.h and
 * reply.h. A call that ends with NEGO_ERROR_TIMEOUT may still be carried out; the next call finds
 * its way past the late reply.
 */
#pragma once

#include "common/client/link.h"

#include <json-glib/json-glib.h>

typedef struct NegoRemote NegoRemote;

/* Takes @link. */
NegoRemote *nego_remote_new (NegoLink *link);
void nego_remote_free (NegoRemote *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoRemote, nego_remote_free)

/* Whether libvirt's other users of the agent wait during a call. */
gboolean nego_remote_is_shared (const NegoRemote *guest);

/* Makes sure that an agent answers, if the link can tell at all without a command. */
gboolean nego_remote_sync (NegoRemote *guest, gint64 deadline, GError **error);

/* Sends @command with @arguments (a JSON object's text, or NULL for none).
 * Returns: (transfer full): what it returned. */
JsonNode *nego_remote_call (
  NegoRemote *guest, const char *command, const char *arguments, gint64 deadline, GError **error);

/* The same for a command that only asks, and takes no arguments. */
JsonNode *nego_remote_ask (NegoRemote *guest, const char *command, gint64 deadline, GError **error);

/* Whether messages also arrive unasked, and requests can be posted; else the next three are not to
 * be called. */
gboolean nego_remote_can_post (const NegoRemote *guest);
/* Sends @command and does not wait for its reply (link.h). */
gboolean nego_remote_post (
  NegoRemote *guest, const char *command, const char *arguments, gint64 deadline, GError **error);
/* The next reply or event that is there (link.h). */
gboolean nego_remote_next (NegoRemote *guest, NegoFramerMessage *message, GError **error);
int nego_remote_get_fd (NegoRemote *guest);

/* Sends the JSON object @request as it is. Returns: (transfer full): the reply, with an error as a
 * reply. */
GString *nego_remote_pass (NegoRemote *guest,
                           const char *request,
                           gsize len,
                           const char *command,
                           gint64 deadline,
                           GError **error);
