/* SPDX-License-Identifier: MIT */
/*
 * fake-agent: the other end of a socket, for what a real agent never sends. It serves one
 * connection, on a thread.
 */
#pragma once

#include <glib.h>

typedef struct FakeAgent FakeAgent;

/* Sends @stale before the first reply to a sync, and one of @replies (NULL-terminated; static), as
 * it is, for each further line that it reads. After the last one it closes the connection; an empty
 * one is no reply at all. @stale: NULL: syncs are not answered either. */
FakeAgent *fake_agent_new (const char *stale, const char *const *replies);
/* The same, of one that lets those who connect wait for @ms milliseconds. */
FakeAgent *fake_agent_new_late (const char *stale, const char *const *replies, guint ms);
/* Ends it; the connection has to be closed, or be about to. */
void fake_agent_free (FakeAgent *agent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FakeAgent, fake_agent_free)

const char *fake_agent_get_path (const FakeAgent *agent);

/* Waits until the connection is over. Returns: the requests without syncs, as lines. */
const char *fake_agent_finish (FakeAgent *agent);
