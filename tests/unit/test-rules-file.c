/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "host-client/hostd/rules-dir.h"
#include "host-client/hostd/rules-file.h"
#include "tests/helpers/script-dir.h"

#include <glib/gstdio.h>

#include <string.h>
#include <unistd.h>

#define BASE "[rule a]\nguest=*\ncommand=c\n"

static gboolean
parse (NegoRules *rules, const char *text, GError **error)
{
  return nego_rules_parse (rules, "f", text, strlen (text), error);
}

/* Whether a rule that was read admits the command "c" with @arg. */
static gboolean
admits (const char *text, const char *arg)
{
  g_autoptr (NegoRules) rules = nego_rules_new ();
  g_autoptr (GError) error = NULL;
  const char *const args[] = { arg, NULL };
  const NegoRulesCall call = { .guest = "g", .command = "c", .args = args };
  g_auto (NegoRulesVerdict) verdict = { 0 };

  parse (rules, text, &error);
  g_assert_no_error (error);
  return nego_rules_check (rules, &call, &verdict) && g_strcmp0 (verdict.rule, "a") == 0;
}

static void
test_values (void)
{
  g_assert_true (admits (BASE "arguments=a;\n", "a"));
  g_assert_true (admits (BASE "  arguments  =  a b  \r\n", "a b"));
  g_assert_true (admits (BASE "arguments=a\\;b", "a;b"));
  g_assert_true (admits (BASE "arguments=\\ a\\ ", " a "));
  g_assert_true (admits (BASE "arguments=\\*", "*"));
  g_assert_false (admits (BASE "arguments=\\*", "a"));
  g_assert_true (admits (BASE "arguments=;", ""));
  g_assert_false (admits (BASE "arguments=", ""));
  g_assert_true (admits (BASE "arguments=a=b", "a=b"));
  g_assert_true (admits ("[rule a]\nguest=x; g\ncommand=b;c;\narguments=*\n", "1"));
  g_assert_true (admits (BASE "action=admit\n#arguments=b\narguments=a", "a"));
}

static void
test_errors (void)
{
  const struct {
    const char *text, *message;
  } rows[] = {
    { "guest=*\n", "f:1: 'guest' stands before the first group" },
    { "\n[rules]\n", "f:2: unknown group '[rules]': it must be [rule NAME] or [default]" },
    { "[rule a\n", "f:1: unknown group '[rule a': it must be [rule NAME] or [default]" },
    { "[rule ]\n", "f:1: the name of a rule is not 1 to 64 letters, digits and '._-'" },
    { "[rule a b]\n", "f:1: the name of a rule is not 1 to 64 letters, digits and '._-'" },
    { BASE BASE, "f:4: the rule 'a' is given a second time (f:1)" },
    { "[rule a]\ncommand=c\n", "f:1: the rule 'a' has neither 'guest' nor 'uuid'" },
    { "[rule a]\nguest=*\n[default]\n", "f:1: the rule 'a' has no 'command'" },
    { BASE "guest=x\n", "f:4: 'guest' is given twice" },
    { BASE "argument=x\n", "f:4: unknown key 'argument'" },
    { "[default]\nguest=x\n", "f:2: unknown key 'guest'" },
    { BASE "input\n", "f:4: not a KEY=VALUE line" },
    { BASE "input=maybe\n", "f:4: 'input' must be yes or no" },
    { BASE "action=allow\n", "f:4: 'action' must be admit or refuse" },
    { BASE "arguments=[a\n", "f:4: 'arguments': '[a' is not a pattern" },
    { BASE "uuid=x\n", "f:4: 'uuid': 'x' is not a UUID" },
    { "[rule a]\nguest=\n", "f:2: 'guest' is empty" },
    { "[rule a]\ncommand=a;;b\n", "f:2: 'command' has an empty pattern" },
    { BASE "action=refuse\ninput=no\n",
      "f:1: the rule 'a' refuses, and so 'input' has no meaning" },
    { "[default]\n[default]\n", "f:2: [default] is given a second time (f:1)" },
    { "[rule a]\nguest=a\001b\n", "f:2: there is a control character" },
    { "[rule a]\nguest=\377\n", "f: not UTF-8 text" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (NegoRules) rules = nego_rules_new ();
    g_autoptr (GError) error = NULL;

    g_assert_false (parse (rules, rows[i].text, &error));
    g_assert_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG);
    g_assert_cmpstr (error->message, ==, rows[i].message);
  }
}

