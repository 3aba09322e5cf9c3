/* SPDX-License-Identifier: MIT */
/*
 * intake: the bytes of one session on their way to messages: the framer, and what was read and may
 * not be looked at yet; private to session.c.
 *
 * The Python negotiator's messages (old-frame.h) are taken, too, where somebody wants them: one
 * begins with a digit that is the first byte of all, or follows a 0xFF or another such message.
 */
#pragma once

#include "common/framer.h"

typedef struct NegoIntake NegoIntake;

typedef struct {
  /* Whether one more message may be taken. */
  gboolean (*has_room) (gpointer user_data);
  void (*message) (const NegoFramerMessage *message, gpointer user_data);
  /* One malformed message, or run of stray bytes. Takes @error. */
  void (*error) (GError *error, gpointer user_data);
  /* The text of a message of the Python negotiator; borrowed. */
  void (*old) (const char *text, gsize len, gpointer user_data);
} NegoIntakeCallbacks;

/* @callbacks: static. */
NegoIntake *nego_intake_new (const NegoFramerLimits *limits,
                             const NegoIntakeCallbacks *callbacks,
                             gpointer user_data);
/* There may be messages of the Python negotiator. To be called before anything is taken. */
void nego_intake_enable_old (NegoIntake *intake);
/* Memory of up to @bytes stays allocated for the next messages, until nego_intake_shrink(). */
void nego_intake_set_keep (NegoIntake *intake, gsize bytes);
void nego_intake_free (NegoIntake *intake);

/* Hands out the messages of @data as long as there is room, and keeps the rest. Not called while
 * there is one. */
void nego_intake_take (NegoIntake *intake, const guint8 *data, gsize len);
/* Looks at the rest, as far as there is room by now. */
void nego_intake_take_rest (NegoIntake *intake);
gboolean nego_intake_has_rest (const NegoIntake *intake);

/* Forgets what is pending and the rest. */
void nego_intake_reset (NegoIntake *intake);
/* Whether a message, or as much input that is none, was longer than @bytes since the last call. */
gboolean nego_intake_had_large (NegoIntake *intake, gsize bytes);
/* Gives back the memory of messages that are done with, but for what the next ones will need. */
void nego_intake_release (NegoIntake *intake);
/* Nothing has come for a while: gives back all that can be. */
void nego_intake_shrink (NegoIntake *intake);
