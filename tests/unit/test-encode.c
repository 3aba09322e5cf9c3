/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "qapi/qapi-visit.h"

#include <json-glib/json-glib.h>

static char *
encode (const QapiKinds *kinds)
{
  GString *out = g_string_new (NULL);
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, out);
  qapi_kinds_encode (&writer, kinds);
  return g_string_free (out, FALSE);
}

/* What is decoded from @text is encoded as @text. */
static void
assert_round_trip (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = json_from_string (text, &error);
  g_autoptr (QapiKinds) kinds = NULL;
  g_autofree char *encoded = NULL;

  g_assert_no_error (error);
  kinds = qapi_kinds_decode (node, NULL, TRUE, &error);
  g_assert_no_error (error);
  encoded = encode (kinds);
  g_assert_cmpstr (encoded, ==, text);
}

static void
test_round_trip (void)
{
  assert_round_trip ("{\"id\": 0}");
  assert_round_trip ("{\"id\": -1, \"text\": \"a\\\"b\", \"flag\": false, \"i8\": -128,"
                     " \"i16\": -32768, \"i32\": -2147483648, \"i64\": -9223372036854775808,"
                     " \"u8\": 255, \"u16\": 65535, \"u32\": 4294967295,"
                     " \"u64\": 9223372036854775807, \"size\": 1, \"number\": 0.5,"
                     " \"color\": \"dark-green\", \"line\": {\"name\": \"l\", \"points\":"
                     " [{\"x\": 1}, {\"x\": 2, \"y\": 3}]}, \"whence\": \"red\","
                     " \"either\": {\"x\": 4}}");
  assert_round_trip ("{\"id\": 0, \"whence\": 7, \"either\": [\"a\"], \"texts\": [\"a\", \"\"],"
                     " \"flags\": [true, false], \"bytes\": [0, 255], \"ints\": [-1, 1],"
                     " \"numbers\": [1, 2.5], \"colors\": [\"red\"], \"points\": [], \"lines\":"
                     " [{\"name\": \"l\"}], \"whences\": [1, \"red\"]}");
  assert_round_trip ("{\"id\": 0, \"either\": true, \"texts\": [], \"ints\": []}");
  assert_round_trip ("{\"id\": 0, \"written\": \"x\"}");
  assert_round_trip ("{\"id\": 0, \"either\": 1.5}");
}

static void
test_unsigned_stays_unsigned (void)
{
  g_autoptr (QapiKinds) kinds = qapi_kinds_new ();
  g_autofree char *encoded = NULL;

  kinds->has_u64 = TRUE;
  kinds->u64 = G_MAXUINT64;
  encoded = encode (kinds);
  g_assert_cmpstr (encoded, ==, "{\"id\": 0, \"u64\": 18446744073709551615}");
}

static void
test_absent_scalar_is_left_out (void)
{
  g_autoptr (QapiKinds) kinds = qapi_kinds_new ();
  g_autofree char *encoded = NULL;

  kinds->i8 = 5;
  encoded = encode (kinds);
  g_assert_cmpstr (encoded, ==, "{\"id\": 0}");
}

/* A handler that forgets a required string or list still sends a valid reply. */
static void
test_required_pointer_unset (void)
{
  g_autoptr (QapiKinds) kinds = qapi_kinds_new ();
  g_autofree char *encoded = NULL;

  kinds->line = qapi_line_new ();
  encoded = encode (kinds);
  g_assert_cmpstr (encoded, ==, "{\"id\": 0, \"line\": {\"name\": \"\"}}");
}

static void
test_lists (void)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_line_free);
  QapiLine *line = qapi_line_new ();
  const char *names[] = { "a", "b", NULL };
  g_autoptr (GString) out = g_string_new (NULL);
  NegoJsonWriter writer;

  line->name = g_strdup ("one");
  g_ptr_array_add (lines, line);
  nego_json_writer_init (&writer, out);
  qapi_line_list_encode (&writer, lines);
  g_assert_cmpstr (out->str, ==, "[{\"name\": \"one\"}]");
  g_string_truncate (out, 0);
  nego_json_writer_init (&writer, out);
  qapi_str_list_encode (&writer, (char **) names);
  g_assert_cmpstr (out->str, ==, "[\"a\", \"b\"]");
  g_string_truncate (out, 0);
  nego_json_writer_init (&writer, out);
  qapi_line_list_encode (&writer, NULL);
  g_assert_cmpstr (out->str, ==, "[]");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/encode/round-trip", test_round_trip);
  g_test_add_func ("/encode/unsigned-stays-unsigned", test_unsigned_stays_unsigned);
  g_test_add_func ("/encode/absent-scalar-is-left-out", test_absent_scalar_is_left_out);
  g_test_add_func ("/encode/required-pointer-unset", test_required_pointer_unset);
  g_test_add_func ("/encode/lists", test_lists);
  return g_test_run ();
}