/* A list of @n patterns of @length bytes each. */
static char *
list_of (guint n, gsize length)
{
  g_autoptr (GString) text = g_string_new (BASE "arguments=");
  g_autofree char *pattern = g_strnfill (length, 'a');

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s;", pattern);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
check_limit (const char *text, const char *message)
{
  g_autoptr (NegoRules) rules = nego_rules_new ();
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (parse (rules, text, &error), ==, message == NULL);
  if (message == NULL)
    g_assert_no_error (error);
  else
    g_assert_cmpstr (error->message, ==, message);
}

static void
test_limits (void)
{
  g_autofree char *patterns = list_of (NEGO_RULES_PATTERNS, 1);
  g_autofree char *patterns_above = list_of (NEGO_RULES_PATTERNS + 1, 1);
  g_autofree char *bytes = list_of (1, NEGO_RULES_PATTERN_BYTES);
  g_autofree char *bytes_above = list_of (1, NEGO_RULES_PATTERN_BYTES + 1);
  g_autofree char *name = g_strnfill (NEGO_RULES_NAME_BYTES, 'n');
  g_autofree char *named = g_strdup_printf ("[rule %s]\nguest=*\ncommand=*\n", name);
  g_autofree char *named_above = g_strdup_printf ("[rule %sn]\nguest=*\ncommand=*\n", name);
  g_autoptr (GString) many = g_string_new (NULL);

  check_limit (patterns, NULL);
  check_limit (patterns_above, "f:4: 'arguments' has more than 64 patterns");
  check_limit (bytes, NULL);
  check_limit (bytes_above, "f:4: 'arguments' has a pattern of more than 256 bytes");
  check_limit (named, NULL);
  check_limit (named_above, "f:1: the name of a rule is not 1 to 64 letters, digits and '._-'");
  for (guint i = 0; i < NEGO_RULES; i++)
    g_string_append_printf (many, "[rule %u]\nguest=*\ncommand=*\n", i);
  check_limit (many->str, NULL);
  g_string_append (many, "[rule x]\nguest=*\ncommand=*\n");
  check_limit (many->str, "f:12289: there are more than 4096 rules");
}

typedef struct {
  char *dir;
  NegoRules *rules;
  GError *error;
} Dir;

static void
dir_set_up (Dir *dir, gconstpointer data)
{
  dir->dir = script_dir_new ();
}

static void
dir_tear_down (Dir *dir, gconstpointer data)
{
  g_clear_error (&dir->error);
  nego_rules_free (dir->rules);
  script_dir_free (dir->dir);
}

static void
add_file (const Dir *dir, const char *name, mode_t mode, const char *text)
{
  g_autofree char *path = script_dir_add (dir->dir, name, mode, text);

  g_assert_nonnull (path);
}

static void
load (Dir *dir)
{
  g_clear_error (&dir->error);
  g_clear_pointer (&dir->rules, nego_rules_free);
  dir->rules = nego_rules_load (dir->dir, &dir->error);
}

/* The rule that decides about the command "c". */
static char *
decider (const Dir *dir)
{
  const NegoRulesCall call = { .guest = "g", .command = "c" };
  g_auto (NegoRulesVerdict) verdict = { 0 };

  g_assert_no_error (dir->error);
  nego_rules_check (dir->rules, &call, &verdict);
  return g_strdup (verdict.rule);
}

static void
test_order (Dir *dir, gconstpointer data)
{
  g_autofree char *first = NULL;
  g_autofree char *none = NULL;

  if (dir->dir == NULL)
    return;
  load (dir);
  none = decider (dir);
  g_assert_null (none);
  add_file (dir, "20-b.conf", 0644, "[rule b]\nguest=*\ncommand=c\n");
  add_file (dir, "10-a.conf", 0644, BASE);
  add_file (dir, "05-no.txt", 0644, "[rule no]\nguest=*\ncommand=c\n");
  add_file (dir, ".hidden.conf", 0644, "[rule no]\nguest=*\ncommand=c\n");
  load (dir);
  first = decider (dir);
  g_assert_cmpstr (first, ==, "a");
}

static void
test_missing (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRules) rules = nego_rules_load ("/nonexistent/policy.d", &error);

  g_assert_no_error (error);
  g_assert_nonnull (rules);
}

