/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/lexer.h"

#include <errno.h>
#include <string.h>

void
nego_lexer_clear (NegoLexer *lexer)
{
  g_clear_pointer (&lexer->reason, g_free);
  lexer->state = NEGO_LEXER_NONE;
  lexer->raw_len = 0;
}

static void
nego_lexer_remember (NegoLexer *lexer, guint8 byte)
{
  if (lexer->raw_len < sizeof lexer->raw)
    lexer->raw[lexer->raw_len++] = byte;
}

void
nego_lexer_add_stray (NegoLexer *lexer, guint8 byte)
{
  nego_lexer_remember (lexer, byte);
}

void
nego_lexer_set_stray (NegoLexer *lexer, guint8 byte)
{
  nego_lexer_clear (lexer);
  nego_lexer_remember (lexer, byte);
}

gboolean
nego_lexer_may_begin (guint8 byte)
{
  return byte == '"' || byte == '\'' || byte == '-' || g_ascii_isdigit (byte)
         || g_ascii_islower (byte);
}

void
nego_lexer_begin (NegoLexer *lexer, guint8 byte, GString *text)
{
  nego_lexer_clear (lexer);
  lexer->escaped = FALSE;
  lexer->has_nul = FALSE;
  lexer->fractional = FALSE;
  lexer->start = text->len;
  nego_lexer_remember (lexer, byte);
  if (byte == '"' || byte == '\'') {
    lexer->state = NEGO_LEXER_STRING;
    lexer->quote = (char) byte;
    g_string_append_c (text, '"');
    return;
  }
  g_string_append_c (text, (char) byte);
  if (byte == '-')
    lexer->state = NEGO_LEXER_MINUS;
  else if (byte == '0')
    lexer->state = NEGO_LEXER_ZERO;
  else if (g_ascii_isdigit (byte))
    lexer->state = NEGO_LEXER_DIGITS;
  else
    lexer->state = NEGO_LEXER_KEYWORD;
}

gboolean
nego_lexer_in_string (const NegoLexer *lexer)
{
  return lexer->state >= NEGO_LEXER_STRING && lexer->state <= NEGO_LEXER_UTF8;
}

static NegoLexerResult
nego_lexer_wrong (NegoLexer *lexer, char *reason)
{
  g_free (lexer->reason);
  lexer->reason = reason;
  return NEGO_LEXER_WRONG;
}

static NegoLexerResult
nego_lexer_wrong_unichar (NegoLexer *lexer, guint len)
{
  return nego_lexer_wrong (lexer, g_strdup_printf ("%.*s is not a valid Unicode character",
                                                   (int) len, lexer->escape));
}

static NegoLexerResult
nego_lexer_wrong_utf8 (NegoLexer *lexer)
{
  return nego_lexer_wrong (lexer, g_strdup ("invalid UTF-8 sequence in string"));
}

/* QGA refuses the code points that Unicode says are no characters. */
static gboolean
nego_lexer_is_character (gunichar code)
{
  return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) && (code < 0xfdd0 || code > 0xfdef)
         && (code & 0xfffe) != 0xfffe;
}

gsize
nego_lexer_take_plain (NegoLexer *lexer, const guint8 *data, gsize len, GString *text)
{
  gsize n = 0;

  if (lexer->state != NEGO_LEXER_STRING)
    return 0;
  while (n < len && data[n] >= 0x20 && data[n] < 0x80 && data[n] != '"' && data[n] != '\''
         && data[n] != '\\')
    n++;
  if (n > 0 && lexer->raw_len < sizeof lexer->raw) {
    gsize room = MIN (n, sizeof lexer->raw - lexer->raw_len);

    memcpy (lexer->raw + lexer->raw_len, data, room);
    lexer->raw_len += room;
  }
  g_string_append_len (text, (const char *) data, (gssize) n);
  return n;
}

