/* SPDX-License-Identifier: MIT */
/*
 * script-env: the environment of a script, all of it:
 *
 *   PATH                standard directories, whatever the agent's is
 *   LANG                C.UTF-8
 *   SHELL               /bin/sh
 *   HOME USER LOGNAME   of the user that the script runs as
 *   NEGOTIATOR_SIDE     guest or host: where the script runs
 *   NEGOTIATOR_JOB      the job's id
 *   then Environment= of the key file, then what the caller set; a later one replaces an earlier
 * one.
 */
#pragma once

#include "common/script.h"

#include <glib.h>

/* The length of the variable name that @text begins with; 0: none. */
gsize nego_script_env_name_length (const char *text);

/* Whether a caller may never set @name (ended by '=' or NUL): what changes how programs find, load
 * or interpret code. */
gboolean nego_script_env_is_never_admitted (const char *name);

/* Checks what a caller wants to set for @script. Errors: NEGO_ERROR_REFUSED. */
gboolean nego_script_env_check (const NegoScript *script, const char *const *env, GError **error);

/* @side: "guest" or "host". @env: checked; NULL: none. Without User=, HOME, USER and LOGNAME are
 * this process's; with it they are left to the exec helper, which looks the user up. */
char **nego_script_env_build (const NegoScriptConf *conf,
                              const char *side,
                              const char *job_id,
                              const char *const *env);