static void
check_refused (Dir *dir, const char *name, const char *format)
{
  g_autofree char *path = g_build_filename (dir->dir, name, NULL);
  g_autofree char *message = g_strdup_printf ("'%s' %s", path, format);

  load (dir);
  g_assert_null (dir->rules);
  g_assert_error (dir->error, NEGO_ERROR, NEGO_ERROR_REFUSED);
  g_assert_cmpstr (dir->error->message, ==, message);
  g_assert_cmpint (g_remove (path), ==, 0);
}

static void
test_trust (Dir *dir, gconstpointer data)
{
  g_autofree char *linked = NULL;

  if (dir->dir == NULL)
    return;
  add_file (dir, "a.conf", 0664, BASE);
  check_refused (dir, "a.conf", "is writable by group or others");
  linked = g_build_filename (dir->dir, "b.conf", NULL);
  g_assert_cmpint (symlink ("/dev/null", linked), ==, 0);
  check_refused (dir, "b.conf", "is a symbolic link");
  g_assert_cmpint (g_mkdir (linked, 0755), ==, 0);
  check_refused (dir, "b.conf", "is not a regular file");
}

static void
test_broken (Dir *dir, gconstpointer data)
{
  g_autofree char *message = NULL;

  if (dir->dir == NULL)
    return;
  add_file (dir, "a.conf", 0644, BASE "input=maybe\n");
  load (dir);
  message = g_strdup_printf ("%s/a.conf:4: 'input' must be yes or no", dir->dir);
  g_assert_null (dir->rules);
  g_assert_cmpstr (dir->error->message, ==, message);
}

static void
test_file_bytes (Dir *dir, gconstpointer data)
{
  g_autofree char *text = g_strnfill (NEGO_RULES_FILE_BYTES + 1, '#');
  g_autofree char *path = NULL;
  g_autofree char *message = NULL;

  if (dir->dir == NULL)
    return;
  add_file (dir, "a.conf", 0644, text + 1);
  load (dir);
  g_assert_no_error (dir->error);
  add_file (dir, "b.conf", 0644, text);
  load (dir);
  path = g_build_filename (dir->dir, "b.conf", NULL);
  message
    = g_strdup_printf ("failed to read the policy file '%s': it is larger than 262144 bytes", path);
  g_assert_null (dir->rules);
  g_assert_cmpstr (dir->error->message, ==, message);
}

static void
test_files (Dir *dir, gconstpointer data)
{
  g_autofree char *message = NULL;

  if (dir->dir == NULL)
    return;
  for (guint i = 0; i < NEGO_RULES_FILES; i++) {
    g_autofree char *name = g_strdup_printf ("%u.conf", i);

    add_file (dir, name, 0644, "# none\n");
  }
  load (dir);
  g_assert_no_error (dir->error);
  add_file (dir, "more.conf", 0644, "# none\n");
  load (dir);
  message = g_strdup_printf ("'%s' has more than 256 files", dir->dir);
  g_assert_null (dir->rules);
  g_assert_cmpstr (dir->error->message, ==, message);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rules-file/values", test_values);
  g_test_add_func ("/rules-file/errors", test_errors);
  g_test_add_func ("/rules-file/limits", test_limits);
  g_test_add_func ("/rules-file/missing", test_missing);
#define ADD(name, func) g_test_add ("/rules-file/" name, Dir, NULL, dir_set_up, func, dir_tear_down)
  ADD ("order", test_order);
  ADD ("trust", test_trust);
  ADD ("broken", test_broken);
  ADD ("file-bytes", test_file_bytes);
  ADD ("files", test_files);
  return g_test_run ();
}
