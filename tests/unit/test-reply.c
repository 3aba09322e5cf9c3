/* SPDX-License-Identifier: MIT */
/* What only a hostile guest sends, and what its errors become. */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "common/client/reply.h"

#include <string.h>

/* What @text, an answer to @command, returns. */
static JsonNode *
take (const char *text, const char *command, GError **error)
{
  g_autoptr (GString) reply
    = nego_reply_check (text, strlen (text), nego_reply_max_bytes (command), error);

  return reply != NULL ? nego_reply_parse (reply, command, error) : NULL;
}

static void
check_error (const char *text, const char *command, int code, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (take (text, command, &error));
  g_assert_error (error, NEGO_ERROR, code);
  g_assert_cmpstr (error->message, ==, message);
}

static void
check_good (const char *text, const char *command)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = take (text, command, &error);

  g_assert_no_error (error);
  g_assert_nonnull (node);
}

static void
test_return (void)
{
  g_autoptr (JsonNode) node = take ("{\"return\": 5, \"id\": 1}", "guest-x", NULL);

  g_assert_cmpint (json_node_get_int (node), ==, 5);
}

static void
test_no_reply (void)
{
  check_error ("{\"event\": \"X\"}", "guest-ping", NEGO_ERROR_PARSE,
               "the agent sent what is no reply");
  check_error ("{\"return\": ", "guest-ping", NEGO_ERROR_PARSE, "the agent sent what is no reply");
  check_error ("", "guest-ping", NEGO_ERROR_PARSE, "the agent sent what is no reply");
}

static void
test_malformed (void)
{
  static const char *const texts[] = { "[1]", "}", "{\"return\": nope}",
                                       "{\"return\": 1, \"return\": 2}", "{\"return\": \"\xff\"}" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (take (texts[i], "guest-ping", &error));
    g_assert_error (error, NEGO_ERROR, NEGO_ERROR_PARSE);
    g_assert_true (g_str_has_prefix (error->message, "the agent sent what is no reply: "));
  }
}

static void
test_errors (void)
{
  check_error ("{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}", "guest-x",
               NEGO_ERROR_GENERIC, "no");
  check_error ("{\"error\": {\"class\": \"CommandNotFound\", \"desc\": "
               "\"The command guest-x has not been found\"}}",
               "guest-x", NEGO_ERROR_COMMAND_NOT_FOUND, "The command guest-x has not been found");
  check_error ("{\"error\": {\"class\": \"CommandNotFound\", \"desc\": "
               "\"The command negotiator-exec has not been found\"}}",
               "negotiator-exec", NEGO_ERROR_COMMAND_NOT_FOUND,
               "The command negotiator-exec has not been found: the guest's agent is not "
               "nego-agent; install nego-agent in the guest");
  check_error ("{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"Command guest-exec has "
               "been disabled: the command is not allowed\"}}",
               "guest-exec", NEGO_ERROR_REFUSED,
               "Command guest-exec has been disabled: the command is not allowed (block-rpcs or "
               "allow-rpcs, or commands in [negotiator], in the configuration of the guest's "
               "agent)");
  check_error ("{\"error\": {\"class\": \"GenericError\", \"desc\": "
               "\"unknown negotiator command 'x'\"}}",
               "negotiator-exec", NEGO_ERROR_NOT_FOUND, "unknown negotiator command 'x'");
  check_error ("{\"error\": {\"class\": \"GenericError\", \"desc\": "
               "\"negotiator command 'x' is refused by y\"}}",
               "negotiator-exec", NEGO_ERROR_REFUSED, "negotiator command 'x' is refused by y");
  check_error ("{\"error\": {\"class\": \"GenericError\", \"desc\": "
               "\"negotiator command 'x' is busy (limit 8)\"}}",
               "negotiator-exec", NEGO_ERROR_GENERIC, "negotiator command 'x' is busy (limit 8)");
}

static void
test_error_forms (void)
{
  static const char message[] = "the agent's error to 'guest-x' has no text";

  check_error ("{\"error\": 5}", "guest-x", NEGO_ERROR_PARSE, message);
  check_error ("{\"error\": {}}", "guest-x", NEGO_ERROR_PARSE, message);
  check_error ("{\"error\": {\"desc\": 5}}", "guest-x", NEGO_ERROR_PARSE, message);
  check_error ("{\"error\": {\"desc\": \"no\", \"class\": []}}", "guest-x", NEGO_ERROR_GENERIC,
               "no");
}

