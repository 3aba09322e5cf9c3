/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/framer-log.h"

#include <malloc.h>
#include <string.h>

static char *
repeat (const char *what, gsize times, const char *tail)
{
  GString *text = g_string_new (NULL);

  while (times-- > 0)
    g_string_append (text, what);
  g_string_append (text, tail);
  return g_string_free (text, FALSE);
}

static void
check_text (const NegoFramerLimits *limits, const char *input, const char *expected)
{
  framer_log_check (limits, input, strlen (input), expected);
}

static void
test_depth (void)
{
  g_autofree char *brackets = repeat ("[", 1023, "");
  g_autofree char *closers = repeat ("]", 1023, "");
  g_autofree char *most = g_strconcat ("{\"a\":", brackets, closers, "}", NULL);
  g_autofree char *expected = g_strconcat ("M ", most, "\n", NULL);
  g_autofree char *more = g_strconcat ("{\"a\":[", brackets, "]", closers, "}" PING, NULL);
  g_autofree char *open = g_strconcat ("[[", brackets, "\n" PING, NULL);
  g_autofree char *closed = g_strconcat ("[[", brackets, closers, "]]" PING, NULL);

  check_text (&FRAMER_LOG_LIMITS, most, expected);
  check_text (&FRAMER_LOG_LIMITS, more, E_DEPTH M_PING);
  check_text (&FRAMER_LOG_LIMITS, open, E_DEPTH M_PING);
  check_text (&FRAMER_LOG_LIMITS, closed, E_DEPTH M_PING);
}

/* Nothing recurses, and what is discarded is counted without a limit. */
static void
test_depth_100000 (void)
{
  g_autofree char *open = repeat ("[", 100000, "");
  g_autofree char *close = repeat ("]", 100000, "");
  g_autofree char *input = g_strconcat ("{\"a\":", open, close, "}" PING, NULL);
  g_autoptr (NegoFramer) framer = nego_framer_new (&FRAMER_LOG_LIMITS);
  g_autoptr (GString) output = g_string_new (NULL);

  framer_log_feed (framer, input, strlen (input), output);
  g_assert_cmpstr (output->str, ==, E_DEPTH M_PING);
}

static void
test_tokens (void)
{
  const NegoFramerLimits limits = { .max_bytes = 1000, .max_tokens = 9, .max_depth = 10 };

  check_text (&limits, "{\"a\":[1,2]}", "M {\"a\":[1,2]}\n");
  check_text (&limits, "{\"a\":[1,[]]}" PING, E_COUNT M_PING);
  check_text (&limits, "{\"a\":[1,2],\n" PING, E_COUNT M_PING);
}

/* As many as QEMU takes, with the port's limits. */
static void
test_tokens_qga (void)
{
  g_autofree char *list = repeat ("1,", (NEGO_MESSAGE_TOKENS - 8) / 2, "1");
  g_autofree char *most = g_strconcat ("{\"a\":[", list, "]}", NULL);
  g_autofree char *more = g_strconcat ("{\"a\":[", list, ",1]}" PING, NULL);
  g_autofree char *expected = g_strconcat ("M ", most, "\n" E_COUNT M_PING, NULL);
  g_autoptr (NegoFramer) framer = nego_framer_new (&FRAMER_LOG_LIMITS);
  g_autoptr (GString) output = g_string_new (NULL);

  framer_log_feed (framer, most, strlen (most), output);
  framer_log_feed (framer, more, strlen (more), output);
  g_assert_true (g_str_equal (output->str, expected));
}

/* The text of a message's tokens counts, blanks do not. */
static void
test_bytes (void)
{
  const NegoFramerLimits limits = { .max_bytes = 25, .max_tokens = 100, .max_depth = 10 };

  check_text (&limits, "{ \"a\" : \"0123456789abcdefg\" }", "M {\"a\":\"0123456789abcdefg\"}\n");
  check_text (&limits, "{\"a\":\"0123456789abcdefgh\"}" PING, E_SIZE M_PING);
  check_text (&limits, "{\"a\":\"0123456789abcdefghi\"}" PING, E_SIZE M_PING);
  check_text (&limits, "{\"a\":\"0123456789abcdefghijkl\\\"}\"}" PING, E_SIZE M_PING);
  check_text (&limits, "{\"a\":1234567890123456789}", "M {\"a\":1234567890123456789}\n");
  check_text (&limits, "{\"a\":12345678901234567890}" PING, E_SIZE M_PING);
  check_text (&limits, "{\"a\":123456789012345678901}" PING, E_SIZE M_PING);
  check_text (&limits, "1234567890123456789012345\n", E_OBJECT);
  check_text (&limits, "12345678901234567890123456\n", E_SIZE);
  check_text (&limits, "\"12345678901234567890123\"\n", E_OBJECT);
  check_text (&limits, "\"123456789012345678901234\"\n", E_SIZE);
}

