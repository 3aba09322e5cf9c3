/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/script-env.h"

#include "common/error.h"
#include "common/names.h"

#include <string.h>
#include <unistd.h>

#define STANDARD_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *const never_names[]
  = { "PATH", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "PS4", NULL };
static const char *const never_prefixes[]
  = { "LD_", "GLIBC_", "MALLOC_", "PYTHON", "PERL", "RUBY", "NEGOTIATOR_", NULL };

gsize
nego_script_env_name_length (const char *text)
{
  gsize len = 0;

  if (g_ascii_isdigit (text[0]))
    return 0;
  while (g_ascii_isalnum (text[len]) || text[len] == '_')
    len++;
  return len;
}

gboolean
nego_script_env_is_never_admitted (const char *name)
{
  gsize len = nego_script_env_name_length (name);

  for (guint i = 0; never_names[i] != NULL; i++)
    if (strlen (never_names[i]) == len && strncmp (never_names[i], name, len) == 0)
      return TRUE;
  for (guint i = 0; never_prefixes[i] != NULL; i++)
    if (g_str_has_prefix (name, never_prefixes[i]))
      return TRUE;
  return FALSE;
}

/* Checks env[@index]. */
static gboolean
nego_script_env_check_entry (const NegoScript *script,
                             const char *const *env,
                             guint index,
                             GError **error)
{
  gsize len = nego_script_env_name_length (env[index]);
  g_autofree char *variable = g_strndup (env[index], len);

  if (len == 0 || env[index][len] != '=') {
    /* The value may be a secret that stands where a name should be. */
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED, "env entry %u is not NAME=VALUE",
                 index + 1);
    return FALSE;
  }
  if (strlen (env[index]) >= NEGO_SCRIPT_ARG_BYTES) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED,
                 "environment variable '%.64s' is too long (limit %u bytes)", variable,
                 NEGO_SCRIPT_ARG_BYTES - 1);
    return FALSE;
  }
  if (nego_script_env_is_never_admitted (variable)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED,
                 "environment variable '%.64s' is never admitted", variable);
    return FALSE;
  }
  if (!g_strv_contains ((const char *const *) script->conf->allow_environment, variable)) {
    g_set_error (
      error, NEGO_ERROR, NEGO_ERROR_REFUSED,
      "negotiator command '%s' is refused by 'AllowEnvironment' in '%s.conf': it admits no '%.64s'",
      script->name, script->path, variable);
    return FALSE;
  }
  for (guint i = 0; i < index; i++)
    if (strncmp (env[i], env[index], len + 1) == 0) {
      g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED,
                   "environment variable '%.64s' is given twice", variable);
      return FALSE;
    }
  return TRUE;
}

gboolean
nego_script_env_check (const NegoScript *script, const char *const *env, GError **error)
{
  guint n = env != NULL ? g_strv_length ((char **) env) : 0;

  if (n > NEGO_SCRIPT_ENV) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED, "too many environment variables (limit %u)",
                 NEGO_SCRIPT_ENV);
    return FALSE;
  }
  for (guint i = 0; i < n; i++)
    if (!nego_script_env_check_entry (script, env, i, error))
      return FALSE;
  return TRUE;
}

/* Adds or replaces. */
static void
nego_script_env_set (GPtrArray *all, char *entry)
{
  gsize len = nego_script_env_name_length (entry) + 1;

  for (guint i = 0; i < all->len; i++)
    if (strncmp (g_ptr_array_index (all, i), entry, len) == 0) {
      g_free (g_ptr_array_index (all, i));
      g_ptr_array_index (all, i) = entry;
      return;
    }
  g_ptr_array_add (all, entry);
}

static void
nego_script_env_set_user (GPtrArray *all)
{
  /* Root's account is the same everywhere; another one is looked up, once (GLib keeps it). */
  const char *name = geteuid () == 0 ? "root" : g_get_user_name ();
  const char *home = geteuid () == 0 ? "/root" : g_get_home_dir ();

  nego_script_env_set (all, g_strconcat ("HOME=", home, NULL));
  nego_script_env_set (all, g_strconcat ("USER=", name, NULL));
  nego_script_env_set (all, g_strconcat ("LOGNAME=", name, NULL));
}

char **
nego_script_env_build (const NegoScriptConf *conf,
                       const char *side,
                       const char *job_id,
                       const char *const *env)
{
  GPtrArray *all = g_ptr_array_new ();

  nego_script_env_set (all, g_strdup ("PATH=" STANDARD_PATH));
  nego_script_env_set (all, g_strdup ("LANG=C.UTF-8"));
  nego_script_env_set (all, g_strdup ("SHELL=/bin/sh"));
  if (conf->user == NULL)
    nego_script_env_set_user (all);
  nego_script_env_set (all, g_strconcat ("NEGOTIATOR_SIDE=", side, NULL));
  nego_script_env_set (all, g_strconcat ("NEGOTIATOR_JOB=", job_id, NULL));
  for (char **entry = conf->environment; *entry != NULL; entry++)
    nego_script_env_set (all, g_strdup (*entry));
  for (guint i = 0; env != NULL && env[i] != NULL; i++)
    nego_script_env_set (all, g_strdup (env[i]));
  g_ptr_array_add (all, NULL);
  return (char **) g_ptr_array_free (all, FALSE);
}
