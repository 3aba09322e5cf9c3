/* SPDX-License-Identifier: MIT */
/*
 * rules-file: reads the host's policy: the files *.conf of a directory, in the order of their
 * names (bytes), each a key file with one group [rule NAME] a rule:
 *
 *   [rule backups]
 *   guest = db-*;web-?            names, patterns; a guest must fit one of them
 *   uuid = 4dea22b3-…             UUIDs; guest or uuid must be given
 *   command = backup-*            patterns; must be given
 *   arguments = full;[0-9]*       patterns, one an argument; without the key: none
 *   input = yes                   default: no
 *   environment = yes             default: no
 *   builtin = yes                 default: no
 *   action = admit                or refuse, which takes no input, environment and builtin, and
 *                                 without the key "arguments" fits whatever the arguments are
 *
 * A key or group that is unknown, a key given twice, a wrong value: an error, so that a misspelt
 * rule is not another rule. Errors are NEGO_ERROR_CONFIG, "FILE:LINE: …", or NEGO_ERROR_REFUSED
 * for a file that somebody else than root could have written (common/trust.h), or NEGO_ERROR_IO.
 */
#pragma once

#include "host-client/hostd/rules.h"

/* A @dir that does not exist is the default policy alone. Returns: (transfer full), or NULL: then
 * the caller keeps the rules that it has. */
NegoRules *nego_rules_load (const char *dir, GError **error);

/* Appends the rules of one file's text. @path is for errors and verdicts. */
gboolean
nego_rules_parse (NegoRules *rules, const char *path, const char *text, gsize len, GError **error);
