/* SPDX-License-Identifier: MIT */
/*
 * event: what a guest's agent says unasked, checked: a guest is hostile. Output is decoded from the
 * framer's text, without a tree of it: there is much of it.
 */
#pragma once

#include "common/framer.h"

typedef enum {
  NEGO_EVENT_OUTPUT,
  NEGO_EVENT_EXITED,
  NEGO_EVENT_OTHER, /* of a newer agent */
} NegoEventKind;

typedef struct {
  NegoEventKind kind;
  char *job;
  /* OUTPUT: */
  guint stream; /* 0: the output; 1: the error output */
  gint64 offset;
  guint8 *data; /* len bytes */
  gsize len;
  gsize allocated; /* of data: it serves one event after another */
} NegoEvent;

void nego_event_clear (NegoEvent *event);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoEvent, nego_event_clear)

/* Whether @message is an event: it has a member "event". */
gboolean nego_event_is_one (const NegoFramerMessage *message);

/* Reads @message into @event, which is zeroed or one that was read before. Errors: NEGO_ERROR_PARSE
 * "the agent's event makes no sense: …". */
gboolean nego_event_parse (const NegoFramerMessage *message, NegoEvent *event, GError **error);