static NegoLexerResult
nego_lexer_begin_utf8 (NegoLexer *lexer, guint8 byte)
{
  lexer->state = NEGO_LEXER_UTF8;
  if (byte >= 0xc0 && byte <= 0xdf) {
    lexer->code = byte & 0x1f;
    lexer->more = 1;
    lexer->minimum = 0x80;
  } else if (byte >= 0xe0 && byte <= 0xef) {
    lexer->code = byte & 0x0f;
    lexer->more = 2;
    lexer->minimum = 0x800;
  } else if (byte >= 0xf0 && byte <= 0xf7) {
    lexer->code = byte & 0x07;
    lexer->more = 3;
    lexer->minimum = 0x10000;
  } else {
    lexer->state = NEGO_LEXER_STRING;
    return nego_lexer_wrong_utf8 (lexer);
  }
  return NEGO_LEXER_GO_ON;
}

static NegoLexerResult
nego_lexer_take_utf8 (NegoLexer *lexer, guint8 byte, GString *text)
{
  if ((byte & 0xc0) != 0x80) {
    lexer->state = NEGO_LEXER_STRING;
    return nego_lexer_wrong_utf8 (lexer);
  }
  lexer->code = (lexer->code << 6) | (byte & 0x3f);
  if (--lexer->more > 0)
    return NEGO_LEXER_GO_ON;
  lexer->state = NEGO_LEXER_STRING;
  if (lexer->code == 0 && lexer->minimum == 0x80) {
    /* C0 80, "modified UTF-8", which QEMU takes for U+0000; JSON has an escape for it. */
    g_string_append (text, "\\u0000");
    lexer->escaped = TRUE;
    lexer->has_nul = TRUE;
    return NEGO_LEXER_GO_ON;
  }
  if (lexer->code < lexer->minimum || !nego_lexer_is_character (lexer->code))
    return nego_lexer_wrong_utf8 (lexer);
  g_string_append_unichar (text, lexer->code);
  return NEGO_LEXER_GO_ON;
}

static NegoLexerResult
nego_lexer_take_string (NegoLexer *lexer, guint8 byte, GString *text)
{
  if (byte < 0x20 || byte >= 0xfe)
    return NEGO_LEXER_STRAY;
  if (byte == (guint8) lexer->quote) {
    g_string_append_c (text, '"');
    lexer->state = NEGO_LEXER_NONE;
    return NEGO_LEXER_END;
  }
  if (byte == '\\') {
    lexer->state = NEGO_LEXER_ESCAPE;
    lexer->escaped = TRUE;
  } else if (byte == '"') {
    g_string_append (text, "\\\"");
    lexer->escaped = TRUE;
  } else if (byte >= 0x80) {
    return nego_lexer_begin_utf8 (lexer, byte);
  } else {
    g_string_append_c (text, (char) byte);
  }
  return NEGO_LEXER_GO_ON;
}

static NegoLexerResult
nego_lexer_take_escape (NegoLexer *lexer, guint8 byte, GString *text)
{
  if (byte < 0x20 || byte >= 0xfe)
    return NEGO_LEXER_STRAY;
  lexer->state = NEGO_LEXER_STRING;
  if (byte == 'u') {
    lexer->state = NEGO_LEXER_UNICODE;
    memcpy (lexer->escape, "\\u", 2);
    lexer->escape_len = 2;
  } else if (byte == '\'') {
    g_string_append_c (text, '\'');
  } else if (strchr ("\"\\/bfnrt", byte) != NULL) {
    g_string_append_c (text, '\\');
    g_string_append_c (text, (char) byte);
  } else {
    return nego_lexer_wrong (lexer, g_strdup ("invalid escape sequence in string"));
  }
  return NEGO_LEXER_GO_ON;
}

static gunichar
nego_lexer_get_escape (const NegoLexer *lexer, guint at)
{
  char digits[5] = { 0 };

  memcpy (digits, lexer->escape + at, 4);
  return (gunichar) g_ascii_strtoull (digits, NULL, 16);
}

