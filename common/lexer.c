/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/lexer.h"

#include "common/error.h"
#include "common/unichar.h"

#include <errno.h>
#include <string.h>

/* Bytes of a string that stand for themselves, in every state of the text around them. */
static const guint8 nego_lexer_plain[256] = {
  [0x20 ... 0x21] = 1,
  [0x23 ... 0x26] = 1,
  [0x28 ... 0x5b] = 1,
  [0x5d ... 0x7f] = 1,
};

void
nego_lexer_clear (NegoLexer *lexer)
{
  lexer->state = NEGO_LEXER_NONE;
  lexer->quote = 0;
}

gboolean
nego_lexer_may_begin (guint8 byte)
{
  return byte == '"' || byte == '\'' || byte == '-' || g_ascii_isdigit (byte)
         || g_ascii_islower (byte);
}

gboolean
nego_lexer_in_string (const NegoLexer *lexer)
{
  return lexer->state >= NEGO_LEXER_STRING && lexer->state <= NEGO_LEXER_SURROGATE_ESCAPE;
}

gboolean
nego_lexer_in_escape (const NegoLexer *lexer)
{
  return lexer->state == NEGO_LEXER_ESCAPE || lexer->state == NEGO_LEXER_SURROGATE_ESCAPE;
}

void
nego_lexer_begin (NegoLexer *lexer, guint8 byte, GString *text)
{
  lexer->start = text->len;
  lexer->raw[0] = byte;
  lexer->raw_len = 1;
  lexer->has_nul = FALSE;
  lexer->real = FALSE;
  lexer->kind = NEGO_JSON_INTEGER;
  if (byte == '"' || byte == '\'') {
    lexer->state = NEGO_LEXER_STRING;
    lexer->kind = NEGO_JSON_STRING;
    lexer->quote = byte;
    byte = '"';
  } else if (g_ascii_islower (byte)) {
    lexer->state = NEGO_LEXER_KEYWORD;
  } else {
    lexer->state = NEGO_LEXER_NUMBER;
    lexer->number = nego_number_begin (byte);
  }
  g_string_append_c (text, (char) byte);
}

static NegoLexerResult
nego_lexer_fail (GError **error, const char *reason)
{
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_PARSE, "JSON parse error, %s", reason);
  return NEGO_LEXER_WRONG;
}

/* Quotes the raw bytes: the writer makes U+FFFD of what is no UTF-8. A NUL ends the quotation, as
 * in QEMU. */
static void
nego_lexer_set_quoted (GError **error, const char *what, const guint8 *raw, gsize len)
{
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_PARSE, "JSON parse error, %s '%.*s'", what, (int) len,
               (const char *) raw);
}

void
nego_lexer_set_stray (GError **error, guint8 byte)
{
  nego_lexer_set_quoted (error, "stray", &byte, 1);
}

static void
nego_lexer_remember (NegoLexer *lexer, const guint8 *data, gsize len)
{
  gsize n = MIN (len, sizeof lexer->raw - lexer->raw_len);

  if (n == 0)
    return;
  memcpy (lexer->raw + lexer->raw_len, data, n);
  lexer->raw_len += n;
}

/* The token so far and the byte that does not fit. */
static NegoLexerResult
nego_lexer_fail_stray (NegoLexer *lexer, guint8 byte, GError **error)
{
  nego_lexer_remember (lexer, &byte, 1);
  nego_lexer_set_quoted (error, "stray", lexer->raw, lexer->raw_len);
  return NEGO_LEXER_WRONG;
}

static NegoLexerResult
nego_lexer_fail_unichar (NegoLexer *lexer, guint len, GError **error)
{
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_PARSE,
               "JSON parse error, %.*s is not a valid Unicode character", (int) len, lexer->escape);
  return NEGO_LEXER_WRONG;
}

static NegoLexerResult
nego_lexer_fail_utf8 (GError **error)
{
  return nego_lexer_fail (error, "invalid UTF-8 sequence in string");
}

static void
nego_lexer_append_unichar (NegoLexer *lexer, gunichar code, GString *text)
{
  static const char shorts[] = "btn\0fr"; /* of U+0008 and on */

  if (code >= 0x20 && code != '"' && code != '\\') {
    g_string_append_unichar (text, code);
  } else if (code == '"' || code == '\\') {
    g_string_append_c (text, '\\');
    g_string_append_c (text, (char) code);
  } else if (code >= '\b' && code <= '\r' && code != '\v') {
    g_string_append_c (text, '\\');
    g_string_append_c (text, shorts[code - '\b']);
  } else {
    g_string_append_printf (text, "\\u%04X", code);
    lexer->has_nul |= code == 0;
  }
}

