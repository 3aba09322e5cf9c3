/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/rules-private.h"

#include "common/names.h"

#include <string.h>

void
nego_rules_verdict_clear (NegoRulesVerdict *verdict)
{
  g_clear_pointer (&verdict->reason, g_free);
}

NegoRules *
nego_rules_new (void)
{
  NegoRules *rules = g_new0 (NegoRules, 1);

  rules->list = g_ptr_array_new_with_free_func ((GDestroyNotify) nego_rule_free);
  return rules;
}

void
nego_rules_free (NegoRules *rules)
{
  if (rules == NULL)
    return;
  g_ptr_array_unref (rules->list);
  g_free (rules->default_file);
  g_free (rules);
}

/* What a verdict says of a rule or default that does not admit @fit. */
static const char *
nego_rules_explain (NegoRuleFit fit)
{
  switch (fit) {
  case NEGO_RULE_NO_BUILTIN:
    return ", which admits no built-in commands";
  case NEGO_RULE_NO_ARGUMENTS:
    return ", which does not admit these arguments";
  case NEGO_RULE_NO_INPUT:
    return ", which admits no input";
  case NEGO_RULE_NO_ENVIRONMENT:
    return ", which admits no environment";
  case NEGO_RULE_FITS:
  case NEGO_RULE_OTHER:
  default:
    return "";
  }
}

static gboolean
nego_rules_judge_by_rule (const NegoRule *rule, NegoRuleFit fit, NegoRulesVerdict *verdict)
{
  const gboolean admitted = fit == NEGO_RULE_FITS && !rule->refuses;

  if (verdict != NULL)
    *verdict = (NegoRulesVerdict){
      .admitted = admitted,
      .rule = rule->name,
      .file = rule->file,
      .line = rule->line,
      .reason = admitted ? NULL
                         : g_strdup_printf ("the rule '%s' (%s:%u)%s", rule->name, rule->file,
                                            rule->line, nego_rules_explain (fit)),
    };
  return admitted;
}

static NegoRuleFit
nego_rules_look_at_default (const NegoRules *rules,
                            const NegoRulesCall *call,
                            gboolean command_only)
{
  if (rules->default_refuses)
    return NEGO_RULE_OTHER;
  if (call->builtin)
    return NEGO_RULE_NO_BUILTIN;
  if (command_only)
    return NEGO_RULE_FITS;
  if (call->args != NULL && call->args[0] != NULL)
    return NEGO_RULE_NO_ARGUMENTS;
  if (call->input)
    return NEGO_RULE_NO_INPUT;
  return call->environment ? NEGO_RULE_NO_ENVIRONMENT : NEGO_RULE_FITS;
}

static gboolean
nego_rules_judge_by_default (const NegoRules *rules, NegoRuleFit fit, NegoRulesVerdict *verdict)
{
  const char *explained
    = fit == NEGO_RULE_NO_ARGUMENTS ? ", which admits no arguments" : nego_rules_explain (fit);

  if (verdict == NULL)
    return fit == NEGO_RULE_FITS;
  *verdict = (NegoRulesVerdict){
    .admitted = fit == NEGO_RULE_FITS,
    .file = rules->default_file,
    .line = rules->default_line,
  };
  if (fit == NEGO_RULE_FITS)
    return TRUE;
  if (rules->default_file != NULL)
    verdict->reason = g_strdup_printf ("the host's default policy (%s:%u)%s", rules->default_file,
                                       rules->default_line, explained);
  else
    verdict->reason = g_strconcat ("the host's default policy", explained, NULL);
  return FALSE;
}

/* Bounds what patterns are tried on; no rule admits more. */
static gboolean
nego_rules_has_long_argument (const NegoRulesCall *call)
{
  for (guint i = 0; call->args != NULL && call->args[i] != NULL; i++)
    if (strlen (call->args[i]) > NEGO_RULES_ARG_BYTES)
      return TRUE;
  return FALSE;
}

static gboolean
nego_rules_judge (const NegoRules *rules,
                  const NegoRulesCall *call,
                  gboolean command_only,
                  NegoRulesVerdict *verdict)
{
  const NegoRule *near = NULL;
  NegoRuleFit near_fit = NEGO_RULE_OTHER, fit;

  for (guint i = 0; i < rules->list->len; i++) {
    const NegoRule *rule = rules->list->pdata[i];

    fit = nego_rule_look (rule, call, command_only);
    if (fit == NEGO_RULE_FITS)
      return nego_rules_judge_by_rule (rule, fit, verdict);
    if (fit != NEGO_RULE_OTHER && near == NULL) {
      near = rule;
      near_fit = fit;
    }
  }
  fit = nego_rules_look_at_default (rules, call, command_only);
  /* A person wants to know of the rule that nearly fitted. */
  if (fit != NEGO_RULE_FITS && near != NULL)
    return nego_rules_judge_by_rule (near, near_fit, verdict);
  return nego_rules_judge_by_default (rules, fit, verdict);
}

gboolean
nego_rules_check (const NegoRules *rules, const NegoRulesCall *call, NegoRulesVerdict *verdict)
{
  if (!nego_rules_has_long_argument (call))
    return nego_rules_judge (rules, call, FALSE, verdict);
  if (verdict != NULL)
    *verdict = (NegoRulesVerdict){
      .reason = g_strdup_printf (
        "the host's policy, which admits no argument of more than %u bytes", NEGO_RULES_ARG_BYTES),
    };
  return FALSE;
}

gboolean
nego_rules_check_command (const NegoRules *rules,
                          const NegoRulesCall *call,
                          NegoRulesVerdict *verdict)
{
  return nego_rules_judge (rules, call, TRUE, verdict);
}
