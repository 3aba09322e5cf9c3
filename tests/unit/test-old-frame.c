/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/names.h"
#include "common/old-frame.h"

#include <string.h>

static NegoOldFrameResult
feed (NegoOldFrame *frame, const char *text, gsize *used)
{
  return nego_old_frame_feed (frame, (const guint8 *) text, strlen (text), used);
}

static void
test_whole (void)
{
  g_auto (NegoOldFrame) frame = { 0 };
  gsize used;

  g_assert_false (nego_old_frame_is_pending (&frame));
  g_assert_cmpint (feed (&frame, "5\nhello3\nyou", &used), ==, NEGO_OLD_FRAME_MESSAGE);
  g_assert_cmpuint (used, ==, 7);
  g_assert_cmpstr (frame.text->str, ==, "hello");
  nego_old_frame_clear (&frame);
  g_assert_cmpint (feed (&frame, "3\nyou", &used), ==, NEGO_OLD_FRAME_MESSAGE);
  g_assert_cmpstr (frame.text->str, ==, "you");
}

static void
test_split (void)
{
  const char text[] = "012\nhello, world";
  g_auto (NegoOldFrame) frame = { 0 };
  gsize used;

  for (gsize i = 0; i < strlen (text); i++) {
    const NegoOldFrameResult result
      = nego_old_frame_feed (&frame, (const guint8 *) text + i, 1, &used);

    g_assert_cmpint (result, ==,
                     i + 1 == strlen (text) ? NEGO_OLD_FRAME_MESSAGE : NEGO_OLD_FRAME_MORE);
    g_assert_cmpuint (used, ==, 1);
    g_assert_true (nego_old_frame_is_pending (&frame));
  }
  g_assert_cmpstr (frame.text->str, ==, "hello, world");
}

static void
test_empty (void)
{
  g_auto (NegoOldFrame) frame = { 0 };
  gsize used;

  g_assert_cmpint (feed (&frame, "0\nx", &used), ==, NEGO_OLD_FRAME_MESSAGE);
  g_assert_cmpuint (used, ==, 2);
  g_assert_cmpuint (frame.text->len, ==, 0);
}

static void
test_wrong (void)
{
  const struct {
    const char *text, *digits;
    gsize used;
  } rows[] = {
    { "12x", "12", 2 },
    { "12 \n", "12", 2 },
    { "12\r\n", "12", 2 },
    { "x", "", 0 },
    { "\n", "", 0 },
    { "12345678\n", "1234567", 7 },
    { "9999999\n", "9999999", 7 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (NegoOldFrame) frame = { 0 };
    gsize used;

    g_test_message ("'%s'", rows[i].text);
    g_assert_cmpint (feed (&frame, rows[i].text, &used), ==, NEGO_OLD_FRAME_WRONG);
    g_assert_cmpuint (used, ==, rows[i].used);
    g_assert_cmpstr (frame.digits, ==, rows[i].digits);
  }
}

static void
test_limit (void)
{
  g_auto (NegoOldFrame) at = { 0 };
  g_auto (NegoOldFrame) above = { 0 };
  g_autofree char *text = g_strnfill (NEGO_OLD_BYTES, 'a');
  g_autoptr (GString) framed = g_string_new (NULL);
  gsize used;

  nego_old_frame_write (framed, text, NEGO_OLD_BYTES);
  g_assert_cmpint (feed (&at, framed->str, &used), ==, NEGO_OLD_FRAME_MESSAGE);
  g_assert_cmpuint (used, ==, framed->len);
  g_assert_cmpstr (at.text->str, ==, text);
  g_assert_cmpint (feed (&above, "1048577\n", &used), ==, NEGO_OLD_FRAME_WRONG);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/old-frame/whole", test_whole);
  g_test_add_func ("/old-frame/split", test_split);
  g_test_add_func ("/old-frame/empty", test_empty);
  g_test_add_func ("/old-frame/wrong", test_wrong);
  g_test_add_func ("/old-frame/limit", test_limit);
  return g_test_run ();
}
