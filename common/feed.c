/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/feed.h"

#include "common/error.h"
#include "common/names.h"

struct NegoFeed {
  NegoFeeds *feeds;
  gboolean awake;
  gconstpointer topic;
  NegoFeedFunc func;
  gpointer user_data;
  GDestroyNotify destroy;
};

struct NegoFeeds {
  GHashTable *by_topic; /* topic → NegoFeed */
  GQueue awake;         /* those that may have something to tell, in turns */
  NegoFeedsFunc wake;
  gpointer user_data;
};

static void
nego_feed_free (gpointer data)
{
  NegoFeed *feed = data;

  if (feed->awake)
    g_queue_remove (&feed->feeds->awake, feed);
  feed->destroy (feed->user_data);
  g_free (feed);
}

NegoFeeds *
nego_feeds_new (NegoFeedsFunc wake, gpointer user_data)
{
  NegoFeeds *feeds = g_new0 (NegoFeeds, 1);

  feeds->by_topic = g_hash_table_new_full (NULL, NULL, NULL, nego_feed_free);
  feeds->wake = wake;
  feeds->user_data = user_data;
  return feeds;
}

void
nego_feeds_free (NegoFeeds *feeds)
{
  if (feeds == NULL)
    return;
  g_hash_table_unref (feeds->by_topic);
  g_free (feeds);
}

NegoFeed *
nego_feeds_add (NegoFeeds *feeds,
                gconstpointer topic,
                NegoFeedFunc func,
                gpointer user_data,
                GDestroyNotify destroy)
{
  NegoFeed *feed = g_new0 (NegoFeed, 1);

  feed->feeds = feeds;
  feed->topic = topic;
  feed->func = func;
  feed->user_data = user_data;
  feed->destroy = destroy;
  g_hash_table_replace (feeds->by_topic, (gpointer) topic, feed);
  return feed;
}

gpointer
nego_feeds_find (NegoFeeds *feeds, gconstpointer topic)
{
  const NegoFeed *feed = g_hash_table_lookup (feeds->by_topic, topic);

  return feed != NULL ? feed->user_data : NULL;
}

void
nego_feeds_end (NegoFeeds *feeds, gconstpointer topic)
{
  /* A channel that ends with its last feed looks then. */
  if (g_hash_table_remove (feeds->by_topic, topic))
    feeds->wake (feeds->user_data);
}

void
nego_feeds_clear (NegoFeeds *feeds)
{
  g_hash_table_remove_all (feeds->by_topic);
}

gboolean
nego_feeds_are_empty (NegoFeeds *feeds)
{
  return g_hash_table_size (feeds->by_topic) == 0;
}

gboolean
nego_feeds_have_room (NegoFeeds *feeds, GError **error)
{
  if (g_hash_table_size (feeds->by_topic) < NEGO_FEEDS)
    return TRUE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY, "too many subscriptions (limit %u)", NEGO_FEEDS);
  return FALSE;
}

void
nego_feed_wake (NegoFeed *feed)
{
  NegoFeeds *feeds = feed->feeds;

  if (feed->awake)
    return;
  feed->awake = TRUE;
  g_queue_push_tail (&feeds->awake, feed);
  feeds->wake (feeds->user_data);
}

gboolean
nego_feeds_write (NegoFeeds *feeds, GString *out)
{
  NegoFeed *feed;

  while ((feed = g_queue_peek_head (&feeds->awake)) != NULL)
    switch (feed->func (out, feed->user_data)) {
    case NEGO_FEED_EMPTY:
      feed->awake = FALSE;
      g_queue_pop_head (&feeds->awake);
      break;
    case NEGO_FEED_EVENT:
      g_queue_push_tail (&feeds->awake, g_queue_pop_head (&feeds->awake));
      return TRUE;
    case NEGO_FEED_LAST:
      g_hash_table_remove (feeds->by_topic, feed->topic);
      return TRUE;
    }
  return FALSE;
}
