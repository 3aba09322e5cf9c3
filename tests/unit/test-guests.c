/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/guests.h"

#define UUID  "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
#define UUID2 "4dea22b3-1d52-d8f3-2516-782e98ab3fa1"
#define URI   "qemu:///system"

typedef struct {
  NegoGuests *guests;
  guint told;
  gulong watch;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  const char *const commands[] = { "/no/such/directory", NULL };
  const NegoGuestsRunAs run_as = { "somebody", "me", "a reason" };

  f->guests = nego_guests_new (commands, NULL, &run_as, nego_rules_new ());
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  nego_guests_free (f->guests);
}

static void
told_cb (gpointer user_data)
{
  ((Fixture *) user_data)->told++;
}

static void
told_once_cb (gpointer user_data)
{
  Fixture *f = user_data;

  f->told++;
  nego_guests_unwatch (f->guests, f->watch);
}

/* Who a guest is says its UUID on its connection; without one, its name. */
static void
test_identity (Fixture *f, gconstpointer data)
{
  NegoGuest *web = nego_guests_take (f->guests, "web", UUID, URI);

  g_assert_true (nego_guests_take (f->guests, "web", UUID, URI) == web);
  g_assert_true (nego_guests_take (f->guests, "renamed", UUID, URI) == web);
  g_assert_cmpstr (web->name, ==, "renamed");
  g_assert_true (nego_guests_take (f->guests, "renamed", UUID2, URI) != web);
  g_assert_true (nego_guests_take (f->guests, "renamed", UUID, "test:///default") != web);
  g_assert_true (nego_guests_take (f->guests, "renamed", NULL, NULL) != web);
  g_assert_cmpuint (nego_guests_count (f->guests), ==, 4);
}

static void
test_find (Fixture *f, gconstpointer data)
{
  NegoGuest *web = nego_guests_take (f->guests, "web", UUID, URI);
  NegoGuest *plain = nego_guests_take (f->guests, "plain", NULL, NULL);

  g_assert_true (nego_guests_find (f->guests, "web") == web);
  g_assert_true (nego_guests_find (f->guests, UUID) == web);
  g_assert_true (nego_guests_find (f->guests, "4DEA22B3-1D52-D8F3-2516-782E98AB3FA0") == web);
  g_assert_true (nego_guests_find (f->guests, "plain") == plain);
  g_assert_null (nego_guests_find (f->guests, "we"));
  g_assert_null (nego_guests_find (f->guests, UUID2));
}

static void
test_list (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "c", "a", "b" };
  g_autoptr (GPtrArray) list = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    nego_guests_take (f->guests, names[i], NULL, NULL);
  list = nego_guests_list (f->guests, NULL, 3);
  g_assert_cmpuint (list->len, ==, 3);
  for (guint i = 0; i < list->len; i++) {
    const NegoGuest *guest = list->pdata[i];
    const char expected[] = { (char) ('a' + i), '\0' };

    g_assert_cmpstr (guest->name, ==, expected);
  }
}

/* In parts of three at most, "first second/…". */
static char *
list_in_parts (NegoGuests *guests)
{
  GString *text = g_string_new (NULL);
  g_autofree char *after = NULL;

  for (;;) {
    g_autoptr (GPtrArray) part = nego_guests_list (guests, after, 3);

    if (part->len == 0)
      return g_string_free (text, FALSE);
    for (guint i = 0; i < part->len; i++) {
      const NegoGuest *guest = part->pdata[i];

      g_string_append_printf (text, "%s ", guest->name);
      g_free (after);
      after = g_strdup (guest->name);
    }
    g_string_append_c (text, '/');
  }
}

/* Guests of one name, of several connections, are not lost where one part ends. */
static void
test_parts (Fixture *f, gconstpointer data)
{
  g_autofree char *none = list_in_parts (f->guests), *three = NULL, *all = NULL;

  nego_guests_take (f->guests, "b", NULL, "x:///");
  nego_guests_take (f->guests, "a", NULL, "x:///");
  nego_guests_take (f->guests, "c", NULL, "x:///");
  three = list_in_parts (f->guests);
  nego_guests_take (f->guests, "c", NULL, "y:///");
  nego_guests_take (f->guests, "d", NULL, "y:///");
  nego_guests_take (f->guests, "e", NULL, "y:///");
  all = list_in_parts (f->guests);
  g_assert_cmpstr (none, ==, "");
  g_assert_cmpstr (three, ==, "a b c /");
  g_assert_cmpstr (all, ==, "a b /c c d /e /");
}

