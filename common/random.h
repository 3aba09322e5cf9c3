/* SPDX-License-Identifier: MIT */
/*
 * random: names that do not repeat.
 */
#pragma once

#include <glib.h>

/* 128 bits as text. From the kernel, not from a generator of our own: a guest that is restored from
 * a snapshot would repeat that one's. Returns: (transfer full). */
char *nego_random_name (void);
