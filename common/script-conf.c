/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/script-conf.h"

#include "common/error.h"
#include "common/names.h"
#include "common/script-env.h"

#include <math.h>
#include <string.h>

#define GROUP "Command"

typedef struct {
  const char *path;
  GKeyFile *keys;
  GHashTable *lines; /* key → line number */
} NegoScriptConfFile;

/* Returns FALSE with the reason, without the place, which the caller adds. */
typedef gboolean (*NegoScriptConfSetter) (NegoScriptConf *conf,
                                          GKeyFile *keys,
                                          const char *key,
                                          GError **error);

static gboolean nego_script_conf_refuse (GError **error, const char *format, ...)
  G_GNUC_PRINTF (2, 3);

static gboolean
nego_script_conf_refuse (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error != NULL)
    *error = g_error_new_valist (NEGO_ERROR, NEGO_ERROR_CONFIG, format, args);
  va_end (args);
  return FALSE;
}

static gboolean
nego_script_conf_take_string (GKeyFile *keys, const char *key, char **value, GError **error)
{
  g_autoptr (GError) wrong = NULL;
  g_autofree char *text = g_key_file_get_string (keys, GROUP, key, &wrong);

  if (wrong != NULL)
    return nego_script_conf_refuse (error, "'%s' has a wrong escape", key);
  if (*text == '\0')
    return nego_script_conf_refuse (error, "'%s' is empty", key);
  for (const char *p = text; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      return nego_script_conf_refuse (error, "'%s' contains a control character", key);
  *value = g_steal_pointer (&text);
  return TRUE;
}

static gboolean
nego_script_conf_take_boolean (GKeyFile *keys, const char *key, gboolean *value, GError **error)
{
  g_autoptr (GError) wrong = NULL;
  gboolean taken = g_key_file_get_boolean (keys, GROUP, key, &wrong);

  if (wrong != NULL)
    return nego_script_conf_refuse (error, "'%s' must be true or false", key);
  *value = taken;
  return TRUE;
}

static gboolean
nego_script_conf_take_uint (
  GKeyFile *keys, const char *key, guint64 min, guint64 max, guint64 *value, GError **error)
{
  g_autofree char *text = g_key_file_get_value (keys, GROUP, key, NULL);

  if (!g_ascii_string_to_unsigned (text, 10, min, max, value, NULL))
    return nego_script_conf_refuse (error,
                                    "'%s' must be a number from %" G_GUINT64_FORMAT
                                    " to %" G_GUINT64_FORMAT,
                                    key, min, max);
  return TRUE;
}

static gboolean
nego_script_conf_set_description (NegoScriptConf *conf,
                                  GKeyFile *keys,
                                  const char *key,
                                  GError **error)
{
  if (!nego_script_conf_take_string (keys, key, &conf->description, error))
    return FALSE;
  if (strlen (conf->description) > NEGO_SCRIPT_DESCRIPTION_BYTES)
    return nego_script_conf_refuse (error, "'%s' is longer than %u bytes", key,
                                    NEGO_SCRIPT_DESCRIPTION_BYTES);
  return TRUE;
}

static gboolean
nego_script_conf_set_user (NegoScriptConf *conf, GKeyFile *keys, const char *key, GError **error)
{
  return nego_script_conf_take_string (keys, key, &conf->user, error);
}

static gboolean
nego_script_conf_set_group (NegoScriptConf *conf, GKeyFile *keys, const char *key, GError **error)
{
  return nego_script_conf_take_string (keys, key, &conf->group, error);
}

static gboolean
nego_script_conf_set_directory (NegoScriptConf *conf,
                                GKeyFile *keys,
                                const char *key,
                                GError **error)
{
  if (!nego_script_conf_take_string (keys, key, &conf->directory, error))
    return FALSE;
  if (!g_path_is_absolute (conf->directory))
    return nego_script_conf_refuse (error, "'%s' must be an absolute path", key);
  return TRUE;
}

static gboolean
nego_script_conf_set_timeout (NegoScriptConf *conf, GKeyFile *keys, const char *key, GError **error)
{
  g_autofree char *text = g_key_file_get_value (keys, GROUP, key, NULL);
  char *end = NULL;
  double seconds = g_ascii_strtod (text, &end);

  if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= NEGO_SCRIPT_TIMEOUT_MAX_S))
    return nego_script_conf_refuse (error, "'%s' must be a number of seconds from 0 to %u", key,
                                    NEGO_SCRIPT_TIMEOUT_MAX_S);
  conf->timeout_ms = (guint) ceil (seconds * 1000);
  return TRUE;
}

