/* SPDX-License-Identifier: MIT */
/*
 * lexer: the tokens of QGA's JSON dialect, byte by byte; private to framer.c.
 *
 * The lexer takes the bytes of one string, number or keyword, writes them as strict JSON to the
 * framer's text, and says when the token is whole or wrong. Brackets, grammar, messages and
 * recovery are framer.c's.
 */
#pragma once

#include "common/framer.h"
#include "common/names.h"

typedef enum {
  NEGO_LEXER_NONE,
  NEGO_LEXER_STRING,
  NEGO_LEXER_ESCAPE,    /* behind a backslash */
  NEGO_LEXER_UNICODE,   /* the digits of \uXXXX */
  NEGO_LEXER_SURROGATE, /* behind a leading surrogate: a trailing one must follow */
  NEGO_LEXER_UTF8,      /* within a sequence of several bytes */
  NEGO_LEXER_MINUS,
  NEGO_LEXER_ZERO,
  NEGO_LEXER_DIGITS,
  NEGO_LEXER_DOT,
  NEGO_LEXER_FRACTION,
  NEGO_LEXER_EXPONENT,
  NEGO_LEXER_EXPONENT_SIGN,
  NEGO_LEXER_EXPONENT_DIGITS,
  NEGO_LEXER_KEYWORD,
} NegoLexerState;

typedef enum {
  NEGO_LEXER_GO_ON, /* the byte was taken */
  NEGO_LEXER_END,   /* the token ends with the byte: a string */
  NEGO_LEXER_AGAIN, /* the token ended before the byte, which is to be looked at again */
  NEGO_LEXER_STRAY, /* the byte fits no token */
  NEGO_LEXER_WRONG, /* another error, in @reason */
} NegoLexerResult;

typedef struct {
  NegoLexerState state;
  char quote;
  gboolean escaped;    /* the string has a backslash, or another spelling than the input */
  gboolean has_nul;    /* the string has U+0000 */
  gboolean fractional; /* the number has a fraction or exponent */
  gsize start;         /* of the token in the text */
  guint8 raw[NEGO_ERROR_QUOTE_BYTES]; /* the token's first bytes as they came, for errors */
  gsize raw_len;
  char escape[13]; /* "\uD800\uDC00" as it came */
  guint escape_len;
  gunichar code;    /* of the UTF-8 sequence */
  guint more;       /* bytes of it to come */
  gunichar minimum; /* a smaller code is overlong */
  char *reason;
} NegoLexer;

void nego_lexer_clear (NegoLexer *lexer);

/* Begins a token with @byte, which may begin one (see nego_lexer_may_begin). */
void nego_lexer_begin (NegoLexer *lexer, guint8 byte, GString *text);
gboolean nego_lexer_may_begin (guint8 byte);

/* Takes the next byte of a token. */
NegoLexerResult nego_lexer_take (NegoLexer *lexer, guint8 byte, GString *text);

/* Within a string: takes at most @len bytes of @data that stand for themselves. Returns how many.
 */
gsize nego_lexer_take_plain (NegoLexer *lexer, const guint8 *data, gsize len, GString *text);

gboolean nego_lexer_in_string (const NegoLexer *lexer);

/* The kind of the whole token that the text ends with. FALSE: it is no JSON keyword; reason is set.
 */
gboolean nego_lexer_get_kind (NegoLexer *lexer, const GString *text, NegoJsonKind *kind);

/* @byte, which begins no token, is stray; or it is where the token that is being read breaks off.
 */
void nego_lexer_set_stray (NegoLexer *lexer, guint8 byte);
void nego_lexer_add_stray (NegoLexer *lexer, guint8 byte);

/* "stray '<the token so far>'", of a byte that was taken as stray. */
char *nego_lexer_describe_stray (const NegoLexer *lexer);
