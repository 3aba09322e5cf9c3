/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/feed.h"
#include "common/names.h"

typedef struct {
  const char *name;
  guint events; /* left to tell */
  gboolean last;
  gboolean destroyed;
} Source;

static NegoFeedResult
write_event (GString *out, gpointer user_data)
{
  Source *source = user_data;

  if (source->events == 0 && !source->last)
    return NEGO_FEED_EMPTY;
  g_string_append_printf (out, "%s%u ", source->name, source->events);
  if (source->events > 0) {
    source->events--;
    return NEGO_FEED_EVENT;
  }
  return NEGO_FEED_LAST;
}

static void
destroy (gpointer user_data)
{
  ((Source *) user_data)->destroyed = TRUE;
}

static void
on_wake (gpointer user_data)
{
  ++*(guint *) user_data;
}

static NegoFeed *
add (NegoFeeds *feeds, Source *source)
{
  return nego_feeds_add (feeds, source, write_event, source, destroy);
}

static void
assert_written (NegoFeeds *feeds, const char *text)
{
  g_autoptr (GString) out = g_string_new (NULL);

  while (nego_feeds_write (feeds, out))
    ;
  g_assert_cmpstr (out->str, ==, text);
}

static void
test_turns (void)
{
  guint wakes = 0;
  g_autoptr (NegoFeeds) feeds = nego_feeds_new (on_wake, &wakes);
  Source a = { .name = "a", .events = 3 }, b = { .name = "b", .events = 1, .last = TRUE };
  NegoFeed *a_feed = add (feeds, &a);

  g_assert_true (nego_feeds_find (feeds, &a) == &a);
  g_assert_null (nego_feeds_find (feeds, &b));
  nego_feed_wake (add (feeds, &b));
  nego_feed_wake (a_feed);
  nego_feed_wake (a_feed);
  g_assert_cmpuint (wakes, ==, 2);
  assert_written (feeds, "b1 a3 b0 a2 a1 ");
  g_assert_true (b.destroyed);
  g_assert_null (nego_feeds_find (feeds, &b));
  g_assert_false (nego_feeds_are_empty (feeds));
  /* It has nothing to tell until it is woken again. */
  a.events = 1;
  assert_written (feeds, "");
  nego_feed_wake (a_feed);
  g_assert_cmpuint (wakes, ==, 3);
  assert_written (feeds, "a1 ");
}

static void
test_end (void)
{
  guint wakes = 0;
  g_autoptr (NegoFeeds) feeds = nego_feeds_new (on_wake, &wakes);
  Source a = { .name = "a", .events = 1 }, b = { .name = "b", .events = 1 }, c = { .name = "c" };

  nego_feed_wake (add (feeds, &a));
  nego_feed_wake (add (feeds, &b));
  nego_feeds_end (feeds, &a);
  nego_feeds_end (feeds, &a);
  g_assert_true (a.destroyed);
  assert_written (feeds, "b1 ");
  add (feeds, &c);
  nego_feeds_clear (feeds);
  g_assert_true (b.destroyed && c.destroyed);
  g_assert_true (nego_feeds_are_empty (feeds));
  assert_written (feeds, "");
}

static void
test_limit (void)
{
  static Source sources[NEGO_FEEDS];
  guint wakes = 0;
  g_autoptr (NegoFeeds) feeds = nego_feeds_new (on_wake, &wakes);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < NEGO_FEEDS; i++) {
    g_assert_true (nego_feeds_have_room (feeds, &error));
    add (feeds, &sources[i]);
  }
  g_assert_false (nego_feeds_have_room (feeds, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_BUSY);
  g_assert_cmpstr (error->message, ==, "too many subscriptions (limit 256)");
  nego_feeds_end (feeds, &sources[7]);
  g_assert_true (nego_feeds_have_room (feeds, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/feed/turns", test_turns);
  g_test_add_func ("/feed/end", test_end);
  g_test_add_func ("/feed/limit", test_limit);
  return g_test_run ();
}
