/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/framer-log.h"

#include <json-glib/json-glib.h>

#include <math.h>
#include <string.h>

static NegoFramerResult
feed_once (NegoFramer *framer, const char *input, NegoFramerMessage *message)
{
  gsize used;
  NegoFramerResult result
    = nego_framer_feed (framer, (const guint8 *) input, strlen (input), &used, message, NULL);

  g_assert_cmpuint (used, ==, strlen (input));
  return result;
}

static void
check_member (const NegoFramerMessage *message,
              const char *name,
              NegoJsonKind kind,
              gboolean has_nul,
              const char *value)
{
  const NegoFramerMember *member = nego_framer_message_find (message, name);
  g_autofree char *text = NULL;

  g_assert_nonnull (member);
  text = g_strndup (message->text + member->value, member->value_len);
  g_assert_cmpstr (text, ==, value);
  g_assert_cmpint (member->kind, ==, kind);
  g_assert_cmpint (member->has_nul, ==, has_nul);
}

static void
test_members (void)
{
  g_autoptr (NegoFramer) framer = nego_framer_new (&FRAMER_LOG_LIMITS);
  NegoFramerMessage message;

  g_assert_cmpint (feed_once (framer,
                              "{ 'o' : {'x\\u0000':[]}, 'a' : [ 1 , '\\u0000' ], 's' : 'x',"
                              " 'i' : -5, 'n' : 18446744073709551615, 'b\\u0000' : true, '0':null,"
                              "'\\u0065' : 1.0, 'more' : 1, 'yet' : 2 }",
                              &message),
                   ==, NEGO_FRAMER_MESSAGE);
  g_assert_cmpuint (message.n_members, ==, 10);
  check_member (&message, "o", NEGO_JSON_OBJECT, TRUE, "{\"x\\u0000\":[]}");
  check_member (&message, "a", NEGO_JSON_ARRAY, TRUE, "[1,\"\\u0000\"]");
  check_member (&message, "s", NEGO_JSON_STRING, FALSE, "\"x\"");
  check_member (&message, "i", NEGO_JSON_INTEGER, FALSE, "-5");
  check_member (&message, "n", NEGO_JSON_NUMBER, FALSE, "18446744073709551615.0");
  check_member (&message, "0", NEGO_JSON_NULL, FALSE, "null");
  check_member (&message, "e", NEGO_JSON_NUMBER, FALSE, "1.0");
  g_assert_cmpint (message.members[5].kind, ==, NEGO_JSON_BOOLEAN);
  g_assert_false (message.members[5].has_nul);
  g_assert_null (nego_framer_message_find (&message, "more"));
  g_assert_null (nego_framer_message_find (&message, "b"));
  g_assert_null (nego_framer_message_find (&message, ""));
  g_assert_cmpint (feed_once (framer, "{}", &message), ==, NEGO_FRAMER_MESSAGE);
  g_assert_cmpuint (message.n_members, ==, 0);
  g_assert_null (nego_framer_message_find (&message, "o"));
}

static void
test_pending (void)
{
  static const char *const begun[] = { "{", "[", "\"", "5", "foo", "{\"a\":\"x\t", "{]", "\"\t" };
  static const char *const not_begun[] = { "", " \n", PING, "\xff", "%%", "[]", "{\"a\",}", "]" };
  g_autoptr (GString) output = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (begun); i++) {
    g_autoptr (NegoFramer) framer = nego_framer_new (&FRAMER_LOG_LIMITS);

    framer_log_feed (framer, begun[i], strlen (begun[i]), output);
    g_assert_cmpint (nego_framer_is_pending (framer), ==, i != 6);
    nego_framer_reset (framer);
    g_assert_false (nego_framer_is_pending (framer));
    g_string_truncate (output, 0);
    framer_log_feed (framer, PING, strlen (PING), output);
    g_assert_cmpstr (output->str, ==, M_PING);
  }
  for (guint i = 0; i < G_N_ELEMENTS (not_begun); i++) {
    g_autoptr (NegoFramer) framer = nego_framer_new (&FRAMER_LOG_LIMITS);

    framer_log_feed (framer, not_begun[i], strlen (not_begun[i]), output);
    g_assert_false (nego_framer_is_pending (framer));
  }
}

static JsonNode *make_value (GString *text, guint depth);

static void
make_number (GString *text, JsonNode *node)
{
  static const char *const numbers[] = { "0",
                                         "-0",
                                         "1",
                                         "-17",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "0.5",
                                         "1e5",
                                         "-2E-3",
                                         "0e1",
                                         "0.0",
                                         "18446744073709551615",
                                         "1e22",
                                         "-0.0",
                                         "5e-324",
                                         "123456789.125" };
  guint n = (guint) g_test_rand_int_range (0, G_N_ELEMENTS (numbers));

  g_string_append (text, numbers[n]);
  if (n < 6)
    json_node_init_int (node, g_ascii_strtoll (numbers[n], NULL, 10));
  else
    json_node_init_double (node, g_ascii_strtod (numbers[n], NULL));
}

