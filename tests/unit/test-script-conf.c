/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "common/script-conf.h"

#include <string.h>

static NegoScriptConf *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  NegoScriptConf *conf = nego_script_conf_parse ("/d/x.conf", text, strlen (text), &error);

  g_assert_no_error (error);
  return conf;
}

static void
test_defaults (void)
{
  static const char *const texts[] = { "", "\n# nothing\n", "[Command]\n", "[Command]" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (NegoScriptConf) conf = parse (texts[i]);

    g_assert_null (conf->description);
    g_assert_null (conf->user);
    g_assert_null (conf->group);
    g_assert_null (conf->directory);
    g_assert_null (conf->environment[0]);
    g_assert_null (conf->allow_environment[0]);
    g_assert_cmpuint (conf->timeout_ms, ==, 10000);
    g_assert_cmpuint (conf->concurrency, ==, 8);
    g_assert_cmpuint (conf->max_output, ==, NEGO_SCRIPT_CONF_UNSET);
    g_assert_true (conf->arguments);
    g_assert_false (conf->read_only);
    g_assert_cmpuint (conf->memory_max, ==, 0);
    g_assert_cmpint (conf->nice, ==, 0);
    g_assert_false (conf->no_new_privileges);
  }
}

static void
test_all_keys (void)
{
  g_autoptr (NegoScriptConf) conf = parse ("# comment\n"
                                           "[Command]\n"
                                           "Description = Shows \xc3\xa9 things\n"
                                           "Timeout=0.25\n"
                                           "User=nobody\n"
                                           "Group=daemon\n"
                                           "Arguments=false\n"
                                           "ReadOnly=true\n"
                                           "MaxOutput=33554432\n"
                                           "Environment=A=1;B=two words;C=;\n"
                                           "AllowEnvironment=D;E_2\n"
                                           "Concurrency=64\n"
                                           "KillMode=all\n"
                                           "Nice=-20\n"
                                           "NoNewPrivileges=true\n"
                                           "WorkingDirectory=/srv\n");

  g_assert_cmpstr (conf->description, ==, "Shows \xc3\xa9 things");
  g_assert_cmpuint (conf->timeout_ms, ==, 250);
  g_assert_cmpstr (conf->user, ==, "nobody");
  g_assert_cmpstr (conf->group, ==, "daemon");
  g_assert_false (conf->arguments);
  g_assert_true (conf->read_only);
  g_assert_cmpuint (conf->max_output, ==, NEGO_SCRIPT_OUTPUT_MAX);
  g_assert_cmpuint (g_strv_length (conf->environment), ==, 3);
  g_assert_cmpstr (conf->environment[1], ==, "B=two words");
  g_assert_cmpuint (g_strv_length (conf->allow_environment), ==, 2);
  g_assert_cmpstr (conf->allow_environment[1], ==, "E_2");
  g_assert_cmpuint (conf->concurrency, ==, NEGO_JOBS_RUNNING);
  g_assert_true (conf->kill_all);
  g_assert_cmpstr (conf->directory, ==, "/srv");
  g_assert_cmpint (conf->nice, ==, -20);
  g_assert_true (conf->no_new_privileges);
}

static void
test_limits (void)
{
  g_autofree char *longest = g_strnfill (NEGO_SCRIPT_DESCRIPTION_BYTES, 'd');
  g_autofree char *text
    = g_strdup_printf ("[Command]\nDescription=%s\nTimeout=2592000\nMaxOutput=0\nConcurrency=1\n",
                       longest);
  g_autoptr (NegoScriptConf) conf = parse (text);
  g_autoptr (NegoScriptConf) none = parse ("[Command]\nTimeout=0\nKillMode=process\n");

  g_assert_cmpstr (conf->description, ==, longest);
  g_assert_cmpuint (conf->timeout_ms, ==, 2592000000u);
  g_assert_cmpuint (conf->max_output, ==, 0);
  g_assert_cmpuint (conf->concurrency, ==, 1);
  g_assert_cmpuint (none->timeout_ms, ==, 0);
  g_assert_false (none->kill_all);
}

