/* SPDX-License-Identifier: MIT */
/* The verdicts, row by row. */
#include "config.h"

#include "common/names.h"
#include "host-client/hostd/rules-file.h"

#include <string.h>

#define UUID_1 "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
#define UUID_2 "5dea22b3-1d52-d8f3-2516-782e98ab3fa0"

typedef struct {
  const char *guest, *uuid, *command;
  const char *args[4];
  gboolean builtin, input, environment;
  const char *reason; /* NULL: admitted */
  const char *rule;   /* NULL: the default */
} Row;

static const char policy[] = "# line 1\n"
                             "[rule no-drop]\n"
                             "guest = *\n"
                             "command = drop-*\n"
                             "action = refuse\n"
                             "[rule some]\n" /* 6 */
                             "guest = db-*;web-?\n"
                             "command = backup\n"
                             "arguments = full;[0-9]*\n"
                             "[rule option]\n" /* 10 */
                             "guest = db-*\n"
                             "command = backup\n"
                             "arguments = --name=*;*\n"
                             "[rule by-uuid]\n" /* 14 */
                             "uuid = " UUID_1 "\n"
                             "command = copy\n"
                             "arguments =\n"
                             "input = yes\n"
                             "environment = yes\n"
                             "[rule facts]\n" /* 20 */
                             "uuid = " UUID_1 "\n"
                             "guest = db-*\n"
                             "command = facts\n"
                             "builtin = yes\n"
                             "[rule not-secret]\n" /* 25 */
                             "guest = *\n"
                             "command = show\n"
                             "arguments = *secret*\n"
                             "action = refuse\n"
                             "[rule show]\n" /* 30 */
                             "guest = *\n"
                             "command = show\n"
                             "arguments = *\n"
                             "action = admit\n";

static const Row rows[] = {
  /* The default. */
  { "x", NULL, "any", { NULL } },
  { "x", NULL, "any", { "a" }, .reason = "the host's default policy, which admits no arguments" },
  { "x",
    NULL,
    "any",
    { NULL },
    .input = TRUE,
    .reason = "the host's default policy, which admits no input" },
  { "x",
    NULL,
    "any",
    { NULL },
    .environment = TRUE,
    .reason = "the host's default policy, which admits no environment" },
  { "x",
    NULL,
    "any",
    { NULL },
    .builtin = TRUE,
    .reason = "the host's default policy, which admits no built-in commands" },
  /* A rule that refuses, whatever else. */
  { "x", NULL, "drop-all", { NULL }, .reason = "the rule 'no-drop' (p.conf:2)", .rule = "no-drop" },
  { "x",
    NULL,
    "drop-all",
    { "--a", "b" },
    .input = TRUE,
    .reason = "the rule 'no-drop' (p.conf:2)",
    .rule = "no-drop" },
  { "x", NULL, "drop", { NULL } },
  /* Arguments: the number, anchored, and options. */
  { "db-1", NULL, "backup", { "full", "1" }, .rule = "some" },
  { "web-1", NULL, "backup", { "full", "12" }, .rule = "some" },
  { "web-12",
    NULL,
    "backup",
    { "full", "12" },
    .reason = "the host's default policy, which admits no arguments" },
  { "xdb-1",
    NULL,
    "backup",
    { "full", "12" },
    .reason = "the host's default policy, which admits no arguments" },
  { "db-1",
    NULL,
    "backup",
    { "fully", "1" },
    .reason = "the rule 'some' (p.conf:6), which does not admit these arguments",
    .rule = "some" },
  { "db-1",
    NULL,
    "backup",
    { "full", "x1" },
    .reason = "the rule 'some' (p.conf:6), which does not admit these arguments",
    .rule = "some" },
  { "db-1",
    NULL,
    "backup",
    { "full" },
    .reason = "the rule 'some' (p.conf:6), which does not admit these arguments",
    .rule = "some" },
  { "db-1",
    NULL,
    "backup",
    { "full", "1", "1" },
    .reason = "the rule 'some' (p.conf:6), which does not admit these arguments",
    .rule = "some" },
  { "db-1", NULL, "backup", { "--name=x", "y" }, .rule = "option" },
  { "db-1",
    NULL,
    "backup",
    { "--name=x", "-y" },
    .reason = "the rule 'some' (p.conf:6), which does not admit these arguments",
    .rule = "some" },
  { "web-1",
    NULL,
    "backup",
    { "full", "1" },
    .input = TRUE,
    .reason = "the rule 'some' (p.conf:6), which admits no input",
    .rule = "some" },
  { "web-1",
    NULL,
    "backup",
    { "full", "1" },
    .environment = TRUE,
    .reason = "the rule 'some' (p.conf:6), which admits no environment",
    .rule = "some" },
  /* Without arguments the default is what fits. */
  { "db-1", NULL, "backup", { NULL } },
  /* By UUID, whatever the name is. */
  { "x", UUID_1, "copy", { NULL }, .input = TRUE, .environment = TRUE, .rule = "by-uuid" },
  { UUID_1,
    UUID_2,
    "copy",
    { NULL },
    .input = TRUE,
    .reason = "the host's default policy, which admits no input" },
  { "x",
    NULL,
    "copy",
    { NULL },
    .input = TRUE,
    .reason = "the host's default policy, which admits no input" },
  { "x",
    UUID_1,
    "copy",
    { "a" },
    .reason = "the rule 'by-uuid' (p.conf:14), which does not admit these arguments",
    .rule = "by-uuid" },
  /* Both must fit; built-in ones. */
  { "db-1", UUID_1, "facts", { NULL }, .builtin = TRUE, .rule = "facts" },
  { "db-1",
    UUID_2,
    "facts",
    { NULL },
    .builtin = TRUE,
    .reason = "the host's default policy, which admits no built-in commands" },
  { "x",
    UUID_1,
    "facts",
    { NULL },
    .builtin = TRUE,
    .reason = "the host's default policy, which admits no built-in commands" },
  { "x",
    UUID_1,
    "copy",
    { NULL },
    .builtin = TRUE,
    .reason = "the rule 'by-uuid' (p.conf:14), which admits no built-in commands",
    .rule = "by-uuid" },
  /* A rule that refuses some arguments is not evaded by a '-'. */
  { "x", NULL, "show", { "public" }, .rule = "show" },
  { "x",
    NULL,
    "show",
    { "my-secret-x" },
    .reason = "the rule 'not-secret' (p.conf:25)",
    .rule = "not-secret" },
  { "x",
    NULL,
    "show",
    { "--secret" },
    .reason = "the rule 'not-secret' (p.conf:25)",
    .rule = "not-secret" },
  { "x",
    NULL,
    "show",
    { "-x" },
    .reason = "the rule 'show' (p.conf:30), which does not admit these arguments",
    .rule = "show" },
};

