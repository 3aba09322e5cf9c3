/* SPDX-License-Identifier: MIT */
/*
 * base64: decoding what a peer sent, checked: GLib's decoder skips what it does not know.
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
