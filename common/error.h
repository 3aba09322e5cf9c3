/* SPDX-License-Identifier: MIT */
/*
 * error: the one GError domain of the project.
 *
 * Messages start in lower case, say what was attempted, quote the object with '…' and end with the
 * cause, without a full stop. Texts that QGA's clients see are the exception: they are QGA's,
 * letter for letter.
 */
#pragma once

#include <glib.h>

#define NEGO_ERROR (nego_error_quark ())

typedef enum {
  NEGO_ERROR_GENERIC,           /* QMP class GenericError */
  NEGO_ERROR_COMMAND_NOT_FOUND, /* QMP class CommandNotFound: the command is unknown or disabled */
  NEGO_ERROR_PARSE,             /* malformed JSON, or JSON that is no QMP message */
  NEGO_ERROR_CONFIG,            /* a wrong option, configuration file or key file */
  NEGO_ERROR_REFUSED,           /* a script or command is not allowed to run */
  NEGO_ERROR_NOT_FOUND,         /* no such script, job, guest or file */
  NEGO_ERROR_BUSY,              /* a limit is reached, or another process holds the object */
  NEGO_ERROR_IO,                /* a system call failed */
  NEGO_ERROR_TIMEOUT,           /* a deadline passed */
  NEGO_ERROR_CLOSED,            /* the peer is gone */
  NEGO_ERROR_INTERRUPTED,       /* a signal ended the waiting */
} NegoErrorCode;

GQuark nego_error_quark (void);

/* Sets @error to "@format…: strerror (@errnum)" and returns FALSE, so that it can be the operand of
 * return. The code is NOT_FOUND for ENOENT, BUSY for EBUSY, else IO. */
gboolean nego_error_set_errno (GError **error, int errnum, const char *format, ...)
  G_GNUC_PRINTF (3, 4);

/* The first NEGO_ERROR_QUOTE_BYTES of a peer's @text, fit for an error: what is not printable ASCII
 * is escaped. Returns: (transfer full). */
char *nego_error_quote (const char *text);
