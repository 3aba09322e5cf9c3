/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/framer.h"
#include "common/names.h"

#include <math.h>
#include <json-glib/json-glib.h>
#include <string.h>

static const NegoFramerLimits qga_limits = {
  .max_bytes = NEGO_MESSAGE_BYTES_QGA,
  .max_tokens = NEGO_MESSAGE_TOKENS,
  .max_depth = NEGO_MESSAGE_DEPTH,
};

/* What a framer makes of an input: a line "M text" for each message, "E text" for each error. */
typedef struct {
  const char *name;
  const char *input;
  gsize len;
  const char *output;
} Row;

#define ROW(name, input, output)          \
  {                                       \
    name, input, sizeof input - 1, output \
  }

#define PING         "{\"execute\":\"guest-ping\"}"
#define SYNC1        "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1}}"
#define SYNC2        "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":2}}"
#define M_PING       "M " PING "\n"
#define M_SYNC1      "M " SYNC1 "\n"
#define M_SYNC2      "M " SYNC2 "\n"
#define E_PARSE(why) "E JSON parse error, " why "\n"
#define E_VALUE      E_PARSE ("expecting value")
#define E_OBJECT     "E QMP input must be a JSON object\n"
#define E_UTF8       E_PARSE ("invalid UTF-8 sequence in string")
#define E_ESCAPE     E_PARSE ("invalid escape sequence in string")
#define E_CHAR(c)    E_PARSE (c " is not a valid Unicode character")
#define E_SIZE       "E JSON token size limit exceeded\n"
#define E_COUNT      "E JSON token count limit exceeded\n"
#define E_DEPTH      "E JSON nesting depth limit exceeded\n"

static void
check_message (const NegoFramerMessage *message)
{
  g_assert_cmpuint (strlen (message->text), ==, message->len);
  for (guint i = 0; i < MIN (message->n_members, NEGO_FRAMER_MEMBERS); i++) {
    const NegoFramerMember *member = &message->members[i];

    g_assert_cmpint (message->text[member->key], ==, '"');
    g_assert_cmpint (message->text[member->key + member->key_len - 1], ==, '"');
    g_assert_cmpint (message->text[member->key + member->key_len], ==, ':');
    g_assert_cmpuint (member->key + member->key_len + 1, ==, member->value);
    g_assert_nonnull (strchr (",}", message->text[member->value + member->value_len]));
  }
}

static void
feed (NegoFramer *framer, const char *data, gsize len, GString *output)
{
  while (len > 0) {
    g_autoptr (GError) error = NULL;
    NegoFramerMessage message;
    gsize used = 0;

    switch (nego_framer_feed (framer, (const guint8 *) data, len, &used, &message, &error)) {
    case NEGO_FRAMER_MESSAGE:
      check_message (&message);
      g_string_append_printf (output, "M %s\n", message.text);
      break;
    case NEGO_FRAMER_ERROR:
      g_assert_error (error, NEGO_ERROR, NEGO_ERROR_PARSE);
      g_string_append_printf (output, "E %s\n", error->message);
      break;
    default:
      g_assert_cmpuint (used, ==, len);
      break;
    }
    g_assert_cmpuint (used, <=, len);
    data += used;
    len -= used;
  }
}

/* Whole, byte by byte, and in random pieces: always the same. */
static void
check_split (const NegoFramerLimits *limits, const char *input, gsize len, const char *expected)
{
  for (guint round = 0; round < 20; round++) {
    g_autoptr (NegoFramer) framer = nego_framer_new (limits);
    g_autoptr (GString) output = g_string_new (NULL);
    gsize at = 0;

    while (at < len) {
      gsize rest = len - at, n = rest;

      if (round == 1)
        n = 1;
      else if (round > 1)
        n = (gsize) g_test_rand_int_range (1, (gint32) MIN (rest, 16) + 1);
      feed (framer, input + at, n, output);
      at += n;
    }
    g_assert_cmpstr (output->str, ==, expected);
  }
}

static void
test_rows (gconstpointer data)
{
  for (const Row *row = data; row->name != NULL; row++) {
    g_test_message ("%s", row->name);
    check_split (&qga_limits, row->input, row->len, row->output);
  }
}

