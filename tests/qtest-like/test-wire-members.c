/* SPDX-License-Identifier: MIT */
/*
 * The members of a request, the types of their values, and the dialect of JSON.
 */
#include "config.h"

#include "tests/qtest-like/libnegotest.h"

#define PING             NEGO_TEST_PING
#define PONG             NEGO_TEST_PONG
#define PARSE(why)       NEGO_TEST_ERROR ("JSON parse error, " why)
#define SYNC(id)         "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":" id "}}"
#define WITH_ID(id)      "{\"execute\":\"guest-ping\",\"id\":" id "}"
#define PONG_WITH_ID(id) "{\"return\": {}, \"id\": " id "}"
#define ERROR_WITH_ID(id, desc) \
  "{\"id\": " id ", \"error\": {\"class\": \"GenericError\", \"desc\": \"" desc "\"}}"
#define UNEXPECTED(name) NEGO_TEST_ERROR ("QMP input member '" name "' is unexpected")
#define NOT_OBJECT       NEGO_TEST_ERROR ("QMP input member 'arguments' must be an object")
#define NOT_STRING       NEGO_TEST_ERROR ("QMP input member 'execute' must be a string")
#define LACKS_EXECUTE    NEGO_TEST_ERROR ("QMP input lacks member 'execute'")
#define NOT_INTEGER      NEGO_TEST_ERROR ("Invalid parameter type for 'id', expected: integer")
#define BAD_UTF8         PARSE ("invalid UTF-8 sequence in string")

#define ONCE   "one error for a malformed message, not one for each of its pieces"
#define QUOTES "the error quotes the wrong escape, and nothing that stands behind it"

static const NegoTestRow ids[] = {
  { "string", WITH_ID ("\"x\""), .replies = { PONG_WITH_ID ("\"x\"") } },
  { "empty", WITH_ID ("\"\""), .replies = { PONG_WITH_ID ("\"\"") } },
  { "null", WITH_ID ("null"), .replies = { PONG_WITH_ID ("null") } },
  { "true", WITH_ID ("true"), .replies = { PONG_WITH_ID ("true") } },
  { "false", WITH_ID ("false"), .replies = { PONG_WITH_ID ("false") } },
  { "object", WITH_ID ("{\"a\":{\"b\":[]}}"),
    .replies = { PONG_WITH_ID ("{\"a\": {\"b\": []}}") } },
  { "array", WITH_ID ("[1,\"a\",null,{},[]]"),
    .replies = { PONG_WITH_ID ("[1, \"a\", null, {}, []]") } },
  { "int64-max", WITH_ID ("9223372036854775807"),
    .replies = { PONG_WITH_ID ("9223372036854775807") } },
  { "int64-min", WITH_ID ("-9223372036854775808"),
    .replies = { PONG_WITH_ID ("-9223372036854775808") } },
  { "uint64-max", WITH_ID ("18446744073709551615"),
    .replies = { PONG_WITH_ID ("18446744073709551615") } },
  { "above-uint64", WITH_ID ("18446744073709551616"),
    .replies = { PONG_WITH_ID ("1.8446744073709552e+19") } },
  { "below-int64", WITH_ID ("-9223372036854775809"),
    .replies = { PONG_WITH_ID ("-9.2233720368547758e+18") } },
  { "fraction", WITH_ID ("0.1"), .replies = { PONG_WITH_ID ("0.10000000000000001") } },
  { "trailing-zero", WITH_ID ("1.50"), .replies = { PONG_WITH_ID ("1.5") } },
  { "whole-double", WITH_ID ("1.0"), .replies = { PONG_WITH_ID ("1") } },
  { "exponent", WITH_ID ("1e5"), .replies = { PONG_WITH_ID ("100000") } },
  { "minus-zero", WITH_ID ("-0"), .replies = { PONG_WITH_ID ("0") } },
  { "beyond-double", WITH_ID ("1e400"), .replies = { PONG_WITH_ID ("1e400") },
    .better = "its reply has inf, which is not JSON" },
  { "characters", WITH_ID ("\"\xC3\xA9\xF0\x9F\x98\x80\x7F\""),
    .replies = { PONG_WITH_ID ("\"\\u00E9\\uD83D\\uDE00\\u007F\"") } },
  { "nul", WITH_ID ("\"a\\u0000b\""), .replies = { PONG_WITH_ID ("\"a\\u0000b\"") } },
  { "nul-in-two-bytes",
    WITH_ID ("\"a\xC0\x80"
             "b\""),
    .replies = { PONG_WITH_ID ("\"a\\u0000b\"") } },
  { "of-unknown-command", "{\"execute\":\"x\",\"id\":[1]}",
    .replies = { "{\"id\": [1], \"error\": {\"class\": \"CommandNotFound\", \"desc\": "
                 "\"The command x has not been found\"}}" } },
  { "of-wrong-argument", "{\"execute\":\"guest-ping\",\"arguments\":{\"x\":1},\"id\":0}",
    .replies = { ERROR_WITH_ID ("0", "Parameter 'x' is unexpected") } },
  { "of-wrong-member", "{\"execute\":\"guest-ping\",\"bogus\":1,\"id\":{\"a\":[1]}}",
    .replies = { ERROR_WITH_ID ("{\"a\": [1]}", "QMP input member 'bogus' is unexpected") } },
  { "of-no-execute", "{\"id\":7}",
    .replies = { ERROR_WITH_ID ("7", "QMP input lacks member 'execute'") } },
  { "of-parse-error", "{\"id\":7,\"execute\":\"guest-ping\",\"id\":7}",
    .replies = { PARSE ("duplicate key") } },
};

