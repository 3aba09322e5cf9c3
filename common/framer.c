/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/framer.h"

#include "common/error.h"
#include "common/json.h"
#include "common/keys.h"
#include "common/lexer.h"

#include <math.h>
#include <string.h>

/* What stays allocated between messages. */
#define NEGO_FRAMER_KEEP_BYTES (64u << 10)
/* The largest double, for numbers that no double holds: json-glib would make "inf" of them. */
#define NEGO_FRAMER_HUGE "1.7976931348623157e+308"

typedef enum {
  NEGO_FRAMER_IDLE,           /* between messages */
  NEGO_FRAMER_VALUE,          /* a value must follow */
  NEGO_FRAMER_VALUE_OR_END,   /* behind '[' */
  NEGO_FRAMER_KEY,            /* behind ',' in an object */
  NEGO_FRAMER_KEY_OR_END,     /* behind '{' */
  NEGO_FRAMER_COLON,          /* behind a key */
  NEGO_FRAMER_COMMA_OR_END,   /* behind a value */
  NEGO_FRAMER_STRAY,          /* a run of stray bytes was answered; until its end */
  NEGO_FRAMER_DISCARD,        /* a malformed message was answered; until its end */
  NEGO_FRAMER_DISCARD_STRING, /* within a string of it */
} NegoFramerState;

struct NegoFramer {
  NegoFramerLimits limits;
  NegoFramerState state;
  NegoLexer lexer;
  GString *text;
  GByteArray *stack; /* '{' or '[' of each open bracket */
  NegoKeys *keys;
  gsize bytes; /* of tokens in this message */
  guint tokens;
  gboolean behind_lf; /* the byte before, outside of a string, was an LF */
  gboolean delivered; /* @text is of a message that was handed out */

  /* The outermost object's members. */
  NegoFramerMember member; /* the one that is being read */
  gboolean verbatim;       /* it is the id, which is echoed by value: its numbers stay */
  NegoFramerMember members[NEGO_FRAMER_MEMBERS];
  guint n_members;

  /* DISCARD */
  guint depth;
  char quote;
  gboolean escaped;
  gboolean from_string; /* the error was in a string: the next LF ends it */
};

NegoFramer *
nego_framer_new (const NegoFramerLimits *limits)
{
  NegoFramer *framer = g_new0 (NegoFramer, 1);

  framer->limits = *limits;
  framer->text = g_string_sized_new (256);
  framer->stack = g_byte_array_new ();
  framer->keys = nego_keys_new ();
  return framer;
}

void
nego_framer_free (NegoFramer *framer)
{
  if (framer == NULL)
    return;
  nego_lexer_clear (&framer->lexer);
  g_string_free (framer->text, TRUE);
  g_byte_array_unref (framer->stack);
  nego_keys_free (framer->keys);
  g_free (framer);
}

/* Forgets the message, and gives back the memory of a large one. */
static void
nego_framer_drop_message (NegoFramer *framer)
{
  nego_lexer_clear (&framer->lexer);
  if (framer->text->allocated_len > NEGO_FRAMER_KEEP_BYTES) {
    g_string_free (framer->text, TRUE);
    framer->text = g_string_sized_new (256);
  } else {
    g_string_truncate (framer->text, 0);
  }
  g_byte_array_set_size (framer->stack, 0);
  nego_keys_clear (framer->keys);
  framer->bytes = 0;
  framer->tokens = 0;
  framer->n_members = 0;
  framer->verbatim = FALSE;
  framer->delivered = FALSE;
}

void
nego_framer_reset (NegoFramer *framer)
{
  nego_framer_drop_message (framer);
  framer->state = NEGO_FRAMER_IDLE;
  framer->behind_lf = FALSE;
}

gboolean
nego_framer_is_pending (const NegoFramer *framer)
{
  return framer->state != NEGO_FRAMER_IDLE || framer->lexer.state != NEGO_LEXER_NONE;
}

const NegoFramerMember *
nego_framer_message_find (const NegoFramerMessage *message, const char *name)
{
  gsize len = strlen (name);

  for (guint i = 0; i < MIN (message->n_members, NEGO_FRAMER_MEMBERS); i++) {
    const NegoFramerMember *member = &message->members[i];

    if (member->key_len == len + 2 && memcmp (message->text + member->key + 1, name, len) == 0)
      return member;
  }
  return NULL;
}