static gboolean
nego_script_conf_set_arguments (NegoScriptConf *conf,
                                GKeyFile *keys,
                                const char *key,
                                GError **error)
{
  return nego_script_conf_take_boolean (keys, key, &conf->arguments, error);
}

static gboolean
nego_script_conf_set_read_only (NegoScriptConf *conf,
                                GKeyFile *keys,
                                const char *key,
                                GError **error)
{
  return nego_script_conf_take_boolean (keys, key, &conf->read_only, error);
}

static gboolean
nego_script_conf_set_max_output (NegoScriptConf *conf,
                                 GKeyFile *keys,
                                 const char *key,
                                 GError **error)
{
  guint64 value;

  if (!nego_script_conf_take_uint (keys, key, 0, NEGO_SCRIPT_OUTPUT_MAX, &value, error))
    return FALSE;
  conf->max_output = (gsize) value;
  return TRUE;
}

static gboolean
nego_script_conf_set_concurrency (NegoScriptConf *conf,
                                  GKeyFile *keys,
                                  const char *key,
                                  GError **error)
{
  guint64 value;

  if (!nego_script_conf_take_uint (keys, key, 1, NEGO_JOBS_RUNNING, &value, error))
    return FALSE;
  conf->concurrency = (guint) value;
  return TRUE;
}

/* A number of bytes; K, M and G behind it multiply it by powers of 1024. */
static gboolean
nego_script_conf_set_memory_max (NegoScriptConf *conf,
                                 GKeyFile *keys,
                                 const char *key,
                                 GError **error)
{
  static const char units[] = "KMG";
  g_autofree char *text = g_key_file_get_value (keys, GROUP, key, NULL);
  const gsize len = strlen (text);
  const char *unit = len > 0 ? strchr (units, text[len - 1]) : NULL;
  const guint shift = unit != NULL ? 10u * (guint) (unit - units + 1) : 0;
  guint64 value;

  if (unit != NULL)
    text[len - 1] = '\0';
  if (!g_ascii_string_to_unsigned (text, 10, 0, (guint64) G_MAXINT64 >> shift, &value, NULL)
      || value << shift < NEGO_SCRIPT_MEMORY_MIN)
    return nego_script_conf_refuse (error,
                                    "'%s' must be a number of bytes, at least %u, or of K, M or G",
                                    key, NEGO_SCRIPT_MEMORY_MIN);
  conf->memory_max = value << shift;
  return TRUE;
}

static gboolean
nego_script_conf_set_nice (NegoScriptConf *conf, GKeyFile *keys, const char *key, GError **error)
{
  g_autofree char *text = g_key_file_get_value (keys, GROUP, key, NULL);
  gint64 value;

  if (!g_ascii_string_to_signed (text, 10, NEGO_SCRIPT_NICE_MIN, NEGO_SCRIPT_NICE_MAX, &value,
                                 NULL))
    return nego_script_conf_refuse (error, "'%s' must be a number from %d to %d", key,
                                    NEGO_SCRIPT_NICE_MIN, NEGO_SCRIPT_NICE_MAX);
  conf->nice = (int) value;
  return TRUE;
}

static gboolean
nego_script_conf_set_no_new_privileges (NegoScriptConf *conf,
                                        GKeyFile *keys,
                                        const char *key,
                                        GError **error)
{
  return nego_script_conf_take_boolean (keys, key, &conf->no_new_privileges, error);
}

