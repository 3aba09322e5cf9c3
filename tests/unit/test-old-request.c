/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "common/old-frame.h"
#include "common/old-request.h"

#include <string.h>

static void
check_request (const char *text, NegoOldMethod method, const char *args, const char *input)
{
  g_auto (NegoOldRequest) request = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *joined = NULL;

  g_test_message ("%s", text);
  nego_old_request_parse (&request, text, strlen (text), &error);
  g_assert_no_error (error);
  g_assert_cmpint (request.method, ==, method);
  joined = request.args != NULL ? g_strjoinv ("|", request.args) : NULL;
  g_assert_cmpstr (joined, ==, args);
  g_assert_cmpstr (request.input, ==, input);
}

static void
test_requests (void)
{
  check_request ("{\"method\": \"list_commands\", \"args\": [], \"kw\": {}}",
                 NEGO_OLD_LIST_COMMANDS, NULL, NULL);
  check_request ("{\"method\": \"list_commands\"}\n", NEGO_OLD_LIST_COMMANDS, NULL, NULL);
  check_request ("{\"method\": \"execute\", \"args\": [\"a\"]}", NEGO_OLD_EXECUTE, "a", NULL);
  check_request ("{\"args\": [\"a\", \"b ]\\\"\\\\\", \"\", \"\\u00e4\"], \"method\": \"execute\", "
                 "\"kw\": {\"capture\": true, \"input\": \"x\\ny\"}}",
                 NEGO_OLD_EXECUTE, "a|b ]\"\\||\303\244", "x\ny");
  check_request ("{\"method\": \"execute\", \"args\": [\"a\"], \"kw\": {\"input\": null}}",
                 NEGO_OLD_EXECUTE, "a", NULL);
  check_request (
    "{\"method\": \"execute\", \"args\": [\"a\"], \"kw\": {\"x\": {\"input\": \"no\"}}}",
    NEGO_OLD_EXECUTE, "a", NULL);
}

static void
check_wrong (const char *text, const char *message)
{
  g_auto (NegoOldRequest) request = { 0 };
  g_autoptr (GError) error = NULL;

  g_test_message ("%s", text);
  g_assert_false (nego_old_request_parse (&request, text, strlen (text), &error));
  if (message != NULL)
    g_assert_cmpstr (error->message, ==, message);
  else
    g_assert_error (error, NEGO_ERROR, NEGO_ERROR_PARSE);
  g_assert_null (request.args);
}

static void
test_wrong (void)
{
  const char not_strings[] = "args must be strings without U+0000, at least one";

  check_wrong ("", "the message is not one JSON object");
  check_wrong ("{", "the message is not one JSON object");
  check_wrong ("{} {}", "the message is not one JSON object");
  check_wrong ("[]", NULL);
  check_wrong ("{\"method\": 07}", NULL);
  check_wrong ("{}", "method must be a string");
  check_wrong ("{\"method\": 1}", "method must be a string");
  check_wrong ("{\"method\": \"raw_read\"}", "Method raw_read not supported");
  check_wrong ("{\"method\": \"a\\nb\"}", "Method a\\nb not supported");
  check_wrong ("{\"method\": \"execute\"}", not_strings);
  check_wrong ("{\"method\": \"execute\", \"args\": []}", not_strings);
  check_wrong ("{\"method\": \"execute\", \"args\": \"a\"}", not_strings);
  check_wrong ("{\"method\": \"execute\", \"args\": [1]}", not_strings);
  check_wrong ("{\"method\": \"execute\", \"args\": [\"a\", [\"b\"]]}", not_strings);
  check_wrong ("{\"method\": \"execute\", \"args\": [\"a\\u0000\"]}", not_strings);
  check_wrong ("{\"method\": \"execute\", \"args\": [\"a\"], \"kw\": []}", "kw must be an object");
  check_wrong ("{\"method\": \"execute\", \"args\": [\"a\"], \"kw\": {\"input\": 1}}",
               "input must be a string without U+0000");
  check_wrong ("{\"method\": \"execute\", \"args\": [\"a\"], \"kw\": {\"input\": \"\\u0000\"}}",
               "input must be a string without U+0000");
  check_wrong (
    "{\"method\": \"execute\", \"args\": [\"a\"], \"kw\": {\"1\":1,\"2\":1,\"3\":1,\"4\":1,"
    "\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"9\":1}}",
    "kw has too many members");
}

