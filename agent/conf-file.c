/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/conf-file.h"

#include "common/error.h"
#include "common/names.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  const char *path;
  GString *text;
  GKeyFile *keys;
} NegoConfFile;

static void
nego_conf_file_clear (NegoConfFile *file)
{
  if (file->text != NULL)
    g_string_free (file->text, TRUE);
  g_clear_pointer (&file->keys, g_key_file_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoConfFile, nego_conf_file_clear)

static gboolean
nego_conf_file_read (NegoConfFile *file, int fd, GError **error)
{
  char buffer[4096];
  ssize_t n;

  file->text = g_string_new (NULL);
  while ((n = read (fd, buffer, sizeof buffer)) != 0) {
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      nego_error_set_errno (error, errno, "failed to read the configuration file '%s'", file->path);
      return FALSE;
    }
    g_string_append_len (file->text, buffer, n);
    if (file->text->len > NEGO_CONF_FILE_BYTES) {
      g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG,
                   "failed to read the configuration file '%s': it is larger than %u bytes",
                   file->path, NEGO_CONF_FILE_BYTES);
      return FALSE;
    }
  }
  return TRUE;
}

/* The length of the first @lines lines. */
static gsize
nego_conf_file_prefix (const GString *text, guint lines)
{
  const char *at = text->str;
  const char *end = text->str + text->len;

  while (lines-- > 0 && at < end) {
    const char *lf = memchr (at, '\n', (gsize) (end - at));

    at = lf != NULL ? lf + 1 : end;
  }
  return (gsize) (at - text->str);
}

static gboolean
nego_conf_file_parse_lines (const GString *text, guint lines)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();

  return g_key_file_load_from_data (keys, text->str, nego_conf_file_prefix (text, lines),
                                    G_KEY_FILE_NONE, NULL);
}

/* GLib says what is wrong with a line, but not which: the first line with which loading fails. */
static guint
nego_conf_file_find_wrong_line (const GString *text)
{
  guint right = 0;
  guint wrong = 1;

  while (nego_conf_file_prefix (text, wrong) < text->len)
    wrong *= 2;
  while (wrong - right > 1) {
    guint middle = right + (wrong - right) / 2;

    if (nego_conf_file_parse_lines (text, middle))
      right = middle;
    else
      wrong = middle;
  }
  return wrong;
}

/* The line that has the value which counts: the last one of @key in @group. */
static guint
nego_conf_file_find_line (const GString *text, const char *group, const char *key)
{
  g_auto (GStrv) lines = g_strsplit (text->str, "\n", -1);
  g_autofree char *header = g_strdup_printf ("[%s]", group);
  gboolean inside = FALSE;
  guint found = 0;
  guint i;

  for (i = 0; lines[i] != NULL; i++) {
    char *line = g_strstrip (lines[i]);
    char *equals = strchr (line, '=');

    if (*line == '[')
      inside = g_str_equal (line, header);
    if (!inside || equals == NULL || *line == '#')
      continue;
    *equals = '\0';
    if (g_str_equal (g_strchomp (line), key))
      found = i + 1;
  }
  return found;
}

static gboolean
nego_conf_file_parse (NegoConfFile *file, GError **error)
{
  g_autoptr (GError) wrong = NULL;

  file->keys = g_key_file_new ();
  if (g_key_file_load_from_data (file->keys, file->text->str, file->text->len, G_KEY_FILE_NONE,
                                 &wrong))
    return TRUE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "%s:%u: %s", file->path,
               nego_conf_file_find_wrong_line (file->text), wrong->message);
  return FALSE;
}

static gboolean
nego_conf_file_apply_key (
  NegoConfFile *file, NegoConf *conf, const char *group, const char *key, GError **error)
{
  g_autoptr (GError) wrong = NULL;
  g_autofree char *value = g_key_file_get_string (file->keys, group, key, &wrong);
  guint line;

  /* With a wrong escape GLib gives a value and an error. Blanks behind a value are the line's. */
  if (wrong == NULL && nego_conf_set (conf, group, key, g_strchomp (value), &wrong))
    return TRUE;
  line = nego_conf_file_find_line (file->text, group, key);
  if (g_error_matches (wrong, NEGO_ERROR, NEGO_ERROR_NOT_FOUND)
      && !g_str_equal (group, NEGO_CONF_GROUP)) {
    nego_conf_warn (conf, "%s:%u: the unknown key '%s' is ignored", file->path, line, key);
    return TRUE;
  }
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "%s:%u: '%s': %s", file->path, line, key,
               wrong->message);
  return FALSE;
}

static gboolean
nego_conf_file_apply_group (NegoConfFile *file, NegoConf *conf, const char *group, GError **error)
{
  g_auto (GStrv) keys = g_key_file_get_keys (file->keys, group, NULL, NULL);
  guint i;

  if (!g_str_equal (group, NEGO_CONF_GROUP) && !g_str_equal (group, NEGO_CONF_GROUP_QGA)) {
    nego_conf_warn (conf, "%s: the unknown group '%s' is ignored", file->path, group);
    return TRUE;
  }
  for (i = 0; keys != NULL && keys[i] != NULL; i++)
    if (!nego_conf_file_apply_key (file, conf, group, keys[i], error))
      return FALSE;
  return TRUE;
}

gboolean
nego_conf_file_load (NegoConf *conf, const char *path, gboolean required, GError **error)
{
  g_auto (NegoConfFile) file = { .path = path };
  g_auto (GStrv) groups = NULL;
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  gboolean done;
  guint i;

  if (fd < 0 && errno == ENOENT && !required)
    return TRUE;
  if (fd < 0)
    return nego_error_set_errno (error, errno, "failed to open the configuration file '%s'", path);
  done = nego_conf_file_read (&file, fd, error);
  close (fd);
  if (!done || !nego_conf_file_parse (&file, error))
    return FALSE;
  groups = g_key_file_get_groups (file.keys, NULL);
  for (i = 0; groups[i] != NULL; i++)
    if (!nego_conf_file_apply_group (&file, conf, groups[i], error))
      return FALSE;
  return TRUE;
}

gboolean
nego_conf_file_load_all (NegoConf *conf, const char *chosen, GError **error)
{
  const char *named = g_getenv (NEGO_CONF_ENV_QGA);

  if (chosen != NULL)
    return nego_conf_file_load (conf, chosen, TRUE, error);
  if (named != NULL)
    return nego_conf_file_load (conf, named, FALSE, error);
  return nego_conf_file_load (conf, NEGO_CONF_FILE_QGA, FALSE, error)
         && nego_conf_file_load (conf, NEGO_SYSCONFDIR "/agent.conf", FALSE, error);
}
