/* SPDX-License-Identifier: MIT */
/*
 * Where a message begins and ends, what malformed input gets, and the byte 0xFF.
 *
 * qemu-ga answers each piece that its parser cannot place; ours answers once for a message.
 */
#include "config.h"

#include "tests/qtest-like/libnegotest.h"

#include <string.h>

#define PING          NEGO_TEST_PING
#define PONG          NEGO_TEST_PONG
#define STRAY(text)   NEGO_TEST_ERROR ("JSON parse error, stray '" text "'")
#define PARSE(why)    NEGO_TEST_ERROR ("JSON parse error, " why)
#define NOT_AN_OBJECT NEGO_TEST_ERROR ("QMP input must be a JSON object")
#define SYNC(id)      "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":" id "}}"
#define DELIMITED(id) "{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":" id "}}"

#define ONCE    "one error for a malformed message, not one for each of its pieces"
#define SILENT  "0xFF between messages is what a client sends to be understood: no error"
#define RECOVER "what follows a cut message is understood, though no 0xFF was sent"

static const NegoTestRow separation[] = {
  { "no-lf", PING, .replies = { PONG } },
  { "lf", PING "\n", .replies = { PONG } },
  { "crlf", PING "\r\n", .replies = { PONG } },
  { "two-without-lf", PING SYNC ("1"), .replies = { PONG, NEGO_TEST_RETURN ("1") } },
  { "two-with-lf", PING "\n" SYNC ("1") "\n", .replies = { PONG, NEGO_TEST_RETURN ("1") } },
  { "blanks-between", "\n\n \t\r\n" PING " \t\r\n\n" PING "\n\n", .replies = { PONG, PONG } },
  { "blank-lines-alone", "\n\n\r\n \t", .replies = { NULL } },
  { "pretty-printed",
    "{\n  \"execute\":\n\t\"guest-sync\",\r\n  \"arguments\": {\n    \"id\": 7\n  }\n}\n",
    .replies = { NEGO_TEST_RETURN ("7") } },
};

static const NegoTestRow malformed[] = {
  { "top-number", "5\n" PING, .replies = { NOT_AN_OBJECT, PONG } },
  { "top-keyword", "true\n" PING, .replies = { NOT_AN_OBJECT, PONG } },
  { "top-string", "\"x\"" PING, .replies = { NOT_AN_OBJECT, PONG } },
  { "top-array", "[1,{\"execute\":\"guest-ping\"}]" PING, .replies = { NOT_AN_OBJECT, PONG } },
  { "top-word", "foo\n" PING, .replies = { PARSE ("invalid keyword 'foo'"), PONG } },
  { "word-before", "foo" PING, .replies = { PARSE ("invalid keyword 'foo'"), PONG } },
  { "upper-case-before", "Foo" PING, .replies = { STRAY ("F"), PONG } },
  { "hello-world", "Hello World\n" PING, .replies = { STRAY ("H"), PONG } },
  { "two-stray-words", "foo bar" PING, .replies = { PARSE ("invalid keyword 'foo'"), PONG },
    .better = ONCE },
  { "bom", "\xEF\xBB\xBF" PING, .replies = { STRAY ("\\uFFFD"), PONG } },
  { "non-ascii", "\xC3\xA9" PING, .replies = { STRAY ("\\uFFFD"), PONG } },
  { "nul", NEGO_TEST_BYTES ("\0" PING), .replies = { STRAY (""), PONG } },
  { "esc", "\x1B" PING, .replies = { STRAY ("\\u001B"), PONG } },
  { "ctrl-d", "\x04" PING, .replies = { STRAY ("\\u0004"), PONG } },
  { "nuls", NEGO_TEST_BYTES ("\0\0\0\0" PING), .replies = { STRAY (""), PONG }, .better = ONCE },
  { "comment", "/* c */" PING, .replies = { STRAY ("/"), PONG } },
  { "interpolation", "%d" PING, .replies = { STRAY ("%"), PONG } },
  { "close-brace", "}\n" PING, .replies = { PARSE ("expecting value"), PONG } },
  { "close-bracket", "]\n" PING, .replies = { PARSE ("expecting value"), PONG } },
  { "close-brackets", "]]]\n" PING, .replies = { PARSE ("expecting value"), PONG },
    .better = ONCE },
  { "closed-by-bracket", "{]\n" PING, .replies = { PARSE ("expecting value"), PONG } },
  { "trailing-comma", "{\"execute\":\"guest-ping\",}\n" PING,
    .replies = { PARSE ("expecting value"), PONG } },
  { "no-value", "{\"execute\":}\n" PING, .replies = { PARSE ("expecting value"), PONG } },
  { "no-colon", "{\"execute\" \"guest-ping\"}\n" PING,
    .replies = { PARSE ("missing : in object pair"), PONG } },
  { "number-as-key", "{1:2}\n" PING, .replies = { PARSE ("key is not a string in object"), PONG } },
  { "no-comma-in-object", "{\"execute\":\"guest-ping\" \"id\":1}\n" PING,
    .replies = { PARSE ("expected separator in dict"), PONG } },
  { "no-comma-in-array", "{\"id\":[1 2]}\n" PING,
    .replies = { PARSE ("expected separator in list"), PONG } },
  { "duplicate-key", "{\"execute\":\"guest-ping\",\"execute\":\"guest-ping\"}\n" PING,
    .replies = { PARSE ("duplicate key"), PONG } },
  { "tab-in-string", "{\"execute\":\"guest\t-ping\"}\n" PING,
    .replies = { STRAY ("\\\"guest\\t"), PONG }, .better = ONCE },
  { "nul-in-string", NEGO_TEST_BYTES ("{\"execute\":\"guest\0-ping\"}\n" PING),
    .replies = { STRAY ("\\\"guest"), PONG }, .better = ONCE },
  { "lf-in-string", "{\"execute\":\"guest\n" PING, .replies = { STRAY ("\\\"guest\\n"), PONG } },
};

