/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/rules-file.h"

#include "common/error.h"
#include "common/glob.h"
#include "common/names.h"
#include "host-client/hostd/rules-private.h"

#include <string.h>

/* Parsing one file. */
typedef struct {
  NegoRules *rules;
  const char *path;
  guint line;
  NegoRule *rule;      /* of the group that is being read; NULL: none, or [default] */
  gboolean in_default; /* [default] is being read */
  guint seen;          /* bits of the keys that the group has had */
} NegoRulesFile;

static gboolean nego_rules_file_refuse (const NegoRulesFile *file,
                                        guint line,
                                        GError **error,
                                        const char *format,
                                        ...) G_GNUC_PRINTF (4, 5);

static gboolean
nego_rules_file_refuse (
  const NegoRulesFile *file, guint line, GError **error, const char *format, ...)
{
  g_autofree char *reason = NULL;
  va_list args;

  va_start (args, format);
  reason = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "%s:%u: %s", file->path, line, reason);
  return FALSE;
}

/* Ends an item of a list: without blanks around it, but for one behind a '\'. */
static char *
nego_rules_file_take_item (const char *begin, const char *end)
{
  while (begin < end && g_ascii_isspace (*begin))
    begin++;
  while (end > begin && g_ascii_isspace (end[-1]) && !(end - begin > 1 && end[-2] == '\\'))
    end--;
  return g_strndup (begin, (gsize) (end - begin));
}

/* The items of @value, each ended by a ';', which the last one need not have. A '\' and what is
 * behind it stay as they are, for the pattern. */
static GPtrArray *
nego_rules_file_split (const char *value)
{
  GPtrArray *items = g_ptr_array_new_with_free_func (g_free);
  const char *begin = value;
  const char *at = value;

  for (; *at != '\0'; at++) {
    if (*at == '\\' && at[1] != '\0') {
      at++;
    } else if (*at == ';') {
      g_ptr_array_add (items, nego_rules_file_take_item (begin, at));
      begin = at + 1;
    }
  }
  if (*begin != '\0')
    g_ptr_array_add (items, nego_rules_file_take_item (begin, at));
  return items;
}

static gboolean
nego_rules_file_take_list (
  NegoRulesFile *file, const char *key, const char *value, GPtrArray **list, GError **error)
{
  g_autoptr (GPtrArray) items = nego_rules_file_split (value);

  if (items->len > NEGO_RULES_PATTERNS)
    return nego_rules_file_refuse (file, file->line, error, "'%s' has more than %u patterns", key,
                                   NEGO_RULES_PATTERNS);
  for (guint i = 0; i < items->len; i++) {
    const char *item = items->pdata[i];

    if (strlen (item) > NEGO_RULES_PATTERN_BYTES)
      return nego_rules_file_refuse (file, file->line, error,
                                     "'%s' has a pattern of more than %u bytes", key,
                                     NEGO_RULES_PATTERN_BYTES);
    if (!nego_glob_is_valid (item))
      return nego_rules_file_refuse (file, file->line, error, "'%s': '%s' is not a pattern", key,
                                     item);
  }
  *list = g_steal_pointer (&items);
  return TRUE;
}

/* The same where an empty list, or an empty item in it, would never fit. */
static gboolean
nego_rules_file_take_names (
  NegoRulesFile *file, const char *key, const char *value, GPtrArray **list, GError **error)
{
  if (!nego_rules_file_take_list (file, key, value, list, error))
    return FALSE;
  for (guint i = 0; i < (*list)->len; i++)
    if (*(const char *) (*list)->pdata[i] == '\0')
      return nego_rules_file_refuse (file, file->line, error, "'%s' has an empty pattern", key);
  return (*list)->len > 0 || nego_rules_file_refuse (file, file->line, error, "'%s' is empty", key);
}

static gboolean
nego_rules_file_take_uuids (
  NegoRulesFile *file, const char *key, const char *value, GPtrArray **list, GError **error)
{
  if (!nego_rules_file_take_names (file, key, value, list, error))
    return FALSE;
  for (guint i = 0; i < (*list)->len; i++)
    if (!g_uuid_string_is_valid ((*list)->pdata[i]))
      return nego_rules_file_refuse (file, file->line, error, "'%s': '%s' is not a UUID", key,
                                     (const char *) (*list)->pdata[i]);
  return TRUE;
}