static void
test_limits (void)
{
  g_autoptr (GString) text = g_string_new ("{\"method\": \"list_commands\", \"args\": ");

  /* One bracket is the object's. */
  for (guint i = 0; i < NEGO_OLD_DEPTH - 1; i++)
    g_string_append_c (text, '[');
  for (guint i = 0; i < NEGO_OLD_DEPTH - 1; i++)
    g_string_append_c (text, ']');
  g_string_append_c (text, '}');
  check_request (text->str, NEGO_OLD_LIST_COMMANDS, NULL, NULL);
  g_string_assign (text, "{\"method\": \"list_commands\", \"args\": ");
  for (guint i = 0; i < NEGO_OLD_DEPTH; i++)
    g_string_append_c (text, '[');
  check_wrong (text->str, NULL);
}

/* The text in a frame. */
static char *
unframe (const GString *out)
{
  g_auto (NegoOldFrame) frame = { 0 };
  gsize used;

  g_assert_cmpint (nego_old_frame_feed (&frame, (const guint8 *) out->str, out->len, &used), ==,
                   NEGO_OLD_FRAME_MESSAGE);
  g_assert_cmpuint (used, ==, out->len);
  return g_strdup (frame.text->str);
}

static void
check_written (GString *out, const char *expected)
{
  g_autofree char *text = unframe (out);

  g_assert_cmpstr (text, ==, expected);
  g_string_truncate (out, 0);
}

static void
test_write (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  char arg_a[] = "a", arg_b[] = "\303\244\"", input[] = "x\n";
  char *args[] = { arg_a, arg_b, NULL };

  nego_old_request_write (out, &(NegoOldRequest){ .method = NEGO_OLD_LIST_COMMANDS });
  check_written (out, "{\"method\": \"list_commands\", \"args\": [], \"kw\": {}}");
  nego_old_request_write (out, &(NegoOldRequest){
                                 .method = NEGO_OLD_EXECUTE, .args = args, .input = input });
  check_written (out, "{\"method\": \"execute\", \"args\": [\"a\", \"\\u00E4\\\"\"], \"kw\": "
                      "{\"input\": \"x\\n\"}}");
  g_ptr_array_add (names, arg_a);
  g_ptr_array_add (names, arg_b);
  nego_old_reply_write_names (out, names);
  check_written (out, "{\"success\": true, \"result\": [\"a\", \"\\u00E4\\\"\"], \"qmp\": true}");
  nego_old_reply_write_output (out, "a\377", 2);
  check_written (out, "{\"success\": true, \"result\": \"a\\uFFFD\"}");
  nego_old_reply_write_error (out, "no");
  check_written (out, "{\"success\": false, \"error\": \"no\"}");
}

static void
check_reply (const char *text, gboolean success, gboolean qmp, const char *said, const char *names)
{
  g_auto (NegoOldReply) reply = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *joined = NULL;

  g_test_message ("%s", text);
  nego_old_reply_parse (&reply, text, strlen (text), &error);
  g_assert_no_error (error);
  joined = reply.names != NULL ? g_strjoinv ("|", reply.names) : NULL;
  g_assert_cmpint (reply.success, ==, success);
  g_assert_cmpint (reply.qmp, ==, qmp);
  g_assert_cmpstr (reply.text, ==, said);
  g_assert_cmpstr (joined, ==, names);
}

static void
test_replies (void)
{
  g_auto (NegoOldReply) reply = { 0 };
  g_autoptr (GError) error = NULL;

  check_reply ("{\"success\": true, \"result\": \"a\\n\"}", TRUE, FALSE, "a\n", NULL);
  check_reply ("{\"success\": true, \"result\": null}", TRUE, FALSE, NULL, NULL);
  check_reply ("{\"success\": true, \"result\": [\"a\", \"b\"]}", TRUE, FALSE, NULL, "a|b");
  check_reply ("{\"success\": true, \"result\": [], \"qmp\": true}", TRUE, TRUE, NULL, "");
  check_reply ("{\"success\": true, \"result\": [1]}", TRUE, FALSE, NULL, NULL);
  check_reply ("{\"success\": false, \"error\": \"no\"}", FALSE, FALSE, "no", NULL);
  g_assert_false (nego_old_reply_parse (&reply, "{}", 2, &error));
  g_assert_cmpstr (error->message, ==, "the reply does not say whether the call succeeded");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/old-request/requests", test_requests);
  g_test_add_func ("/old-request/wrong", test_wrong);
  g_test_add_func ("/old-request/limits", test_limits);
  g_test_add_func ("/old-request/write", test_write);
  g_test_add_func ("/old-request/replies", test_replies);
  return g_test_run ();
}
