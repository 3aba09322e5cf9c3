/* SPDX-License-Identifier: MIT */
/*
 * reply: what a guest's agent answered, checked: a guest is hostile.
 *
 * The framer checks the text (bytes, depth, tokens; NEGO_GUEST_REPLY_*), nego_reply_parse() the
 * lists and strings; only then the generated decoders, or the output, look at it.
 *
 * An agent's error becomes a GError with its text and, where something can be done, what: its code
 * is NEGO_ERROR_NOT_FOUND for an unknown script, NEGO_ERROR_REFUSED for what the guest does not
 * allow, NEGO_ERROR_COMMAND_NOT_FOUND for a command that this agent does not have, else
 * NEGO_ERROR_GENERIC. A malformed reply is NEGO_ERROR_PARSE.
 */
#pragma once

#include "common/framer.h"

#include <json-glib/json-glib.h>

/* How long a reply to @command may be. */
gsize nego_reply_max_bytes (const char *command);

NegoFramer *nego_reply_framer_new (gsize max_bytes);

/* Whether @message is a reply: it has a member "return" or "error". Anything else, such as an
 * event, is not. */
gboolean nego_reply_is_one (const NegoFramerMessage *message);

/* The reply in the untrusted @text. Returns: (transfer full): strict JSON. */
GString *nego_reply_check (const char *text, gsize len, gsize max_bytes, GError **error);

/* Whether @reply, which a link gave, is an error. */
gboolean nego_reply_is_error (const GString *reply);

/* What @reply, which a link gave, returns. Returns: (transfer full). */
JsonNode *nego_reply_parse (const GString *reply, const char *command, GError **error);