static void
make_string (GString *text, JsonNode *node)
{
  static const char *const strings[][2]
    = { { "\"\"", "" },
        { "'it\\'s'", "it's" },
        { "\"\\u20ac\\ud83d\\ude00\"", "€😀" },
        { "'\"'", "\"" },
        { "\"\\\\\\/\\b\\f\\n\\r\\t\"", "\\/\b\f\n\r\t" },
        { "\"é\x7f\\u0001\"", "é\x7f\001" },
        { "\"0123456789 plain text\"", "0123456789 plain text" } };
  guint n = (guint) g_test_rand_int_range (0, G_N_ELEMENTS (strings));

  g_string_append (text, strings[n][0]);
  json_node_init_string (node, strings[n][1]);
}

static void
make_array (GString *text, JsonNode *node, guint depth)
{
  g_autoptr (JsonArray) array = json_array_new ();

  g_string_append_c (text, '[');
  for (int i = 0, n = g_test_rand_int_range (0, 5); i < n; i++) {
    g_string_append (text, i > 0 ? "\n," : "");
    json_array_add_element (array, make_value (text, depth - 1));
  }
  g_string_append (text, " ]");
  json_node_init_array (node, array);
}

static void
make_object (GString *text, JsonNode *node, guint depth)
{
  g_autoptr (JsonObject) object = json_object_new ();

  g_string_append_c (text, '{');
  for (int i = 0, n = g_test_rand_int_range (0, 25); i < n; i++) {
    char key[16];

    g_snprintf (key, sizeof key, "k%d", i);
    g_string_append_printf (text, "%s'%s' :", i > 0 ? ", " : "", key);
    json_object_set_member (object, key, make_value (text, depth - 1));
  }
  g_string_append_c (text, '}');
  json_node_init_object (node, object);
}

/* A random valid value, also as json-glib is to see it. */
static JsonNode *
make_value (GString *text, guint depth)
{
  JsonNode *node = json_node_alloc ();
  gboolean boolean = g_test_rand_bit () != 0;

  g_string_append_printf (text, "%*s", g_test_rand_int_range (0, 3), "");
  switch (g_test_rand_int_range (0, depth > 0 ? 6 : 4)) {
  case 0:
    make_number (text, node);
    break;
  case 1:
    make_string (text, node);
    break;
  case 2:
    g_string_append (text, boolean ? "true" : "false");
    json_node_init_boolean (node, boolean);
    break;
  case 3:
    g_string_append (text, "null");
    json_node_init_null (node);
    break;
  case 4:
    make_array (text, node, depth);
    break;
  default:
    make_object (text, node, depth);
    break;
  }
  return node;
}

/* What the framer passes on, json-glib reads as what was meant. */
static void
test_round_trip (void)
{
  for (guint round = 0; round < 500; round++) {
    g_autoptr (NegoFramer) framer = nego_framer_new (&FRAMER_LOG_LIMITS);
    g_autoptr (GString) text = g_string_new ("{\"a\":");
    g_autoptr (JsonNode) value = make_value (text, 4);
    g_autoptr (JsonNode) parsed = NULL;
    g_autoptr (GError) error = NULL;
    NegoFramerMessage message;

    g_string_append (text, "}");
    g_assert_cmpint (feed_once (framer, text->str, &message), ==, NEGO_FRAMER_MESSAGE);
    parsed = json_from_string (message.text, &error);
    g_assert_no_error (error);
    if (!json_node_equal (json_object_get_member (json_node_get_object (parsed), "a"), value))
      g_error ("json-glib reads another value from %s", message.text);
  }
}

/* No number becomes another one, and none becomes infinite. */
static void
test_json_glib_numbers (void)
{
  static const char *const numbers[] = {
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999",
    "1e400",
    "-1e400",
    "1e-400",
    "1E308",
    "0.1",
    "-0.0",
    "1e0",
  };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    g_autoptr (NegoFramer) framer = nego_framer_new (&FRAMER_LOG_LIMITS);
    g_autofree char *text = g_strdup_printf ("{\"a\":%s}", numbers[i]);
    g_autoptr (JsonNode) parsed = NULL;
    NegoFramerMessage message;
    double value, wanted = g_ascii_strtod (numbers[i], NULL);
    JsonNode *node;

    g_assert_cmpint (feed_once (framer, text, &message), ==, NEGO_FRAMER_MESSAGE);
    g_assert_cmpint (message.members[0].kind, ==, NEGO_JSON_NUMBER);
    parsed = json_from_string (message.text, NULL);
    g_assert_nonnull (parsed);
    node = json_object_get_member (json_node_get_object (parsed), "a");
    g_assert_true (json_node_get_value_type (node) == G_TYPE_DOUBLE);
    value = json_node_get_double (node);
    g_assert_true (isfinite (value));
    if (isfinite (wanted))
      g_assert_cmpfloat (value, ==, wanted);
    else
      g_assert_cmpfloat (value, ==, wanted > 0 ? G_MAXDOUBLE : -G_MAXDOUBLE);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/framer-message/members", test_members);
  g_test_add_func ("/framer-message/pending", test_pending);
  g_test_add_func ("/framer-message/round-trip", test_round_trip);
  g_test_add_func ("/framer-message/json-glib-numbers", test_json_glib_numbers);
  return g_test_run ();
}