static const Row framing_rows[] = {
  ROW ("without LF", PING, M_PING),
  ROW ("several in one read", PING PING "\n" SYNC1 "\r\n" SYNC2, M_PING M_PING M_SYNC1 M_SYNC2),
  ROW ("blank lines", "\n\n \t\r\n" PING "\n\n", M_PING),
  ROW ("pretty-printed", "{\n  \"execute\" :\n\t\"guest-ping\"\r\n}\n", M_PING),
  ROW ("nested", "{\"a\":[[],{},[{\"b\":[1,2]}]]}", "M {\"a\":[[],{},[{\"b\":[1,2]}]]}\n"),
  ROW ("an object behind an LF, as a value",
       "{\"execute\":\n{\"a\":1}}",
       "M {\"execute\":{\"a\":1}}\n"),
  ROW ("a number at the top", "5\n" PING, E_OBJECT M_PING),
  ROW ("a number is whole at the next delimiter only", "5", ""),
  ROW ("a string at the top", "\"x\"\n" PING, E_OBJECT M_PING),
  ROW ("a keyword at the top", "true\nfalse\nnull\n", E_OBJECT E_OBJECT E_OBJECT),
  ROW ("an array at the top", "[1,2]\n[]\n" PING, E_OBJECT E_OBJECT M_PING),
  ROW ("four lines", "5\n\"x\"\ntrue\n[1,2]\n", E_OBJECT E_OBJECT E_OBJECT E_OBJECT),
  ROW ("a number, then an object", "12" PING, E_OBJECT M_PING),
  ROW ("a word", "foo\n", E_PARSE ("invalid keyword 'foo'")),
  ROW ("a word before an object", "foo" PING, E_PARSE ("invalid keyword 'foo'") M_PING),
  ROW ("a run of strays", "foo bar 5 ]]: \"x\n", E_PARSE ("invalid keyword 'foo'")),
  ROW ("a capital", "Hello World\n" PING, E_PARSE ("stray 'H'") M_PING),
  ROW ("a byte order mark", "\xef\xbb\xbf" PING, E_PARSE ("stray '\xef'") M_PING),
  ROW ("no ASCII", "\xc3\xa9 \xe2\x82\xac\n" PING, E_PARSE ("stray '\xc3'") M_PING),
  ROW ("NULs", "\0\0\0\0" PING "\0\0\n", E_PARSE ("stray ''") M_PING E_PARSE ("stray ''")),
  ROW ("ESC", "\033" PING, E_PARSE ("stray '\033'") M_PING),
  ROW ("Ctrl-D", "\004" PING, E_PARSE ("stray '\004'") M_PING),
  ROW ("vertical tab is no white space", "\v" PING, E_PARSE ("stray '\v'") M_PING),
  ROW ("a comment", "/* ' */" PING, E_PARSE ("stray '/'") M_PING),
  ROW ("a comment of a line", "// \"\n" PING, E_PARSE ("stray '/'") M_PING),
  ROW ("a comment inside", "{/* } */\"a\":1}\n" PING, E_PARSE ("stray '/'") M_PING),
  ROW ("interpolation", "%d\n{\"a\":%s}" PING, E_PARSE ("stray '%'") E_PARSE ("stray '%'") M_PING),
  ROW ("unbalanced closers", "]]]\n}\n" PING, E_VALUE E_VALUE M_PING),
  ROW ("separators", ":\n,\n", E_VALUE E_VALUE),
  { NULL },
};

static const Row grammar_rows[] = {
  ROW ("comma at the end of an object", "{\"execute\":\"guest-ping\",}" PING, E_VALUE M_PING),
  ROW ("comma at the end of a list", "{\"a\":[1,]}" PING, E_VALUE M_PING),
  ROW ("no value", "{\"execute\":}" PING, E_VALUE M_PING),
  ROW ("only a comma", "{,}" PING, E_VALUE M_PING),
  ROW ("no key", "{:1}" PING, E_VALUE M_PING),
  ROW ("no colon", "{\"a\" 1}" PING, E_PARSE ("missing : in object pair") M_PING),
  ROW ("no colon nor value", "{\"a\"}" PING, E_PARSE ("missing : in object pair") M_PING),
  ROW ("two strings", "{\"a\" \"b}\"}" PING, E_PARSE ("missing : in object pair") M_PING),
  ROW ("a number as key", "{1:2}" PING, E_PARSE ("key is not a string in object") M_PING),
  ROW ("a negative one", "{-1:2}" PING, E_PARSE ("key is not a string in object") M_PING),
  ROW ("a keyword as key", "{true:2}" PING, E_PARSE ("key is not a string in object") M_PING),
  ROW ("a list as key", "{[1]:2}" PING, E_PARSE ("key is not a string in object") M_PING),
  ROW ("an object as key", "{{}:2}" PING, E_PARSE ("key is not a string in object") M_PING),
  ROW ("a word as key", "{foo:2}" PING, E_PARSE ("invalid keyword 'foo'") M_PING),
  ROW ("no comma in an object",
       "{\"a\":1 \"b\":2}" PING,
       E_PARSE ("expected separator in dict") M_PING),
  ROW ("no comma in a list", "[1 2]\n" PING, E_PARSE ("expected separator in list") M_PING),
  ROW ("a colon in a list", "{\"a\":[1:2]}" PING, E_PARSE ("expected separator in list") M_PING),
  ROW ("a wrong closer", "{\"a\":1]\n" PING, E_PARSE ("expected separator in dict") M_PING),
  ROW ("wrong closers", "{\"a\":[1}}" PING, E_PARSE ("expected separator in list") M_PING),
  ROW ("a closer too many", "{\"a\":1,}}}\n" PING, E_VALUE M_PING),
  ROW ("crossed", "{]}\n" PING "[}\n" PING, E_VALUE M_PING E_VALUE M_PING),
  ROW ("duplicate key", "{\"a\":1,\"a\":2}" PING, E_PARSE ("duplicate key") M_PING),
  ROW ("duplicate by value", "{\"a\":1,\"\\u0061\":2}" PING, E_PARSE ("duplicate key") M_PING),
  ROW ("duplicate, other quotes", "{'\"':1,\"\\\"\":2}" PING, E_PARSE ("duplicate key") M_PING),
  ROW (
    "duplicate U+0000", "{\"a\\u0000\":1,\"a\xc0\x80\":2}" PING, E_PARSE ("duplicate key") M_PING),
  ROW ("duplicate, nested", "{\"a\":{\"b\":1,\"b\":1}}" PING, E_PARSE ("duplicate key") M_PING),
  ROW ("no duplicates",
       "{\"a\":{\"a\":[{\"a\":1},{\"a\":1}]},\"b\":1}",
       "M {\"a\":{\"a\":[{\"a\":1},{\"a\":1}]},\"b\":1}\n"),
  ROW ("an empty key", "{\"\":1,\"a\":2}", "M {\"\":1,\"a\":2}\n"),
  ROW ("keyword with a tail", "{\"a\":truex}" PING, E_PARSE ("invalid keyword 'truex'") M_PING),
  ROW ("a quote in what is discarded",
       "{\"a\":1 x'\n" PING,
       E_PARSE ("expected separator in dict") M_PING),
  ROW ("pretty-printed and wrong",
       "{\"a\" \"b\",\n \"c\":1\n}\n" PING,
       E_PARSE ("missing : in object pair") M_PING),
  ROW ("keywords", "{\"a\":[true,false,null]}", "M {\"a\":[true,false,null]}\n"),
  { NULL },
};

