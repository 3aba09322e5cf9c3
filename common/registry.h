/* SPDX-License-Identifier: MIT */
/*
 * registry: which scripts a side offers: a search path of directories, then the built-ins.
 *
 * It holds no scripts: every list and every look-up reads the disk, so that a change is seen at
 * once and nothing is watched. The first directory that has an entry of a name decides, whether
 * that may be run or not: a refused script does not make way for a built-in, which would be another
 * command. A directory that does not exist is skipped. trust.h says what may be run.
 */
#pragma once

#include "common/script.h"

typedef struct NegoRegistry NegoRegistry;

/* @dirs: absolute paths, in order, copied. @builtin_dir: NULL for none. */
NegoRegistry *nego_registry_new (const char *const *dirs, const char *builtin_dir);
void nego_registry_free (NegoRegistry *registry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoRegistry, nego_registry_free)

/* All scripts (NegoScript), refused ones too, sorted by name; files whose names are no valid names
 * are not there. At most NEGO_SCRIPTS entries are looked at, of whatever name; more are logged. */
GPtrArray *nego_registry_list (NegoRegistry *registry);

/* The script @name, if it may be run. Errors: NEGO_ERROR_NOT_FOUND "unknown negotiator command
 * 'x'", NEGO_ERROR_REFUSED "negotiator command 'x' is refused by …". */
NegoScript *nego_registry_find (NegoRegistry *registry, const char *name, GError **error);