static void
assert_wrong (const char *text, gsize len, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (nego_script_conf_parse ("/d/x.conf", text, len, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_errors (void)
{
  static const struct {
    const char *line; /* after [Command] and an empty line */
    const char *message;
  } cases[] = {
    { "Niceness=5", "unknown key 'Niceness'" },
    { "MemoryMax=4194303",
      "'MemoryMax' must be a number of bytes, at least 4194304, or of K, M or G" },
    { "MemoryMax=3M", "'MemoryMax' must be a number of bytes, at least 4194304, or of K, M or G" },
    { "MemoryMax=", "'MemoryMax' must be a number of bytes, at least 4194304, or of K, M or G" },
    { "MemoryMax=M", "'MemoryMax' must be a number of bytes, at least 4194304, or of K, M or G" },
    { "MemoryMax=64m", "'MemoryMax' must be a number of bytes, at least 4194304, or of K, M or G" },
    { "MemoryMax=8589934592G",
      "'MemoryMax' must be a number of bytes, at least 4194304, or of K, M or G" },
    { "Nice=-21", "'Nice' must be a number from -20 to 19" },
    { "Nice=20", "'Nice' must be a number from -20 to 19" },
    { "Nice=", "'Nice' must be a number from -20 to 19" },
    { "NoNewPrivileges=1x", "'NoNewPrivileges' must be true or false" },
    { "Description[de]=x", "unknown key 'Description[de]'" },
    { "timeout=5", "unknown key 'timeout'" },
    { "just text", "not a KEY=VALUE line" },
    { "=5", "not a KEY=VALUE line" },
    { "[Other]", "unknown group '[Other]'" },
    { "[Command", "unknown group '[Command'" },
    { "Description=", "'Description' is empty" },
    { "Description=a\\tb", "'Description' contains a control character" },
    { "Description=a\\qb", "'Description' has a wrong escape" },
    { "User=", "'User' is empty" },
    { "Group=", "'Group' is empty" },
    { "Timeout=-1", "'Timeout' must be a number of seconds from 0 to 2592000" },
    { "Timeout=2592000.1", "'Timeout' must be a number of seconds from 0 to 2592000" },
    { "KillMode=none", "'KillMode' must be process or all" },
    { "KillMode=", "'KillMode' must be process or all" },
    { "Timeout=nan", "'Timeout' must be a number of seconds from 0 to 2592000" },
    { "Timeout=5s", "'Timeout' must be a number of seconds from 0 to 2592000" },
    { "Timeout=", "'Timeout' must be a number of seconds from 0 to 2592000" },
    { "Arguments=maybe", "'Arguments' must be true or false" },
    { "ReadOnly=yes", "'ReadOnly' must be true or false" },
    { "MaxOutput=33554433", "'MaxOutput' must be a number from 0 to 33554432" },
    { "MaxOutput=1M", "'MaxOutput' must be a number from 0 to 33554432" },
    { "MaxOutput=-1", "'MaxOutput' must be a number from 0 to 33554432" },
    { "Concurrency=0", "'Concurrency' must be a number from 1 to 64" },
    { "Concurrency=65", "'Concurrency' must be a number from 1 to 64" },
    { "Environment=A", "'Environment' contains 'A', which is not NAME=VALUE" },
    { "Environment=1A=x", "'Environment' contains '1A=x', which is not NAME=VALUE" },
    { "Environment=A=\\q", "'Environment' has a wrong escape" },
    { "Environment=NEGOTIATOR_JOB=x", "'Environment' sets 'NEGOTIATOR_JOB', which is the agent's" },
    { "Environment=A=1;AB=2;A=3", "'Environment' sets 'A' twice" },
    { "AllowEnvironment=A=1", "'AllowEnvironment' contains 'A=1', which is not a variable's name" },
    { "AllowEnvironment=A*", "'AllowEnvironment' contains 'A*', which is not a variable's name" },
    { "AllowEnvironment=LD_PRELOAD",
      "'AllowEnvironment' contains 'LD_PRELOAD', which is never admitted" },
    { "AllowEnvironment=A\\q", "'AllowEnvironment' has a wrong escape" },
    { "WorkingDirectory=tmp", "'WorkingDirectory' must be an absolute path" },
    { "WorkingDirectory=", "'WorkingDirectory' is empty" },
  };
  g_autofree char *longer = g_strnfill (NEGO_SCRIPT_DESCRIPTION_BYTES + 1, 'd');
  g_autofree char *description = g_strdup_printf ("[Command]\nDescription=%s\n", longer);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = g_strdup_printf ("[Command]\n\n%s\n", cases[i].line);
    g_autofree char *message = g_strdup_printf ("/d/x.conf:3: %s", cases[i].message);

    assert_wrong (text, strlen (text), message);
  }
  assert_wrong (description, strlen (description),
                "/d/x.conf:2: 'Description' is longer than 256 bytes");
  assert_wrong ("Timeout=1\n", 10, "/d/x.conf:1: 'Timeout' stands before the group [Command]");
  assert_wrong ("[Command]\nTimeout=1\nTimeout=1\n", 30, "/d/x.conf:3: 'Timeout' is given twice");
  assert_wrong ("[Command]\n#\0\n", 13, "/d/x.conf: not UTF-8 text");
  assert_wrong ("[Command]\n#\xff\n", 13, "/d/x.conf: not UTF-8 text");
}

static void
test_memory_max (void)
{
  static const struct {
    const char *value;
    guint64 bytes;
  } cases[] = {
    { "4194304", G_GUINT64_CONSTANT (4194304) },
    { "4096K", G_GUINT64_CONSTANT (4194304) },
    { "4M", G_GUINT64_CONSTANT (4194304) },
    { "3G", G_GUINT64_CONSTANT (3221225472) },
    { "8589934591G", G_GUINT64_CONSTANT (9223372035781033984) },
    { "9223372036854775807", G_MAXINT64 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = g_strdup_printf ("[Command]\nMemoryMax=%s\n", cases[i].value);
    g_autoptr (NegoScriptConf) conf = parse (text);

    g_assert_cmpuint (conf->memory_max, ==, cases[i].bytes);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/script-conf/defaults", test_defaults);
  g_test_add_func ("/script-conf/all-keys", test_all_keys);
  g_test_add_func ("/script-conf/limits", test_limits);
  g_test_add_func ("/script-conf/memory-max", test_memory_max);
  g_test_add_func ("/script-conf/errors", test_errors);
  return g_test_run ();
}