static const NegoTestRow members[] = {
  { "empty-object", "{}", .replies = { LACKS_EXECUTE } },
  { "no-execute", "{\"arguments\":{}}", .replies = { LACKS_EXECUTE } },
  { "execute-number", "{\"execute\":1}", .replies = { NOT_STRING } },
  { "execute-null", "{\"execute\":null}", .replies = { NOT_STRING } },
  { "execute-object", "{\"execute\":{}}", .replies = { NOT_STRING } },
  { "arguments-null", "{\"execute\":\"guest-ping\",\"arguments\":null}",
    .replies = { NOT_OBJECT } },
  { "arguments-array", "{\"execute\":\"guest-ping\",\"arguments\":[]}", .replies = { NOT_OBJECT } },
  { "arguments-string", "{\"execute\":\"guest-ping\",\"arguments\":\"\"}",
    .replies = { NOT_OBJECT } },
  { "arguments-number", "{\"execute\":\"guest-ping\",\"arguments\":0}", .replies = { NOT_OBJECT } },
  { "arguments-empty", "{\"execute\":\"guest-ping\",\"arguments\":{}}", .replies = { PONG } },
  { "arguments-first", "{\"arguments\":{\"id\":3},\"execute\":\"guest-sync\"}",
    .replies = { NEGO_TEST_RETURN ("3") } },
  { "other", "{\"execute\":\"guest-ping\",\"foo\":1}", .replies = { UNEXPECTED ("foo") } },
  { "other-without-execute", "{\"foo\":1}", .replies = { UNEXPECTED ("foo") } },
  { "exec-oob", "{\"exec-oob\":\"guest-ping\"}", .replies = { UNEXPECTED ("exec-oob") } },
  { "duplicate", "{\"id\":{\"a\":1,\"a\":2},\"execute\":\"guest-ping\"}",
    .replies = { PARSE ("duplicate key") } },
  { "unknown-command", "{\"execute\":\"no-such\"}",
    .replies = { NEGO_TEST_NOT_FOUND ("The command no-such has not been found") } },
  { "command-of-other-case", "{\"execute\":\"Guest-Ping\"}",
    .replies = { NEGO_TEST_NOT_FOUND ("The command Guest-Ping has not been found") } },
  { "empty-command", "{\"execute\":\"\"}",
    .replies = { NEGO_TEST_NOT_FOUND ("The command  has not been found") } },
  { "command-with-nul", "{\"execute\":\"guest-ping\\u0000\"}",
    .replies = { NEGO_TEST_ERROR ("QMP input member 'execute' must not contain U+0000") },
    .better = "U+0000 is refused before a C string can be cut at it" },
};

