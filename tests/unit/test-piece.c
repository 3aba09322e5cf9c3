/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/json.h"
#include "common/piece.h"

#include <string.h>

typedef struct {
  const char *data;
  gsize len;
  gboolean final, base64;
  gsize max;
  const char *text; /* expected */
  gboolean is_base64;
  gsize used;
} Case;

static const Case cases[] = {
  { "", 0, FALSE, FALSE, 100, "", FALSE, 0 },
  { "", 0, TRUE, TRUE, 100, "", TRUE, 0 },
  { "text", 4, FALSE, FALSE, 100, "text", FALSE, 4 },
  { "text", 4, FALSE, TRUE, 100, "dGV4dA==", TRUE, 4 },
  /* U+0000, and bytes that are no UTF-8. */
  { "te\0t", 4, FALSE, FALSE, 100, "dGUAdA==", TRUE, 4 },
  { "te\xff!", 4, FALSE, FALSE, 100, "dGX/IQ==", TRUE, 4 },
  /* Text is chosen while its JSON is not longer: \n is two bytes, three bytes of base64 are four.
   */
  { "ab\nab\n", 6, FALSE, FALSE, 100, "ab\nab\n", FALSE, 6 },
  { "\n\nab\n\n", 6, FALSE, FALSE, 100, "CgphYgoK", TRUE, 6 },
  { "\xc3\xa9", 2, FALSE, FALSE, 100, "w6k=", TRUE, 2 },
  { "ten bytes \xc3\xa9", 12, FALSE, FALSE, 100, "ten bytes \xc3\xa9", FALSE, 12 },
  /* The beginning of a character waits for its end, if one may come. */
  { "some text\xe2\x82", 11, FALSE, FALSE, 100, "some text", FALSE, 9 },
  { "some text\xf0\x9f\x98", 12, FALSE, FALSE, 100, "some text", FALSE, 9 },
  { "some text\xe2\x82", 11, TRUE, FALSE, 100, "c29tZSB0ZXh04oI=", TRUE, 11 },
  { "\xe2\x82", 2, FALSE, FALSE, 100, "", FALSE, 0 },
  { "\xe2\x82", 2, FALSE, TRUE, 100, "4oI=", TRUE, 2 },
  { "\x82\x82\x82\x82", 4, FALSE, FALSE, 100, "goKCgg==", TRUE, 4 },
  /* The bound: 18 bytes of JSON are 12 of data. */
  { "0123456789ab", 12, TRUE, FALSE, 18, "0123456789ab", FALSE, 12 },
  { "0123456789abc", 13, TRUE, FALSE, 18, "0123456789ab", FALSE, 12 },
  { "0123456789abc", 13, TRUE, TRUE, 18, "MDEyMzQ1Njc4OWFi", TRUE, 12 },
  { "0123456789abc", 13, TRUE, FALSE, 17, "012345678", FALSE, 9 },
  { "0123456789a\xc3\xa9", 13, TRUE, FALSE, 18, "0123456789a", FALSE, 11 },
};

static void
test_cases (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const Case *c = &cases[i];
    g_auto (NegoPiece) piece = { 0 };

    nego_piece_take (&piece, (const guint8 *) c->data, c->len, c->final, c->base64, c->max);
    g_assert_cmpstr (piece.text, ==, c->text);
    g_assert_cmpuint (piece.used, ==, c->used);
    g_assert_cmpint (piece.base64, ==, c->is_base64);
    g_assert_cmpuint (piece.encoded, ==, nego_json_string_length (piece.text, strlen (piece.text)));
    g_assert_cmpuint (piece.encoded, <=, c->max);
    g_assert_cmpuint (piece.encoded, <=, nego_piece_bound (piece.used));
  }
}

/* Pages put together are the whole, whatever it is. */
static void
test_pages (void)
{
  for (guint round = 0; round < 200; round++) {
    gsize len = (gsize) g_test_rand_int_range (0, 300), taken = 0;
    g_autofree guint8 *data = g_malloc (len + 1);
    g_autoptr (GByteArray) whole = g_byte_array_new ();

    for (gsize i = 0; i < len; i++)
      data[i] = (guint8) (round % 2 ? g_test_rand_int_range (0, 256) : "a\n\xe2\x82\xac"[i % 5]);
    do {
      g_auto (NegoPiece) piece = { 0 };
      g_autofree guchar *decoded = NULL;
      gsize size;

      nego_piece_take (&piece, data + taken, len - taken, TRUE, FALSE, 40);
      g_assert_cmpuint (piece.encoded, <=, 40);
      taken += piece.used;
      size = strlen (piece.text);
      decoded
        = piece.base64 ? g_base64_decode (piece.text, &size) : (guchar *) g_strdup (piece.text);
      g_byte_array_append (whole, decoded, (guint) size);
      g_assert_true (piece.used > 0 || taken == len);
    } while (taken < len);
    g_assert_cmpmem (whole->data, whole->len, data, len);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/piece/cases", test_cases);
  g_test_add_func ("/piece/pages", test_pages);
  return g_test_run ();
}