/* The escape has its four digits, or, behind a leading surrogate, twice. */
static NegoLexerResult
nego_lexer_end_unicode (NegoLexer *lexer, GString *text)
{
  gunichar code = nego_lexer_get_escape (lexer, 2);

  lexer->state = NEGO_LEXER_STRING;
  if (lexer->escape_len == 6 && code >= 0xd800 && code <= 0xdbff) {
    lexer->state = NEGO_LEXER_SURROGATE;
    return NEGO_LEXER_GO_ON;
  }
  if (lexer->escape_len == 12) {
    gunichar low = nego_lexer_get_escape (lexer, 8);

    if (low < 0xdc00 || low > 0xdfff)
      return nego_lexer_wrong_unichar (lexer, 6);
    code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
  }
  if (!nego_lexer_is_character (code))
    return nego_lexer_wrong_unichar (lexer, lexer->escape_len);
  g_string_append_len (text, lexer->escape, lexer->escape_len);
  lexer->has_nul |= code == 0;
  return NEGO_LEXER_GO_ON;
}

static NegoLexerResult
nego_lexer_take_unicode (NegoLexer *lexer, guint8 byte, GString *text)
{
  if (byte < 0x20 || byte >= 0xfe)
    return NEGO_LEXER_STRAY;
  lexer->escape[lexer->escape_len] = (char) byte;
  if (!g_ascii_isxdigit (byte)) {
    gboolean second = lexer->escape_len > 6;

    lexer->state = NEGO_LEXER_STRING;
    return nego_lexer_wrong_unichar (lexer, second ? 6 : lexer->escape_len);
  }
  lexer->escape_len++;
  if (lexer->escape_len == 6 || lexer->escape_len == 12)
    return nego_lexer_end_unicode (lexer, text);
  return NEGO_LEXER_GO_ON;
}

/* A leading surrogate is a character only with a trailing one behind it. */
static NegoLexerResult
nego_lexer_take_surrogate (NegoLexer *lexer, guint8 byte)
{
  if (byte < 0x20 || byte >= 0xfe)
    return NEGO_LEXER_STRAY;
  if (byte != (lexer->escape_len == 6 ? '\\' : 'u')) {
    lexer->state = NEGO_LEXER_STRING;
    return nego_lexer_wrong_unichar (lexer, 6);
  }
  lexer->escape[lexer->escape_len++] = (char) byte;
  if (lexer->escape_len == 8)
    lexer->state = NEGO_LEXER_UNICODE;
  return NEGO_LEXER_GO_ON;
}

/* The state of a number behind @byte, or NONE where the number ends before it; MINUS is an error.
 */
static NegoLexerState
nego_lexer_next_number_state (NegoLexerState state, guint8 byte)
{
  gboolean digit = g_ascii_isdigit (byte), exponent = byte == 'e' || byte == 'E';

  switch (state) {
  case NEGO_LEXER_MINUS:
    return byte == '0' ? NEGO_LEXER_ZERO : digit ? NEGO_LEXER_DIGITS : NEGO_LEXER_MINUS;
  case NEGO_LEXER_ZERO:
    return digit         ? NEGO_LEXER_MINUS
           : byte == '.' ? NEGO_LEXER_DOT
           : exponent    ? NEGO_LEXER_EXPONENT
                         : NEGO_LEXER_NONE;
  case NEGO_LEXER_DIGITS:
    return digit         ? NEGO_LEXER_DIGITS
           : byte == '.' ? NEGO_LEXER_DOT
           : exponent    ? NEGO_LEXER_EXPONENT
                         : NEGO_LEXER_NONE;
  case NEGO_LEXER_DOT:
    return digit ? NEGO_LEXER_FRACTION : NEGO_LEXER_MINUS;
  case NEGO_LEXER_FRACTION:
    return digit ? NEGO_LEXER_FRACTION : exponent ? NEGO_LEXER_EXPONENT : NEGO_LEXER_NONE;
  case NEGO_LEXER_EXPONENT:
    return digit                        ? NEGO_LEXER_EXPONENT_DIGITS
           : byte == '+' || byte == '-' ? NEGO_LEXER_EXPONENT_SIGN
                                        : NEGO_LEXER_MINUS;
  case NEGO_LEXER_EXPONENT_SIGN:
    return digit ? NEGO_LEXER_EXPONENT_DIGITS : NEGO_LEXER_MINUS;
  default:
    return digit ? NEGO_LEXER_EXPONENT_DIGITS : NEGO_LEXER_NONE;
  }
}

