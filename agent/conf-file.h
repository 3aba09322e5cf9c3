/* SPDX-License-Identifier: MIT */
/*
 * conf-file: reads configuration files into a NegoConf.
 *
 * GLib's key files. Unknown keys and groups are ignored with a warning, as by qemu-ga, but for
 * unknown keys of our own group: a misspelt limit must not be no limit. Errors are
 * NEGO_ERROR_CONFIG, one line: "FILE:LINE: 'KEY': reason", or "FILE:LINE: reason" where the file is
 * no key file.
 */
#pragma once

#include "agent/conf.h"

/* A configuration file: far above any use; what is larger is no configuration. */
#define NEGO_CONF_FILE_BYTES (256u << 10)

/* A @path that does not exist is an error only when @required. */
gboolean nego_conf_file_load (NegoConf *conf, const char *path, gboolean required, GError **error);

/* Loads @chosen (option -c), which must exist, or else the file that the environment's QGA_CONF
 * names, or else qemu-ga's and then ours. */
gboolean nego_conf_file_load_all (NegoConf *conf, const char *chosen, GError **error);
