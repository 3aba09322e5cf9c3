/* SPDX-License-Identifier: MIT */
/*
 * libnegotest: the real agent, on a socket of the test's own.
 *
 * The agent is the program of the environment variable NEGO_AGENT_BINARY. It inherits a listening
 * socket that the test made (systemd's LISTEN_FDS), so that a client can connect at once: nothing
 * is waited for and nothing is tried again. Its log goes to memory and is printed when a wait of
 * this library fails. It gets SIGKILL when the test process ends.
 *
 * Where the protocol is the QEMU guest agent's, the same tests can run against that one:
 * NEGO_TEST_PEER=/usr/sbin/qemu-ga. A NegoTestRow says what is expected of ours, and with `better`
 * why theirs does something else.
 *
 * Every wait has a deadline of NEGO_TEST_DEADLINE_MS and ends the test with what was waited for.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include <sys/types.h>

/* Far above what anything here takes, valgrind and a busy machine included. */
#define NEGO_TEST_DEADLINE_MS 60000

/* The process. */

typedef struct NegoTest NegoTest;

typedef struct {
  const char *general;     /* lines of the group [general] */
  const char *negotiator;  /* lines of [negotiator]; @DIR@ there is the agent's directory */
  const char *const *args; /* more options, NULL-terminated */
  gboolean by_path;        /* the agent makes its socket itself, instead of inheriting it */
  /* Return while it is still starting; nothing but nego_test_end() can follow. SIGTERM is held back
   * until the agent admits it: before its first line there is no clean end. */
  gboolean at_once;
  gboolean leaves_children; /* scripts are running at the end: they need not be gone before it */
} NegoTestOptions;

/* @options may be NULL. */
NegoTest *nego_test_start (const NegoTestOptions *options);

/* Checks that the agent is alive, has no more descriptors than at its start and no children, ends
 * with status 0 upon SIGTERM and has written no critical message; frees. */
void nego_test_stop (NegoTest *test);

/* As nego_test_stop(), without the checks before SIGTERM: for tests that look themselves. */
void nego_test_end (NegoTest *test);

/* As nego_test_end(), by another signal. */
void nego_test_end_by (NegoTest *test, int signum);

/* For main(): the tests share @test, which is stopped behind them. */
int nego_test_run_shared (NegoTest *test);

/* Whether NEGO_TEST_PEER names another agent than ours. */
gboolean nego_test_is_qga (void);
/* Whether memory and CPU figures say something: not with sanitizers or under valgrind. */
gboolean nego_test_is_plain (NegoTest *test);

/* Whether all runs under valgrind: its execve() of /proc/self/exe or of what cannot be executed is
 * not the kernel's, and a signal that comes while it starts is lost. */
gboolean nego_test_is_valgrind (void);

pid_t nego_test_get_pid (NegoTest *test);
/* The agent's private directory: its sockets are there. */
const char *nego_test_get_dir (NegoTest *test);
/* The directory of scripts, which the agent was told of; safe in the sense of common/trust.h. */
const char *nego_test_get_script_dir (NegoTest *test);
/* A copy of the log so far. */
char *nego_test_get_log (NegoTest *test);

/* What the kernel says of the process now. */
gsize nego_test_get_rss_kib (NegoTest *test);
/* Waits until that is @most: a session gives memory back when nothing has come for a while. Says
 * nothing of an agent that is not plain. */
void nego_test_expect_rss_kib (NegoTest *test, gsize most);
guint64 nego_test_get_cpu_ns (NegoTest *test);
/* How often it went to sleep. */
guint64 nego_test_count_sleeps (NegoTest *test);
guint nego_test_count_fds (NegoTest *test);
guint nego_test_count_children (NegoTest *test);

/* Two round trips on a connection of its own: what happened to other connections before the call
 * was noticed by the agent when it returns. */
void nego_test_settle (NegoTest *test);

/* A connection. */

typedef struct NegoTestClient NegoTestClient;

NegoTestClient *nego_test_connect (NegoTest *test);
/* To another socket of the agent: @name in its directory. */
NegoTestClient *nego_test_connect_to (NegoTest *test, const char *name);
void nego_test_client_free (NegoTestClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoTestClient, nego_test_client_free)

int nego_test_client_get_fd (NegoTestClient *client);
/* Closes so that the agent's next read or write is refused with ECONNRESET, as when a client dies
 * with replies unread; frees. */
void nego_test_client_reset (NegoTestClient *client);
/* Ends the client's sending; it can go on receiving. */
void nego_test_client_shutdown (NegoTestClient *client);

