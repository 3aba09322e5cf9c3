/* SPDX-License-Identifier: MIT */
/*
 * lexer: the strings, numbers and keywords of QGA's JSON dialect; private to framer.c.
 *
 * It takes the bytes of one token in any number of pieces, appends it as strict JSON to the
 * framer's text, and refuses what QEMU's lexer and parser refuse (qobject/json-lexer.c,
 * json-parser.c), with their texts. Brackets, grammar, messages and limits are framer.c's.
 *
 * A string is written in one way only, so that equal strings are equal bytes: characters as UTF-8,
 * but \" \\ \b \f \n \r \t, other control characters as \u00XX, and U+0000 as \u0000. It becomes at
 * most three times as long as it came (C0 80, QEMU's own spelling of U+0000, has two bytes).
 */
#pragma once

#include "common/framer.h"
#include "common/names.h"
#include "common/number.h"

typedef enum {
  NEGO_LEXER_NONE,
  NEGO_LEXER_STRING,
  NEGO_LEXER_UTF8,             /* within a sequence of several bytes */
  NEGO_LEXER_ESCAPE,           /* behind a backslash */
  NEGO_LEXER_UNICODE,          /* the digits of \uXXXX */
  NEGO_LEXER_SURROGATE,        /* behind a leading surrogate: a trailing one must follow */
  NEGO_LEXER_SURROGATE_ESCAPE, /* behind the trailing one's backslash */
  NEGO_LEXER_NUMBER,
  NEGO_LEXER_KEYWORD,
} NegoLexerState;

typedef enum {
  NEGO_LEXER_MORE,  /* all bytes are taken, the token goes on */
  NEGO_LEXER_TOKEN, /* the token is whole */
  NEGO_LEXER_WRONG, /* the byte behind the taken ones makes it none */
} NegoLexerResult;

typedef struct {
  NegoLexerState state;
  NegoJsonKind kind; /* of the whole token */
  guint8 quote;      /* that ends the string */
  gboolean has_nul;  /* the string contains U+0000 */
  NegoNumberState number;
  gboolean real; /* the number has a fraction or an exponent */
  gsize start;   /* of the token in the text */

  guint8 raw[NEGO_ERROR_QUOTE_BYTES]; /* the token's first bytes as they came, for errors */
  gsize raw_len;
  char escape[12]; /* \uD800\uDC00 as it came */
  guint escape_len;
  gunichar code; /* of the UTF-8 sequence so far */
  guint left;    /* bytes of it to come */
  guint minimum; /* a smaller code is overlong */
} NegoLexer;

/* Whether a token may begin with @byte. */
gboolean nego_lexer_may_begin (guint8 byte);

/* Begins a token with @byte, and takes it. */
void nego_lexer_begin (NegoLexer *lexer, guint8 byte, GString *text);

/* Takes further bytes of the token, @used of @len. A string ends with its quote, the other tokens
 * before the first byte that is none of theirs. */
NegoLexerResult nego_lexer_feed (
  NegoLexer *lexer, const guint8 *data, gsize len, gsize *used, GString *text, GError **error);

/* Forgets the token. */
void nego_lexer_clear (NegoLexer *lexer);

gboolean nego_lexer_in_string (const NegoLexer *lexer);
/* Whether the next byte of the string is behind a backslash. */
gboolean nego_lexer_in_escape (const NegoLexer *lexer);

/* The error about @byte where no token begins with it. */
void nego_lexer_set_stray (GError **error, guint8 byte);
