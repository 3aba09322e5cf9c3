/* SPDX-License-Identifier: MIT */
/*
 * journal: sends messages to systemd's journal in its native form
 * (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram a message.
 *
 * GLib has a writer of its own for that, but it waits for the journal for as long as that takes.
 */
#pragma once

#include <glib.h>

typedef struct NegoJournal NegoJournal;

/* @path of the journal's socket, copied. It need not exist yet. */
NegoJournal *nego_journal_new (const char *path);
void nego_journal_free (NegoJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoJournal, nego_journal_free)

/* Sends @fields as one message, waits for room for NEGO_LOG_WAIT_MS at most when @wait, and returns
 * whether the journal has it. */
gboolean
nego_journal_send (NegoJournal *journal, const GLogField *fields, gsize n_fields, gboolean wait);
