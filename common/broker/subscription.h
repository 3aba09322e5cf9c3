/* SPDX-License-Identifier: MIT */
/*
 * subscription: the events of one job on their way to one client: what came from the other side
 * and the client has not taken yet, as lines. It is a feed of the client's session.
 */
#pragma once

#include "common/feed.h"

typedef struct NegoSubscription NegoSubscription;

/* It ends: the client is gone, synced, or it was ended by nego_subscription_end (). @last: the
 * job's last event was taken in, so the other side has ended it too. It is freed afterwards. */
typedef void (*NegoSubscriptionEndedFunc) (NegoSubscription *subscription,
                                           gboolean last,
                                           gpointer user_data);

/* Adds one for @job to @feeds. @bytes: of all that waits for the client, counted there. */
NegoSubscription *nego_subscription_new (NegoFeeds *feeds,
                                         const char *job,
                                         gsize *bytes,
                                         NegoSubscriptionEndedFunc ended,
                                         gpointer user_data);
void nego_subscription_end (NegoSubscription *subscription);

const char *nego_subscription_get_job (const NegoSubscription *subscription);
/* Whether it is one of the channel @feeds. */
gboolean nego_subscription_is_of (const NegoSubscription *subscription, const NegoFeeds *feeds);

/* Takes in one event; @last: there is none behind it. FALSE: more than NEGO_BROKER_EVENTS_BYTES
 * would wait for the client. */
gboolean
nego_subscription_add (NegoSubscription *subscription, const char *text, gsize len, gboolean last);
