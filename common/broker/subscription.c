/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/broker/subscription.h"

#include "common/names.h"

struct NegoSubscription {
  NegoFeeds *feeds;
  NegoFeed *feed;
  char *job;
  GQueue lines; /* GBytes */
  gsize *bytes;
  gboolean last;
  NegoSubscriptionEndedFunc ended;
  gpointer user_data;
};

static void
nego_subscription_free (gpointer data)
{
  NegoSubscription *subscription = data;
  GBytes *line;

  while ((line = g_queue_pop_head (&subscription->lines)) != NULL) {
    *subscription->bytes -= g_bytes_get_size (line);
    g_bytes_unref (line);
  }
  subscription->ended (subscription, subscription->last, subscription->user_data);
  g_free (subscription->job);
  g_free (subscription);
}

static NegoFeedResult
nego_subscription_write (GString *out, gpointer user_data)
{
  NegoSubscription *subscription = user_data;
  g_autoptr (GBytes) line = g_queue_pop_head (&subscription->lines);
  gsize len;
  const char *text;

  if (line == NULL)
    return NEGO_FEED_EMPTY;
  text = g_bytes_get_data (line, &len);
  g_string_append_len (out, text, (gssize) len);
  g_string_append_c (out, '\n');
  *subscription->bytes -= len;
  return subscription->last && subscription->lines.length == 0 ? NEGO_FEED_LAST : NEGO_FEED_EVENT;
}

NegoSubscription *
nego_subscription_new (NegoFeeds *feeds,
                       const char *job,
                       gsize *bytes,
                       NegoSubscriptionEndedFunc ended,
                       gpointer user_data)
{
  NegoSubscription *subscription = g_new0 (NegoSubscription, 1);

  subscription->feeds = feeds;
  subscription->job = g_strdup (job);
  subscription->bytes = bytes;
  subscription->ended = ended;
  subscription->user_data = user_data;
  subscription->feed = nego_feeds_add (feeds, subscription, nego_subscription_write, subscription,
                                       nego_subscription_free);
  return subscription;
}

void
nego_subscription_end (NegoSubscription *subscription)
{
  nego_feeds_end (subscription->feeds, subscription);
}

const char *
nego_subscription_get_job (const NegoSubscription *subscription)
{
  return subscription->job;
}

gboolean
nego_subscription_is_of (const NegoSubscription *subscription, const NegoFeeds *feeds)
{
  return subscription->feeds == feeds;
}

gboolean
nego_subscription_add (NegoSubscription *subscription, const char *text, gsize len, gboolean last)
{
  if (*subscription->bytes + len > NEGO_BROKER_EVENTS_BYTES)
    return FALSE;
  *subscription->bytes += len;
  subscription->last = last;
  g_queue_push_tail (&subscription->lines, g_bytes_new (text, len));
  nego_feed_wake (subscription->feed);
  return TRUE;
}
