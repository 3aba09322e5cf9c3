/* SPDX-License-Identifier: MIT */
/*
 * file: one open file of guest-file-open.
 *
 * Whatever may block (all but the reading of what is in the kernel's cache) is done on a thread,
 * with a deadline, one operation at a time: a second one is refused while the thread of the first
 * has not come back, be its caller gone or its deadline passed. Nothing is buffered here: what was
 * written is the kernel's, and its errors are told at once. Opening is non-blocking, so a FIFO or
 * terminal without a peer blocks neither an open nor a read (EAGAIN).
 *
 * A read whose reply nobody got is as if it had not been, where the file can seek. Closing may
 * block, too: a file that was in use is given back with nego_file_release(). The last reference
 * closes what is still open.
 */
#pragma once

#include "common/offload.h"

#include <glib.h>

typedef struct NegoFile NegoFile;
typedef struct NegoFileWork NegoFileWork;

/* On a thread: does the work on @fd. Returns FALSE with @error set in QGA's words. */
typedef gboolean (*NegoFileFunc) (int fd, NegoFileWork *work, GError **error);
/* In the main context, once. @work is valid until it returns; NULL: the deadline passed. @error
 * (borrowed) says what failed, NULL: nothing. */
typedef void (*NegoFileDoneFunc) (NegoFileWork *work, const GError *error, gpointer user_data);

/* What every operation has; larger ones begin with it. */
struct NegoFileWork {
  NegoFileFunc func;
  GDestroyNotify free_work; /* of the whole; on any thread */
  const char *what;         /* static: what failed when the deadline passes */
  guint wait_ms;            /* the deadline; 0: NEGO_FILE_WAIT_MS */
  /* The engine's. */
  NegoFile *file;
  GError *error;
  gint64 undo;      /* where to seek to when nobody takes the result; below 0: nowhere */
  gboolean pending; /* the thread has not done it yet */
};

/* Frees what the engine put into @work. */
void nego_file_work_clear (NegoFileWork *work);

/* Still to be opened, by work that calls nego_file_set_fd(). */
NegoFile *nego_file_new (void);
NegoFile *nego_file_ref (NegoFile *file);
void nego_file_unref (NegoFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoFile, nego_file_unref)

/* For work on a thread, as is nego_file_get_temporary(): the file's name is @path (taken), by which
 * it is removed when it is closed; NULL: now. */
void nego_file_set_temporary (NegoFile *file, char *path);
const char *nego_file_get_temporary (NegoFile *file);

/* The same: it stays when it is closed. */
void nego_file_keep (NegoFile *file);

/* Drops the caller's reference. Nothing more is begun with the file: it is closed, and its
 * temporary name removed, on a thread, behind the operation that goes on, if one does.
 * nego_offload_wait() waits for that. */
void nego_file_release (NegoFile *file, NegoOffload *offload);

/* For work on a thread, before it does what cannot be undone: whether somebody will be told how it
 * ends. FALSE: its deadline has passed, or it was given up. */
gboolean nego_file_commit (NegoFile *file);
/* Nobody wants what goes on to be done, unless it is committed. */
void nego_file_give_up (NegoFile *file);

/* For work on a thread: the file's descriptor from now on (taken); -1 gives it to the caller. */
int nego_file_set_fd (NegoFile *file, int fd);

/* In the main context: reads @len bytes, or all there are, if that needs no waiting (file-io.h).
 * FALSE: it is work for a thread. */
gboolean nego_file_read_now (NegoFile *file, guint8 *data, gsize len, gsize *count, gboolean *eof);

/* Starts @work (transfer full) on @file. FALSE with NEGO_ERROR_BUSY when an operation goes on or
 * too much work waits; @done is not called then. */
gboolean nego_file_start (NegoFile *file,
                          NegoOffload *offload,
                          NegoFileWork *work,
                          NegoFileDoneFunc done,
                          gpointer user_data,
                          GError **error);
/* From @done, first of all: the file's next operation may start. @taken: somebody gets the result.
 */
void nego_file_work_end (NegoFileWork *work, gboolean taken);