static const Row number_rows[] = {
  ROW ("integers", "{\"a\":[0,-0,1,-1,10,120]}", "M {\"a\":[0,-0,1,-1,10,120]}\n"),
  ROW ("reals",
       "{\"a\":[0.0,1.50,-0.0,1e5,1E+5,2e-3,0e0]}",
       "M {\"a\":[0.0,1.50,-0.0,1e5,1E+5,2e-3,0e0]}\n"),
  ROW ("int64",
       "{\"a\":[9223372036854775807,-9223372036854775808]}",
       "M {\"a\":[9223372036854775807,-9223372036854775808]}\n"),
  ROW ("beyond int64",
       "{\"a\":[9223372036854775808,-9223372036854775809,18446744073709551616]}",
       "M {\"a\":[9223372036854775808.0,-9223372036854775809.0,18446744073709551616.0]}\n"),
  ROW ("beyond double",
       "{\"a\":[1e400,-1e400,1e-400]}",
       "M {\"a\":[1.7976931348623157e+308,-1.7976931348623157e+308,1e-400]}\n"),
  ROW ("the id stays",
       "{\"id\":[18446744073709551615,1e400],\"a\":{\"id\":18446744073709551615}}",
       "M {\"id\":[18446744073709551615,1e400],\"a\":{\"id\":18446744073709551615.0}}\n"),
  ROW ("leading zero", "{\"id\":01}" PING, E_PARSE ("stray '01'") M_PING),
  ROW ("hexadecimal", "{\"id\":0x10}" PING, E_PARSE ("expected separator in dict") M_PING),
  ROW ("only a minus", "{\"id\":-}" PING, E_PARSE ("stray '-}'") M_PING),
  ROW ("a word behind a minus", "{\"id\":-x}" PING, E_PARSE ("stray '-x'") M_PING),
  ROW ("a plus", "{\"id\":+1}" PING, E_PARSE ("stray '+'") M_PING),
  ROW ("no digit before the point", "{\"id\":.5}" PING, E_PARSE ("stray '.'") M_PING),
  ROW ("no digit behind the point", "{\"id\":5.}" PING, E_PARSE ("stray '5.}'") M_PING),
  ROW ("no digit of the exponent", "{\"id\":5e}" PING, E_PARSE ("stray '5e}'") M_PING),
  ROW ("nor behind its sign", "{\"id\":5e+,}" PING, E_PARSE ("stray '5e+,'") M_PING),
  ROW ("an object behind a minus", "-" PING, E_PARSE ("stray '-{'") M_PING),
  ROW ("an LF behind a minus", "-\n" PING, E_PARSE ("stray '-\n'") M_PING),
  { NULL },
};

