/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/base64.h"
#include "common/error.h"

#include <string.h>

static void
test_valid (void)
{
  static const struct {
    const char *text, *data;
  } cases[] = {
    { "", "" },
    { "YQ==", "a" },
    { "YWI=", "ab" },
    { "YWJj", "abc" },
    { "YW\nJj\nYQ=\n=\n", "abca" },
    { "YWJjYWJj\nYWJjYWI=", "abcabcabcab" },
    { "\n", "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    gsize len = 99;
    g_autofree guint8 *data = nego_base64_decode (cases[i].text, &len, &error);

    g_assert_no_error (error);
    g_assert_cmpmem (data, len, cases[i].data, strlen (cases[i].data));
    g_assert_cmpint (data[len], ==, 0);
  }
}

static void
test_wrong (void)
{
  static const struct {
    const char *text, *message;
  } cases[] = {
    { "YWJj YQ==", "Base64 data contains invalid characters" },
    { "YWJj\r\n", "Base64 data contains invalid characters" },
    { "YWJ-", "Base64 data contains invalid characters" },
    { "YQ==YQ==", "Base64 data contains invalid characters" },
    { "YWI", "Base64 data is incomplete" },
    { "Y", "Base64 data is incomplete" },
    { "Y===", "Base64 data is incomplete" },
    { "====", "Base64 data is incomplete" },
    { "YWJj=", "Base64 data is incomplete" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    gsize len;

    g_assert_null (nego_base64_decode (cases[i].text, &len, &error));
    g_assert_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC);
    g_assert_cmpstr (error->message, ==, cases[i].message);
  }
}

/* As GLib's, at each length and with each byte. */
static void
test_append (void)
{
  guint8 data[600];

  for (gsize i = 0; i < sizeof data; i++)
    data[i] = (guint8) (i * 89 + i / 256);
  for (gsize n = 0; n <= sizeof data; n++) {
    g_autoptr (GString) text = g_string_new ("=");
    g_autofree char *expected = g_base64_encode (data, n);
    g_autofree guint8 *back = NULL;
    gsize len;

    nego_base64_append (text, data, n);
    g_assert_cmpstr (text->str + 1, ==, expected);
    back = nego_base64_decode (text->str + 1, &len, NULL);
    g_assert_cmpmem (back, len, data, n);
    g_assert_cmpuint (len, <=, nego_base64_room (text->len - 1));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base64/valid", test_valid);
  g_test_add_func ("/base64/wrong", test_wrong);
  g_test_add_func ("/base64/append", test_append);
  return g_test_run ();
}
