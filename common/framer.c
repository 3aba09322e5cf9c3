/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/framer.h"

#include "common/error.h"
#include "common/keys.h"
#include "common/lexer.h"
#include "common/members.h"
#include "common/resync.h"

#include <math.h>
#include <string.h>

/* Memory that stays allocated between messages: that of everyday ones. */
#define NEGO_FRAMER_KEEP_BYTES (192u << 10)
/* The same once nothing comes any more. */
#define NEGO_FRAMER_IDLE_BYTES 1024u
/* The largest double, for numbers beyond it: json-glib would make "inf" of them. */
#define NEGO_FRAMER_HUGE "1.7976931348623157e+308"

typedef enum {
  NEGO_FRAMER_IDLE,         /* between messages */
  NEGO_FRAMER_VALUE,        /* a value must follow */
  NEGO_FRAMER_VALUE_OR_END, /* behind '[' */
  NEGO_FRAMER_KEY,          /* behind ',' in an object */
  NEGO_FRAMER_KEY_OR_END,   /* behind '{' */
  NEGO_FRAMER_COLON,        /* behind a key */
  NEGO_FRAMER_COMMA_OR_END, /* behind a value */
} NegoFramerState;

struct NegoFramer {
  NegoFramerLimits limits;
  gsize keep;
  NegoFramerState state;
  NegoLexer lexer;
  NegoResync resync;
  NegoKeys *keys;
  GString *text;
  guint8 *stack; /* '{' or '[' of each open bracket; as long as the limit */
  guint depth;
  gsize bytes; /* of tokens in this message */
  guint tokens;
  guint8 last;        /* the byte before those to be looked at */
  gboolean marked;    /* it was 0xFF before the message's first byte */
  gboolean delivered; /* @text is of a message that was handed out */

  NegoMembers members;
  gboolean verbatim; /* in the member id, which is echoed by value: its numbers stay */
};

NegoFramer *
nego_framer_new (const NegoFramerLimits *limits)
{
  NegoFramer *framer = g_new0 (NegoFramer, 1);

  g_assert (limits->max_bytes > 0 && limits->max_tokens > 0 && limits->max_depth > 0);
  framer->limits = *limits;
  framer->keep = NEGO_FRAMER_KEEP_BYTES;
  framer->text = g_string_sized_new (256);
  framer->stack = g_malloc (limits->max_depth);
  framer->keys = nego_keys_new ();
  return framer;
}

void
nego_framer_set_keep (NegoFramer *framer, gsize bytes)
{
  framer->keep = bytes;
}

void
nego_framer_free (NegoFramer *framer)
{
  if (framer == NULL)
    return;
  g_string_free (framer->text, TRUE);
  g_free (framer->stack);
  nego_keys_free (framer->keys);
  g_free (framer);
}

/* Empties the text, and gives back its memory if that is more than @keep. */
static void
nego_framer_drop_text (NegoFramer *framer, gsize keep)
{
  if (framer->text->allocated_len > keep) {
    g_string_free (framer->text, TRUE);
    framer->text = g_string_sized_new (256);
  } else {
    g_string_truncate (framer->text, 0);
  }
}

/* Forgets the message, and gives back the memory of a large one. */
static void
nego_framer_drop_message (NegoFramer *framer)
{
  nego_framer_drop_text (framer, framer->keep);
  nego_lexer_clear (&framer->lexer);
  nego_keys_clear (framer->keys);
  nego_members_clear (&framer->members);
  framer->state = NEGO_FRAMER_IDLE;
  framer->depth = 0;
  framer->bytes = 0;
  framer->tokens = 0;
  framer->verbatim = FALSE;
  framer->delivered = FALSE;
}

void
nego_framer_release (NegoFramer *framer)
{
  if (framer->delivered)
    nego_framer_drop_message (framer);
}

void
nego_framer_shrink (NegoFramer *framer)
{
  nego_framer_release (framer);
  if (framer->text->len == 0)
    nego_framer_drop_text (framer, NEGO_FRAMER_IDLE_BYTES);
}

void
nego_framer_reset (NegoFramer *framer)
{
  nego_framer_drop_message (framer);
  framer->resync.state = NEGO_RESYNC_NONE;
}

gboolean
nego_framer_is_pending (const NegoFramer *framer)
{
  return framer->depth > 0 || framer->lexer.state != NEGO_LEXER_NONE
         || framer->resync.state >= NEGO_RESYNC_MESSAGE;
}

static NegoFramerResult
nego_framer_fail (GError **error, const char *text)
{
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_PARSE, text);
  return NEGO_FRAMER_ERROR;
}

