/* SPDX-License-Identifier: MIT */
/*
 * rules-private: what rules.c judges by and rules-file.c fills in.
 */
#pragma once

#include "host-client/hostd/rule.h"

struct NegoRules {
  GPtrArray *list; /* NegoRule, in order */
  gboolean default_refuses;
  char *default_file; /* where [default] is; NULL: nowhere */
  guint default_line;
};