/* The error comes with the first byte too many, and from then on nothing is stored. */
static void
test_bytes_qga (void)
{
  g_autofree char *piece = g_strnfill (1u << 20, 'x');
  g_autoptr (NegoFramer) framer = nego_framer_new (&FRAMER_LOG_LIMITS);
  g_autoptr (GString) output = g_string_new (NULL);

  framer_log_feed (framer, "{\"a\":\"", 6, output);
  for (guint i = 0; i < 64; i++) {
    g_assert_cmpstr (output->str, ==, "");
    framer_log_feed (framer, piece, 1u << 20, output);
  }
  g_assert_cmpstr (output->str, ==, E_SIZE);
  framer_log_feed (framer, piece, 1u << 20, output);
  framer_log_feed (framer, "\"}" PING, strlen ("\"}" PING), output);
  g_assert_cmpstr (output->str, ==, E_SIZE M_PING);
}

static void
test_resets (void)
{
  g_autofree char *input = g_strnfill (1u << 20, '\xff');
  g_autoptr (NegoFramer) framer = nego_framer_new (&FRAMER_LOG_LIMITS);
  g_autoptr (GString) output = g_string_new (NULL);

  framer_log_feed (framer, input, 1u << 20, output);
  g_assert_cmpstr (output->str, ==, "");
}

/* Half a million keys in one object: the time is not their square. */
static void
test_many_keys (void)
{
  g_autoptr (GString) input = g_string_new ("{\"a\":{");
  g_autoptr (NegoFramer) framer = nego_framer_new (&FRAMER_LOG_LIMITS);
  g_autoptr (GString) output = g_string_new (NULL);

  for (guint i = 0; i < 500000; i++)
    g_string_append_printf (input, "\"%u\":1,", i);
  g_string_append (input, "\"x\":1}}");
  framer_log_feed (framer, input->str, input->len, output);
  g_assert_cmpuint (output->len, ==, input->len + 3);
  g_string_truncate (output, 0);
  g_string_truncate (input, input->len - strlen ("\"x\":1}}"));
  g_string_append (input, "\"\\u0030\":1}}" PING);
  framer_log_feed (framer, input->str, input->len, output);
  g_assert_cmpstr (output->str, ==, E_PARSE ("duplicate key") M_PING);
}

/* One below, at and above the number of keys that are compared at once. */
static void
test_some_keys (void)
{
  for (guint n = 1; n < 40; n++) {
    g_autoptr (GString) input = g_string_new ("{");
    g_autofree char *expected = NULL;

    for (guint i = 0; i < n; i++)
      g_string_append_printf (input, "\"k%u\":{\"k0\":1},", i);
    g_string_append (input, "\"x\":1}");
    expected = g_strconcat ("M ", input->str, "\n", NULL);
    check_text (&FRAMER_LOG_LIMITS, input->str, expected);
    g_string_truncate (input, input->len - strlen ("\"x\":1}"));
    g_string_append_printf (input, "\"k%u\":1}" PING, n - 1);
    check_text (&FRAMER_LOG_LIMITS, input->str, E_PARSE ("duplicate key") M_PING);
  }
}

static gsize
allocated (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return info.uordblks + info.hblkhd;
}

/* A large message, or what was begun of one, leaves nothing behind. */
static void
test_memory (void)
{
  static const char *const ends[] = { "\"}" PING, "\t\n" PING, "\xff" PING, "\\q\n" PING };
  g_autofree char *string = g_strnfill (8u << 20, 'x');
  g_autoptr (GString) keys = g_string_new ("{");

  for (guint i = 0; i < 50000; i++)
    g_string_append_printf (keys, "\"k%u\":1,", i);
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++) {
    g_autoptr (NegoFramer) framer = nego_framer_new (&FRAMER_LOG_LIMITS);
    g_autoptr (GString) output = g_string_sized_new (16u << 20);
    gsize before;

    framer_log_feed (framer, PING, strlen (PING), output);
    before = allocated ();
    if (before == 0) {
      g_test_skip ("malloc is not the C library's: it does not count");
      return;
    }
    framer_log_feed (framer, keys->str, keys->len, output);
    framer_log_feed (framer, "\"a\":\"", 5, output);
    framer_log_feed (framer, string, 8u << 20, output);
    g_assert_cmpuint (allocated (), >=, before + (8u << 20));
    framer_log_feed (framer, ends[i], strlen (ends[i]), output);
    g_assert_true (g_str_has_suffix (output->str, M_PING));
    g_assert_cmpuint (allocated (), <=, before + (64u << 10));
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/framer-limits/depth", test_depth);
  g_test_add_func ("/framer-limits/depth/100000", test_depth_100000);
  g_test_add_func ("/framer-limits/tokens", test_tokens);
  g_test_add_func ("/framer-limits/tokens/qga", test_tokens_qga);
  g_test_add_func ("/framer-limits/bytes", test_bytes);
  g_test_add_func ("/framer-limits/bytes/qga", test_bytes_qga);
  g_test_add_func ("/framer-limits/resets", test_resets);
  g_test_add_func ("/framer-limits/keys/some", test_some_keys);
  g_test_add_func ("/framer-limits/keys/many", test_many_keys);
  g_test_add_func ("/framer-limits/memory", test_memory);
  return g_test_run ();
}
