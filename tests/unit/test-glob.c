/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/glob.h"

#include <string.h>

static const struct {
  const char *pattern, *text;
  gboolean fits;
} rows[] = {
  { "", "", TRUE },
  { "", "a", FALSE },
  { "a", "", FALSE },
  { "abc", "abc", TRUE },
  { "abc", "abcd", FALSE },
  { "bc", "abc", FALSE },
  { "*", "", TRUE },
  { "*", "any/.thing", TRUE },
  { "a*", "a", TRUE },
  { "a*", "ba", FALSE },
  { "*a", "ba", TRUE },
  { "*a", "ab", FALSE },
  { "a*b*c", "a-b-b-c-c", TRUE },
  { "a*b*c", "a-c-b", FALSE },
  { "**a**", "a", TRUE },
  { "?", "", FALSE },
  { "?", "\303\244", TRUE },
  { "?", "ab", FALSE },
  { "a?c", "a/c", TRUE },
  { "[a-c]", "b", TRUE },
  { "[a-c]", "d", FALSE },
  { "[!a-c]", "b", FALSE },
  { "[!a-c]", "d", TRUE },
  { "[^a-c]", "d", TRUE },
  { "[]]", "]", TRUE },
  { "[!]]", "]", FALSE },
  { "[a-]", "-", TRUE },
  { "[a-]", "b", FALSE },
  { "[\\]x]", "]", TRUE },
  { "[a\\-c]", "b", FALSE },
  { "[a\\-c]", "-", TRUE },
  { "[\303\240-\303\257]", "\303\244", TRUE },
  { "[*]", "*", TRUE },
  { "[*]", "a", FALSE },
  { "\\*", "*", TRUE },
  { "\\*", "a", FALSE },
  { "\\\\", "\\", TRUE },
  { "\\[a]", "[a]", TRUE },
  { "*[0-9]", "web-12", TRUE },
  { "*[0-9]", "web-12x", FALSE },
  { "web-[0-9]*", "web-x", FALSE },
  { "*ab", "aab", TRUE },
  { "*aab", "aaab", TRUE },
  { "*", "\377", FALSE },
  { "?*", "\303", FALSE },
};

static void
test_fits (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("row %u: '%s'", i, rows[i].pattern);
    g_assert_true (nego_glob_is_valid (rows[i].pattern));
    g_assert_cmpint (nego_glob_fits (rows[i].pattern, rows[i].text), ==, rows[i].fits);
  }
}

static void
test_invalid (void)
{
  const char *const patterns[]
    = { "\\", "a\\", "[", "[a", "[]", "[!]", "[!", "[a-", "[a\\", "[\\]", "\377", "[\377]" };

  for (guint i = 0; i < G_N_ELEMENTS (patterns); i++) {
    g_test_message ("pattern %u", i);
    g_assert_false (nego_glob_is_valid (patterns[i]));
  }
}

/* Backtracking over each '*' would take longer than the universe lasts. */
static void
test_runaway (void)
{
  g_autoptr (GString) pattern = g_string_new (NULL);
  g_autofree char *text = g_strnfill (4096, 'a');

  for (guint i = 0; i < 60; i++)
    g_string_append (pattern, "*a");
  g_assert_true (nego_glob_fits (pattern->str, text));
  g_string_append (pattern, "*b");
  g_assert_false (nego_glob_fits (pattern->str, text));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/glob/fits", test_fits);
  g_test_add_func ("/glob/invalid", test_invalid);
  g_test_add_func ("/glob/runaway", test_runaway);
  return g_test_run ();
}
