/* SPDX-License-Identifier: MIT */
/*
 * input: bytes for a child's standard input, written as the child takes them; then end of file.
 *
 * A child that closes its input, or ends, without reading all is no error: the rest is dropped. The
 * program must ignore SIGPIPE.
 */
#pragma once

#include <glib.h>

typedef struct NegoInput NegoInput;

/* Takes @data. @child_fd: the end to give to the child; the caller's, to be closed once the child
 * has it. What the pipe holds at once is written at once. Errors: NEGO_ERROR_IO (@data is freed).
 */
NegoInput *nego_input_new (guint8 *data, gsize len, int *child_fd, GError **error);
void nego_input_free (NegoInput *input);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoInput, nego_input_free)

/* Bytes of memory still held; 0 once all is written or dropped. */
gsize nego_input_pending (const NegoInput *input);