/* One error for the message, or the run of stray bytes, that @text is about; then what follows of
 * it is to be discarded. */
static NegoFramerResult
nego_framer_fail (NegoFramer *framer, char *text, GError **error)
{
  g_autofree char *owned = text;

  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_PARSE, owned);
  framer->depth = framer->stack->len;
  framer->from_string = nego_lexer_in_string (&framer->lexer);
  framer->quote = framer->lexer.quote;
  framer->escaped = framer->lexer.state == NEGO_LEXER_ESCAPE;
  if (framer->depth == 0)
    framer->state = NEGO_FRAMER_STRAY;
  else if (framer->from_string)
    framer->state = NEGO_FRAMER_DISCARD_STRING;
  else
    framer->state = NEGO_FRAMER_DISCARD;
  nego_framer_drop_message (framer);
  return NEGO_FRAMER_ERROR;
}

static NegoFramerResult
nego_framer_fail_parse (NegoFramer *framer, const char *why, GError **error)
{
  return nego_framer_fail (framer, g_strconcat ("JSON parse error, ", why, NULL), error);
}

static NegoFramerResult
nego_framer_fail_stray (NegoFramer *framer, GError **error)
{
  g_autofree char *stray = nego_lexer_describe_stray (&framer->lexer);

  return nego_framer_fail_parse (framer, stray, error);
}

/* A whole value at the top that is no object. */
static NegoFramerResult
nego_framer_fail_object (NegoFramer *framer, GError **error)
{
  return nego_framer_fail (framer, g_strdup ("QMP input must be a JSON object"), error);
}

/* Counts the byte of a token. */
static gboolean
nego_framer_count (NegoFramer *framer, gsize bytes)
{
  framer->bytes += bytes;
  return framer->bytes <= framer->limits.max_bytes;
}

static NegoFramerResult
nego_framer_fail_size (NegoFramer *framer, GError **error)
{
  return nego_framer_fail (framer, g_strdup ("JSON token size limit exceeded"), error);
}

static gboolean
nego_framer_in_object (const NegoFramer *framer)
{
  return framer->stack->len > 0 && framer->stack->data[framer->stack->len - 1] == '{';
}

static gboolean
nego_framer_wants_key (const NegoFramer *framer)
{
  return framer->state == NEGO_FRAMER_KEY || framer->state == NEGO_FRAMER_KEY_OR_END;
}

static void
nego_framer_begin_member_value (NegoFramer *framer, gsize start, NegoJsonKind kind)
{
  if (framer->stack->len != 1)
    return;
  framer->member.value = start;
  framer->member.kind = kind;
}

/* A value is whole: the text ends with it. */
static void
nego_framer_end_value (NegoFramer *framer)
{
  framer->state = NEGO_FRAMER_COMMA_OR_END;
  if (framer->stack->len != 1)
    return;
  framer->member.value_len = framer->text->len - framer->member.value;
  if (framer->n_members < NEGO_FRAMER_MEMBERS)
    framer->members[framer->n_members] = framer->member;
  framer->n_members++;
}

/* The key that the text ends with, without needless escapes: members are found by their names, and
 * "\u0069d" is the id too. */
static void
nego_framer_unescape_key (NegoFramer *framer, gsize start)
{
  g_autofree char *name
    = nego_json_string_value (framer->text->str + start, framer->text->len - start);

  if (name == NULL)
    return;
  for (const char *p = name; *p != '\0'; p++)
    if (!g_ascii_isprint (*p) || *p == '"' || *p == '\\')
      return;
  g_string_truncate (framer->text, start);
  g_string_append_printf (framer->text, "\"%s\"", name);
}

static gboolean
nego_framer_end_key (NegoFramer *framer)
{
  gsize start = framer->lexer.start, len;

  framer->state = NEGO_FRAMER_COLON;
  if (framer->stack->len == 1 && framer->lexer.escaped)
    nego_framer_unescape_key (framer, start);
  len = framer->text->len - start;
  if (framer->stack->len == 1) {
    framer->member = (NegoFramerMember){ .key = start, .key_len = len };
    framer->verbatim = len == 4 && memcmp (framer->text->str + start, "\"id\"", 4) == 0;
  }
  framer->member.has_nul |= framer->lexer.has_nul;
  return nego_keys_add (framer->keys, framer->text, start, len, framer->lexer.escaped);
}