/* Sends all bytes as they are. */
void nego_test_send (NegoTestClient *client, const char *data, gsize len);
void nego_test_send_text (NegoTestClient *client, const char *text);
/* Waits until the agent has read all that was sent. */
void nego_test_await_read (NegoTestClient *client);
/* Sends as many of the @len bytes as are taken, up to where none is taken for @patience_ms; returns
 * how many. */
gsize nego_test_send_some (NegoTestClient *client, const char *data, gsize len, guint patience_ms);

/* The next line, without its LF, 0xFF bytes included; NULL at the end of the connection. */
char *nego_test_receive (NegoTestClient *client);
/* The same, with its length: it may contain NUL. */
char *nego_test_receive_len (NegoTestClient *client, gsize *len);
/* Whether a line begins to arrive within @wait_ms. */
gboolean nego_test_is_answered (NegoTestClient *client, guint wait_ms);

/* Receives one line, which must be @reply: the same bytes, or of qemu-ga, which orders members
 * otherwise, the same JSON. */
void nego_test_expect (NegoTestClient *client, const char *reply);
void nego_test_expect_eof (NegoTestClient *client);
/* Sends @request and a LF, and expects @reply. */
void nego_test_ask (NegoTestClient *client, const char *request, const char *reply);

/* Sends @request and a LF; returns the value of "return", which the reply must have. */
JsonNode *nego_test_call (NegoTestClient *client, const char *request);
/* As nego_test_call(), for commands that return an object. */
JsonObject *nego_test_call_object (NegoTestClient *client, const char *request);
/* Receives a line, which must be a success reply; returns the value of "return". */
JsonNode *nego_test_receive_return (NegoTestClient *client);
/* Sends @request and a LF, and expects an error of GenericError with @desc. */
void nego_test_expect_error (NegoTestClient *client, const char *request, const char *desc);

/* Sends 0xFF and guest-sync-delimited, and returns the lines that came before its reply
 * (NULL-terminated). Of qemu-ga the error that the 0xFF itself gets is left out. */
char **nego_test_resync (NegoTestClient *client);

gboolean nego_test_json_equal (const char *a, const char *b);
/* Each member of @expected, a JSON object whose strings may be in single quotes, must be in @object
 * with that value; one that is null there must be absent. */
void nego_test_check_members (JsonObject *object, const char *expected);

/* Scripts. */

/* Writes the script @name with @mode; returns its path (transfer full). */
char *nego_test_add_script_mode (NegoTest *test, const char *name, mode_t mode, const char *text);
/* The same, with 0755 and nothing returned. */
void nego_test_add_script (NegoTest *test, const char *name, const char *text);
/* The key file of the script @name, with @lines of its group. */
void nego_test_add_script_conf (NegoTest *test, const char *name, const char *lines);

/* A script that opens the gate of its name, reads a line from it, prints that line and ends. */
void nego_test_add_gate (NegoTest *test, const char *name);
/* Waits until the script of the gate runs and reads. Returns the end to write its line to: closing
 * it ends the script too. */
int nego_test_open_gate (NegoTest *test, const char *name);
/* Writes @line and closes @gate. */
void nego_test_pass_gate (int gate, const char *line);

/* negotiator-exec with @arguments, members as text without the outer brackets: its result. */
JsonObject *nego_test_exec (NegoTestClient *client, const char *arguments);
/* The same for negotiator-exec-status. */
JsonObject *nego_test_status (NegoTestClient *client, const char *arguments);
/* The error of negotiator-exec with @arguments must be @desc. */
void nego_test_exec_fails (NegoTestClient *client, const char *arguments, const char *desc);

/* Rows of a table: bytes in, lines out. */

#define NEGO_TEST_ROW_REPLIES 8

typedef struct {
  const char *name; /* the rest of the test's path */
  const char *send;
  gsize len;                                  /* of @send; 0: it is text */
  const char *replies[NEGO_TEST_ROW_REPLIES]; /* before that of a resync, in order */
  const char *better; /* why qemu-ga answers otherwise; NULL: it answers the same */
} NegoTestRow;

/* Bytes that contain NUL. */
#define NEGO_TEST_BYTES(literal) .send = literal, .len = sizeof literal - 1

#define NEGO_TEST_RETURN(value) "{\"return\": " value "}"
#define NEGO_TEST_ERROR(desc)   "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" desc "\"}}"
#define NEGO_TEST_NOT_FOUND(desc) \
  "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"" desc "\"}}"
#define NEGO_TEST_PING "{\"execute\":\"guest-ping\"}"
#define NEGO_TEST_PONG NEGO_TEST_RETURN ("{}")

/* One test for each row, below @path, on @test. A row with `better` must not be answered the same
 * by qemu-ga. */
void nego_test_add_rows (NegoTest *test, const char *path, const NegoTestRow *rows, gsize n_rows);
