/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "qapi/qapi-visit.h"

#include <json-glib/json-glib.h>

#include <string.h>

static JsonNode *
parse (const char *text)
{
  GError *error = NULL;
  JsonNode *node = json_from_string (text, &error);

  g_assert_no_error (error);
  return node;
}

static QapiKinds *
decode (const char *text)
{
  g_autoptr (JsonNode) node = parse (text);
  GError *error = NULL;
  QapiKinds *kinds = qapi_kinds_decode (node, NULL, TRUE, &error);

  g_assert_no_error (error);
  g_assert_nonnull (kinds);
  return kinds;
}

static void
assert_refused (const char *text, const char *expected)
{
  g_autoptr (JsonNode) node = parse (text);
  g_autoptr (GError) error = NULL;
  QapiKinds *kinds = qapi_kinds_decode (node, NULL, TRUE, &error);

  g_assert_null (kinds);
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC);
  g_assert_cmpstr (error->message, ==, expected);
}

static void
test_all_scalars (void)
{
  g_autoptr (QapiKinds) kinds
    = decode ("{\"id\": -9223372036854775808, \"text\": \"\", \"flag\": true, \"number\": 1.5,"
              " \"color\": \"dark-green\", \"i64\": 9223372036854775807, \"size\": 4096}");

  g_assert_cmpint (kinds->id, ==, G_MININT64);
  g_assert_cmpstr (kinds->text, ==, "");
  g_assert_true (kinds->has_flag && kinds->flag);
  g_assert_true (kinds->has_number);
  g_assert_cmpfloat (kinds->number, ==, 1.5);
  g_assert_true (kinds->has_color);
  g_assert_cmpint (kinds->color, ==, QAPI_COLOR_DARK_GREEN);
  g_assert_true (kinds->has_i64);
  g_assert_cmpint (kinds->i64, ==, G_MAXINT64);
  g_assert_true (kinds->has_size);
  g_assert_cmpuint (kinds->size, ==, 4096);
}

static void
test_absent_is_null_or_has_false (void)
{
  g_autoptr (QapiKinds) kinds = decode ("{\"id\": 0}");

  g_assert_null (kinds->text);
  g_assert_null (kinds->line);
  g_assert_null (kinds->whence);
  g_assert_null (kinds->texts);
  g_assert_null (kinds->ints);
  g_assert_null (kinds->points);
  g_assert_false (kinds->has_flag);
  g_assert_false (kinds->has_u64);
  g_assert_false (kinds->has_color);
}

static void
test_lists (void)
{
  g_autoptr (QapiKinds) kinds
    = decode ("{\"id\": 0, \"texts\": [\"a\", \"\"], \"flags\": [true, false], \"bytes\": [0, 255],"
              " \"ints\": [-1], \"numbers\": [1, 2.5], \"colors\": [\"dark-green\", \"red\"],"
              " \"points\": [{\"x\": 1}, {\"x\": 2, \"y\": 3}], \"lines\": [],"
              " \"whences\": [7, \"red\"]}");
  const QapiPoint *point;
  const QapiWhence *whence;

  g_assert_cmpstrv (kinds->texts, ((const char *const[]){ "a", "", NULL }));
  g_assert_cmpuint (kinds->flags->len, ==, 2);
  g_assert_true (g_array_index (kinds->flags, gboolean, 0));
  g_assert_false (g_array_index (kinds->flags, gboolean, 1));
  g_assert_cmpmem (kinds->bytes->data, kinds->bytes->len, "\x00\xff", 2);
  g_assert_cmpint (g_array_index (kinds->ints, gint64, 0), ==, -1);
  g_assert_cmpfloat (g_array_index (kinds->numbers, double, 0), ==, 1);
  g_assert_cmpfloat (g_array_index (kinds->numbers, double, 1), ==, 2.5);
  g_assert_cmpint (g_array_index (kinds->colors, QapiColor, 0), ==, QAPI_COLOR_DARK_GREEN);
  g_assert_cmpint (g_array_index (kinds->colors, QapiColor, 1), ==, QAPI_COLOR_RED);
  g_assert_cmpuint (kinds->points->len, ==, 2);
  point = g_ptr_array_index (kinds->points, 1);
  g_assert_cmpint (point->x, ==, 2);
  g_assert_true (point->has_y);
  g_assert_cmpint (point->y, ==, 3);
  g_assert_nonnull (kinds->lines);
  g_assert_cmpuint (kinds->lines->len, ==, 0);
  whence = g_ptr_array_index (kinds->whences, 0);
  g_assert_cmpint (whence->kind, ==, QAPI_WHENCE_KIND_VALUE);
  g_assert_cmpint (whence->u.value, ==, 7);
  whence = g_ptr_array_index (kinds->whences, 1);
  g_assert_cmpint (whence->kind, ==, QAPI_WHENCE_KIND_NAME);
  g_assert_cmpint (whence->u.name, ==, QAPI_COLOR_RED);
}

