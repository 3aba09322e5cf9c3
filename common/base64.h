/* SPDX-License-Identifier: MIT */
/*
 * base64 (RFC 4648, section 4). Decoding checks what a peer sent: GLib's decoder skips what it does
 * not know. Both directions are made for output and files that stream: they take a nanosecond a
 * byte.
 *
 * LF is allowed anywhere, since clients (MIME encoders) break lines. An incomplete group, padding
 * within the text, or another character is NEGO_ERROR_GENERIC: "Base64 data contains invalid
 * characters" (QGA's text) or "Base64 data is incomplete" (QGA drops what is left over: bytes would
 * be lost silently).
 */
#pragma once

#include <glib.h>

/* Returns @len bytes, and a NUL behind them. */
guint8 *nego_base64_decode (const char *text, gsize *len, GError **error);
/* The same of @size characters, into @data, which has room for nego_base64_room (). */
gboolean
nego_base64_decode_to (const char *text, gsize size, guint8 *data, gsize *len, GError **error);

/* How many bytes the decoding of @size characters may take. */
static inline gsize
nego_base64_room (gsize size)
{
  return size / 4 * 3 + 3;
}

/* Appends the base64 of @data to @out, without line breaks. */
void nego_base64_append (GString *out, const guint8 *data, gsize len);
