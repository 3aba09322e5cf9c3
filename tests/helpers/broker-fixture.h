/* SPDX-License-Identifier: MIT */
/*
 * broker-fixture: a broker, whose other side and clients are socket pairs in the test's hands.
 * All of it happens in one thread, so after broker_fixture_settle () all that is due has happened.
 */
#pragma once

#include "common/broker/broker.h"

typedef struct {
  NegoBroker *broker;
  int host;       /* the other side's end; -1: none */
  GString *heard; /* of what came there, the part that no line was taken of */
  GPtrArray *clients;
  guint ready, unready, closed;
} BrokerFixture;

typedef struct {
  int fd;
  GString *heard;
} BrokerClient;

#define BROKER_LOST   "the host connection changed; the command may have run"
#define BROKER_SILENT "the host does not answer"
#define BROKER_ABSENT "no host is connected"

/* For g_test_add (); @switches: not NULL for an upstream that negotiator-session is sent to. The
 * upstream is there, and synchronised. */
void broker_fixture_set_up (BrokerFixture *fixture, gconstpointer switches);
void broker_fixture_tear_down (BrokerFixture *fixture, gconstpointer switches);
void broker_fixture_settle (void);

/* A new upstream in place of the one before; it hears its sync. */
void broker_fixture_connect (BrokerFixture *fixture);
void broker_fixture_connect_as (BrokerFixture *fixture, NegoStreamKind kind);
/* Answers the sync that it heard. */
void broker_fixture_answer_sync (BrokerFixture *fixture);
/* The next line that the upstream heard; NULL: none came. */
char *broker_fixture_next (BrokerFixture *fixture);
/* The next line must be @execute of a request with these arguments. Returns: its id. */
guint64 broker_fixture_expect (BrokerFixture *fixture, const char *execute, const char *arguments);
void broker_fixture_expect_nothing (BrokerFixture *fixture);
void broker_fixture_say (BrokerFixture *fixture, const char *text);
/* Answers the request @id with @value. */
void broker_fixture_return (BrokerFixture *fixture, guint64 id, const char *value);

/* A client of the user @uid; it is the fixture's. */
BrokerClient *broker_fixture_add (BrokerFixture *fixture, uid_t uid);
void broker_client_leave (BrokerClient *client);
/* A request; @arguments and @id may be NULL. */
void broker_client_ask (BrokerClient *client,
                        const char *execute,
                        const char *arguments,
                        const char *id);
void broker_client_say (BrokerClient *client, const char *text);
/* The next line; NULL: none came. */
char *broker_client_next (BrokerClient *client);
void broker_client_expect (BrokerClient *client, const char *line);