/* Writes a number that json-glib would get wrong as one that it does not: an integer that is no
 * int64 as a double (json-glib wraps it), one beyond all doubles as the largest. */
static void
nego_framer_tame_number (NegoFramer *framer)
{
  gsize start = framer->lexer.start;

  if (framer->verbatim)
    return;
  if (!isfinite (g_ascii_strtod (framer->text->str + start, NULL))) {
    gboolean negative = framer->text->str[start] == '-';

    g_string_truncate (framer->text, start);
    g_string_append (framer->text, negative ? "-" NEGO_FRAMER_HUGE : NEGO_FRAMER_HUGE);
  } else if (!framer->lexer.fractional) {
    g_string_append (framer->text, ".0");
  }
}

/* The lexer has a whole token. */
static NegoFramerResult
nego_framer_end_token (NegoFramer *framer, GError **error)
{
  NegoJsonKind kind;

  if (!nego_lexer_get_kind (&framer->lexer, framer->text, &kind)) {
    g_autofree char *reason = g_steal_pointer (&framer->lexer.reason);

    return nego_framer_fail_parse (framer, reason, error);
  }
  if (framer->state == NEGO_FRAMER_IDLE)
    return nego_framer_fail_object (framer, error);
  if (nego_framer_wants_key (framer)) {
    if (kind != NEGO_JSON_STRING)
      return nego_framer_fail_parse (framer, "key is not a string in object", error);
    if (!nego_framer_end_key (framer))
      return nego_framer_fail_parse (framer, "duplicate key", error);
    return NEGO_FRAMER_MORE;
  }
  if (kind == NEGO_JSON_NUMBER)
    nego_framer_tame_number (framer);
  framer->member.has_nul |= kind == NEGO_JSON_STRING && framer->lexer.has_nul;
  nego_framer_begin_member_value (framer, framer->lexer.start, kind);
  nego_framer_end_value (framer);
  return NEGO_FRAMER_MORE;
}

/* What stands where the grammar wants something else. */
static NegoFramerResult
nego_framer_fail_grammar (NegoFramer *framer, GError **error)
{
  switch (framer->state) {
  case NEGO_FRAMER_COLON:
    return nego_framer_fail_parse (framer, "missing : in object pair", error);
  case NEGO_FRAMER_COMMA_OR_END:
    return nego_framer_fail_parse (framer,
                                   nego_framer_in_object (framer) ? "expected separator in dict"
                                                                  : "expected separator in list",
                                   error);
  default:
    return nego_framer_fail_parse (framer, "expecting value", error);
  }
}

static gboolean
nego_framer_wants_value (const NegoFramer *framer)
{
  return framer->state == NEGO_FRAMER_VALUE || framer->state == NEGO_FRAMER_VALUE_OR_END
         || framer->state == NEGO_FRAMER_IDLE;
}

static NegoFramerResult
nego_framer_open (NegoFramer *framer, guint8 byte, GError **error)
{
  if (framer->stack->len >= framer->limits.max_depth)
    return nego_framer_fail (framer, g_strdup ("JSON nesting depth limit exceeded"), error);
  if (nego_framer_wants_key (framer))
    return nego_framer_fail_parse (framer, "key is not a string in object", error);
  if (!nego_framer_wants_value (framer))
    return nego_framer_fail_grammar (framer, error);
  nego_framer_begin_member_value (framer, framer->text->len,
                                  byte == '{' ? NEGO_JSON_OBJECT : NEGO_JSON_ARRAY);
  g_string_append_c (framer->text, (char) byte);
  g_byte_array_append (framer->stack, &byte, 1);
  if (byte == '{')
    nego_keys_open (framer->keys);
  framer->state = byte == '{' ? NEGO_FRAMER_KEY_OR_END : NEGO_FRAMER_VALUE_OR_END;
  return NEGO_FRAMER_MORE;
}