/* How many bytes from @data on are plain. */
static gsize
nego_lexer_get_run (const guint8 *data, gsize len)
{
  gsize n = 0;

  /* Eight look-ups without a branch in between are twice as fast as one by one. */
  while (len - n >= 8
         && (nego_lexer_plain[data[n]] & nego_lexer_plain[data[n + 1]]
             & nego_lexer_plain[data[n + 2]] & nego_lexer_plain[data[n + 3]]
             & nego_lexer_plain[data[n + 4]] & nego_lexer_plain[data[n + 5]]
             & nego_lexer_plain[data[n + 6]] & nego_lexer_plain[data[n + 7]]))
    n += 8;
  while (n < len && nego_lexer_plain[data[n]])
    n++;
  return n;
}

static NegoLexerResult
nego_lexer_take_string (NegoLexer *lexer, guint8 byte, GString *text, GError **error)
{
  if (byte == lexer->quote) {
    g_string_append_c (text, '"');
    nego_lexer_clear (lexer);
    return NEGO_LEXER_TOKEN;
  }
  if (byte == '\\') {
    lexer->state = NEGO_LEXER_ESCAPE;
  } else if (byte < 0x80) {
    nego_lexer_append_unichar (lexer, byte, text);
  } else if (byte >= 0xc0 && byte <= 0xf7) {
    lexer->state = NEGO_LEXER_UTF8;
    lexer->left = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    lexer->code = byte & (0x3fu >> lexer->left);
    lexer->minimum = byte < 0xe0 ? 0x80 : byte < 0xf0 ? 0x800 : 0x10000;
  } else {
    return nego_lexer_fail_utf8 (error);
  }
  return NEGO_LEXER_MORE;
}

static NegoLexerResult
nego_lexer_take_utf8 (NegoLexer *lexer, guint8 byte, GString *text, GError **error)
{
  gboolean modified; /* C0 80, for U+0000 */

  if ((byte & 0xc0) != 0x80)
    return nego_lexer_fail_utf8 (error);
  lexer->code = (lexer->code << 6) | (byte & 0x3f);
  if (--lexer->left > 0)
    return NEGO_LEXER_MORE;
  modified = lexer->code == 0 && lexer->minimum == 0x80;
  if (!modified && (lexer->code < lexer->minimum || !nego_unichar_is_character (lexer->code)))
    return nego_lexer_fail_utf8 (error);
  lexer->state = NEGO_LEXER_STRING;
  nego_lexer_append_unichar (lexer, lexer->code, text);
  return NEGO_LEXER_MORE;
}

static NegoLexerResult
nego_lexer_take_escape (NegoLexer *lexer, guint8 byte, GString *text, GError **error)
{
  static const char letters[] = "bfnrt\"\\/'", values[] = "\b\f\n\r\t\"\\/'";
  const char *letter = strchr (letters, byte);

  if (byte == 'u') {
    lexer->state = NEGO_LEXER_UNICODE;
    memcpy (lexer->escape, "\\u", 2);
    lexer->escape_len = 2;
    return NEGO_LEXER_MORE;
  }
  if (letter == NULL)
    return nego_lexer_fail (error, "invalid escape sequence in string");
  lexer->state = NEGO_LEXER_STRING;
  nego_lexer_append_unichar (lexer, (guint8) values[letter - letters], text);
  return NEGO_LEXER_MORE;
}

static gunichar
nego_lexer_get_code (const char *digits)
{
  gunichar code = 0;

  for (guint i = 0; i < 4; i++)
    code = code * 16 + (gunichar) g_ascii_xdigit_value (digits[i]);
  return code;
}

/* The escape has four digits, or, behind a leading surrogate, twice. */
static NegoLexerResult
nego_lexer_end_unicode (NegoLexer *lexer, GString *text, GError **error)
{
  gunichar code = nego_lexer_get_code (lexer->escape + 2);

  if (lexer->escape_len == 6 && code >= 0xd800 && code <= 0xdbff) {
    lexer->state = NEGO_LEXER_SURROGATE;
    return NEGO_LEXER_MORE;
  }
  if (lexer->escape_len == 12) {
    gunichar low = nego_lexer_get_code (lexer->escape + 8);

    if (low < 0xdc00 || low > 0xdfff)
      return nego_lexer_fail_unichar (lexer, 6, error);
    code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
  }
  if (!nego_unichar_is_character (code))
    return nego_lexer_fail_unichar (lexer, lexer->escape_len, error);
  lexer->state = NEGO_LEXER_STRING;
  nego_lexer_append_unichar (lexer, code, text);
  return NEGO_LEXER_MORE;
}

static NegoLexerResult
nego_lexer_take_unicode (NegoLexer *lexer, guint8 byte, GString *text, GError **error)
{
  if (!g_ascii_isxdigit (byte))
    return nego_lexer_fail_unichar (lexer, MIN (lexer->escape_len, 6), error);
  lexer->escape[lexer->escape_len++] = (char) byte;
  if (lexer->escape_len == 6 || lexer->escape_len == 12)
    return nego_lexer_end_unicode (lexer, text, error);
  return NEGO_LEXER_MORE;
}