static const Row string_rows[] = {
  ROW ("single quotes", "{'execute':'guest-ping'}", M_PING),
  ROW ("mixed quotes", "{'a\"':\"b'\"}", "M {\"a\\\"\":\"b'\"}\n"),
  ROW ("escaped quotes", "{'a':'\\'\\\"'}", "M {\"a\":\"'\\\"\"}\n"),
  ROW ("an apostrophe may be escaped", "{\"a\":\"\\'\"}", "M {\"a\":\"'\"}\n"),
  ROW ("escapes",
       "{\"a\":\"\\b\\f\\n\\r\\t\\/\\\\\\\"\"}",
       "M {\"a\":\"\\b\\f\\n\\r\\t/\\\\\\\"\"}\n"),
  ROW ("\\u", "{\"a\":\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"}", "M {\"a\":\"Aé€😀\"}\n"),
  ROW ("\\u of control characters",
       "{\"a\":\"\\u0001\\u000a\\u000b\\u001f\\u007f\\u0022\\u005c\"}",
       "M {\"a\":\"\\u0001\\n\\u000B\\u001F\x7f\\\"\\\\\"}\n"),
  ROW ("UTF-8", "{\"é\":\"€😀\x7f\"}", "M {\"é\":\"€😀\x7f\"}\n"),
  ROW (
    "ends of the ranges",
    "{\"a\":"
    "\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbd\"}",
    "M "
    "{\"a\":"
    "\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbd\"}\n"),
  ROW ("U+0000", "{\"a\":\"x\\u0000\xc0\x80\"}", "M {\"a\":\"x\\u0000\\u0000\"}\n"),
  ROW ("an unknown escape", "{\"a\":\"\\q\"}" PING, E_ESCAPE M_PING),
  ROW ("\\x", "{\"a\":\"\\x41\"}" PING, E_ESCAPE M_PING),
  ROW ("\\U", "{\"a\":\"\\U0041\"}" PING, E_ESCAPE M_PING),
  ROW ("\\0", "{\"a\":\"\\0\"}" PING, E_ESCAPE M_PING),
  ROW ("an unknown escape, of a character", "{\"a\":\"\\\xc3\xa9\"}" PING, E_ESCAPE M_PING),
  ROW ("bad digits", "{\"a\":\"\\u12zz\"}" PING, E_CHAR ("\\u12") M_PING),
  ROW ("few digits", "{\"a\":\"\\u12\"}" PING, E_CHAR ("\\u12") M_PING),
  ROW ("no digits", "{\"a\":\"\\u\"}" PING, E_CHAR ("\\u") M_PING),
  ROW ("a quote among the digits", "{\"a\":\"\\u1\\\"x}\"}" PING, E_CHAR ("\\u1") M_PING),
  ROW ("a leading surrogate", "{\"a\":\"\\uD83D\"}" PING, E_CHAR ("\\uD83D") M_PING),
  ROW ("before a character", "{\"a\":\"\\uD83Dx\"}" PING, E_CHAR ("\\uD83D") M_PING),
  ROW ("before an escape", "{\"a\":\"\\uD83D\\n\"}" PING, E_CHAR ("\\uD83D") M_PING),
  ROW ("before an escaped quote", "{\"a\":\"\\uD83D\\\"}\"}" PING, E_CHAR ("\\uD83D") M_PING),
  ROW ("before no trailing one", "{\"a\":\"\\uD83D\\u0041\"}" PING, E_CHAR ("\\uD83D") M_PING),
  ROW ("before another", "{\"a\":\"\\uD83D\\uD83D\"}" PING, E_CHAR ("\\uD83D") M_PING),
  ROW ("before bad digits", "{\"a\":\"\\uD83D\\uDxyz\"}" PING, E_CHAR ("\\uD83D") M_PING),
  ROW ("before few digits", "{\"a\":\"\\uD83D\\uD\"}" PING, E_CHAR ("\\uD83D") M_PING),
  ROW ("a trailing surrogate", "{\"a\":\"\\uDE00\"}" PING, E_CHAR ("\\uDE00") M_PING),
  ROW ("reversed", "{\"a\":\"\\uDE00\\uD83D\"}" PING, E_CHAR ("\\uDE00") M_PING),
  ROW ("U+FFFE", "{\"a\":\"\\uFFFE\"}" PING, E_CHAR ("\\uFFFE") M_PING),
  ROW ("U+FFFF", "{\"a\":\"\\uffff\"}" PING, E_CHAR ("\\uffff") M_PING),
  ROW ("U+FDD0", "{\"a\":\"\\uFDD0\"}" PING, E_CHAR ("\\uFDD0") M_PING),
  ROW ("U+FDEF", "{\"a\":\"\\uFDEF\"}" PING, E_CHAR ("\\uFDEF") M_PING),
  ROW ("U+FDCF, U+FDF0, U+FFFD",
       "{\"a\":\"\\uFDCF\\uFDF0\\uFFFD\"}",
       "M {\"a\":\"\xef\xb7\x8f\xef\xb7\xb0\xef\xbf\xbd\"}\n"),
  ROW ("U+1FFFE", "{\"a\":\"\\uD83F\\uDFFE\"}" PING, E_CHAR ("\\uD83F\\uDFFE") M_PING),
  ROW ("U+10FFFF", "{\"a\":\"\\uDBFF\\uDFFF\"}" PING, E_CHAR ("\\uDBFF\\uDFFF") M_PING),
  ROW ("U+FFFE as UTF-8", "{\"a\":\"\xef\xbf\xbe\"}" PING, E_UTF8 M_PING),
  ROW ("U+FDD0 as UTF-8", "{\"a\":\"\xef\xb7\x90\"}" PING, E_UTF8 M_PING),
  ROW ("U+1FFFF as UTF-8", "{\"a\":\"\xf0\x9f\xbf\xbf\"}" PING, E_UTF8 M_PING),
  ROW ("a continuation", "{\"a\":\"\x80\"}" PING, E_UTF8 M_PING),
  ROW ("no continuation", "{\"a\":\"\xc3\"}" PING, E_UTF8 M_PING),
  ROW ("too few", "{\"a\":\"\xe2\x82x\"}" PING, E_UTF8 M_PING),
  ROW ("overlong, two bytes", "{\"a\":\"\xc1\xbf\"}" PING, E_UTF8 M_PING),
  ROW ("overlong, three bytes", "{\"a\":\"\xe0\x9f\xbf\"}" PING, E_UTF8 M_PING),
  ROW ("overlong, four bytes", "{\"a\":\"\xf0\x8f\xbf\xbd\"}" PING, E_UTF8 M_PING),
  ROW ("overlong U+0000", "{\"a\":\"\xe0\x80\x80\"}" PING, E_UTF8 M_PING),
  ROW ("a surrogate", "{\"a\":\"\xed\xa0\x80\"}" PING, E_UTF8 M_PING),
  ROW ("beyond U+10FFFF", "{\"a\":\"\xf4\x90\x80\x80\"}" PING, E_UTF8 M_PING),
  ROW ("five bytes", "{\"a\":\"\xf8\x88\x80\x80\x80\"}" PING, E_UTF8 M_PING),
  ROW ("a NUL", "{\"a\":\"x\0y\"}" PING, E_PARSE ("stray '\"x'") M_PING),
  ROW ("a TAB", "{\"a\":\"x\ty\"}" PING, E_PARSE ("stray '\"x\t'") M_PING),
  ROW ("0xFE", "{\"a\":\"x\xfe\"}" PING, E_PARSE ("stray '\"x\xfe'") M_PING),
  ROW ("a control character behind a backslash",
       "{\"a\":\"\\\t\"}" PING,
       E_PARSE ("stray '\"\\\t'") M_PING),
  ROW ("among the digits", "{\"a\":\"\\u1\t\"}" PING, E_PARSE ("stray '\"\\u1\t'") M_PING),
  ROW ("within UTF-8", "{\"a\":\"\xc3\t\"}" PING, E_PARSE ("stray '\"\xc3\t'") M_PING),
  { NULL },
};