static const NegoTestRow arguments[] = {
  { "missing", "{\"execute\":\"guest-sync\"}",
    .replies = { NEGO_TEST_ERROR ("Parameter 'id' is missing") } },
  { "unexpected", "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1,\"x\":2}}",
    .replies = { NEGO_TEST_ERROR ("Parameter 'x' is unexpected") } },
  { "missing-and-unexpected", "{\"execute\":\"guest-sync\",\"arguments\":{\"x\":2}}",
    .replies = { NEGO_TEST_ERROR ("Parameter 'id' is missing") } },
  { "nul", "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1,\"x\":\"\\u0000\"}}",
    .replies = { NEGO_TEST_ERROR ("QMP input member 'arguments' must not contain U+0000") },
    .better = "U+0000 is refused before a C string can be cut at it" },
  { "string", SYNC ("\"1\""), .replies = { NOT_INTEGER } },
  { "null", SYNC ("null"), .replies = { NOT_INTEGER } },
  { "true", SYNC ("true"), .replies = { NOT_INTEGER } },
  { "array", SYNC ("[1]"), .replies = { NOT_INTEGER } },
  { "object", SYNC ("{}"), .replies = { NOT_INTEGER } },
  { "whole-double", SYNC ("1.0"), .replies = { NOT_INTEGER } },
  { "fraction", SYNC ("1.5"), .replies = { NOT_INTEGER } },
  { "exponent", SYNC ("1e3"), .replies = { NOT_INTEGER } },
  { "int64-max", SYNC ("9223372036854775807"),
    .replies = { NEGO_TEST_RETURN ("9223372036854775807") } },
  { "int64-min", SYNC ("-9223372036854775808"),
    .replies = { NEGO_TEST_RETURN ("-9223372036854775808") } },
  { "above-int64", SYNC ("9223372036854775808"), .replies = { NOT_INTEGER } },
  { "below-int64", SYNC ("-9223372036854775809"), .replies = { NOT_INTEGER } },
  { "above-uint64", SYNC ("18446744073709551616"), .replies = { NOT_INTEGER } },
  { "minus-zero", SYNC ("-0"), .replies = { NEGO_TEST_RETURN ("0") } },
  { "leading-zero", SYNC ("01") "\n" PING, .replies = { PARSE ("stray '01'"), PONG },
    .better = ONCE },
  { "plus", SYNC ("+1") "\n" PING, .replies = { PARSE ("stray '+'"), PONG }, .better = ONCE },
  { "hexadecimal", SYNC ("0x1") "\n" PING,
    .replies = { PARSE ("expected separator in dict"), PONG } },
  { "no-integer-part", SYNC (".5") "\n" PING, .replies = { PARSE ("stray '.'"), PONG },
    .better = ONCE },
  { "no-fraction-part", SYNC ("1.") "\n" PING, .replies = { PARSE ("stray '1.}'"), PONG },
    .better = ONCE },
  { "not-a-number", SYNC ("NaN") "\n" PING, .replies = { PARSE ("stray 'N'"), PONG },
    .better = ONCE },
};

