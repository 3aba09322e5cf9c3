/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/framer.h"

#include <json-glib/json-glib.h>

#include <string.h>

/* What came of some input, a line each: "M <the message's text>" or "E <the error's text>". */
static char *
frame (const NegoFramerLimits *limits, const char *data, gsize len, gsize piece)
{
  g_autoptr (NegoFramer) framer = nego_framer_new (limits);
  GString *log = g_string_new (NULL);
  gsize at = 0;

  while (at < len) {
    gsize step = piece > 0 ? piece : (gsize) g_random_int_range (1, 9);
    gsize end = MIN (len, at + step);

    while (at < end) {
      NegoFramerMessage message;
      g_autoptr (GError) error = NULL;
      gsize used = 0;

      switch (
        nego_framer_feed (framer, (const guint8 *) data + at, end - at, &used, &message, &error)) {
      case NEGO_FRAMER_MESSAGE:
        g_assert_no_error (error);
        g_assert_cmpuint (message.len, ==, strlen (message.text));
        g_string_append_printf (log, "M %s\n", message.text);
        break;
      case NEGO_FRAMER_ERROR:
        g_assert_error (error, NEGO_ERROR, NEGO_ERROR_PARSE);
        g_string_append_printf (log, "E %s\n", error->message);
        break;
      default:
        g_assert_no_error (error);
        g_assert_cmpuint (used, ==, end - at);
        break;
      }
      at += used;
    }
  }
  return g_string_free (log, FALSE);
}

static const NegoFramerLimits wide = { 1u << 20, 100000, 1024 };

/* The result may not depend on how the bytes come. */
static void
check (const char *data, gsize len, const char *expected)
{
  const gsize pieces[] = { len, 1, 2, 3, 0, 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (pieces); i++) {
    g_autofree char *log = frame (&wide, data, len, pieces[i]);

    g_assert_cmpstr (log, ==, expected);
  }
}

typedef struct {
  const char *name, *input, *expected;
} Row;

#define OBJECT "E QMP input must be a JSON object\n"
#define PARSE  "E JSON parse error, "

