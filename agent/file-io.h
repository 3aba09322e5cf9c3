/* SPDX-License-Identifier: MIT */
/*
 * file-io: what the guest-file-* commands do to a descriptor, as functions that may block: they are
 * called on threads. Errors are in QGA's words.
 */
#pragma once

#include <glib.h>

/* Opens @path as fopen(3) does with @mode, without waiting, links followed; returns the descriptor
 * or -1. A new file's mode is 0644 (main has set the umask): qemu-ga's 0666 lets anybody write. A
 * link to nowhere is not created through. */
int nego_file_io_open (const char *path, const char *mode, GError **error);
/* Whether nego_file_io_open() knows @mode: "invalid file open mode". */
gboolean nego_file_io_check_mode (const char *mode, GError **error);

/* The next bytes that were read: a multiple of three of them, but for the last. */
typedef void (*NegoFileIoSink) (const guint8 *data, gsize len, gpointer user_data);

/* How many of @max bytes a regular file should give from its position on; of others 0. */
gsize nego_file_io_expect (int fd, gsize max);
/* Reads up to @max bytes. What is no regular file may give fewer, and fails with EAGAIN when it
 * gives none now. */
gboolean nego_file_io_read (int fd,
                            gsize max,
                            NegoFileIoSink sink,
                            gpointer user_data,
                            gsize *count,
                            gboolean *eof,
                            GError **error);
/* The same of @len bytes, without waiting: of what the kernel has at hand. FALSE: some of it, or
 * all, would have to be waited for, or fails; nothing was read then. */
gboolean nego_file_io_read_now (int fd, guint8 *data, gsize len, gsize *count, gboolean *eof);
/* Writes all of @data; where a FIFO or terminal takes a part now, that is @written. */
gboolean nego_file_io_write (int fd, const guint8 *data, gsize len, gsize *written, GError **error);
gboolean nego_file_io_seek (int fd, gint64 offset, int whence, gint64 *position, GError **error);
