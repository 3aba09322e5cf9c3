/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "common/script-env.h"

#include <string.h>
#include <unistd.h>

static NegoScriptConf *
new_conf (const char *keys)
{
  g_autofree char *text = g_strconcat ("[Command]\n", keys, "\n", NULL);
  NegoScriptConf *conf = nego_script_conf_parse ("/d/x.conf", text, strlen (text), NULL);

  g_assert_nonnull (conf);
  return conf;
}

static gboolean
check (const NegoScriptConf *conf, const char *const *env, GError **error)
{
  const NegoScript script
    = { .name = (char *) "x", .path = (char *) "/d/x", .conf = (NegoScriptConf *) conf };

  return nego_script_env_check (&script, env, error);
}

static void
assert_refused (const NegoScriptConf *conf, const char *const *env, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (check (conf, env, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_refused (void)
{
  static const char *const never[]
    = { "PATH",       "IFS",        "ENV",     "BASH_ENV",       "SHELLOPTS",
        "PS4",        "LD_PRELOAD", "LD_",     "GLIBC_TUNABLES", "MALLOC_CHECK_",
        "PYTHONPATH", "PERL5LIB",   "RUBYOPT", "NEGOTIATOR_JOB" };
  static const char *const malformed[]
    = { "A", "", "=x", "1A=x", "A B=x", "BASH_FUNC_f%%=x", "\xc3\xa9=x" };
  g_autoptr (NegoScriptConf) conf = new_conf ("AllowEnvironment=A;ENVIRON");

  for (guint i = 0; i < G_N_ELEMENTS (never); i++) {
    g_autofree char *entry = g_strconcat (never[i], "=x", NULL);
    g_autofree char *message
      = g_strdup_printf ("environment variable '%s' is never admitted", never[i]);
    const char *const env[] = { entry, NULL };

    assert_refused (conf, env, message);
  }
  for (guint i = 0; i < G_N_ELEMENTS (malformed); i++) {
    const char *const env[] = { "A=1", malformed[i], NULL };

    assert_refused (conf, env, "env entry 2 is not NAME=VALUE");
  }
  {
    const char *const env[] = { "B=1", NULL };
    const char *const twice[] = { "A=1", "ENVIRON=2", "A=1", NULL };

    assert_refused (
      conf, env,
      "negotiator command 'x' is refused by 'AllowEnvironment' in '/d/x.conf': it admits no 'B'");
    assert_refused (conf, twice, "environment variable 'A' is given twice");
  }
}

static void
test_limits (void)
{
  g_autoptr (NegoScriptConf) conf = new_conf ("AllowEnvironment=A");
  g_autoptr (GString) names = g_string_new ("AllowEnvironment=");
  g_autoptr (NegoScriptConf) many_conf = NULL;
  g_autoptr (GPtrArray) many = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *entry = g_strnfill (NEGO_SCRIPT_ARG_BYTES, 'x');
  const char *const env[] = { entry, NULL };

  memcpy (entry, "A=", 2);
  assert_refused (conf, env, "environment variable 'A' is too long (limit 131071 bytes)");
  entry[NEGO_SCRIPT_ARG_BYTES - 1] = '\0';
  g_assert_true (check (conf, env, NULL));
  g_assert_true (check (conf, NULL, NULL));

  for (guint i = 0; i < NEGO_SCRIPT_ENV; i++) {
    g_string_append_printf (names, "V%u;", i);
    g_ptr_array_add (many, g_strdup_printf ("V%u=", i));
  }
  many_conf = new_conf (names->str);
  g_ptr_array_add (many, NULL);
  g_assert_true (check (many_conf, (const char *const *) many->pdata, NULL));
  many->pdata[many->len - 1] = g_strdup ("W=");
  g_ptr_array_add (many, NULL);
  assert_refused (many_conf, (const char *const *) many->pdata,
                  "too many environment variables (limit 256)");
}

static void
test_build (void)
{
  g_autoptr (NegoScriptConf) conf = new_conf ("Environment=A=owner;LANG=C;B=owner");
  g_autoptr (NegoScriptConf) with_user = new_conf ("User=nobody");
  const char *const env[] = { "B=caller", NULL };
  g_auto (GStrv) built = nego_script_env_build (conf, "guest", "0123", env);
  g_auto (GStrv) bare = nego_script_env_build (with_user, "host", "4567", NULL);
  static const char *const expected[]
    = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG=C",
        "SHELL=/bin/sh",
        "NEGOTIATOR_SIDE=guest",
        "NEGOTIATOR_JOB=0123",
        "A=owner",
        "B=caller" };

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    g_assert_true (g_strv_contains ((const char *const *) built, expected[i]));
  /* And HOME, USER, LOGNAME. */
  g_assert_cmpuint (g_strv_length (built), ==, G_N_ELEMENTS (expected) + 3);
  if (geteuid () == 0)
    g_assert_true (g_strv_contains ((const char *const *) built, "HOME=/root"));

  /* Those are the helper's, which looks the user up. */
  g_assert_cmpuint (g_strv_length (bare), ==, 5);
  g_assert_true (g_strv_contains ((const char *const *) bare, "NEGOTIATOR_SIDE=host"));
  g_assert_true (g_strv_contains ((const char *const *) bare, "LANG=C.UTF-8"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/script-env/refused", test_refused);
  g_test_add_func ("/script-env/limits", test_limits);
  g_test_add_func ("/script-env/build", test_build);
  return g_test_run ();
}
