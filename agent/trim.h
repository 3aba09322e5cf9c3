/* SPDX-License-Identifier: MIT */
/*
 * trim: tells the disks below mounted file systems which blocks are free, one file system after
 * another, on threads (offload.h): one can take minutes.
 */
#pragma once

#include "common/offload.h"
#include "qapi/qapi-types.h"

typedef struct NegoTrim NegoTrim;

/* Trims the file system of @fd, a directory or file, which is mounted on @path: free ranges of at
 * least
 * *@minimum bytes. Sets *@trimmed to the bytes that were trimmed and *@minimum to the least that
 * the file system takes. Returns 0 or an errno. On a thread. */
typedef int (*NegoTrimFunc) (const char *path, int fd, guint64 *trimmed, guint64 *minimum);

/* The FITRIM ioctl. */
int nego_trim_real (const char *path, int fd, guint64 *trimmed, guint64 *minimum);

/* @results (QapiGuestFilesystemTrimResult), borrowed: one for each path. */
typedef void (*NegoTrimDoneFunc) (GPtrArray *results, gpointer user_data);

/* To trim what is mounted on @paths (strings, copied), in that order. @done is called once, maybe
 * by nego_trim_start (); it may free the trim, and with it @user_data (by
 * @free_data). */
NegoTrim *nego_trim_new (NegoOffload *offload,
                         NegoTrimFunc func,
                         GPtrArray *paths,
                         guint64 minimum,
                         NegoTrimDoneFunc done,
                         gpointer user_data,
                         GDestroyNotify free_data);
/* Starts with the first. */
void nego_trim_start (NegoTrim *trim);
/* What goes on ends by itself, and nothing follows. */
void nego_trim_free (NegoTrim *trim);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoTrim, nego_trim_free)