static gboolean
nego_rules_file_take_boolean (
  NegoRulesFile *file, const char *key, const char *value, gboolean *taken, GError **error)
{
  *taken = strcmp (value, "yes") == 0 || strcmp (value, "true") == 0;
  if (*taken || strcmp (value, "no") == 0 || strcmp (value, "false") == 0)
    return TRUE;
  return nego_rules_file_refuse (file, file->line, error, "'%s' must be yes or no", key);
}

static gboolean
nego_rules_file_take_action (
  NegoRulesFile *file, const char *key, const char *value, gboolean *refuses, GError **error)
{
  *refuses = strcmp (value, "refuse") == 0;
  if (*refuses || strcmp (value, "admit") == 0)
    return TRUE;
  return nego_rules_file_refuse (file, file->line, error, "'%s' must be admit or refuse", key);
}

enum {
  KEY_ACTION,
  KEY_ARGUMENTS,
  KEY_BUILTIN,
  KEY_COMMAND,
  KEY_ENVIRONMENT,
  KEY_GUEST,
  KEY_INPUT,
  KEY_UUID,
  N_KEYS,
};

static const char *const keys[N_KEYS]
  = { "action", "arguments", "builtin", "command", "environment", "guest", "input", "uuid" };

static gboolean
nego_rules_file_has (const NegoRulesFile *file, int key)
{
  return (file->seen & (1u << key)) != 0;
}

static gboolean
nego_rules_file_set (NegoRulesFile *file, int key, const char *value, GError **error)
{
  NegoRule *rule = file->rule;

  switch (key) {
  case KEY_ACTION:
    return nego_rules_file_take_action (
      file, keys[key], value, rule != NULL ? &rule->refuses : &file->rules->default_refuses, error);
  case KEY_ARGUMENTS:
    return nego_rules_file_take_list (file, keys[key], value, &rule->arguments, error);
  case KEY_BUILTIN:
    return nego_rules_file_take_boolean (file, keys[key], value, &rule->builtin, error);
  case KEY_COMMAND:
    return nego_rules_file_take_names (file, keys[key], value, &rule->commands, error);
  case KEY_ENVIRONMENT:
    return nego_rules_file_take_boolean (file, keys[key], value, &rule->environment, error);
  case KEY_GUEST:
    return nego_rules_file_take_names (file, keys[key], value, &rule->guests, error);
  case KEY_INPUT:
    return nego_rules_file_take_boolean (file, keys[key], value, &rule->input, error);
  case KEY_UUID:
  default:
    return nego_rules_file_take_uuids (file, keys[key], value, &rule->uuids, error);
  }
}

/* Ends the group that is being read. */
static gboolean
nego_rules_file_end_group (NegoRulesFile *file, GError **error)
{
  g_autoptr (NegoRule) rule = g_steal_pointer (&file->rule);
  const int others[] = { KEY_BUILTIN, KEY_ENVIRONMENT, KEY_INPUT };

  if (rule == NULL)
    return TRUE;
  if (!nego_rules_file_has (file, KEY_GUEST) && !nego_rules_file_has (file, KEY_UUID))
    return nego_rules_file_refuse (file, rule->line, error,
                                   "the rule '%s' has neither 'guest' nor 'uuid'", rule->name);
  if (!nego_rules_file_has (file, KEY_COMMAND))
    return nego_rules_file_refuse (file, rule->line, error, "the rule '%s' has no 'command'",
                                   rule->name);
  for (guint i = 0; rule->refuses && i < G_N_ELEMENTS (others); i++)
    if (nego_rules_file_has (file, others[i]))
      return nego_rules_file_refuse (file, rule->line, error,
                                     "the rule '%s' refuses, and so '%s' has no meaning",
                                     rule->name, keys[others[i]]);
  if (file->rules->list->len >= NEGO_RULES)
    return nego_rules_file_refuse (file, rule->line, error, "there are more than %u rules",
                                   NEGO_RULES);
  g_ptr_array_add (file->rules->list, g_steal_pointer (&rule));
  return TRUE;
}