static const NegoTestRow strings[] = {
  { "single-quotes", "{'execute':'guest-ping'}", .replies = { PONG } },
  { "mixed-quotes", "{'execute':\"guest-ping\",\"id\":'x\"y'}",
    .replies = { PONG_WITH_ID ("\"x\\\"y\"") } },
  { "escaped-single-quote", "{'execute':'guest-ping','id':'it\\'s'}",
    .replies = { PONG_WITH_ID ("\"it's\"") } },
  { "escapes", WITH_ID ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\'\""),
    .replies = { PONG_WITH_ID ("\"\\\"\\\\/\\b\\f\\n\\r\\t\\u00E9'\"") } },
  { "escape-in-command", "{\"execute\":\"guest\\u002Dping\"}", .replies = { PONG } },
  { "escape-in-key", "{\"exec\\u0075te\":\"guest-ping\"}", .replies = { PONG } },
  { "escape-in-id-key", "{\"execute\":\"guest-ping\",\"\\u0069d\":18446744073709551615}",
    .replies = { PONG_WITH_ID ("18446744073709551615") } },
  { "escaped-key-twice", "{\"id\":1,\"\\u0069d\":1,\"execute\":\"guest-ping\"}",
    .replies = { PARSE ("duplicate key") } },
  { "surrogates", WITH_ID ("\"\\ud83d\\ude00\""),
    .replies = { PONG_WITH_ID ("\"\\uD83D\\uDE00\"") } },
  { "unknown-escape", WITH_ID ("\"\\q\"") "\n" PING,
    .replies = { PARSE ("invalid escape sequence in string"), PONG } },
  { "short-unicode-escape", WITH_ID ("\"\\u12\"") "\n" PING,
    .replies = { PARSE ("\\\\u12 is not a valid Unicode character"), PONG }, .better = QUOTES },
  { "bad-unicode-escape", WITH_ID ("\"\\u12g4\"") "\n" PING,
    .replies = { PARSE ("\\\\u12 is not a valid Unicode character"), PONG }, .better = QUOTES },
  { "lone-high-surrogate", WITH_ID ("\"\\ud800\"") "\n" PING,
    .replies = { PARSE ("\\\\ud800 is not a valid Unicode character"), PONG } },
  { "lone-low-surrogate", WITH_ID ("\"\\udc00\"") "\n" PING,
    .replies = { PARSE ("\\\\udc00 is not a valid Unicode character"), PONG } },
  { "two-high-surrogates", WITH_ID ("\"\\ud83d\\ud83d\"") "\n" PING,
    .replies = { PARSE ("\\\\ud83d is not a valid Unicode character"), PONG } },
  { "noncharacter-fffe", WITH_ID ("\"\\ufffe\"") "\n" PING,
    .replies = { PARSE ("\\\\ufffe is not a valid Unicode character"), PONG } },
  { "noncharacter-fdd0", WITH_ID ("\"\\ufdd0\"") "\n" PING,
    .replies = { PARSE ("\\\\ufdd0 is not a valid Unicode character"), PONG } },
  { "noncharacter-beyond-bmp", WITH_ID ("\"\\ud83f\\udfff\"") "\n" PING,
    .replies = { PARSE ("\\\\ud83f\\\\udfff is not a valid Unicode character"), PONG } },
  { "noncharacter-in-utf-8", WITH_ID ("\"\xEF\xBF\xBE\"") "\n" PING,
    .replies = { BAD_UTF8, PONG } },
  { "invalid-utf-8", WITH_ID ("\"a\x80\"") "\n" PING, .replies = { BAD_UTF8, PONG } },
  { "cut-utf-8", WITH_ID ("\"\xE2\x82\"") "\n" PING, .replies = { BAD_UTF8, PONG } },
  { "overlong", WITH_ID ("\"\xE0\x82\xAC\"") "\n" PING, .replies = { BAD_UTF8, PONG } },
  { "surrogate-in-utf-8", WITH_ID ("\"\xED\xA0\x80\"") "\n" PING, .replies = { BAD_UTF8, PONG } },
  { "above-unicode", WITH_ID ("\"\xF4\x90\x80\x80\"") "\n" PING, .replies = { BAD_UTF8, PONG } },
};

/* Rows that only our own commands can show. */
static const NegoTestRow own_arguments[] = {
  { "list-element",
    "{\"execute\":\"negotiator-exec\",\"arguments\":{\"command\":\"x\",\"arg\":"
    "[\"a\",1]}}",
    .replies = { NEGO_TEST_ERROR ("Invalid parameter type for 'arg[1]', expected: string") } },
  { "null-for-optional",
    "{\"execute\":\"negotiator-exec\",\"arguments\":{\"command\":\"x\",\"arg\":null}}",
    .replies = { NEGO_TEST_ERROR ("Invalid parameter type for 'arg', expected: array") } },
  { "string-for-number",
    "{\"execute\":\"negotiator-exec\",\"arguments\":{\"command\":\"x\",\"wait\":\"1\"}}",
    .replies = { NEGO_TEST_ERROR ("Invalid parameter type for 'wait', expected: number") } },
  { "enumeration",
    "{\"execute\":\"negotiator-exec\",\"arguments\":{\"command\":\"x\",\"encoding\":\"foo\"}}",
    .replies = { NEGO_TEST_ERROR ("Parameter 'encoding' does not accept value 'foo'") } },
  { "number-for-enumeration",
    "{\"execute\":\"negotiator-exec\",\"arguments\":{\"command\":\"x\",\"encoding\":1}}",
    .replies = { NEGO_TEST_ERROR ("Invalid parameter type for 'encoding', expected: string") } },
};

int
main (int argc, char **argv)
{
  NegoTest *test;

  g_test_init (&argc, &argv, NULL);
  test = nego_test_start (NULL);
  nego_test_add_rows (test, "/wire-members/id", ids, G_N_ELEMENTS (ids));
  nego_test_add_rows (test, "/wire-members/members", members, G_N_ELEMENTS (members));
  nego_test_add_rows (test, "/wire-members/arguments", arguments, G_N_ELEMENTS (arguments));
  nego_test_add_rows (test, "/wire-members/strings", strings, G_N_ELEMENTS (strings));
  if (!nego_test_is_qga ())
    nego_test_add_rows (test, "/wire-members/own-arguments", own_arguments,
                        G_N_ELEMENTS (own_arguments));
  return nego_test_run_shared (test);
}
