/* SPDX-License-Identifier: MIT */
/*
 * old-request: what the Python negotiator's messages mean: requests {"method", "args", "kw"} and
 * replies {"success", "result"|"error"} (python-negotiator, negotiator_common). Texts only: the
 * framing is old-frame.h's, the bytes are written framed.
 *
 * What is read is checked by the framer first, within NEGO_OLD_BYTES, NEGO_OLD_TOKENS and
 * NEGO_OLD_DEPTH. What is written is ASCII, since old peers count characters where they mean bytes.
 *
 * Errors are NEGO_ERROR_PARSE for what is no such message, else NEGO_ERROR_GENERIC.
 */
#pragma once

#include <glib.h>

typedef enum {
  NEGO_OLD_LIST_COMMANDS, /* no arguments */
  NEGO_OLD_EXECUTE,       /* the command, its arguments; input */
} NegoOldMethod;

typedef struct {
  NegoOldMethod method;
  char **args; /* of NEGO_OLD_EXECUTE: at least one; else NULL */
  char *input; /* NULL: none */
} NegoOldRequest;

/* Members that mean nothing to us ("capture", say) are ignored. Errors: "Method x not supported",
 * …: the text for the peer. */
gboolean
nego_old_request_parse (NegoOldRequest *request, const char *text, gsize len, GError **error);
void nego_old_request_clear (NegoOldRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoOldRequest, nego_old_request_clear)

/* Appends the request, framed. */
void nego_old_request_write (GString *out, const NegoOldRequest *request);

/* Append a reply, framed: the names of the commands, with the member "qmp" that tells a new peer
 * that this is one, too; the output of one, in which what is not UTF-8 is replaced; an error. */
void nego_old_reply_write_names (GString *out, const GPtrArray *names);
void nego_old_reply_write_output (GString *out, const char *output, gsize len);
void nego_old_reply_write_error (GString *out, const char *message);

/* What the peer answered. */
typedef struct {
  gboolean success;
  gboolean qmp; /* it speaks QMP, too */
  char *text;   /* the result of execute, or the error; NULL: another kind */
  char **names; /* the result of list_commands; NULL: another kind */
} NegoOldReply;

gboolean nego_old_reply_parse (NegoOldReply *reply, const char *text, gsize len, GError **error);
void nego_old_reply_clear (NegoOldReply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoOldReply, nego_old_reply_clear)
