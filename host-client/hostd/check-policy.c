/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/check-policy.h"

#include "common/error.h"
#include "host-client/hostd/rules-dir.h"

#include <string.h>

void
nego_check_policy_guest_init (NegoCheckPolicyGuest *guest, const char *word)
{
  const char *comma = strrchr (word, ',');

  *guest = (NegoCheckPolicyGuest){ 0 };
  if (g_uuid_string_is_valid (word)) {
    guest->name = g_strdup ("");
    guest->uuid = g_ascii_strdown (word, -1);
  } else if (comma != NULL && g_uuid_string_is_valid (comma + 1)) {
    guest->name = g_strndup (word, (gsize) (comma - word));
    guest->uuid = g_ascii_strdown (comma + 1, -1);
  } else {
    guest->name = g_strdup (word);
  }
}

void
nego_check_policy_guest_clear (NegoCheckPolicyGuest *guest)
{
  g_free (guest->name);
  g_free (guest->uuid);
}

/* What else the rule that admits would admit. */
static const char *
nego_check_policy_extras (const NegoRules *rules, const NegoRulesCall *call)
{
  NegoRulesCall more = *call;
  gboolean input, environment;

  more.input = TRUE;
  input = nego_rules_check (rules, &more, NULL);
  more.input = FALSE;
  more.environment = TRUE;
  environment = nego_rules_check (rules, &more, NULL);
  if (input && environment)
    return "with input and environment";
  if (input)
    return "with input, without environment";
  return environment ? "with environment, without input" : "without input and environment";
}

static int
nego_check_policy_say (const NegoRules *rules, const NegoRulesCall *call, FILE *out)
{
  g_auto (NegoRulesVerdict) verdict = { 0 };

  if (!nego_rules_check (rules, call, &verdict)) {
    fprintf (out, "refused by %s\n", verdict.reason);
    return NEGO_CHECK_POLICY_REFUSED;
  }
  if (verdict.rule != NULL)
    fprintf (out, "admitted by the rule '%s' (%s:%u), %s\n", verdict.rule, verdict.file,
             verdict.line, nego_check_policy_extras (rules, call));
  else
    fprintf (out, "admitted by the host's default policy, %s\n",
             nego_check_policy_extras (rules, call));
  return NEGO_CHECK_POLICY_ADMITTED;
}

int
nego_check_policy (const char *dir, NegoRegistry *registry, const char *const *words, FILE *out)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRules) rules = NULL;
  g_autoptr (NegoScript) script = NULL;
  g_auto (NegoCheckPolicyGuest) guest = { 0 };

  if (words[0] == NULL || words[1] == NULL) {
    fprintf (stderr, "nego-hostd: option '--check-policy' needs GUEST COMMAND [ARG…]\n");
    return NEGO_CHECK_POLICY_FAILED;
  }
  rules = nego_rules_load (dir, &error);
  if (rules == NULL) {
    fprintf (stderr, "nego-hostd: %s\n", error->message);
    return NEGO_CHECK_POLICY_FAILED;
  }
  script = nego_registry_find (registry, words[1], &error);
  if (script == NULL) {
    fprintf (out, "%s\n", error->message);
    return NEGO_CHECK_POLICY_REFUSED;
  }
  nego_check_policy_guest_init (&guest, words[0]);
  return nego_check_policy_say (rules,
                                &(NegoRulesCall){
                                  .guest = guest.name,
                                  .uuid = guest.uuid,
                                  .command = script->name,
                                  .builtin = script->source == NEGO_SCRIPT_BUILTIN,
                                  .args = words + 2,
                                },
                                out);
}