/* A leading surrogate is a character only with a trailing one behind it. */
static NegoLexerResult
nego_lexer_take_surrogate (NegoLexer *lexer, guint8 byte, GError **error)
{
  gboolean escape = lexer->state == NEGO_LEXER_SURROGATE_ESCAPE;

  if (byte != (escape ? 'u' : '\\'))
    return nego_lexer_fail_unichar (lexer, 6, error);
  lexer->escape[lexer->escape_len++] = (char) byte;
  lexer->state = escape ? NEGO_LEXER_UNICODE : NEGO_LEXER_SURROGATE_ESCAPE;
  return NEGO_LEXER_MORE;
}

/* One byte of a string, or one that cannot be in it. */
static NegoLexerResult
nego_lexer_take_in_string (NegoLexer *lexer, guint8 byte, GString *text, GError **error)
{
  if (byte < 0x20 || byte >= 0xfe)
    return nego_lexer_fail_stray (lexer, byte, error);
  switch (lexer->state) {
  case NEGO_LEXER_STRING:
    return nego_lexer_take_string (lexer, byte, text, error);
  case NEGO_LEXER_UTF8:
    return nego_lexer_take_utf8 (lexer, byte, text, error);
  case NEGO_LEXER_ESCAPE:
    return nego_lexer_take_escape (lexer, byte, text, error);
  case NEGO_LEXER_UNICODE:
    return nego_lexer_take_unicode (lexer, byte, text, error);
  default:
    return nego_lexer_take_surrogate (lexer, byte, error);
  }
}

static NegoLexerResult
nego_lexer_feed_string (
  NegoLexer *lexer, const guint8 *data, gsize len, gsize *used, GString *text, GError **error)
{
  NegoLexerResult result = NEGO_LEXER_MORE;
  gsize n = 0;

  while (n < len && result == NEGO_LEXER_MORE) {
    gsize run = lexer->state == NEGO_LEXER_STRING ? nego_lexer_get_run (data + n, len - n) : 0;

    if (run > 0) {
      g_string_append_len (text, (const char *) data + n, (gssize) run);
      nego_lexer_remember (lexer, data + n, run);
      n += run;
      continue;
    }
    result = nego_lexer_take_in_string (lexer, data[n], text, error);
    if (result != NEGO_LEXER_WRONG)
      nego_lexer_remember (lexer, data + n++, 1);
  }
  *used = n;
  return result;
}

static NegoLexerResult
nego_lexer_end_number (NegoLexer *lexer, GString *text)
{
  nego_lexer_clear (lexer);
  if (!lexer->real) {
    errno = 0;
    g_ascii_strtoll (text->str + lexer->start, NULL, 10);
  }
  if (lexer->real || errno != 0)
    lexer->kind = NEGO_JSON_NUMBER;
  return NEGO_LEXER_TOKEN;
}

static NegoLexerResult
nego_lexer_feed_number (
  NegoLexer *lexer, const guint8 *data, gsize len, gsize *used, GString *text, GError **error)
{
  NegoNumberState next = lexer->number;
  gsize n = 0;

  while (n < len) {
    next = nego_number_next (lexer->number, data[n]);
    if (next == NEGO_NUMBER_WRONG || next == NEGO_NUMBER_NONE)
      break;
    lexer->real |= next >= NEGO_NUMBER_DOT;
    lexer->number = next;
    n++;
  }
  g_string_append_len (text, (const char *) data, (gssize) n);
  nego_lexer_remember (lexer, data, n);
  *used = n;
  if (n == len)
    return NEGO_LEXER_MORE;
  return next == NEGO_NUMBER_NONE ? nego_lexer_end_number (lexer, text)
                                  : nego_lexer_fail_stray (lexer, data[n], error);
}

static NegoLexerResult
nego_lexer_feed_keyword (
  NegoLexer *lexer, const guint8 *data, gsize len, gsize *used, GString *text, GError **error)
{
  const char *token;
  gsize n = 0;

  while (n < len && g_ascii_islower (data[n]))
    n++;
  g_string_append_len (text, (const char *) data, (gssize) n);
  nego_lexer_remember (lexer, data, n);
  *used = n;
  if (n == len)
    return NEGO_LEXER_MORE;
  nego_lexer_clear (lexer);
  token = text->str + lexer->start;
  if (strcmp (token, "true") == 0 || strcmp (token, "false") == 0) {
    lexer->kind = NEGO_JSON_BOOLEAN;
  } else if (strcmp (token, "null") == 0) {
    lexer->kind = NEGO_JSON_NULL;
  } else {
    nego_lexer_set_quoted (error, "invalid keyword", lexer->raw, lexer->raw_len);
    return NEGO_LEXER_WRONG;
  }
  return NEGO_LEXER_TOKEN;
}

NegoLexerResult
nego_lexer_feed (
  NegoLexer *lexer, const guint8 *data, gsize len, gsize *used, GString *text, GError **error)
{
  if (nego_lexer_in_string (lexer))
    return nego_lexer_feed_string (lexer, data, len, used, text, error);
  if (lexer->state == NEGO_LEXER_KEYWORD)
    return nego_lexer_feed_keyword (lexer, data, len, used, text, error);
  return nego_lexer_feed_number (lexer, data, len, used, text, error);
}
