/* SPDX-License-Identifier: MIT */
/*
 * settings-file: nego-hostd's configuration file, a key file with one group, [hostd].
 */
#pragma once

#include "host-client/hostd/settings.h"

/* Reads @settings' file into them. That it is missing is an error only if somebody named it.
 * Errors: NEGO_ERROR_CONFIG; what they say begins with the file, or the key and the file. */
gboolean nego_settings_file_read (NegoSettings *settings, GError **error);
