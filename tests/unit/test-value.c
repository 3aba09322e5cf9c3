/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/value.h"

#include <string.h>

static NegoValue
value (const char *text)
{
  return (NegoValue){ text, strlen (text) };
}

static void
assert_value (const NegoValue *actual, const char *text)
{
  g_autofree char *copy = g_strndup (actual->text, actual->len);

  g_assert_cmpstr (copy, ==, text);
}

static void
test_find (void)
{
  const NegoValue object
    = value ("{\"a\":{\"b\":1},\"x\\\\\":\"}\\\"\",\"b\":[1,{\"c\":2}],\"c\":null,\"d\":-1.5}rest");
  const NegoValue empty = value ("{}"), array = value ("[\"a\",1]"), none = { 0 };
  NegoValue member;

  g_assert_true (nego_value_find (&object, "a", &member));
  assert_value (&member, "{\"b\":1}");
  g_assert_true (nego_value_find (&object, "b", &member));
  assert_value (&member, "[1,{\"c\":2}]");
  g_assert_true (nego_value_find (&object, "c", &member));
  assert_value (&member, "null");
  g_assert_true (nego_value_find (&object, "d", &member));
  assert_value (&member, "-1.5");
  g_assert_false (nego_value_find (&object, "x", &member));
  g_assert_null (member.text);
  g_assert_false (nego_value_find (&empty, "a", &member));
  g_assert_false (nego_value_find (&array, "a", &member));
  g_assert_false (nego_value_find (&none, "a", &member));
}

static void
test_next (void)
{
  const NegoValue array = value ("[1,[2,3],{\"a\":[4]},\"],\"]"), empty = value ("[]");
  const NegoValue object = value ("{\"a\":1}");
  NegoValue element = { 0 };

  g_assert_true (nego_value_next (&array, &element));
  assert_value (&element, "1");
  g_assert_true (nego_value_next (&array, &element));
  assert_value (&element, "[2,3]");
  g_assert_true (nego_value_next (&array, &element));
  assert_value (&element, "{\"a\":[4]}");
  g_assert_true (nego_value_next (&array, &element));
  assert_value (&element, "\"],\"");
  g_assert_false (nego_value_next (&array, &element));
  element = (NegoValue){ 0 };
  g_assert_false (nego_value_next (&empty, &element));
  g_assert_false (nego_value_next (&object, &element));
}

static void
test_scalars (void)
{
  const NegoValue text = value ("\"a\\u00e9\\n\""), nul = value ("\"\\u0000\""),
                  yes = value ("true");
  const NegoValue number = value ("12"), negative = value ("-1"), none = { 0 };
  g_autofree char *read = nego_value_dup_string (&text);
  guint64 n;

  g_assert_cmpstr (read, ==, "a\303\251\n");
  g_assert_null (nego_value_dup_string (&nul));
  g_assert_null (nego_value_dup_string (&number));
  g_assert_null (nego_value_dup_string (&none));
  g_assert_true (nego_value_is_true (&yes));
  g_assert_false (nego_value_is_true (&number));
  g_assert_true (nego_value_get_uint (&number, &n));
  g_assert_cmpuint (n, ==, 12);
  g_assert_false (nego_value_get_uint (&negative, &n));
  g_assert_false (nego_value_get_uint (&text, &n));
  g_assert_false (nego_value_get_uint (&none, &n));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/value/find", test_find);
  g_test_add_func ("/value/next", test_next);
  g_test_add_func ("/value/scalars", test_scalars);
  return g_test_run ();
}