static NegoFramerResult
nego_framer_close (NegoFramer *framer, guint8 byte, GError **error)
{
  gboolean object = nego_framer_in_object (framer);
  NegoFramerState empty = object ? NEGO_FRAMER_KEY_OR_END : NEGO_FRAMER_VALUE_OR_END;

  if (framer->stack->len == 0 || byte != (object ? '}' : ']')
      || (framer->state != NEGO_FRAMER_COMMA_OR_END && framer->state != empty))
    return nego_framer_fail_grammar (framer, error);
  if (object && !nego_keys_close (framer->keys, framer->text))
    return nego_framer_fail_parse (framer, "duplicate key", error);
  g_string_append_c (framer->text, (char) byte);
  g_byte_array_set_size (framer->stack, framer->stack->len - 1);
  if (framer->stack->len > 0) {
    nego_framer_end_value (framer);
    return NEGO_FRAMER_MORE;
  }
  if (!object)
    return nego_framer_fail_object (framer, error);
  framer->state = NEGO_FRAMER_IDLE;
  framer->delivered = TRUE;
  return NEGO_FRAMER_MESSAGE;
}

static NegoFramerResult
nego_framer_separate (NegoFramer *framer, guint8 byte, GError **error)
{
  NegoFramerState wanted = byte == ':' ? NEGO_FRAMER_COLON : NEGO_FRAMER_COMMA_OR_END;

  if (framer->state != wanted)
    return nego_framer_fail_grammar (framer, error);
  g_string_append_c (framer->text, (char) byte);
  framer->state
    = byte == ',' && nego_framer_in_object (framer) ? NEGO_FRAMER_KEY : NEGO_FRAMER_VALUE;
  return NEGO_FRAMER_MORE;
}

static NegoFramerResult
nego_framer_begin_token (NegoFramer *framer, guint8 byte, GError **error)
{
  NegoFramerResult result;

  if (!nego_lexer_may_begin (byte)) {
    nego_lexer_set_stray (&framer->lexer, byte);
    return nego_framer_fail_stray (framer, error);
  }
  if (nego_framer_wants_key (framer) || nego_framer_wants_value (framer)) {
    nego_lexer_begin (&framer->lexer, byte, framer->text);
    return NEGO_FRAMER_MORE;
  }
  /* Begun all the same, so that a string that begins here is skipped as one. */
  nego_lexer_begin (&framer->lexer, byte, framer->text);
  result = nego_framer_fail_grammar (framer, error);
  framer->from_string = FALSE;
  return result;
}

