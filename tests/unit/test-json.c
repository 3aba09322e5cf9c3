/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/json.h"

#include <locale.h>
#include <math.h>
#include <string.h>

static void
expect (GString *out, const char *text)
{
  g_assert_cmpstr (out->str, ==, text);
  g_string_truncate (out, 0);
}

static void
test_structure (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, out);
  nego_json_writer_begin_object (&writer);
  nego_json_writer_key (&writer, "a");
  nego_json_writer_int (&writer, -1);
  nego_json_writer_key (&writer, "b");
  nego_json_writer_begin_array (&writer);
  nego_json_writer_boolean (&writer, TRUE);
  nego_json_writer_boolean (&writer, FALSE);
  nego_json_writer_null (&writer);
  nego_json_writer_begin_object (&writer);
  nego_json_writer_end_object (&writer);
  nego_json_writer_begin_array (&writer);
  nego_json_writer_end_array (&writer);
  nego_json_writer_raw (&writer, "[1]", 3);
  nego_json_writer_end_array (&writer);
  nego_json_writer_key (&writer, "c");
  nego_json_writer_string (&writer, "x");
  nego_json_writer_end_object (&writer);
  expect (out, "{\"a\": -1, \"b\": [true, false, null, {}, [], [1]], \"c\": \"x\"}");
}

static void
test_numbers (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, out);
  nego_json_writer_int (&writer, G_MININT64);
  nego_json_writer_int (&writer, G_MAXINT64);
  nego_json_writer_uint (&writer, G_MAXUINT64);
  nego_json_writer_double (&writer, 0.1);
  nego_json_writer_double (&writer, 1.0);
  nego_json_writer_double (&writer, 1e300);
  nego_json_writer_double (&writer, NAN);
  nego_json_writer_double (&writer, -INFINITY);
  expect (out, "-9223372036854775808, 9223372036854775807, 18446744073709551615, "
               "0.10000000000000001, 1, 1.0000000000000001e+300, null, null");
}

static const struct {
  const char *value;
  gssize len; /* -1: to the NUL */
  const char *json;
} strings[] = {
  { "", -1, "\"\"" },
  { "plain ~!", -1, "\"plain ~!\"" },
  { "a\"b\\c/d", -1, "\"a\\\"b\\\\c/d\"" },
  { "\b\f\n\r\t", -1, "\"\\b\\f\\n\\r\\t\"" },
  { "\x01\x1f\x7f", -1, "\"\\u0001\\u001F\\u007F\"" },
  { "\0x", 2, "\"\\u0000x\"" },
  { "\xc0\x80", -1, "\"\\u0000\"" },
  { "\xc3\xa4\xe2\x82\xac", -1, "\"\\u00E4\\u20AC\"" },
  { "\xf0\x9f\x98\x80", -1, "\"\\uD83D\\uDE00\"" },
  { "\xff\xfe", -1, "\"\\uFFFD\\uFFFD\"" },
  /* As qemu-ga: a sequence that is none is one U+FFFD, also of five and six bytes. */
  { "a\xe2\x82", -1, "\"a\\uFFFD\"" },
  { "\xe2\x82x\xe2\x82\xac", -1, "\"\\uFFFDx\\u20AC\"" },
  { "\xe2\x82\xe2\x82\xac", -1, "\"\\uFFFD\\u20AC\"" },
  { "\xed\xa0\x80", -1, "\"\\uFFFD\"" },
  { "\xc0\xafx\xc3", -1, "\"\\uFFFDx\\uFFFD\"" },
  { "\x80\x80", -1, "\"\\uFFFD\\uFFFD\"" },
  { "\xf4\x90\x80\x80", -1, "\"\\uFFFD\"" },
  { "\xf8\x80\x80\x80\x80x", -1, "\"\\uFFFDx\"" },
  { "\xfc\x80\x80\x80\x80\x80\x80", -1, "\"\\uFFFD\\uFFFD\"" },
  { "\xef\xbf\xbe\xef\xb7\x90\xef\xbf\xbd", -1, "\"\\uFFFD\\uFFFD\\uFFFD\"" },
  { "\xf0\x9f\xbf\xbf", -1, "\"\\uFFFD\"" },
};

static void
test_strings (void)
{
  g_autoptr (GString) out = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (strings); i++) {
    gsize len = strings[i].len < 0 ? strlen (strings[i].value) : (gsize) strings[i].len;
    NegoJsonWriter writer;

    nego_json_writer_init (&writer, out);
    nego_json_writer_string_len (&writer, strings[i].value, len);
    expect (out, strings[i].json);
    g_assert_cmpuint (nego_json_string_length (strings[i].value, len), ==,
                      strlen (strings[i].json));
  }
}

static void
test_base64 (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  guint8 data[256];

  for (guint i = 0; i < sizeof data; i++)
    data[i] = (guint8) (i * 7);
  for (gsize len = 0; len <= sizeof data; len++) {
    g_autofree char *encoded = g_base64_encode (data, len);
    g_autofree char *quoted = g_strdup_printf ("\"%s\"", encoded);
    NegoJsonWriter writer;

    nego_json_writer_init (&writer, out);
    nego_json_writer_base64 (&writer, data, len);
    expect (out, quoted);
  }
}

static const struct {
  const char *text, *spelled;
} respelled[] = {
  { "1.50", "1.5" },
  { "1e5", "100000" },
  { "-0", "0" },
  { "-0.0", "-0" },
  { "0.1", "0.10000000000000001" },
  { "9223372036854775807", "9223372036854775807" },
  { "9223372036854775808", "9223372036854775808" },
  { "18446744073709551615", "18446744073709551615" },
  { "18446744073709551616", "1.8446744073709552e+19" },
  { "-9223372036854775809", "-9.2233720368547758e+18" },
  { "1e400", "1e400" },
  { "\"\\u00e4\\u0000\\/\"", "\"\\u00E4\\u0000/\"" },
  { "\"\xc3\xa4\\ud83d\\ude00\"", "\"\\u00E4\\uD83D\\uDE00\"" },
  { "{\"a\" :[1,\t2 ,{ }],\r\n\"b\":null}", "{\"a\": [1, 2, {}], \"b\": null}" },
  { "\"a,b:c]}\\\"\"", "\"a,b:c]}\\\"\"" },
  { "true", "true" },
};

static void
test_respell (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (respelled); i++) {
    g_autoptr (GString) out = g_string_new ("x");
    g_autofree char *expected = g_strconcat ("x", respelled[i].spelled, NULL);

    nego_json_respell (out, respelled[i].text, strlen (respelled[i].text));
    g_assert_cmpstr (out->str, ==, expected);
  }
}

static void
test_string_value (void)
{
  const char *text = "\"a\\n\\\"\\u20ac\\ud83d\\ude00/\"";
  g_autofree char *value = nego_json_string_value (text, strlen (text));

  g_assert_cmpstr (value, ==, "a\n\"\xe2\x82\xac\xf0\x9f\x98\x80/");
  g_assert_null (nego_json_string_value ("\"a\\u0000b\"", strlen ("\"a\\u0000b\"")));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  setlocale (LC_ALL, ""); /* numbers are written with a point in any locale */
  g_test_add_func ("/json/structure", test_structure);
  g_test_add_func ("/json/numbers", test_numbers);
  g_test_add_func ("/json/strings", test_strings);
  g_test_add_func ("/json/base64", test_base64);
  g_test_add_func ("/json/respell", test_respell);
  g_test_add_func ("/json/string-value", test_string_value);
  return g_test_run ();
}
