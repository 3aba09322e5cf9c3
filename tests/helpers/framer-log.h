/* SPDX-License-Identifier: MIT */
/*
 * framer-log: what a framer makes of an input, as text: a line "M <text>" for each message, "E
 * <text>" for each error.
 */
#pragma once

#include "common/framer.h"
#include "common/names.h"

/* Requests, and the lines of them and of errors. */
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

/* Those of the QGA port. */
#define FRAMER_LOG_LIMITS                                   \
  ((NegoFramerLimits){ .max_bytes = NEGO_MESSAGE_BYTES_QGA, \
                       .max_tokens = NEGO_MESSAGE_TOKENS,   \
                       .max_depth = NEGO_MESSAGE_DEPTH })

/* Appends the lines that @data makes. */
void framer_log_feed (NegoFramer *framer, const char *data, gsize len, GString *output);

/* Asserts that @input makes the lines @expected: whole, byte by byte, and in random pieces. */
void framer_log_check (const NegoFramerLimits *limits,
                       const char *input,
                       gsize len,
                       const char *expected);
