/* SPDX-License-Identifier: MIT */
/*
 * drain: pipes whose output nobody wants any more, but which background children still hold: they
 * are read and discarded, so that the children neither block nor get SIGPIPE.
 */
#pragma once

#include <glib.h>

typedef struct NegoDrain NegoDrain;

/* Holds up to @max pipes; one more closes the oldest. */
NegoDrain *nego_drain_new (guint max);
/* Closes them all. */
void nego_drain_free (NegoDrain *drain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoDrain, nego_drain_free)

/* Takes @fd, which does not block. */
void nego_drain_add (NegoDrain *drain, int fd);
guint nego_drain_count (const NegoDrain *drain);
