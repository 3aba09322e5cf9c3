/* SPDX-License-Identifier: MIT */
/*
 * input: bytes for a child's standard input, written as the child takes them; then end of file. An
 * open one gets more bytes, at most NEGO_JOB_INPUT_BYTES ahead of the child.
 *
 * A child that closes its input, or ends, without reading all is no error: the rest is dropped. The
 * program must ignore SIGPIPE.
 */
#pragma once

#include <glib.h>

typedef struct NegoInput NegoInput;

/* There is room for more bytes, or nobody reads any more. Freeing the input from here is wrong. */
typedef void (*NegoInputFunc) (NegoInput *input, gpointer user_data);

/* Takes @data. @child_fd: the end to give to the child; the caller's, to be closed once the child
 * has it. What the pipe holds at once is written at once. @changed: of an open input; NULL: it ends
 * behind @data. Errors: NEGO_ERROR_IO (@data is freed). */
NegoInput *nego_input_new (guint8 *data,
                           gsize len,
                           int *child_fd,
                           NegoInputFunc changed,
                           gpointer user_data,
                           GError **error);
void nego_input_free (NegoInput *input);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoInput, nego_input_free)

/* Adds what there is room for of @data. Returns how much: all, once nobody reads any more. */
gsize nego_input_add (NegoInput *input, const guint8 *data, gsize len);
/* The input ends behind what was added. */
void nego_input_end (NegoInput *input);
gboolean nego_input_is_ended (const NegoInput *input);
/* Whether nobody reads any more; also once it was ended and all is written. */
gboolean nego_input_is_closed (const NegoInput *input);
/* The bytes that were ever taken. */
guint64 nego_input_get_next (const NegoInput *input);

/* Bytes of memory still held; 0 once all is written or dropped. */
gsize nego_input_pending (const NegoInput *input);
