/* SPDX-License-Identifier: MIT */
/*
 * file-call: an operation on a file for a call: the file found by its handle or opened, the work
 * started, and the call answered with what failed.
 */
#pragma once

#include "agent/file.h"
#include "common/call.h"

/* Starts @work (transfer full) on @file; @done gets @call (transfer full). FALSE: it cannot start,
 * and the call was answered. */
gboolean
nego_file_call_run (NegoCall *call, NegoFile *file, NegoFileWork *work, NegoFileDoneFunc done);
/* The same on the caller's open file @handle. */
void
nego_file_call_start (NegoCall *call, gint64 handle, NegoFileWork *work, NegoFileDoneFunc done);

/* Answers @call: the file is open, and @handle is its client's. */
typedef void (*NegoFileCallOpenedFunc) (NegoCall *call, gint64 handle, NegoFileWork *work);

/* Starts @work (transfer full), which opens a file. One that nobody waits for any more, or that
 * opens too late, is closed again: nobody knows its handle. */
void nego_file_call_open (NegoCall *call, NegoFileWork *work, NegoFileCallOpenedFunc opened);
