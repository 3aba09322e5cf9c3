/* SPDX-License-Identifier: MIT */
/*
 * rules: what a guest may call of its host: an ordered list, of which the first rule that fits a
 * call decides. It acts on nothing: a verdict is a pure function of the rules and the call. The
 * files are rules-dir.h's.
 *
 * A rule fits by the guest's UUID or name, the command and, as far as it says something of them,
 * the arguments, input and environment; it admits or refuses. Arguments: as many as the rule has
 * patterns, each fitting as a whole; one that begins with '-' fits only a pattern that begins with
 * '-', so that no wildcard admits an option. A rule that admits, admits neither input nor
 * environment unless it says so, and a built-in command only where it says so.
 *
 * Where no rule fits, the default decides: the scripts of the host's commands directories are
 * admitted without arguments, input and environment; the built-in commands, which tell about the
 * host, are not.
 *
 * Patterns are those of glob.h, at most NEGO_RULES_PATTERN_BYTES long; the time of a verdict is
 * bounded by the number of rules and the call's length.
 */
#pragma once

#include <glib.h>

typedef struct NegoRules NegoRules;

typedef struct {
  const char *guest; /* the name, as libvirt or --socket has it; never from a message */
  const char *uuid;  /* canonical, lower case; NULL: it has none */
  const char *command;
  gboolean builtin;
  const char *const *args; /* NULL-terminated; NULL: none */
  gboolean input;          /* there is, or may come, input */
  gboolean environment;    /* variables are given */
} NegoRulesCall;

typedef struct {
  gboolean admitted;
  const char *rule; /* its name; NULL: the default decided. All strings are the rules' own */
  const char *file;
  guint line; /* of the rule's head */
  /* Why it is refused, as it goes behind "refused by": "the rule 'x' (FILE:LINE)", "the host's
   * default policy, which admits no arguments", …; when admitted NULL. Owned by the verdict. */
  char *reason;
} NegoRulesVerdict;

void nego_rules_verdict_clear (NegoRulesVerdict *verdict);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoRulesVerdict, nego_rules_verdict_clear)

/* The default alone. */
NegoRules *nego_rules_new (void);
void nego_rules_free (NegoRules *rules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoRules, nego_rules_free)

/* Whether @call is admitted; fills in @verdict (which may be NULL). */
gboolean
nego_rules_check (const NegoRules *rules, const NegoRulesCall *call, NegoRulesVerdict *verdict);

/* Whether some call of @call's guest to @call's command may be admitted, whatever the arguments,
 * input and environment: what negotiator-list tells as "enabled". Fills in @verdict likewise. */
gboolean nego_rules_check_command (const NegoRules *rules,
                                   const NegoRulesCall *call,
                                   NegoRulesVerdict *verdict);
