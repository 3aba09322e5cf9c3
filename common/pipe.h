/* SPDX-License-Identifier: MIT */
/*
 * pipe: a pipe between this process and a child: our end does not block, the child's does, and
 * neither is one of the descriptors 0 to 2, which the child's setup overwrites.
 */
#pragma once

#include <glib.h>

/* Errors: NEGO_ERROR_IO. Both ends are close-on-exec and the caller's. */
gboolean nego_pipe_open_output (int *our_fd, int *child_fd, GError **error);
gboolean nego_pipe_open_input (int *our_fd, int *child_fd, GError **error);

/* Opens /dev/null for each of the descriptors 0 to 2 that is closed: else what is opened next would
 * get its number, and be read or written for it. */
void nego_pipe_fill_standard (void);

/* Closes *@fd, if it is one, and sets it to -1. */
void nego_pipe_close (int *fd);
