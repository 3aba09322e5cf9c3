/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/framer-log.h"

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

static void
test_rows (gconstpointer data)
{
  for (const Row *row = data; row->name != NULL; row++) {
    g_test_message ("%s", row->name);
    framer_log_check (&FRAMER_LOG_LIMITS, row->input, row->len, row->output);
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
  return g_test_run ();
}
