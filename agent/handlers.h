/* SPDX-License-Identifier: MIT */
/*
 * handlers: which commands of the schema the guest serves, and by which function. A command that is
 * not in this table does not exist in the guest. The functions are in cmd-TOPIC.c, here and in
 * common/service/.
 */
#pragma once

#include "common/service/handlers.h"

extern const QapiHandlers nego_handlers;
