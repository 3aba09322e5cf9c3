/* SPDX-License-Identifier: MIT */
/*
 * rule: one rule of the host's policy, and how far it fits a call (rules.h says what fits).
 */
#pragma once

#include "host-client/hostd/rules.h"

typedef struct {
  char *name;
  char *file;
  guint line;           /* of its head */
  gboolean refuses;     /* else it admits */
  GPtrArray *guests;    /* patterns; NULL: whatever the name is */
  GPtrArray *uuids;     /* lower case; NULL: whatever the UUID is */
  GPtrArray *commands;  /* patterns */
  GPtrArray *arguments; /* patterns, one an argument; NULL: a rule that refuses looks at none */
  gboolean input;       /* of a rule that admits, as the next two */
  gboolean environment;
  gboolean builtin;
} NegoRule;

NegoRule *nego_rule_new (const char *name, const char *file, guint line);
void nego_rule_free (NegoRule *rule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoRule, nego_rule_free)

typedef enum {
  NEGO_RULE_FITS,
  NEGO_RULE_OTHER, /* it is about another guest or command */
  /* About this guest and command, and it would admit but for… */
  NEGO_RULE_NO_BUILTIN,
  NEGO_RULE_NO_ARGUMENTS, /* these arguments */
  NEGO_RULE_NO_INPUT,
  NEGO_RULE_NO_ENVIRONMENT,
} NegoRuleFit;

/* @command_only: whatever the arguments, input and environment are. */
NegoRuleFit nego_rule_look (const NegoRule *rule, const NegoRulesCall *call, gboolean command_only);
