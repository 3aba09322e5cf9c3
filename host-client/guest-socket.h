/* SPDX-License-Identifier: MIT */
/*
 * guest-socket: where nego-hostd offers a guest to local programs: GUESTS/NAME.sock, with the
 * directory "guests" beside nego-hostd's own socket (/run/negotiator/guests).
 *
 * A guest's name may have any character: other bytes than letters, digits and "._-", and a dot at
 * the beginning, are written as %XX.
 */
#pragma once

#include <glib.h>

/* @control: of nego-hostd's own socket. Returns: (transfer full). */
char *nego_guest_socket_dir (const char *control);
/* NULL: the path would be longer than a socket's may be. Returns: (transfer full). */
char *nego_guest_socket_path (const char *dir, const char *name);
