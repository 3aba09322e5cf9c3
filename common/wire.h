/* SPDX-License-Identifier: MIT */
/*
 * wire: QMP messages as QGA spells them, between the framer's text and the dispatcher's request.
 *
 * It knows the members of requests and replies, and nothing of commands.
 */
#pragma once

#include "common/framer.h"
#include "common/json.h"

#include <glib.h>

typedef struct {
  char *execute;         /* owned; NULL when the request is wrong */
  const char *arguments; /* a JSON object's text, borrowed from the message; NULL: none */
  gsize arguments_len;
  const char *id; /* a JSON value's text, borrowed from the message; NULL: none */
  gsize id_len;
} NegoWireRequest;

void nego_wire_request_clear (NegoWireRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoWireRequest, nego_wire_request_clear)

/* Reads @message as a request. On failure @request still has the id, to be echoed, and @error is
 * QGA's text; U+0000 in the arguments, which qemu-ga passes on, is refused. */
gboolean nego_wire_parse_request (const NegoFramerMessage *message,
                                  NegoWireRequest *request,
                                  GError **error);

/* Appends the error reply to @out. @id is a respelled JSON value, or NULL. A description over 8 KiB
 * is cut: no text of ours is as long, so it echoes hostile input. */
void nego_wire_write_error (GString *out, const GError *error, const char *id);
/* The same with an error object that is JSON already. */
void nego_wire_write_error_text (GString *out, const char *text, gsize len, const char *id);