static QapiEither *
decode_either (const char *value)
{
  g_autofree char *text = g_strdup_printf ("{\"id\": 0, \"either\": %s}", value);
  g_autoptr (QapiKinds) kinds = decode (text);

  return g_steal_pointer (&kinds->either);
}

static void
test_alternate_branches (void)
{
  g_autoptr (QapiKinds) text = decode ("{\"id\": 0, \"written\": \"abc\"}");
  g_autoptr (QapiEither) flag = decode_either ("false");
  g_autoptr (QapiEither) integer = decode_either ("3");
  g_autoptr (QapiEither) number = decode_either ("0.5");
  g_autoptr (QapiEither) point = decode_either ("{\"x\": 4}");
  g_autoptr (QapiEither) list = decode_either ("[\"a\"]");

  g_assert_cmpint (flag->kind, ==, QAPI_EITHER_KIND_FLAG);
  g_assert_false (flag->u.flag);
  g_assert_cmpint (integer->kind, ==, QAPI_EITHER_KIND_NUMBER);
  g_assert_cmpfloat (integer->u.number, ==, 3);
  g_assert_cmpint (number->kind, ==, QAPI_EITHER_KIND_NUMBER);
  g_assert_cmpfloat (number->u.number, ==, 0.5);
  g_assert_cmpint (point->kind, ==, QAPI_EITHER_KIND_POINT);
  g_assert_cmpint (point->u.point->x, ==, 4);
  g_assert_cmpint (text->written->kind, ==, QAPI_TEXT_OR_POINT_KIND_TEXT);
  g_assert_cmpstr (text->written->u.text, ==, "abc");
  g_assert_cmpint (list->kind, ==, QAPI_EITHER_KIND_LIST);
  g_assert_cmpstr (list->u.list[0], ==, "a");
}