static const Row rows[] = {
  /* Whole messages. */
  { "no-lf", "{\"execute\":\"guest-ping\"}", "M {\"execute\":\"guest-ping\"}\n" },
  { "several", "{}{}\n{} \t\r\n\n {}", "M {}\nM {}\nM {}\nM {}\n" },
  { "pretty", "{\n  \"a\":\n  [\n{\n}\n]\n}\n", "M {\"a\":[{}]}\n" },
  { "scalars", "{\"a\":[true,false,null,-0,1.5e+3]}", "M {\"a\":[true,false,null,-0,1.5e+3]}\n" },
  { "single-quotes", "{'a':'b\"c\\'d'}", "M {\"a\":\"b\\\"c'd\"}\n" },
  { "mixed-quotes", "{\"a'\":'\"'}", "M {\"a'\":\"\\\"\"}\n" },
  { "escapes", "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"}",
    "M {\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"}\n" },
  { "surrogates", "{\"a\":\"\\ud83d\\ude00\"}", "M {\"a\":\"\\ud83d\\ude00\"}\n" },
  { "utf-8", "{\"a\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"}",
    "M {\"a\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"}\n" },
  { "modified-utf-8", "{\"a\":\"\xc0\x80\"}", "M {\"a\":\"\\u0000\"}\n" },
  { "del", "{\"a\":\"\x7f\"}", "M {\"a\":\"\x7f\"}\n" },
  { "int64", "{\"a\":[9223372036854775807,-9223372036854775808]}",
    "M {\"a\":[9223372036854775807,-9223372036854775808]}\n" },
  { "beyond-int64", "{\"a\":[9223372036854775808,-9223372036854775809]}",
    "M {\"a\":[9223372036854775808.0,-9223372036854775809.0]}\n" },
  { "beyond-double", "{\"a\":[1e400,-1e400]}",
    "M {\"a\":[1.7976931348623157e+308,-1.7976931348623157e+308]}\n" },
  { "id-verbatim", "{\"id\":[18446744073709551615,1e400],\"b\":{\"id\":9223372036854775808}}",
    "M {\"id\":[18446744073709551615,1e400],\"b\":{\"id\":9223372036854775808.0}}\n" },
  { "same-key-elsewhere", "{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":2}]}",
    "M {\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":2}]}\n" },

  /* What is no object. */
  { "top-number", "5\n6 ", OBJECT OBJECT },
  { "top-number-waits", "5", "" },
  { "top-string", "\"x\"\n", OBJECT },
  { "top-keyword", "true null\n", OBJECT },
  { "top-array", "[1,2]{}", OBJECT "M {}\n" },
  { "top-word", "foo\n", PARSE "invalid keyword 'foo'\n" },
  { "top-word-object", "foo{}", PARSE "invalid keyword 'foo'\nM {}\n" },

  /* Stray bytes between messages: one error for a run. */
  { "stray-text", "Hello World\n{}", PARSE "stray 'H'\nM {}\n" },
  { "stray-run", "]]] 1 2 \"x {}", PARSE "expecting value\nM {}\n" },
  { "stray-lines", "H\nH\n", PARSE "stray 'H'\n" PARSE "stray 'H'\n" },
  { "bom", "\xef\xbb\xbf{}", PARSE "stray '\xef'\nM {}\n" },
  { "comment", "/* {} */ {}", PARSE "stray '/'\nM {}\n" PARSE "stray '*'\nM {}\n" },
  { "line-comment", "# x\n{}", PARSE "stray '#'\nM {}\n" },
  { "percent", "%p\n{}", PARSE "stray '%'\nM {}\n" },
  { "escape-byte", "\x1b\x04{}", PARSE "stray '\x1b'\nM {}\n" },
  { "fe", "\xfe\xfe{}", PARSE "stray '\xfe'\nM {}\n" },
  { "top-bracket", "}\n{}", PARSE "expecting value\nM {}\n" },

  /* 0xFF. */
  { "ff", "\xff\xff\xff", "" },
  { "ff-message", "\xff{}\xff{}", "M {}\nM {}\n" },
  { "ff-in-string", "{\"execute\":\"guest-sync\",\"argu\xff{\"a\":4}",
    PARSE "stray '\"argu\xff'\nM {\"a\":4}\n" },
  { "ff-in-object", "{\"execute\":\xff{}", PARSE "stray '\xff'\nM {}\n" },
  { "ff-in-number", "{\"a\":12\xff{}", PARSE "stray '12\xff'\nM {}\n" },
  { "ff-in-stray", "xyz\xff{}", PARSE "stray 'xyz\xff'\nM {}\n" },
  { "ff-ends-discard", "{\"a\":]\xff{}", PARSE "expecting value\nM {}\n" },
  { "ff-ends-stray", "H \xff\n{}", PARSE "stray 'H'\nM {}\n" },

  /* Grammar. */
  { "trailing-comma", "{\"execute\":\"guest-ping\",}{}", PARSE "expecting value\nM {}\n" },
  { "no-value", "{\"execute\":}{}", PARSE "expecting value\nM {}\n" },
  { "comma-first", "{,}[,]", PARSE "expecting value\n" PARSE "expecting value\n" },
  { "list-trailing-comma", "{\"a\":[1,]}{}", PARSE "expecting value\nM {}\n" },
  { "number-key", "{1:2}{}", PARSE "key is not a string in object\nM {}\n" },
  { "array-key", "{[1]:2}{}", PARSE "key is not a string in object\nM {}\n" },
  { "object-key", "{{}:2}{}", PARSE "key is not a string in object\nM {}\n" },
  { "no-colon", "{\"a\" 1}{}", PARSE "missing : in object pair\nM {}\n" },
  { "no-colon-string", "{\"a\" \"}\"}{}", PARSE "missing : in object pair\nM {}\n" },
  { "no-dict-separator", "{\"a\":1 \"b\":2}{}", PARSE "expected separator in dict\nM {}\n" },
  { "no-list-separator", "[1 2]{}", PARSE "expected separator in list\nM {}\n" },
  { "wrong-close", "{]{}", PARSE "expecting value\nM {}\n" },
  { "wrong-close-value", "{\"a\":1]{}", PARSE "expected separator in dict\nM {}\n" },
  { "wrong-close-list", "{\"a\":[1}}", PARSE "expected separator in list\n" },
  { "keyword", "{\"a\":nul}{}", PARSE "invalid keyword 'nul'\nM {}\n" },
  { "capital", "{\"a\":True}{}", PARSE "stray 'T'\nM {}\n" },
  { "duplicate", "{\"a\":1,\"a\":2}{}", PARSE "duplicate key\nM {}\n" },
  { "duplicate-escaped", "{\"a\":1,\"\\u0061\":2}{}", PARSE "duplicate key\nM {}\n" },
  { "duplicate-inner", "{\"x\":{\"a\":1,'a':2}}{}", PARSE "duplicate key\nM {}\n" },

  /* Numbers. */
  { "leading-zero", "{\"a\":01}{}", PARSE "stray '01'\nM {}\n" },
  { "minus", "{\"a\":-}{}", PARSE "stray '-}'\nM {}\n" },
  { "minus-bracket", "{\"a\":-{}}{}", PARSE "stray '-{'\nM {}\n" },
  { "plus", "{\"a\":+1}{}", PARSE "stray '+'\nM {}\n" },
  { "dot", "{\"a\":1.}{}", PARSE "stray '1.}'\nM {}\n" },
  { "exponent", "{\"a\":1e}{}", PARSE "stray '1e}'\nM {}\n" },
  { "exponent-sign", "{\"a\":1e+x}{}", PARSE "stray '1e+x'\nM {}\n" },
  { "hexadecimal", "{\"a\":0x10}{}", PARSE "expected separator in dict\nM {}\n" },

  /* Strings. */
  { "tab", "{\"a\":\"x\ty\"}\n{}", PARSE "stray '\"x\t'\nM {}\n" },
  { "lf", "{\"execute\":\"gu\n{\"a\":1}", PARSE "stray '\"gu\n'\nM {\"a\":1}\n" },
  { "fe-in-string", "{\"a\":\"x\xfe\"}{}", PARSE "stray '\"x\xfe'\nM {}\n" },
  { "bad-escape", "{\"a\":\"\\x\"}{}", PARSE "invalid escape sequence in string\nM {}\n" },
  { "bad-hex", "{\"a\":\"\\u00g0\"}{}", PARSE "\\u00 is not a valid Unicode character\nM {}\n" },
  { "short-hex", "{\"a\":\"\\u12\"}{}", PARSE "\\u12 is not a valid Unicode character\nM {}\n" },
  { "lone-leading", "{\"a\":\"\\ud800x\"}{}",
    PARSE "\\ud800 is not a valid Unicode character\nM {}\n" },
  { "lone-trailing", "{\"a\":\"\\udc00\"}{}",
    PARSE "\\udc00 is not a valid Unicode character\nM {}\n" },
  { "two-leading", "{\"a\":\"\\ud800\\ud800\"}{}",
    PARSE "\\ud800 is not a valid Unicode character\nM {}\n" },
  { "noncharacter-ffff", "{\"a\":\"\\uFFFF\"}{}",
    PARSE "\\uFFFF is not a valid Unicode character\nM {}\n" },
  { "noncharacter-fdd0", "{\"a\":\"\\ufdd0\"}{}",
    PARSE "\\ufdd0 is not a valid Unicode character\nM {}\n" },
  { "noncharacter-plane", "{\"a\":\"\\ud83f\\udfff\"}{}",
    PARSE "\\ud83f\\udfff is not a valid Unicode character\nM {}\n" },
  { "invalid-utf-8", "{\"a\":\"\xc3\"}{}", PARSE "invalid UTF-8 sequence in string\nM {}\n" },
  { "lone-continuation", "{\"a\":\"\x80\"}{}", PARSE "invalid UTF-8 sequence in string\nM {}\n" },
  { "overlong", "{\"a\":\"\xc0\xaf\"}{}", PARSE "invalid UTF-8 sequence in string\nM {}\n" },
  { "encoded-surrogate", "{\"a\":\"\xed\xa0\x80\"}{}",
    PARSE "invalid UTF-8 sequence in string\nM {}\n" },
  { "utf-8-noncharacter", "{\"a\":\"\xef\xbf\xbf\"}{}",
    PARSE "invalid UTF-8 sequence in string\nM {}\n" },
  { "beyond-unicode", "{\"a\":\"\xf4\x90\x80\x80\"}{}",
    PARSE "invalid UTF-8 sequence in string\nM {}\n" },

  /* Where a malformed message ends. */
  { "until-close", "{\"a\":[1 2,{\"x\":\"}\\\"}\",'}':{}}]}{}",
    PARSE "expected separator in list\nM {}\n" },
  { "until-lf-brace", "{\"a\":,[[[\n{\"b\":1}", PARSE "expecting value\nM {\"b\":1}\n" },
  { "lf-blank-brace", "{\"a\":,[[\n {\"b\":1}\n{}", PARSE "expecting value\nM {}\n" },
  { "error-at-brace", "{\"execute\":{\"id\":1}\n{\"id\":2}",
    PARSE "expected separator in dict\nM {\"id\":2}\n" },
  { "string-until-lf", "{\"a\":\"\\x [[[ \n{}", PARSE "invalid escape sequence in string\nM {}\n" },
  { "cut-string",
    "{\"execute\":\"gu{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1}}\n{\"a\":2}",
    PARSE "expected separator in dict\nM {\"a\":2}\n" },
  { "pretty-malformed", "{\"a\" \"b\",\n \"c\":1\n}\n{\"x\":1}",
    PARSE "missing : in object pair\nM {\"x\":1}\n" },
  { "quote-cut", "{\"a\":1 x'\n{}", PARSE "expected separator in dict\nM {}\n" },
};