static gboolean
nego_framer_in_object (const NegoFramer *framer)
{
  return framer->depth > 0 && framer->stack[framer->depth - 1] == '{';
}

static gboolean
nego_framer_wants_key (const NegoFramer *framer)
{
  return framer->state == NEGO_FRAMER_KEY || framer->state == NEGO_FRAMER_KEY_OR_END;
}

static gboolean
nego_framer_wants_value (const NegoFramer *framer)
{
  return framer->state <= NEGO_FRAMER_VALUE_OR_END;
}

/* What stands where the grammar wants something else. */
static NegoFramerResult
nego_framer_fail_grammar (NegoFramer *framer, GError **error)
{
  switch (framer->state) {
  case NEGO_FRAMER_COLON:
    return nego_framer_fail (error, "JSON parse error, missing : in object pair");
  case NEGO_FRAMER_COMMA_OR_END:
    return nego_framer_fail (error, nego_framer_in_object (framer)
                                      ? "JSON parse error, expected separator in dict"
                                      : "JSON parse error, expected separator in list");
  default:
    return nego_framer_fail (error, "JSON parse error, expecting value");
  }
}

static NegoFramerResult
nego_framer_fail_key (GError **error)
{
  return nego_framer_fail (error, "JSON parse error, key is not a string in object");
}

static void
nego_framer_begin_value (NegoFramer *framer, gsize start, NegoJsonKind kind)
{
  if (framer->depth == 1)
    nego_members_begin_value (&framer->members, start, kind);
}

/* A value is whole: the text ends with it. */
static void
nego_framer_end_value (NegoFramer *framer)
{
  framer->state = NEGO_FRAMER_COMMA_OR_END;
  if (framer->depth == 1)
    nego_members_end (&framer->members, framer->text->len);
}

static NegoFramerResult
nego_framer_end_key (NegoFramer *framer, GError **error)
{
  gsize start = framer->lexer.start, len = framer->text->len - start;

  framer->state = NEGO_FRAMER_COLON;
  if (framer->depth == 1) {
    nego_members_begin (&framer->members, start, len);
    framer->verbatim = strcmp (framer->text->str + start, "\"id\"") == 0;
  } else {
    framer->members.current.has_nul |= framer->lexer.has_nul;
  }
  return nego_keys_add (framer->keys, framer->text->str, start, len)
           ? NEGO_FRAMER_MORE
           : nego_framer_fail (error, "JSON parse error, duplicate key");
}

/* Writes a number that json-glib would get wrong as framer.h says. */
static void
nego_framer_tame_number (NegoFramer *framer)
{
  const char *token = framer->text->str + framer->lexer.start;

  if (framer->verbatim)
    return;
  if (!isfinite (g_ascii_strtod (token, NULL))) {
    g_string_truncate (framer->text, framer->lexer.start + (*token == '-'));
    g_string_append (framer->text, NEGO_FRAMER_HUGE);
  } else if (!framer->lexer.real) {
    g_string_append (framer->text, ".0");
  }
}

/* The text ends with a whole token of the lexer's. */
static NegoFramerResult
nego_framer_end_token (NegoFramer *framer, GError **error)
{
  NegoJsonKind kind = framer->lexer.kind;

  if (framer->state == NEGO_FRAMER_IDLE)
    return nego_framer_fail (error, "QMP input must be a JSON object");
  if (nego_framer_wants_key (framer))
    return kind == NEGO_JSON_STRING ? nego_framer_end_key (framer, error)
                                    : nego_framer_fail_key (error);
  if (kind == NEGO_JSON_NUMBER)
    nego_framer_tame_number (framer);
  framer->members.current.has_nul |= framer->lexer.has_nul;
  nego_framer_begin_value (framer, framer->lexer.start, kind);
  nego_framer_end_value (framer);
  return NEGO_FRAMER_MORE;
}

