/* SPDX-License-Identifier: MIT */
/*
 * notes: what a guest told by negotiator-notify: the last value of each name, with its time.
 *
 * A guest is hostile: names, values and their number have limits (NEGO_NOTES, NEGO_NOTE_*). Guests
 * that tell nothing cost nothing.
 */
#pragma once

#include <glib.h>

typedef struct {
  char *name;
  char *value;    /* NULL: none was given */
  gint64 time_ns; /* wall clock, since 1970 */
} NegoNote;

/* All zero is empty. */
typedef struct {
  GPtrArray *list; /* NegoNote, sorted by name; NULL: none */
} NegoNotes;

/* Errors: NEGO_ERROR_GENERIC "name 'x' is not …", "the value is too long (limit N bytes)", "too
 * many names (limit N)". */
gboolean nego_notes_set (NegoNotes *notes, const char *name, const char *value, GError **error);

/* The note @name, or NULL; valid until the notes change. */
const NegoNote *nego_notes_find (const NegoNotes *notes, const char *name);
guint nego_notes_count (const NegoNotes *notes);
const NegoNote *nego_notes_get (const NegoNotes *notes, guint index);

void nego_notes_clear (NegoNotes *notes);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoNotes, nego_notes_clear)