static gboolean
nego_script_conf_take_list (GKeyFile *keys, const char *key, char ***list, GError **error)
{
  g_autoptr (GError) wrong = NULL;
  g_auto (GStrv) taken = g_key_file_get_string_list (keys, GROUP, key, NULL, &wrong);

  if (wrong != NULL)
    return nego_script_conf_refuse (error, "'%s' has a wrong escape", key);
  g_strfreev (*list);
  *list = g_steal_pointer (&taken);
  return TRUE;
}

static gboolean
nego_script_conf_set_environment (NegoScriptConf *conf,
                                  GKeyFile *keys,
                                  const char *key,
                                  GError **error)
{
  if (!nego_script_conf_take_list (keys, key, &conf->environment, error))
    return FALSE;
  for (char **entry = conf->environment; *entry != NULL; entry++) {
    gsize len = nego_script_env_name_length (*entry);

    if (len == 0 || (*entry)[len] != '=')
      return nego_script_conf_refuse (error, "'%s' contains '%s', which is not NAME=VALUE", key,
                                      *entry);
    if (g_str_has_prefix (*entry, "NEGOTIATOR_"))
      return nego_script_conf_refuse (error, "'%s' sets '%.*s', which is the agent's", key,
                                      (int) len, *entry);
    for (char **other = conf->environment; other < entry; other++)
      if (strncmp (*entry, *other, len + 1) == 0)
        return nego_script_conf_refuse (error, "'%s' sets '%.*s' twice", key, (int) len, *entry);
  }
  return TRUE;
}

static gboolean
nego_script_conf_set_allow_environment (NegoScriptConf *conf,
                                        GKeyFile *keys,
                                        const char *key,
                                        GError **error)
{
  if (!nego_script_conf_take_list (keys, key, &conf->allow_environment, error))
    return FALSE;
  for (char **name = conf->allow_environment; *name != NULL; name++) {
    gsize len = nego_script_env_name_length (*name);

    if (len == 0 || (*name)[len] != '\0')
      return nego_script_conf_refuse (error, "'%s' contains '%s', which is not a variable's name",
                                      key, *name);
    if (nego_script_env_is_never_admitted (*name))
      return nego_script_conf_refuse (error, "'%s' contains '%s', which is never admitted", key,
                                      *name);
  }
  return TRUE;
}

static gboolean
nego_script_conf_set_kill_mode (NegoScriptConf *conf,
                                GKeyFile *keys,
                                const char *key,
                                GError **error)
{
  g_autofree char *text = g_key_file_get_value (keys, GROUP, key, NULL);

  if (strcmp (text, "process") != 0 && strcmp (text, "all") != 0)
    return nego_script_conf_refuse (error, "'%s' must be process or all", key);
  conf->kill_all = strcmp (text, "all") == 0;
  return TRUE;
}

static const struct {
  const char *key;
  NegoScriptConfSetter set;
} setters[] = {
  { "AllowEnvironment", nego_script_conf_set_allow_environment },
  { "Arguments", nego_script_conf_set_arguments },
  { "Concurrency", nego_script_conf_set_concurrency },
  { "Description", nego_script_conf_set_description },
  { "Environment", nego_script_conf_set_environment },
  { "Group", nego_script_conf_set_group },
  { "KillMode", nego_script_conf_set_kill_mode },
  { "MaxOutput", nego_script_conf_set_max_output },
  { "MemoryMax", nego_script_conf_set_memory_max },
  { "Nice", nego_script_conf_set_nice },
  { "NoNewPrivileges", nego_script_conf_set_no_new_privileges },
  { "ReadOnly", nego_script_conf_set_read_only },
  { "Timeout", nego_script_conf_set_timeout },
  { "User", nego_script_conf_set_user },
  { "WorkingDirectory", nego_script_conf_set_directory },
};

static gboolean
nego_script_conf_fail (GError **error, const char *path, guint line, const char *reason)
{
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "%s:%u: %s", path, line, reason);
  return FALSE;
}

static gboolean
nego_script_conf_knows (const char *key)
{
  for (guint i = 0; i < G_N_ELEMENTS (setters); i++)
    if (strcmp (setters[i].key, key) == 0)
      return TRUE;
  return FALSE;
}