static const Row reset_rows[] = {
  ROW ("alone", "\xff\xff\xff", ""),
  ROW ("before a message", "\xff" SYNC1 "\xff\xff" SYNC2, M_SYNC1 M_SYNC2),
  ROW ("0xFE is no reset", "\xfe\n" PING, E_PARSE ("stray '\xfe'") M_PING),
  ROW ("within an object", "{\"a\":1,\xff" PING, E_PARSE ("stray '\xff'") M_PING),
  ROW ("within a string",
       "{\"execute\":\"guest-sync\",\"argu\xff" PING,
       E_PARSE ("stray '\"argu\xff'") M_PING),
  ROW ("within an escape", "{\"a\\\xff" PING, E_PARSE ("stray '\"a\\\xff'") M_PING),
  ROW ("within UTF-8", "{\"\xc3\xff" PING, E_PARSE ("stray '\"\xc3\xff'") M_PING),
  ROW ("within a number", "{\"a\":-\xff" PING, E_PARSE ("stray '-\xff'") M_PING),
  ROW ("behind a number", "{\"a\":12\xff" PING, E_PARSE ("stray '\xff'") M_PING),
  ROW ("behind a keyword", "{\"a\":true\xff" PING, E_PARSE ("stray '\xff'") M_PING),
  ROW ("behind a word", "foo\xff" PING, E_PARSE ("invalid keyword 'foo'") M_PING),
  ROW ("behind a number at the top", "5\xff" PING, E_OBJECT M_PING),
  ROW ("behind an error", "{\"a\":1,,\xff" PING, E_VALUE M_PING),
  ROW ("behind an error, within a string", "{\"a\":1,,\"x\xff" PING, E_VALUE M_PING),
  ROW ("behind strays", "]x\xff" PING, E_VALUE M_PING),
  ROW ("quoted: 64 bytes at most",
       "{\"a\":'0123456789012345678901234567890123456789012345678901234567890123456789\xff",
       E_PARSE ("stray ''012345678901234567890123456789012345678901234567890123456789012'")),
  ROW ("a word is quoted so too",
       "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz\n",
       E_PARSE (
         "invalid keyword 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl'")),
  { NULL },
};