static void
test_narrow_integers (void)
{
  g_autoptr (QapiKinds) low
    = decode ("{\"id\": 0, \"i8\": -128, \"i16\": -32768, \"i32\": -2147483648, \"u8\": 0}");
  g_autoptr (QapiKinds) high
    = decode ("{\"id\": 0, \"i8\": 127, \"i16\": 32767, \"i32\": 2147483647, \"u8\": 255,"
              " \"u16\": 65535, \"u32\": 4294967295}");

  g_assert_cmpint (low->i8, ==, G_MININT8);
  g_assert_cmpint (low->i16, ==, G_MININT16);
  g_assert_cmpint (low->i32, ==, G_MININT32);
  g_assert_true (low->has_u8);
  g_assert_cmpuint (low->u8, ==, 0);
  g_assert_cmpint (high->i8, ==, G_MAXINT8);
  g_assert_cmpint (high->i16, ==, G_MAXINT16);
  g_assert_cmpint (high->i32, ==, G_MAXINT32);
  g_assert_cmpuint (high->u8, ==, G_MAXUINT8);
  g_assert_cmpuint (high->u16, ==, G_MAXUINT16);
  g_assert_cmpuint (high->u32, ==, G_MAXUINT32);
  assert_refused ("{\"id\": 0, \"i8\": 128}", "Parameter 'i8' expects int8_t");
  assert_refused ("{\"id\": 0, \"i8\": -129}", "Parameter 'i8' expects int8_t");
  assert_refused ("{\"id\": 0, \"i16\": 32768}", "Parameter 'i16' expects int16_t");
  assert_refused ("{\"id\": 0, \"i32\": -2147483649}", "Parameter 'i32' expects int32_t");
  assert_refused ("{\"id\": 0, \"u8\": 256}", "Parameter 'u8' expects uint8_t");
  assert_refused ("{\"id\": 0, \"u8\": -1}", "Parameter 'u8' expects uint8_t");
  assert_refused ("{\"id\": 0, \"u16\": 65536}", "Parameter 'u16' expects uint16_t");
  assert_refused ("{\"id\": 0, \"u32\": 4294967296}", "Parameter 'u32' expects uint32_t");
  assert_refused ("{\"id\": 0, \"bytes\": [1, 256]}", "Parameter 'null' expects uint8_t");
}

static void
test_uint64 (void)
{
  g_autoptr (QapiKinds) negative = decode ("{\"id\": 0, \"u64\": -1, \"size\": -2}");
  g_autoptr (QapiKinds) large = decode ("{\"id\": 0, \"u64\": 9223372036854775808.0}");

  g_assert_cmpuint (negative->u64, ==, G_MAXUINT64);
  g_assert_cmpuint (negative->size, ==, G_MAXUINT64 - 1);
  g_assert_cmpuint (large->u64, ==, G_GUINT64_CONSTANT (1) << 63);
  assert_refused ("{\"id\": 0, \"u64\": 1.5}", "Parameter 'u64' expects uint64");
  assert_refused ("{\"id\": 0, \"u64\": 18446744073709551616.0}", "Parameter 'u64' expects uint64");
  assert_refused ("{\"id\": 0, \"size\": 1.0}", "Parameter 'size' expects uint64");
  assert_refused ("{\"id\": 0, \"u64\": \"1\"}",
                  "Invalid parameter type for 'u64', expected: integer");
}

static void
test_types (void)
{
  static const struct {
    const char *member;
    const char *expected;
  } cases[] = {
    { "\"id\": \"1\"", "'id', expected: integer" },
    { "\"id\": 1.0", "'id', expected: integer" },
    { "\"id\": true", "'id', expected: integer" },
    { "\"id\": null", "'id', expected: integer" },
    { "\"id\": [1]", "'id', expected: integer" },
    { "\"id\": 0, \"text\": 1", "'text', expected: string" },
    { "\"id\": 0, \"text\": null", "'text', expected: string" },
    { "\"id\": 0, \"text\": {}", "'text', expected: string" },
    { "\"id\": 0, \"flag\": 1", "'flag', expected: boolean" },
    { "\"id\": 0, \"flag\": \"true\"", "'flag', expected: boolean" },
    { "\"id\": 0, \"number\": \"1\"", "'number', expected: number" },
    { "\"id\": 0, \"i8\": 1.5", "'i8', expected: integer" },
    { "\"id\": 0, \"color\": 1", "'color', expected: string" },
    { "\"id\": 0, \"line\": []", "'line', expected: object" },
    { "\"id\": 0, \"line\": null", "'line', expected: object" },
    { "\"id\": 0, \"texts\": {}", "'texts', expected: array" },
    { "\"id\": 0, \"texts\": \"a\"", "'texts', expected: array" },
    { "\"id\": 0, \"texts\": null", "'texts', expected: array" },
    { "\"id\": 0, \"texts\": [\"a\", 1]", "'texts[1]', expected: string" },
    { "\"id\": 0, \"ints\": [1, 2, 3.0]", "'ints[2]', expected: integer" },
    { "\"id\": 0, \"points\": [1]", "'points[0]', expected: object" },
    { "\"id\": 0, \"whence\": true", "'whence', expected: Whence" },
    { "\"id\": 0, \"whence\": null", "'whence', expected: Whence" },
    { "\"id\": 0, \"whence\": 1.5", "'whence', expected: integer" },
    { "\"id\": 0, \"whences\": [1, []]", "'whences[1]', expected: Whence" },
    { "\"id\": 0, \"either\": null", "'either', expected: Either" },
    { "\"id\": 0, \"either\": [1]", "'either[0]', expected: string" },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = g_strdup_printf ("{%s}", cases[i].member);
    g_autofree char *expected
      = g_strdup_printf ("Invalid parameter type for %s", cases[i].expected);

    assert_refused (text, expected);
  }
}

