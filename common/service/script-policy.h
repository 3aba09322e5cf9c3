/* SPDX-License-Identifier: MIT */
/*
 * script-policy: whether the policy lets a script be run; what may be run at all is registry.h's.
 */
#pragma once

#include "common/policy.h"
#include "common/script.h"

/* NULL: it may be run; else why not, naming the setting and the file. Returns: (transfer full). */
char *nego_script_policy_refusal (const NegoPolicy *policy, const NegoScript *script);