/* Checks one line, and notes where its key is: GKeyFile says neither where an error is nor that a
 * key was given twice. */
static gboolean
nego_script_conf_index_line (
  NegoScriptConfFile *file, char *line, guint number, gboolean *in_group, GError **error)
{
  g_autofree char *reason = NULL;
  char *equals;

  g_strstrip (line);
  if (*line == '\0' || *line == '#')
    return TRUE;
  if (*line == '[') {
    if (strcmp (line, "[" GROUP "]") != 0)
      reason = g_strdup_printf ("unknown group '%s'", line);
    *in_group = TRUE;
    return reason == NULL || nego_script_conf_fail (error, file->path, number, reason);
  }
  equals = strchr (line, '=');
  if (equals == NULL || equals == line)
    return nego_script_conf_fail (error, file->path, number, "not a KEY=VALUE line");
  *equals = '\0';
  g_strchomp (line);
  if (!*in_group)
    reason = g_strdup_printf ("'%s' stands before the group [" GROUP "]", line);
  else if (!nego_script_conf_knows (line))
    reason = g_strdup_printf ("unknown key '%s'", line);
  else if (g_hash_table_contains (file->lines, line))
    reason = g_strdup_printf ("'%s' is given twice", line);
  else
    g_hash_table_insert (file->lines, g_strdup (line), GUINT_TO_POINTER (number));
  return reason == NULL || nego_script_conf_fail (error, file->path, number, reason);
}

static gboolean
nego_script_conf_index (NegoScriptConfFile *file, const char *text, gsize len, GError **error)
{
  g_autofree char *copy = g_strndup (text, len);
  g_auto (GStrv) lines = NULL;
  gboolean in_group = FALSE;

  if (strlen (copy) != len || !g_utf8_validate (text, (gssize) len, NULL)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "%s: not UTF-8 text", file->path);
    return FALSE;
  }
  lines = g_strsplit (copy, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (!nego_script_conf_index_line (file, lines[i], i + 1, &in_group, error))
      return FALSE;
  return TRUE;
}

static gboolean
nego_script_conf_apply (NegoScriptConfFile *file, NegoScriptConf *conf, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (setters); i++) {
    guint line = GPOINTER_TO_UINT (g_hash_table_lookup (file->lines, setters[i].key));
    g_autoptr (GError) wrong = NULL;

    if (line > 0 && !setters[i].set (conf, file->keys, setters[i].key, &wrong))
      return nego_script_conf_fail (error, file->path, line, wrong->message);
  }
  return TRUE;
}

NegoScriptConf *
nego_script_conf_new (void)
{
  NegoScriptConf *conf = g_new0 (NegoScriptConf, 1);

  conf->environment = g_new0 (char *, 1);
  conf->allow_environment = g_new0 (char *, 1);
  conf->timeout_ms = NEGO_SCRIPT_TIMEOUT_S * 1000;
  conf->concurrency = NEGO_SCRIPT_CONCURRENCY;
  conf->max_output = NEGO_SCRIPT_CONF_UNSET;
  conf->arguments = TRUE;
  return conf;
}

NegoScriptConf *
nego_script_conf_parse (const char *path, const char *text, gsize len, GError **error)
{
  g_autoptr (NegoScriptConf) conf = nego_script_conf_new ();
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (GHashTable) lines = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  NegoScriptConfFile file = { path, keys, lines };
  g_autoptr (GError) wrong = NULL;

  if (!nego_script_conf_index (&file, text, len, error))
    return NULL;
  if (len > 0 && !g_key_file_load_from_data (keys, text, len, G_KEY_FILE_NONE, &wrong)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "%s: %s", path, wrong->message);
    return NULL;
  }
  if (!nego_script_conf_apply (&file, conf, error))
    return NULL;
  return g_steal_pointer (&conf);
}

void
nego_script_conf_free (NegoScriptConf *conf)
{
  if (conf == NULL)
    return;
  g_free (conf->description);
  g_free (conf->user);
  g_free (conf->group);
  g_free (conf->directory);
  g_strfreev (conf->environment);
  g_strfreev (conf->allow_environment);
  g_free (conf);
}
