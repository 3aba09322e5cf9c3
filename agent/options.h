/* SPDX-License-Identifier: MIT */
/*
 * options: the command line: qemu-ga's, as it is, and ours.
 *
 * qemu-ga's forms hold: options may be clustered and abbreviated, -F's argument is optional and
 * attached, what is no option is ignored. The older names --blacklist and --daemon are taken, and
 * -s is taken and ignored.
 */
#pragma once

#include "agent/conf.h"

typedef enum {
  NEGO_OPTIONS_RUN,
  NEGO_OPTIONS_HELP,
  NEGO_OPTIONS_VERSION,
  NEGO_OPTIONS_LIST_COMMANDS, /* -b help */
  NEGO_OPTIONS_DUMP,
} NegoOptionsAction;

/* Loads the configuration files into @conf and sets the options on top, and says in @action what
 * is to be done. Help, version and the list of commands need no files, and load none. Errors:
 * NEGO_ERROR_CONFIG, one line that names the option or the file. Permutes @argv. */
gboolean nego_options_parse (
  int argc, char **argv, NegoConf *conf, NegoOptionsAction *action, GError **error);

/* The text of --help and of --version, with line feeds. */
char *nego_options_help (const char *program);
const char *nego_options_version (void);
