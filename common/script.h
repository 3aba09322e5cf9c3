/* SPDX-License-Identifier: MIT */
/*
 * script: one executable file that a side offers as a negotiator command, with its key file, as it
 * was when it was looked at (registry.h).
 */
#pragma once

#include "common/script-conf.h"

#include <glib.h>

typedef enum {
  NEGO_SCRIPT_BUILTIN,
  NEGO_SCRIPT_USER,
} NegoScriptSource;

typedef struct {
  char *name;
  char *path;
  NegoScriptSource source;
  NegoScriptConf *conf; /* never NULL; of a refused script: what was read, or the defaults */
  char *refusal;        /* why it may not be run, with the path; NULL: it may */
} NegoScript;

/* Looks at the entry @name of the directory @dir, opened as @dir_fd; @name is a valid name. NULL:
 * there is none. */
NegoScript *
nego_script_load (int dir_fd, const char *dir, const char *name, NegoScriptSource source);
/* A script that is refused whatever it is. @refusal: transfer full. */
NegoScript *
nego_script_new_refused (const char *dir, const char *name, NegoScriptSource source, char *refusal);
void nego_script_free (NegoScript *script);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoScript, nego_script_free)

/* [A-Za-z0-9][A-Za-z0-9._-]*, at most NEGO_SCRIPT_NAME_BYTES, not ending in ".conf". */
gboolean nego_script_name_is_valid (const char *name);
