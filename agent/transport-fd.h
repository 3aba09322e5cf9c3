/* SPDX-License-Identifier: MIT */
/*
 * transport-fd: what an inherited descriptor is: socket activation, tests, fuzzers.
 */
#pragma once

#include "common/stream.h"

#include <glib.h>

typedef struct {
  gboolean listening;  /* a listening socket */
  NegoStreamKind kind; /* else */
} NegoTransportFd;

/* Errors: NEGO_ERROR_CONFIG. */
gboolean nego_transport_fd_look (int fd, NegoTransportFd *what, GError **error);
