/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/client/output.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <unistd.h>

static void
check_escape (const char *text, const char *expected)
{
  g_autoptr (GString) out = g_string_new (NULL);

  nego_output_escape (out, text, strlen (text));
  g_assert_cmpstr (out->str, ==, expected);
}

static void
test_escape (void)
{
  check_escape ("plain text, 'quoted' \"twice\"", "plain text, 'quoted' \"twice\"");
  check_escape ("Grüße 日本 🙂", "Grüße 日本 🙂");
  check_escape ("a\nb\tc\r", "a\\nb\\tc\\x0d");
  check_escape ("back\\slash", "back\\\\slash");
  check_escape ("\x1b[2J\x07\x7f", "\\x1b[2J\\x07\\x7f");
  /* C1: some terminals take U+009B for ESC [. */
  check_escape ("\xc2\x9b", "\\u{9b}");
  /* Right-to-left override, zero width space, line separator. */
  check_escape ("a\xe2\x80\xae", "a\\u{202e}");
  check_escape ("\xe2\x80\x8b\xe2\x80\xa8", "\\u{200b}\\u{2028}");
  check_escape ("\xff\xc3(", "\\xff\\xc3(");
  check_escape ("cut \xe2\x82", "cut \\xe2\\x82");
}

static void
test_escape_nul (void)
{
  g_autoptr (GString) out = g_string_new (NULL);

  nego_output_escape (out, "a\0b", 3);
  g_assert_cmpstr (out->str, ==, "a\\x00b");
}

static void
test_escape_lines (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  static const char text[] = "one\r\n\ttwo \\ \x1b]0;title\x07";

  nego_output_escape_lines (out, text, sizeof text - 1);
  g_assert_cmpstr (out->str, ==, "one\r\n\ttwo \\ \\x1b]0;title\\x07");
}

static void
test_table (void)
{
  g_autoptr (GPtrArray) cells = g_ptr_array_new ();
  g_autoptr (GString) out = g_string_new (NULL);

  g_ptr_array_add (cells, (gpointer) "NAME");
  g_ptr_array_add (cells, (gpointer) "STATE");
  g_ptr_array_add (cells, (gpointer) "grün");
  g_ptr_array_add (cells, NULL);
  g_ptr_array_add (cells, (gpointer) "a\nb");
  g_ptr_array_add (cells, (gpointer) "");
  nego_output_table (out, cells, 2);
  g_assert_cmpstr (out->str, ==, "NAME  STATE\ngrün  -\na\\nb  -\n");
}

/* Whatever is not a terminal gets each byte. */
static void
test_data_pipe (void)
{
  static const guint8 data[] = { 0, 0x1b, '[', 0xff, '\n' };
  g_autoptr (GError) error = NULL;
  guint8 read_back[sizeof data + 1];
  int fds[2];

  g_assert_cmpint (pipe2 (fds, O_CLOEXEC), ==, 0);
  g_assert_true (nego_output_data (fds[1], data, sizeof data, &error));
  g_assert_no_error (error);
  g_assert_cmpint (read (fds[0], read_back, sizeof read_back), ==, sizeof data);
  g_assert_cmpmem (read_back, sizeof data, data, sizeof data);
  close (fds[0]);
  close (fds[1]);
}

static void
test_data_terminal (void)
{
  static const char data[] = "\x1b[31mred";
  g_autoptr (GError) error = NULL;
  char read_back[64];
  int ours, theirs;
  gssize n;

  g_assert_cmpint (openpty (&ours, &theirs, NULL, NULL, NULL), ==, 0);
  g_assert_true (nego_output_data (theirs, (const guint8 *) data, sizeof data - 1, &error));
  g_assert_no_error (error);
  n = read (ours, read_back, sizeof read_back);
  g_assert_cmpmem (read_back, n, "\\x1b[31mred", 11);
  close (ours);
  close (theirs);
}

static void
test_data_full (void)
{
  g_autoptr (GError) error = NULL;
  int fd = open ("/dev/full", O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_false (nego_output_data (fd, (const guint8 *) "x", 1, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_IO);
  g_assert_cmpstr (error->message, ==,
                   "cannot write to the standard output: No space left on device");
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/output/escape", test_escape);
  g_test_add_func ("/output/escape/nul", test_escape_nul);
  g_test_add_func ("/output/escape/lines", test_escape_lines);
  g_test_add_func ("/output/table", test_table);
  g_test_add_func ("/output/data/pipe", test_data_pipe);
  g_test_add_func ("/output/data/terminal", test_data_terminal);
  g_test_add_func ("/output/data/full", test_data_full);
  return g_test_run ();
}