/* A byte between tokens that begins one, or is one. */
static NegoFramerResult
nego_framer_take_byte (NegoFramer *framer, guint8 byte, GError **error)
{
  if (byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n')
    return NEGO_FRAMER_MORE;
  if (++framer->tokens > framer->limits.max_tokens)
    return nego_framer_fail (framer, g_strdup ("JSON token count limit exceeded"), error);
  if (!nego_framer_count (framer, 1))
    return nego_framer_fail_size (framer, error);
  switch (byte) {
  case '{':
  case '[':
    return nego_framer_open (framer, byte, error);
  case '}':
  case ']':
    return nego_framer_close (framer, byte, error);
  case ':':
  case ',':
    return nego_framer_separate (framer, byte, error);
  default:
    return nego_framer_begin_token (framer, byte, error);
  }
}

/* One byte of what is discarded. Returns FALSE when it begins something new: it is to be looked at
 * again. */
static gboolean
nego_framer_discard (NegoFramer *framer, guint8 byte)
{
  gboolean behind_lf = framer->behind_lf;

  framer->behind_lf = byte == '\n';
  if (byte == '\n' && (framer->state == NEGO_FRAMER_STRAY || framer->from_string)) {
    framer->state = NEGO_FRAMER_IDLE;
    return TRUE;
  }
  if (byte == '{'
      && (framer->state == NEGO_FRAMER_STRAY
          || (framer->state == NEGO_FRAMER_DISCARD && behind_lf))) {
    framer->state = NEGO_FRAMER_IDLE;
    return FALSE;
  }
  if (framer->state == NEGO_FRAMER_DISCARD_STRING) {
    /* An LF is in no string: what looked like one is none. */
    if (byte == '\n' || (byte == (guint8) framer->quote && !framer->escaped))
      framer->state = NEGO_FRAMER_DISCARD;
    framer->escaped = byte == '\\' && !framer->escaped;
  } else if (framer->state == NEGO_FRAMER_DISCARD) {
    if (byte == '"' || byte == '\'') {
      framer->state = NEGO_FRAMER_DISCARD_STRING;
      framer->quote = (char) byte;
      framer->escaped = FALSE;
    } else if ((byte == '{' || byte == '[') && framer->depth < G_MAXUINT) {
      framer->depth++;
    } else if ((byte == '}' || byte == ']') && --framer->depth == 0) {
      framer->state = NEGO_FRAMER_IDLE;
    }
  }
  return TRUE;
}

/* Takes the token's next bytes. */
static NegoFramerResult
nego_framer_take_token (
  NegoFramer *framer, const guint8 *data, gsize len, gsize *used, GError **error)
{
  gsize plain = nego_lexer_take_plain (&framer->lexer, data, len, framer->text);
  NegoLexerResult taken;

  *used = plain;
  if (plain > 0)
    return nego_framer_count (framer, plain) ? NEGO_FRAMER_MORE
                                             : nego_framer_fail_size (framer, error);
  taken = nego_lexer_take (&framer->lexer, data[0], framer->text);
  if (taken == NEGO_LEXER_AGAIN)
    return nego_framer_end_token (framer, error);
  framer->behind_lf = FALSE;
  if (taken == NEGO_LEXER_STRAY || taken == NEGO_LEXER_WRONG) {
    g_autofree char *reason = taken == NEGO_LEXER_WRONG
                                ? g_steal_pointer (&framer->lexer.reason)
                                : nego_lexer_describe_stray (&framer->lexer);
    NegoFramerResult result = nego_framer_fail_parse (framer, reason, error);

    /* The byte may be a bracket, a quote or an LF to what is discarded. */
    *used = nego_framer_discard (framer, data[0]);
    return result;
  }
  *used = 1;
  if (!nego_framer_count (framer, 1))
    return nego_framer_fail_size (framer, error);
  return taken == NEGO_LEXER_END ? nego_framer_end_token (framer, error) : NEGO_FRAMER_MORE;
}

static gboolean
nego_framer_is_discarding (const NegoFramer *framer)
{
  return framer->state >= NEGO_FRAMER_STRAY;
}

/* 0xFF: silent, unless it cuts a message. */
static NegoFramerResult
nego_framer_take_reset (NegoFramer *framer, GError **error)
{
  NegoFramerResult result = NEGO_FRAMER_MORE;

  if (nego_framer_is_pending (framer) && !nego_framer_is_discarding (framer)) {
    if (framer->lexer.state == NEGO_LEXER_NONE)
      nego_lexer_clear (&framer->lexer);
    nego_lexer_add_stray (&framer->lexer, 0xff);
    result = nego_framer_fail_stray (framer, error);
  }
  nego_framer_reset (framer);
  return result;
}

/* Takes at least one byte, or ends a state so that the byte is to be looked at again. */
static NegoFramerResult
nego_framer_step (NegoFramer *framer, const guint8 *data, gsize len, gsize *used, GError **error)
{
  NegoFramerResult result;

  *used = 1;
  if (data[0] == 0xff)
    return nego_framer_take_reset (framer, error);
  if (nego_framer_is_discarding (framer)) {
    *used = nego_framer_discard (framer, data[0]);
    return NEGO_FRAMER_MORE;
  }
  if (framer->lexer.state != NEGO_LEXER_NONE)
    return nego_framer_take_token (framer, data, len, used, error);
  result = nego_framer_take_byte (framer, data[0], error);
  if (result != NEGO_FRAMER_ERROR)
    framer->behind_lf = data[0] == '\n';
  else if (strchr ("{}[]", data[0]) != NULL && data[0] != '\0')
    *used = framer->state == NEGO_FRAMER_STRAY ? 1 : nego_framer_discard (framer, data[0]);
  else
    framer->behind_lf = FALSE;
  return result;
}

NegoFramerResult
nego_framer_feed (NegoFramer *framer,
                  const guint8 *data,
                  gsize len,
                  gsize *used,
                  NegoFramerMessage *message,
                  GError **error)
{
  NegoFramerResult result = NEGO_FRAMER_MORE;

  if (framer->delivered)
    nego_framer_drop_message (framer);
  *used = 0;
  while (*used < len && result == NEGO_FRAMER_MORE) {
    gsize step;

    result = nego_framer_step (framer, data + *used, len - *used, &step, error);
    *used += step;
  }
  if (result == NEGO_FRAMER_MESSAGE) {
    message->text = framer->text->str;
    message->len = framer->text->len;
    message->n_members = framer->n_members;
    memcpy (message->members, framer->members, sizeof message->members);
  }
  return result;
}
