/* SPDX-License-Identifier: MIT */
/*
 * daemonize: goes into the background. The parent stays until the daemon is ready or has failed,
 * and ends with its status, so that whoever starts it learns the truth (qemu-ga's parent never
 * does).
 */
#pragma once

#include <glib.h>

/* Forks, and returns in the child only: leader of a session of its own, in "/". Must come
 * before anything that starts a thread or takes a lock. @ready_fd is for nego_daemonize_ready
 * (). */
gboolean nego_daemonize_fork (int *ready_fd, GError **error);

/* Lets the parent end with 0, and the standard descriptors go. A child that ends before this makes
 * the parent end with its status; its words still go where the parent's go. */
void nego_daemonize_ready (int ready_fd);