/* What it told is over. */
static void
test_drop (Fixture *f, gconstpointer data)
{
  NegoGuest *web = nego_guests_take (f->guests, "web", UUID, URI);
  g_autoptr (GError) error = NULL;

  g_assert_true (nego_notes_set (&web->notes, "ready", NULL, &error));
  g_assert_no_error (error);
  nego_guest_set_state (web, NEGO_GUEST_SYNCHRONISED);
  nego_guests_drop (f->guests, web);
  g_assert_cmpuint (nego_guests_count (f->guests), ==, 0);
  g_assert_null (nego_guests_find (f->guests, "web"));
  web = nego_guests_take (f->guests, "web", UUID, URI);
  g_assert_cmpuint (nego_notes_count (&web->notes), ==, 0);
  g_assert_cmpint (web->state, ==, NEGO_GUEST_WAITING);
}

/* Between two stays, as when a guest is saved or reverted: its replay is refused all the same. */
static void
test_replay (Fixture *f, gconstpointer data)
{
  NegoGuest *guest = nego_guests_take (f->guests, "web", UUID, URI);

  g_assert_true (nego_sync_ids_add (&guest->sync_ids, 5, g_get_monotonic_time ()));
  nego_guests_drop (f->guests, guest);
  g_assert_cmpuint (nego_guests_count (f->guests), ==, 0);
  guest = nego_guests_take (f->guests, "web", UUID, URI);
  g_assert_false (nego_sync_ids_add (&guest->sync_ids, 5, g_get_monotonic_time ()));
  g_assert_true (nego_sync_ids_add (&guest->sync_ids, 6, g_get_monotonic_time ()));
  nego_guests_drop (f->guests, guest);
  /* Another guest is. */
  guest = nego_guests_take (f->guests, "web", UUID, "test:///default");
  g_assert_true (nego_sync_ids_add (&guest->sync_ids, 5, g_get_monotonic_time ()));
}

static void
test_watch (Fixture *f, gconstpointer data)
{
  NegoGuest *web;

  f->watch = nego_guests_watch (f->guests, told_cb, f);
  web = nego_guests_take (f->guests, "web", UUID, URI);
  g_assert_cmpuint (f->told, ==, 1);
  nego_guest_set_state (web, NEGO_GUEST_CONNECTED);
  g_assert_cmpuint (f->told, ==, 2);
  /* Nothing new. */
  nego_guest_set_state (web, NEGO_GUEST_CONNECTED);
  nego_guest_forget_notes (web);
  g_assert_cmpuint (f->told, ==, 2);
  g_assert_true (nego_notes_set (&web->notes, "ready", NULL, NULL));
  nego_guest_forget_notes (web);
  g_assert_cmpuint (f->told, ==, 3);
  nego_guests_drop (f->guests, web);
  g_assert_cmpuint (f->told, ==, 4);
  nego_guests_unwatch (f->guests, f->watch);
  nego_guests_tell (f->guests);
  g_assert_cmpuint (f->told, ==, 4);
}

static void
test_unwatch_when_told (Fixture *f, gconstpointer data)
{
  f->watch = nego_guests_watch (f->guests, told_once_cb, f);
  nego_guests_tell (f->guests);
  nego_guests_tell (f->guests);
  g_assert_cmpuint (f->told, ==, 1);
}

static void
test_settings (Fixture *f, gconstpointer data)
{
  const NegoGuestsRunAs *run_as = nego_guests_get_run_as (f->guests);
  const NegoOutletPlace place = { "/run/x", 7, 0640, NULL };

  g_assert_cmpstr (run_as->user, ==, "somebody");
  g_assert_cmpstr (run_as->own, ==, "me");
  g_assert_cmpstr (run_as->problem, ==, "a reason");
  g_assert_null (nego_guests_get_outlets (f->guests)->dir);
  nego_guests_set_outlets (f->guests, &place);
  nego_guests_set_outlets (f->guests, &place);
  g_assert_cmpstr (nego_guests_get_outlets (f->guests)->dir, ==, "/run/x");
  g_assert_cmpuint (nego_guests_get_outlets (f->guests)->gid, ==, 7);
  g_assert_cmpuint (nego_guests_get_outlets (f->guests)->mode, ==, 0640);
  g_assert_null (nego_guests_get_cgroups (f->guests));
  g_assert_null (nego_guests_get_poller (f->guests));
}

/* With nothing to stop it is done at once, and once. */
static void
test_stop (Fixture *f, gconstpointer data)
{
  nego_guests_take (f->guests, "web", UUID, URI);
  nego_guests_take (f->guests, "db", UUID2, URI);
  nego_guests_stop (f->guests, told_cb, f);
  while (f->told == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (f->told, ==, 1);
  g_assert_cmpuint (nego_guests_get_size (f->guests), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/guests/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("drop", test_drop);
  ADD ("find", test_find);
  ADD ("identity", test_identity);
  ADD ("list", test_list);
  ADD ("parts", test_parts);
  ADD ("replay", test_replay);
  ADD ("settings", test_settings);
  ADD ("stop", test_stop);
  ADD ("unwatch-when-told", test_unwatch_when_told);
  ADD ("watch", test_watch);
  return g_test_run ();
}