static void
test_missing_and_unexpected (void)
{
  assert_refused ("{}", "Parameter 'id' is missing");
  assert_refused ("{\"idd\": 1}", "Parameter 'id' is missing");
  assert_refused ("{\"id\": 0, \"x\": 1}", "Parameter 'x' is unexpected");
  assert_refused ("{\"y\": 0, \"id\": 0, \"x\": 1}", "Parameter 'y' is unexpected");
  assert_refused ("{\"x\": 1, \"id\": 0, \"flag\": 1}",
                  "Invalid parameter type for 'flag', expected: boolean");
  assert_refused ("{\"id\": 0, \"line\": {}}", "Parameter 'line.name' is missing");
  assert_refused ("{\"id\": 0, \"line\": {\"name\": \"a\", \"x\": 1}}",
                  "Parameter 'line.x' is unexpected");
  assert_refused ("{\"id\": 0, \"lines\": [{\"name\": \"a\"}, {\"name\": \"b\", \"points\":"
                  " [{\"x\": 0}, {}]}]}",
                  "Parameter 'lines[1].points[1].x' is missing");
  assert_refused ("{\"id\": 0, \"either\": {\"x\": 0, \"z\": 1}}",
                  "Parameter 'either.z' is unexpected");
}

static void
test_enum_values (void)
{
  assert_refused ("{\"id\": 0, \"color\": \"blue\"}",
                  "Parameter 'color' does not accept value 'blue'");
  assert_refused ("{\"id\": 0, \"color\": \"\"}", "Parameter 'color' does not accept value ''");
  assert_refused ("{\"id\": 0, \"color\": \"dark_green\"}",
                  "Parameter 'color' does not accept value 'dark_green'");
  assert_refused ("{\"id\": 0, \"whence\": \"blue\"}",
                  "Parameter 'whence' does not accept value 'blue'");
  /* An element has no name, and QEMU prints that as null. */
  assert_refused ("{\"id\": 0, \"colors\": [\"red\", \"blue\"]}",
                  "Parameter 'null' does not accept value 'blue'");
}

static void
test_quotes_are_bounded (void)
{
  g_autofree char *fits = g_strnfill (NEGO_ERROR_QUOTE_BYTES, 'a');
  g_autofree char *longer = g_strconcat (fits, "a", NULL);
  /* The last byte that fits would be half of a character. */
  g_autofree char *split = g_strconcat (fits + 1, "\u00e9", NULL);
  g_autofree char *unexpected = g_strdup_printf ("Parameter '%s' is unexpected", fits);
  g_autofree char *value = g_strdup_printf ("Parameter 'color' does not accept value '%s'", fits);
  g_autofree char *shorter = g_strdup_printf ("Parameter '%s' is unexpected", fits + 1);
  g_autofree char *member = g_strdup_printf ("{\"id\": 0, \"%s\": 1}", fits);
  g_autofree char *long_member = g_strdup_printf ("{\"id\": 0, \"%s\": 1}", longer);
  g_autofree char *split_member = g_strdup_printf ("{\"id\": 0, \"%s\": 1}", split);
  g_autofree char *long_value = g_strdup_printf ("{\"id\": 0, \"color\": \"%s\"}", longer);

  assert_refused (member, unexpected);
  assert_refused (long_member, unexpected);
  assert_refused (split_member, shorter);
  assert_refused (long_value, value);
}