static NegoFramerResult
nego_framer_open (NegoFramer *framer, guint8 byte, GError **error)
{
  if (framer->depth >= framer->limits.max_depth)
    return nego_framer_fail (error, "JSON nesting depth limit exceeded");
  if (nego_framer_wants_key (framer))
    return nego_framer_fail_key (error);
  if (!nego_framer_wants_value (framer))
    return nego_framer_fail_grammar (framer, error);
  nego_framer_begin_value (framer, framer->text->len,
                           byte == '{' ? NEGO_JSON_OBJECT : NEGO_JSON_ARRAY);
  g_string_append_c (framer->text, (char) byte);
  framer->stack[framer->depth++] = byte;
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

  if (framer->depth == 0 || byte != (object ? '}' : ']')
      || (framer->state != NEGO_FRAMER_COMMA_OR_END && framer->state != empty))
    return nego_framer_fail_grammar (framer, error);
  if (object && !nego_keys_close (framer->keys, framer->text->str))
    return nego_framer_fail (error, "JSON parse error, duplicate key");
  if (framer->depth == 1 && !object)
    return nego_framer_fail (error, "QMP input must be a JSON object");
  g_string_append_c (framer->text, (char) byte);
  framer->depth--;
  nego_framer_end_value (framer);
  if (framer->depth > 0)
    return NEGO_FRAMER_MORE;
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
  if (!nego_framer_wants_key (framer) && !nego_framer_wants_value (framer))
    return nego_framer_fail_grammar (framer, error);
  if (nego_framer_wants_key (framer) && (byte == '-' || g_ascii_isdigit (byte)))
    return nego_framer_fail_key (error);
  nego_lexer_begin (&framer->lexer, byte, framer->text);
  return NEGO_FRAMER_MORE;
}

static gboolean
nego_framer_is_bracket (guint8 byte)
{
  return byte == '{' || byte == '}' || byte == '[' || byte == ']';
}

/* A byte between tokens that begins one, or is one. */
static NegoFramerResult
nego_framer_take_byte (NegoFramer *framer, guint8 byte, GError **error)
{
  if (byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'
      || (byte == 0xff && framer->state == NEGO_FRAMER_IDLE))
    return NEGO_FRAMER_MORE;
  if (!nego_framer_is_bracket (byte) && byte != ':' && byte != ','
      && !nego_lexer_may_begin (byte)) {
    nego_lexer_set_stray (error, byte);
    return NEGO_FRAMER_ERROR;
  }
  if (framer->bytes >= framer->limits.max_bytes)
    return nego_framer_fail (error, "JSON token size limit exceeded");
  if (framer->tokens >= framer->limits.max_tokens)
    return nego_framer_fail (error, "JSON token count limit exceeded");
  if (framer->tokens == 0)
    framer->marked = framer->last == 0xff;
  framer->bytes++;
  framer->tokens++;
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

/* Further bytes of the lexer's token. */
static NegoFramerResult
nego_framer_take_token (
  NegoFramer *framer, const guint8 *data, gsize len, gsize *used, GError **error)
{
  gsize room = framer->limits.max_bytes - framer->bytes;
  NegoLexerResult result;

  /* A byte more than there is room for: it may be the one before which a number ends. */
  result = nego_lexer_feed (&framer->lexer, data, MIN (len, room + 1), used, framer->text, error);
  if (result == NEGO_LEXER_WRONG)
    return NEGO_FRAMER_ERROR;
  if (*used > room)
    return nego_framer_fail (error, "JSON token size limit exceeded");
  framer->bytes += *used;
  return result == NEGO_LEXER_TOKEN ? nego_framer_end_token (framer, error) : NEGO_FRAMER_MORE;
}

/* After an error that was noticed at the byte behind @last, which is looked at again. */
static void
nego_framer_begin_resync (NegoFramer *framer, guint8 last)
{
  if (nego_lexer_in_string (&framer->lexer))
    nego_resync_begin_string (&framer->resync, framer->depth, framer->lexer.quote,
                              nego_lexer_in_escape (&framer->lexer));
  else
    nego_resync_begin (&framer->resync, framer->depth, last == '\n');
  nego_framer_drop_message (framer);
}

static void
nego_framer_set_message (const NegoFramer *framer, NegoFramerMessage *message)
{
  message->text = framer->text->str;
  message->len = framer->text->len;
  message->marked = framer->marked;
  nego_members_export (&framer->members, message);
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
  gsize n = 0;

  nego_framer_release (framer);
  while (n < len && result == NEGO_FRAMER_MORE) {
    gsize step = 0;

    if (framer->resync.state != NEGO_RESYNC_NONE) {
      step = nego_resync_skip (&framer->resync, data + n, len - n);
    } else if (framer->lexer.state != NEGO_LEXER_NONE) {
      result = nego_framer_take_token (framer, data + n, len - n, &step, error);
    } else {
      result = nego_framer_take_byte (framer, data[n], error);
      step = result != NEGO_FRAMER_ERROR;
    }
    n += step;
    if (step > 0)
      framer->last = data[n - 1];
    if (result == NEGO_FRAMER_ERROR)
      nego_framer_begin_resync (framer, framer->last);
  }
  if (result == NEGO_FRAMER_MESSAGE)
    nego_framer_set_message (framer, message);
  *used = n;
  return result;
}
