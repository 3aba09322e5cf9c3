/* SPDX-License-Identifier: MIT */
/* libnegotest-private: what the files of libnegotest share. */
#pragma once

#include "tests/qtest-like/libnegotest.h"

#include <sys/un.h>

/* The QGA channel, in the agent's directory. */
#define NEGO_TEST_SOCKET "agent.sock"

struct sockaddr_un nego_test_address (const NegoTest *test, const char *name);

/* A monotonic time, NEGO_TEST_DEADLINE_MS from now. */
gint64 nego_test_deadline (void);
/* Milliseconds until @deadline, never below 0. */
int nego_test_left (gint64 deadline);
/* Ends the test with @what and the agent's log when @deadline comes before any of @events. */
void nego_test_wait (NegoTest *test, int fd, short events, gint64 deadline, const char *what);

/* Descriptors of the agent while it has one client, who was answered, and no other. */
guint nego_test_count_fds_settled (NegoTest *test);
/* What they are, one a line. */
char *nego_test_list_fds (NegoTest *test);

/* What a connection carries, for scripts/check-replies: which commands were named, and all lines
 * that came. NULL, where the environment variable NEGO_TEST_TRANSCRIPTS names no directory. */
typedef struct NegoTestTranscript NegoTestTranscript;

NegoTestTranscript *nego_test_transcript_new (void);
void nego_test_transcript_add_sent (NegoTestTranscript *transcript, const char *data, gsize len);
void nego_test_transcript_add_received (NegoTestTranscript *transcript, const char *line);
/* Appends it to a file of this process in that directory. */
void nego_test_transcript_free (NegoTestTranscript *transcript);