static void
test_row (gconstpointer data)
{
  const Row *row = data;

  check (row->input, strlen (row->input), row->expected);
}

static void
test_nul (void)
{
  static const char stray[] = "\0\0\0{}", inside[] = "{\"a\":\0}{}",
                    in_string[] = "{\"a\":\"x\0y\"}{}";

  check (stray, sizeof stray - 1, PARSE "stray ''\nM {}\n");
  check (inside, sizeof inside - 1, PARSE "stray ''\nM {}\n");
  check (in_string, sizeof in_string - 1, PARSE "stray '\"x'\nM {}\n");
}

static void
test_quote (void)
{
  g_autofree char *word = g_strnfill (1000, 'w');
  g_autofree char *input = g_strdup_printf ("%s\n{\"a\":\"%s\t", word, word);
  g_autofree char *expected
    = g_strdup_printf (PARSE "invalid keyword '%.64s'\n" PARSE "stray '\"%.63s'\n", word, word);

  check (input, strlen (input), expected);
}

static void
test_members (void)
{
  g_autoptr (NegoFramer) framer = nego_framer_new (&wide);
  const char *text = " { \"execute\" : 'x' ,'arguments':{\"k\":\"\\u0000\"}, \"id\":[1 , 2],"
                     "\"i\":-5,\"n\":1.5,\"t\":true,\"z\":null,\"ninth\":0,\"tenth\":1}";
  static const struct {
    const char *key, *value;
    NegoJsonKind kind;
    gboolean has_nul;
  } expected[] = {
    { "\"execute\"", "\"x\"", NEGO_JSON_STRING, FALSE },
    { "\"arguments\"", "{\"k\":\"\\u0000\"}", NEGO_JSON_OBJECT, TRUE },
    { "\"id\"", "[1,2]", NEGO_JSON_ARRAY, FALSE },
    { "\"i\"", "-5", NEGO_JSON_INTEGER, FALSE },
    { "\"n\"", "1.5", NEGO_JSON_NUMBER, FALSE },
    { "\"t\"", "true", NEGO_JSON_BOOLEAN, FALSE },
    { "\"z\"", "null", NEGO_JSON_NULL, FALSE },
    { "\"ninth\"", "0", NEGO_JSON_INTEGER, FALSE },
  };
  NegoFramerMessage message;
  gsize used;

  g_assert_cmpint (nego_framer_feed (framer, (const guint8 *) text, strlen (text), &used, &message,
                                     NULL),
                   ==, NEGO_FRAMER_MESSAGE);
  g_assert_cmpuint (message.n_members, ==, 9);
  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++) {
    const NegoFramerMember *member = &message.members[i];
    g_autofree char *key = g_strndup (message.text + member->key, member->key_len);
    g_autofree char *value = g_strndup (message.text + member->value, member->value_len);

    g_assert_cmpstr (key, ==, expected[i].key);
    g_assert_cmpstr (value, ==, expected[i].value);
    g_assert_cmpint (member->kind, ==, expected[i].kind);
    g_assert_cmpint (member->has_nul, ==, expected[i].has_nul);
  }
  g_assert_true (nego_framer_message_find (&message, "id") == &message.members[2]);
  g_assert_null (nego_framer_message_find (&message, "tenth"));
  g_assert_false (nego_framer_is_pending (framer));
}