static const NegoTestRow reset_byte[] = {
  { "ff", "\xFF", .replies = { NULL }, .better = SILENT },
  { "fe", "\xFE", .replies = { STRAY ("\\uFFFD") } },
  { "ff-then-ping", "\xFF" PING, .replies = { PONG }, .better = SILENT },
  { "many", "\xFF\xFF\xFF\xFF" PING, .replies = { PONG }, .better = SILENT },
  { "in-object", "{\"execute\":\xFF" PING, .replies = { STRAY ("\\uFFFD"), PONG } },
  { "in-string", "{\"execute\":\"guest-sync\",\"argu\xFF" SYNC ("4"),
    .replies = { STRAY ("\\\"argu\\uFFFD"), NEGO_TEST_RETURN ("4") } },
  { "in-discarded", "{\"execute\":x,[[\xFF" PING,
    .replies = { PARSE ("invalid keyword 'x'"), PONG }, .better = ONCE },
  { "cut-in-string-then-lf", "{\"execute\":\"guest-sy\n" SYNC ("8") "\n",
    .replies = { STRAY ("\\\"guest-sy\\n"), NEGO_TEST_RETURN ("8") } },
  { "cut-in-string-without-lf", "{\"execute\":\"guest-sy" SYNC ("8") "\n" SYNC ("9") "\n",
    .replies = { PARSE ("expected separator in dict"), NEGO_TEST_RETURN ("9") }, .better = ONCE },
  { "cut-outside-string-without-lf", "{\"execute\":" SYNC ("8") "\n" SYNC ("9") "\n",
    .replies = { PARSE ("expected separator in dict"), NEGO_TEST_RETURN ("9") },
    .better = RECOVER },
  { "cut-behind-key", "{\"execute\":\n" SYNC ("8") "\n" SYNC ("9") "\n",
    .replies = { PARSE ("expected separator in dict"), NEGO_TEST_RETURN ("9") },
    .better = RECOVER },
  { "cut-behind-comma", "{\"execute\":\"guest-ping\",\n" SYNC ("8") "\n" SYNC ("9") "\n",
    .replies
    = { PARSE ("key is not a string in object"), NEGO_TEST_RETURN ("8"), NEGO_TEST_RETURN ("9") },
    .better = RECOVER },
};

static void
test_split (gconstpointer user_data)
{
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);
  const char *request = "{\"execute\":\"guest-ping\",\"id\":\"\xC3\xA9\xF0\x9F\x98\x80\"}";
  gsize cut;

  for (cut = 1; cut < strlen (request); cut++) {
    nego_test_send (client, request, cut);
    nego_test_await_read (client);
    nego_test_send (client, request + cut, strlen (request) - cut);
    nego_test_expect (client, "{\"return\": {}, \"id\": \"\\u00E9\\uD83D\\uDE00\"}");
  }
}

static void
test_pipelined (gconstpointer user_data)
{
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);
  g_autoptr (GString) requests = g_string_new (NULL);
  int i;

  for (i = 0; i < 50; i++)
    g_string_append_printf (requests, "{\"execute\":\"guest-ping\",\"id\":%d}", i);
  g_string_append (requests, SYNC ("50"));
  nego_test_send (client, requests->str, requests->len);
  for (i = 0; i < 50; i++) {
    g_autofree char *reply = g_strdup_printf ("{\"return\": {}, \"id\": %d}", i);

    nego_test_expect (client, reply);
  }
  nego_test_expect (client, NEGO_TEST_RETURN ("50"));
}

/* 0xFF stands directly before the reply of a successful guest-sync-delimited and nowhere else. */
static void
test_delimiter (gconstpointer user_data)
{
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);

  nego_test_send_text (client, DELIMITED ("2") "\n");
  nego_test_expect (client, "\xFF{\"return\": 2}");
  nego_test_ask (client, PING, PONG);
  nego_test_send_text (
    client, "{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":3},\"id\":\"x\"}\n");
  nego_test_expect (client, "\xFF{\"return\": 3, \"id\": \"x\"}");
  nego_test_expect_error (client, "{\"execute\":\"guest-sync-delimited\"}",
                          "Parameter 'id' is missing");
  nego_test_expect_error (client, DELIMITED ("\"x\""),
                          "Invalid parameter type for 'id', expected: integer");
  nego_test_ask (client, SYNC ("4"), NEGO_TEST_RETURN ("4"));
}

int
main (int argc, char **argv)
{
  NegoTest *test;

  g_test_init (&argc, &argv, NULL);
  test = nego_test_start (NULL);
  nego_test_add_rows (test, "/wire-framing/separation", separation, G_N_ELEMENTS (separation));
  nego_test_add_rows (test, "/wire-framing/malformed", malformed, G_N_ELEMENTS (malformed));
  nego_test_add_rows (test, "/wire-framing/reset-byte", reset_byte, G_N_ELEMENTS (reset_byte));
  g_test_add_data_func ("/wire-framing/split", test, test_split);
  g_test_add_data_func ("/wire-framing/pipelined", test, test_pipelined);
  g_test_add_data_func ("/wire-framing/delimiter", test, test_delimiter);
  return nego_test_run_shared (test);
}
