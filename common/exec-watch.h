/* SPDX-License-Identifier: MIT */
/*
 * exec-watch: a descriptor that becomes readable when a child has ended, and does not reap it.
 */
#pragma once

#include <glib.h>

#include <sys/types.h>

/* A pidfd, or what follows. Returns -1 with NEGO_ERROR_IO. */
int nego_exec_watch_open (pid_t pid, GError **error);

/* The same of a process that is no child of ours; by a pidfd only. Returns -1 with errno. */
int nego_exec_watch_open_other (pid_t pid);

/* For kernels before Linux 5.3, and for valgrind, which have no pidfd_open(): a pipe that a
 * thread, asleep in waitid(), closes. */
int nego_exec_watch_open_thread (pid_t pid, GError **error);
