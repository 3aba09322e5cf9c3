/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/rule.h"

#include "common/glob.h"

NegoRule *
nego_rule_new (const char *name, const char *file, guint line)
{
  NegoRule *rule = g_new0 (NegoRule, 1);

  rule->name = g_strdup (name);
  rule->file = g_strdup (file);
  rule->line = line;
  return rule;
}

void
nego_rule_free (NegoRule *rule)
{
  if (rule == NULL)
    return;
  g_free (rule->name);
  g_free (rule->file);
  g_clear_pointer (&rule->guests, g_ptr_array_unref);
  g_clear_pointer (&rule->uuids, g_ptr_array_unref);
  g_clear_pointer (&rule->commands, g_ptr_array_unref);
  g_clear_pointer (&rule->arguments, g_ptr_array_unref);
  g_free (rule);
}

static gboolean
nego_rule_one_fits (const GPtrArray *patterns, const char *text)
{
  for (guint i = 0; i < patterns->len; i++)
    if (nego_glob_fits (patterns->pdata[i], text))
      return TRUE;
  return FALSE;
}

static gboolean
nego_rule_has_uuid (const NegoRule *rule, const char *uuid)
{
  for (guint i = 0; uuid != NULL && i < rule->uuids->len; i++)
    if (g_ascii_strcasecmp (rule->uuids->pdata[i], uuid) == 0)
      return TRUE;
  return FALSE;
}

/* A '-' at the beginning makes an option of a word: a wildcard does not stand for it. But a rule
 * that refuses is not evaded so. */
static gboolean
nego_rule_argument_fits (const NegoRule *rule, const char *pattern, const char *arg)
{
  if (!rule->refuses && *arg == '-' && *pattern != '-')
    return FALSE;
  return nego_glob_fits (pattern, arg);
}

static gboolean
nego_rule_arguments_fit (const NegoRule *rule, const char *const *args)
{
  const guint n = args != NULL ? g_strv_length ((char **) args) : 0;

  if (rule->arguments == NULL)
    return rule->refuses || n == 0;
  if (n != rule->arguments->len)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!nego_rule_argument_fits (rule, rule->arguments->pdata[i], args[i]))
      return FALSE;
  return TRUE;
}

static gboolean
nego_rule_is_about (const NegoRule *rule, const NegoRulesCall *call)
{
  if (rule->guests != NULL && !nego_rule_one_fits (rule->guests, call->guest))
    return FALSE;
  if (rule->uuids != NULL && !nego_rule_has_uuid (rule, call->uuid))
    return FALSE;
  return nego_rule_one_fits (rule->commands, call->command);
}

NegoRuleFit
nego_rule_look (const NegoRule *rule, const NegoRulesCall *call, gboolean command_only)
{
  if (!nego_rule_is_about (rule, call))
    return NEGO_RULE_OTHER;
  if (rule->refuses) {
    /* One about some arguments leaves others. */
    if (command_only)
      return rule->arguments == NULL ? NEGO_RULE_FITS : NEGO_RULE_OTHER;
    return nego_rule_arguments_fit (rule, call->args) ? NEGO_RULE_FITS : NEGO_RULE_OTHER;
  }
  if (call->builtin && !rule->builtin)
    return NEGO_RULE_NO_BUILTIN;
  if (command_only)
    return NEGO_RULE_FITS;
  if (!nego_rule_arguments_fit (rule, call->args))
    return NEGO_RULE_NO_ARGUMENTS;
  if (call->input && !rule->input)
    return NEGO_RULE_NO_INPUT;
  if (call->environment && !rule->environment)
    return NEGO_RULE_NO_ENVIRONMENT;
  return NEGO_RULE_FITS;
}
