/* SPDX-License-Identifier: MIT */
/*
 * The limits of a message, at them and one above, and floods: each gets its one error, the channel
 * is clean behind it, and the memory goes back to where it was.
 */
#include "config.h"

#include "common/names.h"
#include "tests/qtest-like/libnegotest.h"

#include <string.h>

#define PING NEGO_TEST_PING
#define PONG NEGO_TEST_PONG
/* A ping whose id is to be filled in, and the tokens of it but the id. */
#define PING_HEAD   "{\"execute\":\"guest-ping\",\"id\":"
#define PING_TAIL   "}"
#define PING_TOKENS 8u
#define PONG_HEAD   "{\"return\": {}, \"id\": "

#define DEPTH_TEXT NEGO_TEST_ERROR ("JSON nesting depth limit exceeded")
#define SIZE_TEXT  NEGO_TEST_ERROR ("JSON token size limit exceeded")
#define COUNT_TEXT NEGO_TEST_ERROR ("JSON token count limit exceeded")

/* The allocator keeps some pages at hand. */
#define RSS_SLACK_KIB 1024u
#define OWN_CHANNEL   "own.sock"

static void
append_times (GString *text, const char *piece, gsize times)
{
  gsize len = strlen (piece), start = text->len;

  g_string_set_size (text, start + len * times);
  for (gsize i = 0; i < times; i++)
    memcpy (text->str + start + i * len, piece, len);
}

/* Checks what @send gets, that the next request is understood without 0xFF, and the memory. */
static void
check_answer (NegoTest *test, const char *channel, const GString *send, const GString *reply)
{
  g_autoptr (NegoTestClient) client = nego_test_connect_to (test, channel);
  g_autofree char *line = NULL;
  gsize before, len;

  nego_test_ask (client, PING, PONG);
  before = nego_test_get_rss_kib (test);
  nego_test_send (client, send->str, send->len);
  nego_test_send (client, "\n", 1);
  line = nego_test_receive_len (client, &len);
  g_assert_cmpmem (line, len, reply->str, reply->len);
  nego_test_ask (client, PING, PONG);
  nego_test_expect_rss_kib (test, before + RSS_SLACK_KIB);
}

/* A ping whose id is a string of so many bytes that the message has @bytes bytes of tokens. */
static void
check_size (NegoTest *test, const char *channel, gsize bytes, gboolean fits)
{
  g_autoptr (GString) send = g_string_new (PING_HEAD "\"");
  g_autoptr (GString) reply = g_string_new (fits ? PONG_HEAD "\"" : SIZE_TEXT);
  gsize rest = bytes - send->len - strlen ("\"" PING_TAIL);

  append_times (send, "x", rest);
  g_string_append (send, "\"" PING_TAIL);
  g_assert_cmpuint (send->len, ==, bytes);
  if (fits) {
    append_times (reply, "x", rest);
    g_string_append (reply, "\"}");
  }
  check_answer (test, channel, send, reply);
}

static void
test_size (gconstpointer user_data)
{
  NegoTest *test = (NegoTest *) user_data;

  check_size (test, "agent.sock", NEGO_MESSAGE_BYTES_QGA, TRUE);
  check_size (test, "agent.sock", NEGO_MESSAGE_BYTES_QGA + 1, FALSE);
}

static void
test_size_of_own_channel (gconstpointer user_data)
{
  NegoTest *test = (NegoTest *) user_data;

  check_size (test, OWN_CHANNEL, NEGO_MESSAGE_BYTES_PORT, TRUE);
  check_size (test, OWN_CHANNEL, NEGO_MESSAGE_BYTES_PORT + 1, FALSE);
}