/* Each limit: at it a message, one above an error, and the next message is whole again. */
static void
check_limit (const NegoFramerLimits *limits, const char *at, const char *above, const char *error)
{
  g_autofree char *input = g_strconcat (at, above, "\n{}", NULL);
  g_autofree char *expected = g_strdup_printf ("M %s\nE %s\nM {}\n", at, error);
  g_autofree char *log = frame (limits, input, strlen (input), strlen (input));

  g_assert_cmpstr (log, ==, expected);
}

static void
test_limit_bytes (void)
{
  const NegoFramerLimits limits = { 13, 1000, 1000 };

  check_limit (&limits, "{\"a\":\"12345\"}", "{\"a\":\"123456\"}",
               "JSON token size limit exceeded");
  check_limit (&limits, "{\"a\":1234567}", "{\"a\":12345678}", "JSON token size limit exceeded");
}

static void
test_limit_tokens (void)
{
  const NegoFramerLimits limits = { 1000, 9, 1000 };

  check_limit (&limits, "{\"a\":[1,2]}", "{\"a\":[1,2,3]}", "JSON token count limit exceeded");
}

static void
test_limit_depth (void)
{
  const NegoFramerLimits limits = { 1000, 1000, 3 };

  check_limit (&limits, "{\"a\":[[]]}", "{\"a\":[[[]]]}", "JSON nesting depth limit exceeded");
  check_limit (&limits, "{\"a\":{\"b\":{}}}", "{\"a\":{\"b\":{\"c\":{}}}}",
               "JSON nesting depth limit exceeded");
}

