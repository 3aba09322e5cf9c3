/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/piece.h"

#include "common/base64.h"
#include "common/json.h"

#define QUOTES 2

void
nego_piece_clear (NegoPiece *piece)
{
  g_clear_pointer (&piece->text, g_free);
}

/* The length of the base64 JSON string of @len bytes: nothing in it is escaped. */
gsize
nego_piece_bound (gsize len)
{
  return (len + 2) / 3 * 4 + QUOTES;
}

/* The number of bytes at the end of @data that are the beginning of a character: 0 to 3. */
static gsize
nego_piece_cut_tail (const guint8 *data, gsize len)
{
  for (gsize back = 1; back <= 3 && back <= len; back++) {
    guint8 byte = data[len - back];
    gsize wanted = byte >= 0xf0 && byte <= 0xf4 ? 4 : byte >= 0xe0 ? 3 : 2;

    if (byte >= 0xc2 && byte <= 0xf4)
      return wanted > back ? back : 0;
    if ((byte & 0xc0) != 0x80)
      return 0;
  }
  return 0;
}

gsize
nego_piece_length (const guint8 *data, gsize len, gboolean final, gboolean base64)
{
  return final || base64 ? len : len - nego_piece_cut_tail (data, len);
}

void
nego_piece_measure (NegoPiece *piece,
                    const guint8 *data,
                    gsize len,
                    gboolean final,
                    gboolean base64,
                    gsize max_encoded)
{
  gsize most = (max_encoded - QUOTES) / 4 * 3;

  /* What fits as base64 fits as text, or text is not chosen. */
  if (len > most) {
    len = most;
    final = FALSE;
  }
  len = nego_piece_length (data, len, final, base64);
  *piece = (NegoPiece){ .used = len, .encoded = nego_piece_bound (len), .base64 = base64 };
  /* With a length given, g_utf8_validate() refuses NUL too. */
  if (len > 0 && !base64 && g_utf8_validate ((const char *) data, (gssize) len, NULL)) {
    gsize encoded = nego_json_string_length ((const char *) data, len);

    if (encoded <= piece->encoded) {
      piece->encoded = encoded;
      return;
    }
  }
  piece->base64 = base64 || len > 0;
}

void
nego_piece_take (NegoPiece *piece,
                 const guint8 *data,
                 gsize len,
                 gboolean final,
                 gboolean base64,
                 gsize max_encoded)
{
  GString *text;

  nego_piece_measure (piece, data, len, final, base64, max_encoded);
  if (!piece->base64 || piece->used == 0) {
    piece->text = g_strndup ((const char *) data, piece->used);
    return;
  }
  text = g_string_sized_new (piece->encoded);
  nego_base64_append (text, data, piece->used);
  piece->text = g_string_free (text, FALSE);
}