static NegoLexerResult
nego_lexer_take_number (NegoLexer *lexer, guint8 byte, GString *text)
{
  NegoLexerState next = nego_lexer_next_number_state (lexer->state, byte);

  if (next == NEGO_LEXER_MINUS)
    return NEGO_LEXER_STRAY;
  lexer->state = next;
  if (next == NEGO_LEXER_NONE)
    return NEGO_LEXER_AGAIN;
  lexer->fractional |= next >= NEGO_LEXER_DOT;
  g_string_append_c (text, (char) byte);
  return NEGO_LEXER_GO_ON;
}

NegoLexerResult
nego_lexer_take (NegoLexer *lexer, guint8 byte, GString *text)
{
  nego_lexer_remember (lexer, byte);
  switch (lexer->state) {
  case NEGO_LEXER_STRING:
    return nego_lexer_take_string (lexer, byte, text);
  case NEGO_LEXER_ESCAPE:
    return nego_lexer_take_escape (lexer, byte, text);
  case NEGO_LEXER_UNICODE:
    return nego_lexer_take_unicode (lexer, byte, text);
  case NEGO_LEXER_SURROGATE:
    return nego_lexer_take_surrogate (lexer, byte);
  case NEGO_LEXER_UTF8:
    return byte < 0x20 || byte >= 0xfe ? NEGO_LEXER_STRAY
                                       : nego_lexer_take_utf8 (lexer, byte, text);
  case NEGO_LEXER_KEYWORD:
    if (g_ascii_islower (byte)) {
      g_string_append_c (text, (char) byte);
      return NEGO_LEXER_GO_ON;
    }
    lexer->state = NEGO_LEXER_NONE;
    return NEGO_LEXER_AGAIN;
  default:
    return nego_lexer_take_number (lexer, byte, text);
  }
}

static NegoJsonKind
nego_lexer_get_number_kind (const NegoLexer *lexer, const char *token)
{
  if (lexer->fractional)
    return NEGO_JSON_NUMBER;
  errno = 0;
  g_ascii_strtoll (token, NULL, 10);
  return errno == 0 ? NEGO_JSON_INTEGER : NEGO_JSON_NUMBER;
}

gboolean
nego_lexer_get_kind (NegoLexer *lexer, const GString *text, NegoJsonKind *kind)
{
  const char *token = text->str + lexer->start;

  if (*token == '"')
    *kind = NEGO_JSON_STRING;
  else if (*token == '-' || g_ascii_isdigit (*token))
    *kind = nego_lexer_get_number_kind (lexer, token);
  else if (strcmp (token, "true") == 0 || strcmp (token, "false") == 0)
    *kind = NEGO_JSON_BOOLEAN;
  else if (strcmp (token, "null") == 0)
    *kind = NEGO_JSON_NULL;
  else {
    nego_lexer_wrong (lexer, g_strdup_printf ("invalid keyword '%.*s'",
                                              (int) NEGO_ERROR_QUOTE_BYTES, token));
    return FALSE;
  }
  return TRUE;
}

char *
nego_lexer_describe_stray (const NegoLexer *lexer)
{
  return g_strdup_printf ("stray '%.*s'", (int) lexer->raw_len, (const char *) lexer->raw);
}
