/* SPDX-License-Identifier: MIT */
/*
 * feed: sources of events for one channel. An event is written when the reader has taken all that
 * was queued before it, and not earlier: so replies go before events, and events that wait cost no
 * memory. The feeds of a channel take turns.
 *
 * The channel's session (session.h) says when there is room, and ends all feeds at a sync.
 */
#pragma once

#include <glib.h>

typedef struct NegoFeed NegoFeed;
typedef struct NegoFeeds NegoFeeds;

typedef enum {
  NEGO_FEED_EMPTY, /* there is nothing to tell now: nego_feed_wake() says when */
  NEGO_FEED_EVENT, /* one event was written, and there may be more */
  NEGO_FEED_LAST,  /* one event was written, the last: the feed ends */
} NegoFeedResult;

/* Appends one event, if there is one, as a line to @out. */
typedef NegoFeedResult (*NegoFeedFunc) (GString *out, gpointer user_data);

/* There is an event to be written, or a feed has ended. */
typedef void (*NegoFeedsFunc) (gpointer user_data);

/* @wake is called from nego_feed_wake() and nego_feeds_end(). */
NegoFeeds *nego_feeds_new (NegoFeedsFunc wake, gpointer user_data);
void nego_feeds_free (NegoFeeds *feeds);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoFeeds, nego_feeds_free)

/* Adds a feed, which calls @func with @user_data, and @destroy at its end. @topic: what
 * nego_feeds_find() looks for. Whoever adds one wakes it when there is something to tell. */
NegoFeed *nego_feeds_add (NegoFeeds *feeds,
                          gconstpointer topic,
                          NegoFeedFunc func,
                          gpointer user_data,
                          GDestroyNotify destroy);
/* The user data of the feed with @topic, or NULL. */
gpointer nego_feeds_find (NegoFeeds *feeds, gconstpointer topic);
/* Ends the feed with @topic, if there is one. */
void nego_feeds_end (NegoFeeds *feeds, gconstpointer topic);
/* Ends them all. */
void nego_feeds_clear (NegoFeeds *feeds);
gboolean nego_feeds_are_empty (NegoFeeds *feeds);
/* Whether one more may be added (NEGO_FEEDS). Errors: NEGO_ERROR_BUSY "too many subscriptions
 * (limit N)". */
gboolean nego_feeds_have_room (NegoFeeds *feeds, GError **error);

void nego_feed_wake (NegoFeed *feed);

/* Writes the next event to @out. FALSE: there is none. */
gboolean nego_feeds_write (NegoFeeds *feeds, GString *out);
