/* SPDX-License-Identifier: MIT */
/*
 * log: where the program's messages go.
 *
 * Code logs with GLib's g_warning (), g_message (), g_debug (), with its noun as G_LOG_DOMAIN
 * ("nego-channel"): that is the message's topic. Here a message gets its form and its way out:
 * qemu-ga's line "SECONDS.MICROSECONDS: LEVEL: TOPIC: MESSAGE" to a descriptor, or the journal.
 *
 * Errors, criticals, warnings and messages are always written, info and debug when @verbose, or
 * when G_MESSAGES_DEBUG names their domain. A reader that does not read holds the program up for
 * NEGO_LOG_WAIT_MS once, then lines are dropped and counted until it reads again. What is not
 * printable is escaped, so that a message is one line, whatever it quotes.
 *
 * Threads may log, too; a line is written by one at a time. It does not know what is secret:
 * callers never log arguments, input, output or file data.
 */
#pragma once

#include <glib.h>

typedef struct NegoLog NegoLog;

/* To @fd, which is borrowed. */
NegoLog *nego_log_new (int fd, gboolean verbose);
/* To the end of the file @path, which is made (mode 0600) where it is missing. */
NegoLog *nego_log_open (const char *path, gboolean verbose, GError **error);
/* To the journal behind @socket (NEGO_LOG_JOURNAL_SOCKET). */
NegoLog *nego_log_new_journal (const char *socket, gboolean verbose);
/* To the standard error; when that is the journal's, to the journal itself, with levels and fields.
 */
NegoLog *nego_log_new_stderr (gboolean verbose);
/* From here on nothing is written anywhere: what would be waits, up to NEGO_LOG_HELD_LINES, and
 * what is more is counted. For as long as file systems are frozen: a write to one would not return.
 */
void nego_log_hold (NegoLog *log);
/* Writes what waited, each with the time when it was logged, and goes on writing. */
void nego_log_release (NegoLog *log);
/* From here on it writes to the end of the file @path, as nego_log_open () does. */
gboolean nego_log_move (NegoLog *log, const char *path, GError **error);
void nego_log_free (NegoLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoLog, nego_log_free)

/* A GLogWriterFunc; @user_data is the NegoLog. */
GLogWriterOutput
nego_log_write (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data);

/* Makes @log (transfer full) the writer of the process. Once a process: GLib has no way back. */
void nego_log_install (NegoLog *log);