static void
test_lenient (void)
{
  g_autoptr (JsonNode) newer
    = parse ("{\"name\": \"a\", \"new\": 1, \"points\": [{\"x\": 1, \"z\": {}}]}");
  g_autoptr (JsonNode) wrong = parse ("{\"name\": 1, \"new\": 1}");
  g_autoptr (GError) error = NULL;
  g_autoptr (QapiLine) line = qapi_line_decode (newer, "return", FALSE, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (line->name, ==, "a");
  g_assert_cmpuint (line->points->len, ==, 1);
  g_assert_null (qapi_line_decode (wrong, "return", FALSE, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC);
  g_assert_cmpstr (error->message, ==,
                   "Invalid parameter type for 'return.name', expected: string");
}

static void
test_root (void)
{
  g_autoptr (JsonNode) list = parse ("[{\"name\": \"a\"}, {\"nam\": \"b\"}]");
  g_autoptr (JsonNode) names = parse ("[\"a\", \"b\"]");
  g_autoptr (GError) anonymous = NULL;
  g_autoptr (GError) named = NULL;
  g_autoptr (GError) element = NULL;
  g_auto (GStrv) strings = qapi_str_list_decode (names, "return", FALSE, NULL);

  g_assert_cmpstrv (strings, ((const char *const[]){ "a", "b", NULL }));
  g_assert_null (qapi_line_decode (list, NULL, TRUE, &anonymous));
  g_assert_cmpstr (anonymous->message, ==,
                   "Invalid parameter type for '<anonymous>', expected: object");
  g_assert_null (qapi_line_decode (list, "return", TRUE, &named));
  g_assert_cmpstr (named->message, ==, "Invalid parameter type for 'return', expected: object");
  g_assert_null (qapi_line_list_decode (list, "return", FALSE, &element));
  g_assert_cmpstr (element->message, ==, "Parameter 'return[1].name' is missing");
}

static void
test_enum_names (void)
{
  QapiColor color = QAPI_COLOR_RED;

  g_assert_cmpstr (qapi_color_to_string (QAPI_COLOR_DARK_GREEN), ==, "dark-green");
  g_assert_true (qapi_color_from_string ("dark-green", &color));
  g_assert_cmpint (color, ==, QAPI_COLOR_DARK_GREEN);
  g_assert_false (qapi_color_from_string ("blue", &color));
  g_assert_cmpint (color, ==, QAPI_COLOR_DARK_GREEN);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/decode/all-scalars", test_all_scalars);
  g_test_add_func ("/decode/absent-is-null-or-has-false", test_absent_is_null_or_has_false);
  g_test_add_func ("/decode/lists", test_lists);
  g_test_add_func ("/decode/alternate-branches", test_alternate_branches);
  g_test_add_func ("/decode/narrow-integers", test_narrow_integers);
  g_test_add_func ("/decode/uint64", test_uint64);
  g_test_add_func ("/decode/types", test_types);
  g_test_add_func ("/decode/missing-and-unexpected", test_missing_and_unexpected);
  g_test_add_func ("/decode/enum-values", test_enum_values);
  g_test_add_func ("/decode/quotes-are-bounded", test_quotes_are_bounded);
  g_test_add_func ("/decode/lenient", test_lenient);
  g_test_add_func ("/decode/root", test_root);
  g_test_add_func ("/decode/enum-names", test_enum_names);
  return g_test_run ();
}
