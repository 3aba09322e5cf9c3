/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/notes.h"

#include "common/error.h"
#include "common/names.h"

#include <string.h>

static void
nego_notes_free_note (gpointer data)
{
  NegoNote *note = data;

  g_free (note->name);
  g_free (note->value);
  g_free (note);
}

static gboolean
nego_notes_check (const char *name, const char *value, GError **error)
{
  const gsize len = strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-");

  if (len < 1 || len > NEGO_NOTE_NAME_BYTES || name[len] != '\0') {
    g_autofree char *quoted = nego_error_quote (name);

    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "name '%s' is not 1 to %u of a-z 0-9 -",
                 quoted, NEGO_NOTE_NAME_BYTES);
    return FALSE;
  }
  if (value != NULL && strlen (value) > NEGO_NOTE_VALUE_BYTES) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "the value is too long (limit %u bytes)",
                 NEGO_NOTE_VALUE_BYTES);
    return FALSE;
  }
  return TRUE;
}

/* Where @name is, or where it belongs. */
static guint
nego_notes_place (const NegoNotes *notes, const char *name, gboolean *found)
{
  guint i = 0;

  *found = FALSE;
  while (i < nego_notes_count (notes)) {
    const int order = strcmp (nego_notes_get (notes, i)->name, name);

    *found = order == 0;
    if (order >= 0)
      break;
    i++;
  }
  return i;
}

gboolean
nego_notes_set (NegoNotes *notes, const char *name, const char *value, GError **error)
{
  NegoNote *note;
  gboolean found;
  guint place;

  if (!nego_notes_check (name, value, error))
    return FALSE;
  place = nego_notes_place (notes, name, &found);
  if (!found && nego_notes_count (notes) >= NEGO_NOTES) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "too many names (limit %u)", NEGO_NOTES);
    return FALSE;
  }
  if (!found) {
    if (notes->list == NULL)
      notes->list = g_ptr_array_new_with_free_func (nego_notes_free_note);
    note = g_new0 (NegoNote, 1);
    note->name = g_strdup (name);
    g_ptr_array_insert (notes->list, (gint) place, note);
  }
  note = notes->list->pdata[place];
  g_free (note->value);
  note->value = g_strdup (value);
  note->time_ns = g_get_real_time () * 1000;
  return TRUE;
}

const NegoNote *
nego_notes_find (const NegoNotes *notes, const char *name)
{
  gboolean found;
  const guint place = nego_notes_place (notes, name, &found);

  return found ? nego_notes_get (notes, place) : NULL;
}

guint
nego_notes_count (const NegoNotes *notes)
{
  return notes->list != NULL ? notes->list->len : 0;
}

const NegoNote *
nego_notes_get (const NegoNotes *notes, guint index)
{
  return notes->list->pdata[index];
}

void
nego_notes_clear (NegoNotes *notes)
{
  g_clear_pointer (&notes->list, g_ptr_array_unref);
}
