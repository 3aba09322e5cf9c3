/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/check-policy.h"
#include "tests/helpers/script-dir.h"

#include <glib/gstdio.h>

#include <string.h>

#define UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

typedef struct {
  char *dir, *policy, *commands;
  NegoRegistry *registry;
} Fixture;

static char *
make_dir (const Fixture *fixture, const char *name)
{
  char *dir = g_build_filename (fixture->dir, name, NULL);

  g_assert_cmpint (g_mkdir (dir, 0755), ==, 0);
  return dir;
}

static void
add_file (const char *dir, const char *name, mode_t mode, const char *text)
{
  g_autofree char *path = script_dir_add (dir, name, mode, text);

  g_assert_nonnull (path);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  const char *dirs[2] = { NULL };

  fixture->dir = script_dir_new ();
  if (fixture->dir == NULL)
    return;
  fixture->policy = make_dir (fixture, "policy.d");
  fixture->commands = make_dir (fixture, "commands");
  add_file (fixture->commands, "backup", 0755, "#!/bin/sh\n");
  add_file (fixture->commands, "other", 0755, "#!/bin/sh\n");
  add_file (fixture->commands, "open", 0777, "#!/bin/sh\n");
  dirs[0] = fixture->commands;
  fixture->registry = nego_registry_new (dirs, NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  nego_registry_free (fixture->registry);
  g_free (fixture->policy);
  g_free (fixture->commands);
  script_dir_free (fixture->dir);
}

/* Checks the verdict on the words of @call and what is said, in which DIR stands for the fixture's
 * directory. */
static void
check (const Fixture *fixture, const char *call, int status, const char *said)
{
  g_auto (GStrv) words = g_strsplit (call, " ", -1);
  g_autoptr (GString) expected = g_string_new (said);
  char *text = NULL;
  gsize len = 0;
  FILE *out = open_memstream (&text, &len);

  g_string_replace (expected, "DIR", fixture->dir, 0);
  g_test_message ("%s", call);
  g_assert_cmpint (nego_check_policy (fixture->policy, fixture->registry,
                                      (const char *const *) words, out),
                   ==, status);
  fclose (out);
  g_assert_cmpstr (text, ==, expected->str);
  free (text);
}

static void
test_default (Fixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  check (fixture, "g backup", NEGO_CHECK_POLICY_ADMITTED,
         "admitted by the host's default policy, without input and environment\n");
  check (fixture, "g backup x", NEGO_CHECK_POLICY_REFUSED,
         "refused by the host's default policy, which admits no arguments\n");
  check (fixture, "g nothing", NEGO_CHECK_POLICY_REFUSED, "unknown negotiator command 'nothing'\n");
  check (fixture, "g open", NEGO_CHECK_POLICY_REFUSED,
         "negotiator command 'open' is refused by the checks of its files: 'DIR/commands/open' is "
         "writable by "
         "group or others\n");
}

static void
test_rules (Fixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  add_file (fixture->policy, "a.conf", 0644,
            "[rule a]\nguest=db-*\ncommand=backup\narguments=full;*\ninput=yes\n"
            "[rule b]\nuuid=" UUID "\ncommand=backup\narguments=all\nenvironment=yes\n"
            "[rule c]\nguest=*\ncommand=other\naction=refuse\n");
  check (fixture, "db-1 backup full 1", NEGO_CHECK_POLICY_ADMITTED,
         "admitted by the rule 'a' (DIR/policy.d/a.conf:1), with input, without environment\n");
  check (fixture, UUID " backup all", NEGO_CHECK_POLICY_ADMITTED,
         "admitted by the rule 'b' (DIR/policy.d/a.conf:6), with environment, without input\n");
  check (fixture, "x," UUID " backup all", NEGO_CHECK_POLICY_ADMITTED,
         "admitted by the rule 'b' (DIR/policy.d/a.conf:6), with environment, without input\n");
  check (fixture, "x,y backup all", NEGO_CHECK_POLICY_REFUSED,
         "refused by the host's default policy, which admits no arguments\n");
  check (fixture, "db-1 backup full -x", NEGO_CHECK_POLICY_REFUSED,
         "refused by the rule 'a' (DIR/policy.d/a.conf:1), which does not admit these arguments\n");
  check (fixture, "db-1 other", NEGO_CHECK_POLICY_REFUSED,
         "refused by the rule 'c' (DIR/policy.d/a.conf:11)\n");
}

static void
test_wrong (Fixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  check (fixture, "g", NEGO_CHECK_POLICY_FAILED, "");
  add_file (fixture->policy, "a.conf", 0644, "[rules]\n");
  check (fixture, "g backup", NEGO_CHECK_POLICY_FAILED, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/check-policy/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("default", test_default);
  ADD ("rules", test_rules);
  ADD ("wrong", test_wrong);
  return g_test_run ();
}
