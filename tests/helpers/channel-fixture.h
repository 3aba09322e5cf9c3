/* SPDX-License-Identifier: MIT */
/*
 * channel-fixture: the agent with one channel, in the test's own process, and the other end of it.
 */
#pragma once

#include "agent/agent.h"
#include "agent/channel.h"

#define PING   "{\"execute\": \"guest-ping\"}\n"
#define PONG   "{\"return\": {}}\n"
#define SYNC   "{\"execute\": \"guest-sync\", \"arguments\": {\"id\": 7}}\n"
#define SYNCED "{\"return\": 7}\n"

typedef struct {
  char *dir;
  char *path; /* in dir; not there at first */
  NegoAgent *agent;
  NegoChannel *channel;
  guint ended;
} ChannelFixture;

void channel_fixture_set_up (ChannelFixture *fixture, gconstpointer data);
void channel_fixture_tear_down (ChannelFixture *fixture, gconstpointer data);

NegoChannel *channel_fixture_open (
  ChannelFixture *fixture, NegoMethod method, const char *path, gboolean qga, GError **error);
/* The same where it must not fail, as the fixture's channel. */
void
channel_fixture_start (ChannelFixture *fixture, NegoMethod method, const char *path, gboolean qga);

/* A client, non-blocking. */
int channel_connect (const char *path);

/* Runs the main loop while there is something to do at once. */
void channel_settle (void);
/* One turn of the main loop, which ends also when @fd can be read. */
void channel_turn (int fd);
/* The main loop runs until @fd has @expected, and nothing else. */
void channel_expect (int fd, const char *expected);
void channel_put (int fd, const char *text);
/* Puts @request, expects @reply. */
void channel_ask (int fd, const char *request, const char *reply);