/* A reply with a list of @n empty texts. */
static char *
reply_with_list (guint n)
{
  g_autoptr (GString) text = g_string_new ("{\"return\": [");

  for (guint i = 0; i < n; i++)
    g_string_append (text, i > 0 ? ",\"\"" : "\"\"");
  g_string_append (text, "]}");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_list_limit (void)
{
  g_autofree char *longest = reply_with_list (NEGO_GUEST_REPLY_LIST);
  g_autofree char *longer = reply_with_list (NEGO_GUEST_REPLY_LIST + 1);

  check_good (longest, "guest-x");
  check_error (longer, "guest-x", NEGO_ERROR_PARSE,
               "the reply to 'guest-x': the agent sent a list of 4097 items (limit 4096)");
}

static char *
reply_with_text (const char *member, gsize len)
{
  g_autofree char *text = g_strnfill (len, 'x');

  return g_strdup_printf ("{\"return\": {\"%s\": \"%s\"}}", member, text);
}

static void
test_string_limit (void)
{
  g_autofree char *longest = reply_with_text ("name", NEGO_GUEST_REPLY_STRING_BYTES);
  g_autofree char *longer = reply_with_text ("name", NEGO_GUEST_REPLY_STRING_BYTES + 1);
  g_autofree char *data = reply_with_text ("out-data", NEGO_GUEST_REPLY_STRING_BYTES + 1);

  check_good (longest, "guest-x");
  check_error (longer, "guest-x", NEGO_ERROR_PARSE,
               "the reply to 'guest-x': the agent sent a text of 65537 bytes (limit 65536)");
  check_good (data, "guest-x");
}

static char *
reply_with_depth (guint depth)
{
  g_autoptr (GString) text = g_string_new ("{\"return\": ");

  for (guint i = 1; i < depth; i++)
    g_string_append_c (text, '[');
  for (guint i = 1; i < depth; i++)
    g_string_append_c (text, ']');
  g_string_append_c (text, '}');
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_depth_limit (void)
{
  g_autofree char *deepest = reply_with_depth (NEGO_GUEST_REPLY_DEPTH);
  g_autofree char *deeper = reply_with_depth (NEGO_GUEST_REPLY_DEPTH + 1);

  check_good (deepest, "guest-x");
  check_error (deeper, "guest-x", NEGO_ERROR_PARSE,
               "the agent sent what is no reply: JSON nesting depth limit exceeded");
}

static void
test_size_limit (void)
{
  g_autofree char *large = reply_with_text ("out-data", NEGO_GUEST_REPLY_BYTES);
  g_autofree char *larger = reply_with_text ("out-data", NEGO_GUEST_REPLY_BYTES_QGA);

  check_good (large, "guest-x");
  check_error (large, "negotiator-x", NEGO_ERROR_PARSE,
               "the agent sent what is no reply: JSON token size limit exceeded");
  check_error (larger, "guest-x", NEGO_ERROR_PARSE,
               "the agent sent what is no reply: JSON token size limit exceeded");
}

static void
test_is_error (void)
{
  g_autoptr (GString) good = g_string_new ("{\"id\": {\"error\": 1}, \"return\": {}}");
  g_autoptr (GString) bad = g_string_new ("{\"id\": {\"return\": 1}, \"error\": {}}");

  g_assert_false (nego_reply_is_error (good));
  g_assert_true (nego_reply_is_error (bad));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reply/return", test_return);
  g_test_add_func ("/reply/no-reply", test_no_reply);
  g_test_add_func ("/reply/malformed", test_malformed);
  g_test_add_func ("/reply/errors", test_errors);
  g_test_add_func ("/reply/error-forms", test_error_forms);
  g_test_add_func ("/reply/limit/list", test_list_limit);
  g_test_add_func ("/reply/limit/string", test_string_limit);
  g_test_add_func ("/reply/limit/depth", test_depth_limit);
  g_test_add_func ("/reply/limit/size", test_size_limit);
  g_test_add_func ("/reply/is-error", test_is_error);
  return g_test_run ();
}
