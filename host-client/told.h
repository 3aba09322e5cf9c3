/* SPDX-License-Identifier: MIT */
/*
 * told: what nego-hostd knows of the guests, asked on its own socket.
 *
 * Errors are those of remote.h; without a daemon NEGO_ERROR_CLOSED.
 */
#pragma once

#include "common/client/remote.h"
#include "host-client/options.h"
#include "qapi/qapi-types.h"

/* A connection to the daemon that @options name. */
NegoRemote *nego_told_open (const NegoOptions *options, GError **error);

/* All of its guests. Returns: (transfer full) (element-type QapiNegotiatorGuest). */
GPtrArray *nego_told_list (NegoRemote *hostd, gint64 deadline, GError **error);

/* Waits until @guest has told @name (and @value; NULL: any) or @timeout seconds have passed; 0: for
 * ever. Returns: (transfer full). */
QapiNegotiatorNote *nego_told_wait (NegoRemote *hostd,
                                    const char *guest,
                                    const char *name,
                                    const char *value,
                                    double timeout,
                                    GError **error);

/* The guest of @list with this UUID, or NULL. */
const QapiNegotiatorGuest *nego_told_find (const GPtrArray *list, const char *uuid);
