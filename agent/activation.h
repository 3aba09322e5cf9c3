/* SPDX-License-Identifier: MIT */
/*
 * activation: sockets that systemd, or whoever starts the agent, has made already (sd_listen_fds
 * (3)).
 */
#pragma once

#include "agent/conf.h"

/* Puts the descriptors of LISTEN_FDS, when LISTEN_PID is this process, into @conf, where they take
 * the place of method and path; qemu-ga takes one, we serve all, the first as the QGA channel.
 * Takes the variables out of the environment. Errors: NEGO_ERROR_CONFIG. */
gboolean nego_activation_take (NegoConf *conf, GError **error);
