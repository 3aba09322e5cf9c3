/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "host-client/hostd/notes.h"

#include <string.h>

static void
assert_refused (NegoNotes *notes, const char *name, const char *value, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (nego_notes_set (notes, name, value, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC);
  g_assert_cmpstr (error->message, ==, text);
}

static void
assert_set (NegoNotes *notes, const char *name, const char *value)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (nego_notes_set (notes, name, value, &error));
  g_assert_no_error (error);
}

static void
test_set (void)
{
  g_auto (NegoNotes) notes = { 0 };
  const NegoNote *note;
  gint64 before = g_get_real_time () * 1000;

  g_assert_null (nego_notes_find (&notes, "ready"));
  assert_set (&notes, "ready", NULL);
  assert_set (&notes, "address", "one");
  assert_set (&notes, "address", "two");
  g_assert_cmpuint (nego_notes_count (&notes), ==, 2);
  note = nego_notes_get (&notes, 0);
  g_assert_cmpstr (note->name, ==, "address");
  g_assert_cmpstr (note->value, ==, "two");
  g_assert_cmpint (note->time_ns, >=, before);
  note = nego_notes_find (&notes, "ready");
  g_assert_cmpstr (note->name, ==, "ready");
  g_assert_null (note->value);
  nego_notes_clear (&notes);
  g_assert_cmpuint (nego_notes_count (&notes), ==, 0);
}

static void
test_names (void)
{
  g_auto (NegoNotes) notes = { 0 };
  char name[NEGO_NOTE_NAME_BYTES + 2];

  memset (name, 'a', sizeof name);
  name[NEGO_NOTE_NAME_BYTES + 1] = '\0';
  assert_refused (
    &notes, name, NULL,
    "name 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' is not 1 to "
    "64 of a-z 0-9 -");
  name[NEGO_NOTE_NAME_BYTES] = '\0';
  assert_set (&notes, name, NULL);
  assert_refused (&notes, "", NULL, "name '' is not 1 to 64 of a-z 0-9 -");
  assert_refused (&notes, "Ready", NULL, "name 'Ready' is not 1 to 64 of a-z 0-9 -");
  assert_refused (&notes, "a\nb", NULL, "name 'a\\nb' is not 1 to 64 of a-z 0-9 -");
}

static void
test_limits (void)
{
  g_auto (NegoNotes) notes = { 0 };
  g_autofree char *value = g_strnfill (NEGO_NOTE_VALUE_BYTES + 1, 'x');

  assert_refused (&notes, "ready", value, "the value is too long (limit 4096 bytes)");
  value[NEGO_NOTE_VALUE_BYTES] = '\0';
  for (guint i = 0; i < NEGO_NOTES; i++) {
    g_autofree char *name = g_strdup_printf ("n%u", i);

    assert_set (&notes, name, value);
  }
  assert_refused (&notes, "one-more", NULL, "too many names (limit 64)");
  assert_set (&notes, "n0", "known names have room");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/notes/set", test_set);
  g_test_add_func ("/notes/names", test_names);
  g_test_add_func ("/notes/limits", test_limits);
  return g_test_run ();
}