/* A ping whose id is an array of so many members that the message has @tokens tokens. */
static void
check_tokens (NegoTest *test, guint tokens, gboolean fits)
{
  g_autoptr (GString) send = g_string_new (PING_HEAD "[");
  g_autoptr (GString) reply = g_string_new (fits ? PONG_HEAD "[" : COUNT_TEXT);
  /* Members and commas are an odd number, which an empty array instead of a number evens. */
  gboolean even = (tokens - PING_TOKENS) % 2 == 0;
  gsize members = (tokens - PING_TOKENS - 2 + 1 - even) / 2;

  append_times (send, "0,", members - 1);
  g_string_append (send, even ? "[]]" PING_TAIL : "0]" PING_TAIL);
  if (fits) {
    append_times (reply, "0, ", members - 1);
    g_string_append (reply, even ? "[]]}" : "0]}");
  }
  check_answer (test, "agent.sock", send, reply);
}

static void
test_tokens (gconstpointer user_data)
{
  check_tokens ((NegoTest *) user_data, NEGO_MESSAGE_TOKENS, TRUE);
  check_tokens ((NegoTest *) user_data, NEGO_MESSAGE_TOKENS + 1, FALSE);
}

static void
check_depth (NegoTest *test, guint depth, gboolean fits)
{
  g_autoptr (GString) send = g_string_new (PING_HEAD);
  g_autoptr (GString) reply = g_string_new (fits ? PONG_HEAD : DEPTH_TEXT);

  append_times (send, "[", depth - 1);
  append_times (send, "]", depth - 1);
  g_string_append (send, PING_TAIL);
  if (fits) {
    append_times (reply, "[", depth - 1);
    append_times (reply, "]", depth - 1);
    g_string_append (reply, "}");
  }
  check_answer (test, "agent.sock", send, reply);
}

static void
test_depth (gconstpointer user_data)
{
  check_depth ((NegoTest *) user_data, NEGO_MESSAGE_DEPTH, TRUE);
  if (nego_test_is_qga ()) /* which answers each of the brackets that close */
    return;
  check_depth ((NegoTest *) user_data, NEGO_MESSAGE_DEPTH + 1, FALSE);
}

typedef struct {
  const char *name;
  const char *head;
  const char *piece;
  gsize piece_len; /* 0: text */
  gsize times;
  const char *tail;  /* of what follows behind an LF */
  const char *reply; /* NULL: none */
} Flood;

static const Flood floods[] = {
  { "arrays", "", "[", 0, 100000, "", DEPTH_TEXT },
  { "closed-arrays", "[", "[],", 0, 100000, "0]",
    NEGO_TEST_ERROR ("QMP input must be a JSON object") },
  { "objects", "", "{\"a\":", 0, 100000, "", DEPTH_TEXT },
  { "close-brackets", "", "]", 0, 1 << 20, "",
    NEGO_TEST_ERROR ("JSON parse error, expecting value") },
  { "ff", "", "\xFF", 0, 1 << 20, "", NULL },
  { "nul", "", "\0", 1, 1 << 20, "", NEGO_TEST_ERROR ("JSON parse error, stray ''") },
  { "invalid-utf-8", "", "\x80", 0, 1 << 20, "",
    NEGO_TEST_ERROR ("JSON parse error, stray '\\uFFFD'") },
  { "invalid-utf-8-in-string", PING_HEAD "\"", "\x80", 0, 1 << 20, "",
    NEGO_TEST_ERROR ("JSON parse error, invalid UTF-8 sequence in string") },
  { "nul-in-string", PING_HEAD "\"", "\0", 1, 1 << 20, "",
    NEGO_TEST_ERROR ("JSON parse error, stray '\\\"'") },
  { "stray-words", "", "stray ", 0, 1 << 18, "",
    NEGO_TEST_ERROR ("JSON parse error, invalid keyword 'stray'") },
  { "blanks", "", " \t\r\n", 0, 1 << 18, "", NULL },
  { "token", PING_HEAD "\"", "xxxxxxxxxxxxxxxx", 0, 65 << 16, "\"}", SIZE_TEXT },
  { "token-without-end", PING_HEAD "\"", "xxxxxxxxxxxxxxxx", 0, 65 << 16, "", SIZE_TEXT },
  { "number", PING_HEAD, "1111111111111111", 0, 65 << 16, "}", SIZE_TEXT },
  { "keyword", PING_HEAD, "aaaaaaaaaaaaaaaa", 0, 65 << 16, "}", SIZE_TEXT },
  { "keys", PING_HEAD "{", "\"aaaaaaaaaaaa\":0,", 0, 1 << 16, "",
    NEGO_TEST_ERROR ("JSON parse error, duplicate key") },
};