static void
test_deep (void)
{
  g_autofree char *open = g_strnfill (100000, '[');
  g_autofree char *close = g_strnfill (100000, ']');
  g_autofree char *input = g_strconcat (open, close, "{}", NULL);
  g_autofree char *log = frame (&wide, input, strlen (input), strlen (input));

  g_assert_cmpstr (log, ==, "E JSON nesting depth limit exceeded\nM {}\n");
}

/* 0, few and many keys are compared in different ways. */
static void
test_many_keys (void)
{
  for (guint n = 14; n < 20; n++)
    for (guint twice = 0; twice < n; twice++) {
      g_autoptr (GString) input = g_string_new ("{\"x\":{");
      g_autofree char *log = NULL;

      for (guint i = 0; i < n; i++)
        g_string_append_printf (input, "\"k%u\":%u,", i, i);
      g_string_append_printf (input, "\"\\u006b%u\":0}}\n", twice);
      log = frame (&wide, input->str, input->len, input->len);
      g_assert_cmpstr (log, ==, PARSE "duplicate key\n");
    }
}

/* Half a million keys take no longer than sorting them does; memory is given back. */
static void
test_key_flood (void)
{
  const NegoFramerLimits limits = { 64u << 20, 2u << 20, 1024 };
  g_autoptr (GString) input = g_string_new ("{\"x\":{");
  g_autofree char *log = NULL;

  for (guint i = 0; i < 400000; i++)
    g_string_append_printf (input, "%s\"%u\":0", i > 0 ? "," : "", i);
  g_string_append (input, "}}");
  log = frame (&limits, input->str, input->len, input->len);
  g_assert_true (g_str_has_prefix (log, "M {\"x\":{\"0\":0,"));
}