static const Row recovery_rows[] = {
  ROW ("cut inside a string, then LF",
       "{\"execute\":\"guest-sy\n" SYNC1,
       E_PARSE ("stray '\"guest-sy\n'") M_SYNC1),
  ROW ("cut inside a string, no LF: one line is lost",
       "{\"execute\":\"guest-sy" SYNC1 "\n" SYNC2 "\n",
       E_PARSE ("expected separator in dict") M_SYNC2),
  ROW ("cut outside of a string, then LF",
       "{\"execute\":\n" SYNC1 "\n" SYNC2 "\n",
       E_PARSE ("expected separator in dict") M_SYNC2),
  ROW ("cut outside of a string, no LF",
       "{\"execute\":" SYNC1 "\n" SYNC2 "\n",
       E_PARSE ("expected separator in dict") M_SYNC2),
  ROW (
    "cut behind a key", "{\"execute\"\n" SYNC1 "\n", E_PARSE ("missing : in object pair") M_SYNC1),
  ROW ("cut where a key is to come",
       "{\"a\":1,\n" SYNC1 "\n",
       E_PARSE ("key is not a string in object") M_SYNC1),
  ROW ("the LF may be one of CR LF",
       "{\"a\":1\r\n" SYNC1 "\n",
       E_PARSE ("expected separator in dict") M_SYNC1),
  ROW ("an LF and a blank before the brace do not end it",
       "{\"a\":1,,\n {\"b\":2}}" PING,
       E_VALUE M_PING),
  ROW ("an LF and a brace do", "{\"a\":1,,\n" PING, E_VALUE M_PING),
  ROW ("brackets in strings are none", "{\"a\":1,,\"}\":'}'}" PING, E_VALUE M_PING),
  ROW ("quotes may be escaped", "{\"a\":1,,\"\\\"}\\\\\":1}" PING, E_VALUE M_PING),
  ROW ("an unclosed string ends at the LF", "{\"a\":1,,\"}\n" PING, E_VALUE M_PING),
  ROW ("deeper brackets", "{\"a\":1,,[{}]}" PING, E_VALUE M_PING),
  ROW ("after an error in a string, the close", "{\"a\":\"\\q}\",\"b\":{}}" PING, E_ESCAPE M_PING),
  ROW ("after an error in a string, an LF", "{\"a\":\"\\q\",\n " PING, E_ESCAPE M_PING),
  ROW ("in a string at the top", "\"a\tb" PING "\n" PING, E_PARSE ("stray '\"a\t'") M_PING),
  ROW ("what follows on the line belongs to it", "{\"a\":1,}} x ]\n5\n", E_VALUE E_OBJECT),
  { NULL },
};

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
  check_split (limits, input, strlen (input), expected);
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

  check_text (&qga_limits, most, expected);
  check_text (&qga_limits, more, E_DEPTH M_PING);
  check_text (&qga_limits, open, E_DEPTH M_PING);
  check_text (&qga_limits, closed, E_DEPTH M_PING);
}

/* Nothing recurses, and what is discarded is counted without a limit. */
static void
test_depth_100000 (void)
{
  g_autofree char *open = repeat ("[", 100000, "");
  g_autofree char *close = repeat ("]", 100000, "");
  g_autofree char *input = g_strconcat ("{\"a\":", open, close, "}" PING, NULL);
  g_autoptr (NegoFramer) framer = nego_framer_new (&qga_limits);
  g_autoptr (GString) output = g_string_new (NULL);

  feed (framer, input, strlen (input), output);
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
  g_autoptr (NegoFramer) framer = nego_framer_new (&qga_limits);
  g_autoptr (GString) output = g_string_new (NULL);

  feed (framer, most, strlen (most), output);
  feed (framer, more, strlen (more), output);
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
  g_autoptr (NegoFramer) framer = nego_framer_new (&qga_limits);
  g_autoptr (GString) output = g_string_new (NULL);

  feed (framer, "{\"a\":\"", 6, output);
  for (guint i = 0; i < 64; i++) {
    g_assert_cmpstr (output->str, ==, "");
    feed (framer, piece, 1u << 20, output);
  }
  g_assert_cmpstr (output->str, ==, E_SIZE);
  feed (framer, piece, 1u << 20, output);
  feed (framer, "\"}" PING, strlen ("\"}" PING), output);
  g_assert_cmpstr (output->str, ==, E_SIZE M_PING);
}

static void
test_resets (void)
{
  g_autofree char *input = g_strnfill (1u << 20, '\xff');
  g_autoptr (NegoFramer) framer = nego_framer_new (&qga_limits);
  g_autoptr (GString) output = g_string_new (NULL);

  feed (framer, input, 1u << 20, output);
  g_assert_cmpstr (output->str, ==, "");
}

/* Half a million keys in one object: the time is not their square. */
static void
test_many_keys (void)
{
  g_autoptr (GString) input = g_string_new ("{\"a\":{");
  g_autoptr (NegoFramer) framer = nego_framer_new (&qga_limits);
  g_autoptr (GString) output = g_string_new (NULL);

  for (guint i = 0; i < 500000; i++)
    g_string_append_printf (input, "\"%u\":1,", i);
  g_string_append (input, "\"x\":1}}");
  feed (framer, input->str, input->len, output);
  g_assert_cmpuint (output->len, ==, input->len + 3);
  g_string_truncate (output, 0);
  g_string_truncate (input, input->len - strlen ("\"x\":1}}"));
  g_string_append (input, "\"\\u0030\":1}}" PING);
  feed (framer, input->str, input->len, output);
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
    check_text (&qga_limits, input->str, expected);
    g_string_truncate (input, input->len - strlen ("\"x\":1}"));
    g_string_append_printf (input, "\"k%u\":1}" PING, n - 1);
    check_text (&qga_limits, input->str, E_PARSE ("duplicate key") M_PING);
  }
}

static NegoFramerResult
feed_once (NegoFramer *framer, const char *input, NegoFramerMessage *message)
{
  gsize used;
  NegoFramerResult result
    = nego_framer_feed (framer, (const guint8 *) input, strlen (input), &used, message, NULL);

  g_assert_cmpuint (used, ==, strlen (input));
  return result;
}

