/* SPDX-License-Identifier: MIT */
/*
 * authorized-keys: a user's ~/.ssh/authorized_keys (sshd(8)), for a process that has become that
 * user. No link is followed below the home directory, nothing but a regular file is read or
 * replaced, and it is replaced as a whole or not at all. It may block: the directory may be on a
 * server.
 *
 * Errors: NEGO_ERROR_IO or NEGO_ERROR_NOT_FOUND with QGA's texts (qga/commands-posix-ssh.c).
 */
#pragma once

#include <glib.h>

/* The lines that are keys, without blanks around them, the last one first, as QGA has them. A
 * missing file is an error. */
char **nego_authorized_keys_list (const char *home, GError **error);

/* Puts those of @keys that are not there yet behind the others; with @reset the others go. Makes
 * the directory (mode 0700) and the file (0600). */
gboolean nego_authorized_keys_add (const char *home,
                                   const char *const *keys,
                                   gboolean reset,
                                   GError **error);

/* Removes the lines that are one of @keys. A missing file has none. */
gboolean nego_authorized_keys_remove (const char *home, const char *const *keys, GError **error);

/* The program that becomes the user: this one, under another name, which has "list", "add", "reset"
 * or "remove" as its argument, its keys as lines on standard input and its answer, or the error
 * with status 1, on standard output. main() begins with:
 * if (nego_authorized_keys_is_helper (argc, argv))
 *   return nego_authorized_keys_helper_main (argc, argv); */
#define NEGO_AUTHORIZED_KEYS_HELPER "nego-keys-helper"

gboolean nego_authorized_keys_is_helper (int argc, char **argv);
int nego_authorized_keys_helper_main (int argc, char **argv);
