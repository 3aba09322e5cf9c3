/* SPDX-License-Identifier: MIT */
/*
 * rpc-lists: the block and allow lists of a NegoConf, as a NegoPolicy takes them.
 */
#pragma once

#include "agent/conf.h"
#include "common/policy.h"

/* Gives the lists, and [negotiator] commands, to @policy. A name that is neither a command of
 * qemu-ga 10.2.2 nor one of our schema is a spelling mistake most likely: it gets a warning in
 * @conf, and allows nothing. */
void nego_rpc_lists_apply (NegoConf *conf, NegoPolicy *policy);