static gboolean
nego_rules_file_begin_default (NegoRulesFile *file, GError **error)
{
  NegoRules *rules = file->rules;

  if (rules->default_file != NULL)
    return nego_rules_file_refuse (file, file->line, error,
                                   "[default] is given a second time (%s:%u)", rules->default_file,
                                   rules->default_line);
  rules->default_file = g_strdup (file->path);
  rules->default_line = file->line;
  file->in_default = TRUE;
  return TRUE;
}

/* @line: "[…]". */
static gboolean
nego_rules_file_begin_group (NegoRulesFile *file, char *line, GError **error)
{
  const gsize len = strlen (line);
  const char *name = line + strlen ("[rule ");

  if (!nego_rules_file_end_group (file, error))
    return FALSE;
  file->seen = 0;
  file->in_default = FALSE;
  if (strcmp (line, "[default]") == 0)
    return nego_rules_file_begin_default (file, error);
  if (!g_str_has_prefix (line, "[rule ") || line[len - 1] != ']')
    return nego_rules_file_refuse (file, file->line, error,
                                   "unknown group '%s': it must be [rule NAME] or [default]", line);
  line[len - 1] = '\0';
  if (*name == '\0' || strlen (name) > NEGO_RULES_NAME_BYTES
      || strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") != strlen (name))
    return nego_rules_file_refuse (file, file->line, error,
                                   "the name of a rule is not 1 to %u letters, digits and '._-'",
                                   NEGO_RULES_NAME_BYTES);
  for (guint i = 0; i < file->rules->list->len; i++) {
    const NegoRule *other = file->rules->list->pdata[i];

    if (strcmp (other->name, name) == 0)
      return nego_rules_file_refuse (file, file->line, error,
                                     "the rule '%s' is given a second time (%s:%u)", name,
                                     other->file, other->line);
  }
  file->rule = nego_rule_new (name, file->path, file->line);
  return TRUE;
}

static gboolean
nego_rules_file_take_key (NegoRulesFile *file, char *line, GError **error)
{
  char *equals = strchr (line, '=');
  int key = 0;

  if (equals == NULL || equals == line)
    return nego_rules_file_refuse (file, file->line, error, "not a KEY=VALUE line");
  *equals = '\0';
  g_strchomp (line);
  while (key < N_KEYS && strcmp (keys[key], line) != 0)
    key++;
  if (key == N_KEYS || (file->in_default && key != KEY_ACTION))
    return nego_rules_file_refuse (file, file->line, error, "unknown key '%s'", line);
  if (file->rule == NULL && !file->in_default)
    return nego_rules_file_refuse (file, file->line, error, "'%s' stands before the first group",
                                   line);
  if (nego_rules_file_has (file, key))
    return nego_rules_file_refuse (file, file->line, error, "'%s' is given twice", line);
  file->seen |= 1u << key;
  return nego_rules_file_set (file, key, g_strchug (equals + 1), error);
}

static gboolean
nego_rules_file_take_line (NegoRulesFile *file, char *line, GError **error)
{
  g_strchug (line);
  for (const char *p = line; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p) && *p != '\t' && !(*p == '\r' && p[1] == '\0'))
      return nego_rules_file_refuse (file, file->line, error, "there is a control character");
  if (*line == '\0' || *line == '#' || *line == '\r')
    return TRUE;
  if (*line == '[')
    return nego_rules_file_begin_group (file, g_strchomp (line), error);
  /* A value may end in "\ ". */
  if (!g_str_has_suffix (line, "\\ "))
    g_strchomp (line);
  return nego_rules_file_take_key (file, line, error);
}

gboolean
nego_rules_parse (NegoRules *rules, const char *path, const char *text, gsize len, GError **error)
{
  g_autofree char *copy = g_strndup (text, len);
  g_auto (GStrv) lines = NULL;
  NegoRulesFile file = { .rules = rules, .path = path };
  gboolean done = TRUE;

  if (strlen (copy) != len || !g_utf8_validate (copy, (gssize) len, NULL)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "%s: not UTF-8 text", path);
    return FALSE;
  }
  lines = g_strsplit (copy, "\n", -1);
  for (guint i = 0; done && lines[i] != NULL; i++) {
    file.line = i + 1;
    done = nego_rules_file_take_line (&file, lines[i], error);
  }
  done = done && nego_rules_file_end_group (&file, error);
  nego_rule_free (file.rule);
  return done;
}
