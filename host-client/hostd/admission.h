/* SPDX-License-Identifier: MIT */
/*
 * admission: whether a guest's call of a script is admitted: by the host's rules (rules.h), by what
 * its guests' output takes already, and by the user that it would run as. A call that is admitted
 * is completed: the user, what the script learns of its caller, and its place in the queue.
 *
 * Errors: NEGO_ERROR_REFUSED "negotiator command 'x' is refused by …", NEGO_ERROR_BUSY "the host
 * keeps too much output …".
 */
#pragma once

#include "common/service/service.h"

/* Of a NegoGuest's service. */
extern const NegoServiceRules nego_admission;