typedef struct {
  NegoTest *test;
  const Flood *flood;
} FloodCase;

static void
test_flood (gconstpointer user_data)
{
  const FloodCase *flood_case = user_data;
  const Flood *flood = flood_case->flood;
  NegoTest *test = flood_case->test;
  g_autoptr (NegoTestClient) client = nego_test_connect (test);
  g_autoptr (GString) text = g_string_new (flood->head);
  g_auto (GStrv) lines = NULL;
  gsize before, i;

  for (i = 0; i < flood->times; i++)
    g_string_append_len (text, flood->piece, flood->piece_len > 0 ? (gssize) flood->piece_len : -1);
  g_string_append (text, flood->tail);
  nego_test_ask (client, PING, PONG);
  before = nego_test_get_rss_kib (test);
  nego_test_send (client, text->str, text->len);
  lines = nego_test_resync (client);
  g_assert_cmpuint (g_strv_length (lines), ==, flood->reply != NULL);
  g_assert_cmpstr (lines[0], ==, flood->reply);
  nego_test_ask (client, PING, PONG);
  nego_test_expect_rss_kib (test, before + RSS_SLACK_KIB);
}

/* Each 0xFF cuts a message and gets its error: of bytes sent there is no shorter cause of one. */
static void
test_errors (gconstpointer user_data)
{
  NegoTest *test = (NegoTest *) user_data;
  g_autoptr (NegoTestClient) client = nego_test_connect (test);
  g_autoptr (GString) text = g_string_new (NULL);
  gsize before, i, n = 1 << 16;

  nego_test_ask (client, PING, PONG);
  before = nego_test_get_rss_kib (test);
  append_times (text, "{\xFF", n);
  nego_test_send (client, text->str, text->len);
  for (i = 0; i < n; i++)
    nego_test_expect (client, NEGO_TEST_ERROR ("JSON parse error, stray '\\uFFFD'"));
  nego_test_ask (client, PING, PONG);
  nego_test_expect_rss_kib (test, before + RSS_SLACK_KIB);
}

static void
add_floods (NegoTest *test)
{
  for (gsize i = 0; i < G_N_ELEMENTS (floods); i++) {
    g_autofree char *path = g_strdup_printf ("/wire-limits/flood/%s", floods[i].name);
    FloodCase *flood_case = g_new (FloodCase, 1);

    *flood_case = (FloodCase){ test, &floods[i] };
    g_test_add_data_func_full (path, flood_case, test_flood, g_free);
  }
}

int
main (int argc, char **argv)
{
  const NegoTestOptions options = { .negotiator = "channels = unix-listen:@DIR@/" OWN_CHANNEL };
  NegoTest *test;

  g_test_init (&argc, &argv, NULL);
  test = nego_test_start (&options);
  g_test_add_data_func ("/wire-limits/depth", test, test_depth);
  if (nego_test_is_qga ())
    return nego_test_run_shared (test);
  g_test_add_data_func ("/wire-limits/size", test, test_size);
  g_test_add_data_func ("/wire-limits/size-of-own-channel", test, test_size_of_own_channel);
  g_test_add_data_func ("/wire-limits/tokens", test, test_tokens);
  g_test_add_data_func ("/wire-limits/errors", test, test_errors);
  add_floods (test);
  return nego_test_run_shared (test);
}