static void
check_member (const NegoFramerMessage *message,
              const char *name,
              NegoJsonKind kind,
              gboolean has_nul,
              const char *value)
{
  const NegoFramerMember *member = nego_framer_message_find (message, name);
  g_autofree char *text = NULL;

  g_assert_nonnull (member);
  text = g_strndup (message->text + member->value, member->value_len);
  g_assert_cmpstr (text, ==, value);
  g_assert_cmpint (member->kind, ==, kind);
  g_assert_cmpint (member->has_nul, ==, has_nul);
}

static void
test_members (void)
{
  g_autoptr (NegoFramer) framer = nego_framer_new (&qga_limits);
  NegoFramerMessage message;

  g_assert_cmpint (feed_once (framer,
                              "{ 'o' : {'x\\u0000':[]}, 'a' : [ 1 , '\\u0000' ], 's' : 'x',"
                              " 'i' : -5, 'n' : 18446744073709551615, 'b\\u0000' : true, '0':null,"
                              "'\\u0065' : 1.0, 'more' : 1, 'yet' : 2 }",
                              &message),
                   ==, NEGO_FRAMER_MESSAGE);
  g_assert_cmpuint (message.n_members, ==, 10);
  check_member (&message, "o", NEGO_JSON_OBJECT, TRUE, "{\"x\\u0000\":[]}");
  check_member (&message, "a", NEGO_JSON_ARRAY, TRUE, "[1,\"\\u0000\"]");
  check_member (&message, "s", NEGO_JSON_STRING, FALSE, "\"x\"");
  check_member (&message, "i", NEGO_JSON_INTEGER, FALSE, "-5");
  check_member (&message, "n", NEGO_JSON_NUMBER, FALSE, "18446744073709551615.0");
  check_member (&message, "0", NEGO_JSON_NULL, FALSE, "null");
  check_member (&message, "e", NEGO_JSON_NUMBER, FALSE, "1.0");
  g_assert_cmpint (message.members[5].kind, ==, NEGO_JSON_BOOLEAN);
  g_assert_false (message.members[5].has_nul);
  g_assert_null (nego_framer_message_find (&message, "more"));
  g_assert_null (nego_framer_message_find (&message, "b"));
  g_assert_null (nego_framer_message_find (&message, ""));
  g_assert_cmpint (feed_once (framer, "{}", &message), ==, NEGO_FRAMER_MESSAGE);
  g_assert_cmpuint (message.n_members, ==, 0);
  g_assert_null (nego_framer_message_find (&message, "o"));
}

static void
test_pending (void)
{
  static const char *const begun[] = { "{", "[", "\"", "5", "foo", "{\"a\":\"x\t", "{]", "\"\t" };
  static const char *const not_begun[] = { "", " \n", PING, "\xff", "%%", "[]", "{\"a\",}", "]" };
  g_autoptr (GString) output = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (begun); i++) {
    g_autoptr (NegoFramer) framer = nego_framer_new (&qga_limits);

    feed (framer, begun[i], strlen (begun[i]), output);
    g_assert_cmpint (nego_framer_is_pending (framer), ==, i != 6);
    nego_framer_reset (framer);
    g_assert_false (nego_framer_is_pending (framer));
    g_string_truncate (output, 0);
    feed (framer, PING, strlen (PING), output);
    g_assert_cmpstr (output->str, ==, M_PING);
  }
  for (guint i = 0; i < G_N_ELEMENTS (not_begun); i++) {
    g_autoptr (NegoFramer) framer = nego_framer_new (&qga_limits);

    feed (framer, not_begun[i], strlen (not_begun[i]), output);
    g_assert_false (nego_framer_is_pending (framer));
  }
}

/* A random valid value, also as json-glib is to see it. */
static JsonNode *
make_value (GString *text, guint depth)
{
  static const char *const numbers[] = { "0",
                                         "-0",
                                         "1",
                                         "-17",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "0.5",
                                         "1e5",
                                         "-2E-3",
                                         "0e1",
                                         "0.0",
                                         "18446744073709551615",
                                         "1e22",
                                         "-0.0",
                                         "5e-324",
                                         "123456789.125" };
  static const char *const strings[][2]
    = { { "\"\"", "" },
        { "'it\\'s'", "it's" },
        { "\"\\u20ac\\ud83d\\ude00\"", "€😀" },
        { "'\"'", "\"" },
        { "\"\\\\\\/\\b\\f\\n\\r\\t\"", "\\/\b\f\n\r\t" },
        { "\"é\x7f\\u0001\"", "é\x7f\001" },
        { "\"0123456789 plain text\"", "0123456789 plain text" } };
  JsonNode *node = json_node_alloc ();
  guint i, n;

  g_string_append_printf (text, "%*s", g_test_rand_int_range (0, 3), "");
  switch (g_test_rand_int_range (0, depth > 0 ? 6 : 4)) {
  case 0:
    n = (guint) g_test_rand_int_range (0, G_N_ELEMENTS (numbers));
    g_string_append (text, numbers[n]);
    if (n < 6)
      json_node_init_int (node, g_ascii_strtoll (numbers[n], NULL, 10));
    else
      json_node_init_double (node, g_ascii_strtod (numbers[n], NULL));
    break;
  case 1:
    n = (guint) g_test_rand_int_range (0, G_N_ELEMENTS (strings));
    g_string_append (text, strings[n][0]);
    json_node_init_string (node, strings[n][1]);
    break;
  case 2:
    n = (guint) g_test_rand_int_range (0, 2);
    g_string_append (text, n ? "true" : "false");
    json_node_init_boolean (node, n != 0);
    break;
  case 3:
    g_string_append (text, "null");
    json_node_init_null (node);
    break;
  case 4:
    json_node_init_array (node, json_array_new ());
    json_array_unref (json_node_get_array (node));
    g_string_append_c (text, '[');
    for (i = 0, n = (guint) g_test_rand_int_range (0, 5); i < n; i++) {
      g_string_append (text, i > 0 ? "\n," : "");
      json_array_add_element (json_node_get_array (node), make_value (text, depth - 1));
    }
    g_string_append (text, " ]");
    break;
  default:
    json_node_init_object (node, json_object_new ());
    json_object_unref (json_node_get_object (node));
    g_string_append_c (text, '{');
    for (i = 0, n = (guint) g_test_rand_int_range (0, 25); i < n; i++) {
      char key[16];

      g_snprintf (key, sizeof key, "k%u", i);
      g_string_append_printf (text, "%s'%s' :", i > 0 ? ", " : "", key);
      json_object_set_member (json_node_get_object (node), key, make_value (text, depth - 1));
    }
    g_string_append (text, "}");
    break;
  }
  return node;
}