static NegoRules *
rules_of (const char *text)
{
  g_autoptr (NegoRules) rules = nego_rules_new ();
  g_autoptr (GError) error = NULL;

  nego_rules_parse (rules, "p.conf", text, strlen (text), &error);
  g_assert_no_error (error);
  return g_steal_pointer (&rules);
}

static NegoRulesCall
call_of (const Row *row)
{
  return (NegoRulesCall){
    .guest = row->guest,
    .uuid = row->uuid,
    .command = row->command,
    .args = row->args,
    .builtin = row->builtin,
    .input = row->input,
    .environment = row->environment,
  };
}

static void
check_row (const NegoRules *rules, const Row *row)
{
  const NegoRulesCall call = call_of (row);
  g_auto (NegoRulesVerdict) verdict = { 0 };

  g_test_message ("%s %s %s", row->guest, row->command, row->args[0]);
  g_assert_cmpint (nego_rules_check (rules, &call, &verdict), ==, row->reason == NULL);
  g_assert_cmpint (nego_rules_check (rules, &call, NULL), ==, row->reason == NULL);
  g_assert_cmpint (verdict.admitted, ==, row->reason == NULL);
  g_assert_cmpstr (verdict.reason, ==, row->reason);
  g_assert_cmpstr (verdict.rule, ==, row->rule);
  g_assert_cmpstr (verdict.file, ==, row->rule != NULL ? "p.conf" : NULL);
}

static void
test_table (void)
{
  g_autoptr (NegoRules) rules = rules_of (policy);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    check_row (rules, &rows[i]);
}

static void
test_default (void)
{
  g_autoptr (NegoRules) none = nego_rules_new ();
  g_autoptr (NegoRules) refuse = rules_of ("[rule a]\nguest=*\ncommand=a\n\n[default]\n"
                                           "action=refuse\n");
  const Row admitted = { "x", NULL, "any", { NULL } };
  const Row by_rule = { "x", NULL, "a", { NULL }, .rule = "a" };
  const Row other = { "x", NULL, "any", { NULL } };
  const NegoRulesCall call = call_of (&other);
  g_auto (NegoRulesVerdict) verdict = { 0 };

  check_row (none, &admitted);
  check_row (refuse, &by_rule);
  g_assert_false (nego_rules_check (refuse, &call, &verdict));
  g_assert_cmpstr (verdict.reason, ==, "the host's default policy (p.conf:5)");
  g_assert_cmpstr (verdict.file, ==, "p.conf");
  g_assert_cmpuint (verdict.line, ==, 5);
}

/* What a list of commands tells. */
static void
test_command (void)
{
  g_autoptr (NegoRules) rules = rules_of (policy);
  const struct {
    Row row;
    const char *reason;
  } commands[] = {
    { { "x", NULL, "any" }, NULL },
    { { "x", NULL, "any", .builtin = TRUE },
      "the host's default policy, which admits no built-in commands" },
    { { "db-1", NULL, "backup" }, NULL },
    { { "x", NULL, "drop-all" }, "the rule 'no-drop' (p.conf:2)" },
    { { "x", NULL, "show" }, NULL },
    { { "db-1", UUID_1, "facts", .builtin = TRUE }, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    const NegoRulesCall call = call_of (&commands[i].row);
    g_auto (NegoRulesVerdict) verdict = { 0 };

    g_test_message ("%s", call.command);
    g_assert_cmpint (nego_rules_check_command (rules, &call, &verdict), ==,
                     commands[i].reason == NULL);
    g_assert_cmpstr (verdict.reason, ==, commands[i].reason);
  }
}

static void
test_long_argument (void)
{
  g_autoptr (NegoRules) rules = rules_of ("[rule a]\nguest=*\ncommand=a\narguments=*\n");
  g_autofree char *at = g_strnfill (NEGO_RULES_ARG_BYTES, 'a');
  g_autofree char *above = g_strnfill (NEGO_RULES_ARG_BYTES + 1, 'a');
  const Row fits = { "x", NULL, "a", { at }, .rule = "a" };
  const Row beyond = { "x", NULL, "a", { above } };
  const NegoRulesCall call = call_of (&beyond);
  g_auto (NegoRulesVerdict) verdict = { 0 };

  check_row (rules, &fits);
  g_assert_false (nego_rules_check (rules, &call, NULL));
  g_assert_false (nego_rules_check (rules, &call, &verdict));
  g_assert_cmpstr (verdict.reason, ==,
                   "the host's policy, which admits no argument of more than 4096 bytes");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rules/table", test_table);
  g_test_add_func ("/rules/default", test_default);
  g_test_add_func ("/rules/command", test_command);
  g_test_add_func ("/rules/long-argument", test_long_argument);
  return g_test_run ();
}
