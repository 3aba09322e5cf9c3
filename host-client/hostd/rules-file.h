/* SPDX-License-Identifier: MIT */
/*
 * rules-file: reads a file of the host's policy: a key file with one group [rule NAME] a rule:
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
 *   [default]
 *   action = refuse               without it: admit, as rules.h says; at most once in all files
 *
 * A list's items are ended by ';'; '\' takes its meaning from a character of a pattern, ';' and
 * blanks too. A key or group that is unknown, a key given twice, a wrong value: an error, so that a
 * misspelt rule is not another rule. Errors are NEGO_ERROR_CONFIG, "FILE:LINE: …".
 */
#pragma once

#include "host-client/hostd/rules.h"

/* Appends the rules of one file's text. @path is for errors and verdicts. */
gboolean
nego_rules_parse (NegoRules *rules, const char *path, const char *text, gsize len, GError **error);
