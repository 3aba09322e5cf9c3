/* SPDX-License-Identifier: MIT */
/*
 * job-name: which of a guest's jobs a person means: by its id, a beginning of it that is unique, or
 * its key.
 */
#pragma once

#include "common/client/remote.h"
#include "qapi/qapi-types.h"

/* All jobs of @guest. Returns: (transfer full) (element-type QapiNegotiatorJobSummary). */
GPtrArray *nego_job_name_list (NegoRemote *guest, gint64 deadline, GError **error);

/* The id of the job that @name is of. Errors: those of nego_remote_call(), NEGO_ERROR_NOT_FOUND for
 * none, NEGO_ERROR_GENERIC for several. Returns: (transfer full). */
char *nego_job_name_find (NegoRemote *guest, const char *name, gint64 deadline, GError **error);
