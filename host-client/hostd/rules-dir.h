/* SPDX-License-Identifier: MIT */
/*
 * rules-dir: loads the host's policy: the files *.conf of a directory (absolute), in the order of
 * the bytes of their names, each as rules-file.h has it.
 *
 * The directory and its files must be root's, or this process's user's, as common/trust.h has it.
 * Errors are those of rules-file.h and trust.h.
 */
#pragma once

#include "host-client/hostd/rules.h"

#define NEGO_RULES_DIR NEGO_SYSCONFDIR "/policy.d"

/* A @dir that does not exist is the default policy alone. Returns: (transfer full), or NULL: then
 * the caller keeps the rules that it has. */
NegoRules *nego_rules_load (const char *dir, GError **error);