/* What the framer passes on, json-glib reads as what was meant. */
static void
test_round_trip (void)
{
  for (guint round = 0; round < 500; round++) {
    g_autoptr (NegoFramer) framer = nego_framer_new (&qga_limits);
    g_autoptr (GString) text = g_string_new ("{\"a\":");
    g_autoptr (JsonNode) value = make_value (text, 4);
    g_autoptr (JsonNode) parsed = NULL;
    g_autoptr (GError) error = NULL;
    NegoFramerMessage message;

    g_string_append (text, "}");
    g_assert_cmpint (feed_once (framer, text->str, &message), ==, NEGO_FRAMER_MESSAGE);
    parsed = json_from_string (message.text, &error);
    g_assert_no_error (error);
    if (!json_node_equal (json_object_get_member (json_node_get_object (parsed), "a"), value))
      g_error ("json-glib reads another value from %s", message.text);
  }
}

/* No number becomes another one, and none becomes infinite. */
static void
test_json_glib_numbers (void)
{
  static const char *const numbers[] = {
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999",
    "1e400",
    "-1e400",
    "1e-400",
    "1E308",
    "0.1",
    "-0.0",
    "1e0",
  };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    g_autoptr (NegoFramer) framer = nego_framer_new (&qga_limits);
    g_autofree char *text = g_strdup_printf ("{\"a\":%s}", numbers[i]);
    g_autoptr (JsonNode) parsed = NULL;
    NegoFramerMessage message;
    double value, wanted = g_ascii_strtod (numbers[i], NULL);
    JsonNode *node;

    g_assert_cmpint (feed_once (framer, text, &message), ==, NEGO_FRAMER_MESSAGE);
    g_assert_cmpint (message.members[0].kind, ==, NEGO_JSON_NUMBER);
    parsed = json_from_string (message.text, NULL);
    g_assert_nonnull (parsed);
    node = json_object_get_member (json_node_get_object (parsed), "a");
    g_assert_true (json_node_get_value_type (node) == G_TYPE_DOUBLE);
    value = json_node_get_double (node);
    g_assert_true (isfinite (value));
    if (isfinite (wanted))
      g_assert_cmpfloat (value, ==, wanted);
    else
      g_assert_cmpfloat (value, ==, wanted > 0 ? G_MAXDOUBLE : -G_MAXDOUBLE);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/framer/framing", framing_rows, test_rows);
  g_test_add_data_func ("/framer/grammar", grammar_rows, test_rows);
  g_test_add_data_func ("/framer/number", number_rows, test_rows);
  g_test_add_data_func ("/framer/string", string_rows, test_rows);
  g_test_add_data_func ("/framer/reset", reset_rows, test_rows);
  g_test_add_data_func ("/framer/recovery", recovery_rows, test_rows);
  g_test_add_func ("/framer/depth", test_depth);
  g_test_add_func ("/framer/depth/100000", test_depth_100000);
  g_test_add_func ("/framer/tokens", test_tokens);
  g_test_add_func ("/framer/tokens/qga", test_tokens_qga);
  g_test_add_func ("/framer/bytes", test_bytes);
  g_test_add_func ("/framer/bytes/qga", test_bytes_qga);
  g_test_add_func ("/framer/resets", test_resets);
  g_test_add_func ("/framer/keys/some", test_some_keys);
  g_test_add_func ("/framer/keys/many", test_many_keys);
  g_test_add_func ("/framer/members", test_members);
  g_test_add_func ("/framer/pending", test_pending);
  g_test_add_func ("/framer/round-trip", test_round_trip);
  g_test_add_func ("/framer/json-glib-numbers", test_json_glib_numbers);
  return g_test_run ();
}
