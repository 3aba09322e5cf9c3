/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/bulk.h"
#include "common/names.h"

#include <string.h>

/* %s stands for a string of @n letters, first and last ones told apart. */
static char *
spell (const char *format, gsize n)
{
  g_autofree char *letters = g_strnfill (n, 'x');
  GString *text = g_string_new (format);

  letters[0] = 'a';
  letters[n - 1] = 'z';
  g_string_replace (text, "%s", letters, 0);
  return g_string_free (text, FALSE);
}

static void
check (const char *format, gsize n, const char *text, const char *key)
{
  g_autofree char *arguments = spell (format, n);
  g_auto (NegoBulk) bulk = { 0 };
  const NegoBulkMember *member;

  if (key == NULL) {
    g_assert_false (nego_bulk_take (&bulk, arguments, strlen (arguments)));
    g_assert_null (bulk.text);
    return;
  }
  g_assert_true (nego_bulk_take (&bulk, arguments, strlen (arguments)));
  g_assert_cmpstr (bulk.text->str, ==, text);
  g_assert_cmpuint (bulk.members->len, ==, 1);
  member = bulk.members->pdata[0];
  g_assert_cmpstr (member->key, ==, key);
  g_assert_cmpuint (strlen (member->value), ==, n);
  g_assert_cmpint (member->value[0], ==, 'a');
  g_assert_cmpint (member->value[n - 1], ==, 'z');
}

static void
test_found (void)
{
  const gsize n = NEGO_BULK_BYTES;

  check ("{\"a\":\"%s\"}", n, "{\"a\":\"\"}", "a");
  check ("{\"b\":1,\"a\":\"%s\",\"c\":[\"d\",{\"e\":\"f\"}]}", n,
         "{\"b\":1,\"a\":\"\",\"c\":[\"d\",{\"e\":\"f\"}]}", "a");
  check ("{\"b\":\"{[\\\"\\\\\",\"a\":\"%s\"}", n, "{\"b\":\"{[\\\"\\\\\",\"a\":\"\"}", "a");
  check ("{\"b\":{\"a\":2},\"a\":\"%s\"}", n, "{\"b\":{\"a\":2},\"a\":\"\"}", "a");
}

static void
test_left (void)
{
  const gsize n = NEGO_BULK_BYTES;

  check ("{\"a\":\"%s\"}", n - 1, NULL, NULL);
  check ("{\"a\":[\"%s\"]}", n, NULL, NULL);
  check ("{\"a\":{\"b\":\"%s\"}}", n, NULL, NULL);
  check ("{\"%s\":1}", n, NULL, NULL);
  check ("{\"a\\n\":\"%s\"}", n, NULL, NULL);
  check ("{}", n, NULL, NULL);
}

static void
test_escapes (void)
{
  g_autofree char *letters = g_strnfill (NEGO_BULK_BYTES, 'x');
  g_autofree char *arguments
    = g_strdup_printf ("{\"a\":\"\\\"%s\\n\\\\\",\"b\":\"%s\"}", letters, letters);
  g_autofree char *value = g_strdup_printf ("\"%s\n\\", letters);
  g_auto (NegoBulk) bulk = { 0 };

  g_assert_true (nego_bulk_take (&bulk, arguments, strlen (arguments)));
  g_assert_cmpstr (bulk.text->str, ==, "{\"a\":\"\",\"b\":\"\"}");
  g_assert_cmpuint (bulk.members->len, ==, 2);
  g_assert_cmpstr (((NegoBulkMember *) bulk.members->pdata[0])->value, ==, value);
  g_assert_cmpstr (((NegoBulkMember *) bulk.members->pdata[1])->value, ==, letters);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bulk/found", test_found);
  g_test_add_func ("/bulk/left", test_left);
  g_test_add_func ("/bulk/escapes", test_escapes);
  return g_test_run ();
}