static void
test_reset (void)
{
  g_autoptr (NegoFramer) framer = nego_framer_new (&wide);
  NegoFramerMessage message;
  gsize used;

  g_assert_cmpint (nego_framer_feed (framer, (const guint8 *) "{\"a\":\"x", 7, &used, &message,
                                     NULL),
                   ==, NEGO_FRAMER_MORE);
  g_assert_true (nego_framer_is_pending (framer));
  nego_framer_reset (framer);
  g_assert_false (nego_framer_is_pending (framer));
  g_assert_cmpint (nego_framer_feed (framer, (const guint8 *) "{}", 2, &used, &message, NULL), ==,
                   NEGO_FRAMER_MESSAGE);
  g_assert_cmpstr (message.text, ==, "{}");
}

static void
append_random_string (GString *text)
{
  static const char *const parts[] = { "a", "\\n", "\\u00e4",      "\xc3\xa4", "\\ud83d\\ude00",
                                       " ", "/",   "\xe2\x82\xac", "\\\\",     "\\\"" };

  g_string_append_c (text, '"');
  for (int n = g_random_int_range (0, 8); n > 0; n--)
    g_string_append (text, parts[g_random_int_range (0, G_N_ELEMENTS (parts))]);
  g_string_append_c (text, '"');
}

static void
append_random_value (GString *text, guint depth)
{
  switch (g_random_int_range (0, depth > 4 ? 5 : 7)) {
  case 0:
    g_string_append (text, g_random_boolean () ? "true" : "null");
    break;
  case 1:
    g_string_append_printf (text, "%d", (int) g_random_int ());
    break;
  case 2:
    g_string_append_printf (text, "%d.%ue%d", g_random_int_range (-99, 99), g_random_int () % 1000,
                            g_random_int_range (-9, 9));
    break;
  case 3:
  case 4:
    append_random_string (text);
    break;
  case 5:
    g_string_append_c (text, '[');
    for (int n = g_random_int_range (0, 4), i = 0; i < n; i++) {
      g_string_append (text, i > 0 ? " , " : "");
      append_random_value (text, depth + 1);
    }
    g_string_append_c (text, ']');
    break;
  default:
    g_string_append_c (text, '{');
    for (int n = g_random_int_range (0, 4), i = 0; i < n; i++) {
      g_string_append_printf (text, "%s\"k%d\" :", i > 0 ? "," : "\n", i);
      append_random_value (text, depth + 1);
    }
    g_string_append_c (text, '}');
    break;
  }
}

/* What passes means the same to json-glib as what came. */
static void
test_round_trip (void)
{
  for (guint i = 0; i < 2000; i++) {
    g_autoptr (GString) text = g_string_new ("{\"v\":");
    g_autoptr (JsonNode) before = NULL, after = NULL;
    g_autofree char *log = NULL;

    append_random_value (text, 0);
    g_string_append_c (text, '}');
    log = frame (&wide, text->str, text->len, 0);
    g_assert_true (g_str_has_prefix (log, "M "));
    before = json_from_string (text->str, NULL);
    after = json_from_string (log + 2, NULL);
    g_assert_true (json_node_equal (before, after));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strconcat ("/framer/rows/", rows[i].name, NULL);

    g_test_add_data_func (path, &rows[i], test_row);
  }
  g_test_add_func ("/framer/nul", test_nul);
  g_test_add_func ("/framer/quote", test_quote);
  g_test_add_func ("/framer/members", test_members);
  g_test_add_func ("/framer/limit/bytes", test_limit_bytes);
  g_test_add_func ("/framer/limit/tokens", test_limit_tokens);
  g_test_add_func ("/framer/limit/depth", test_limit_depth);
  g_test_add_func ("/framer/deep", test_deep);
  g_test_add_func ("/framer/many-keys", test_many_keys);
  g_test_add_func ("/framer/key-flood", test_key_flood);
  g_test_add_func ("/framer/reset", test_reset);
  g_test_add_func ("/framer/round-trip", test_round_trip);
  return g_test_run ();
}
