/* SPDX-License-Identifier: MIT */
/*
 * framer: bytes in, whole JSON objects out.
 *
 * A streaming lexer and strict validator of QGA's JSON dialect (RFC 8259, plus single-quoted
 * strings and \'), because json-glib 1.6 is none: what it passes on, rewritten to strict JSON, is
 * safe to give to json-glib. It looks at each byte once, does no I/O and knows nothing of QMP
 * beyond "a message is an object".
 *
 * What is passed on has no blanks between tokens, and each string in one spelling (lexer.h), so
 * that equal strings are equal bytes: members are found and keys compared by memcmp(). A number
 * that json-glib would get wrong is written as one that it does not: an integer outside of int64
 * with
 * ".0" behind it (json-glib wraps it), one beyond all doubles (1e400, of which json-glib makes
 * "inf") as the largest double of its sign. The numbers of the member "id" stay as they came, since
 * it is echoed by value: nego_json_respell().
 *
 * A message is complete when its outermost bracket closes. 0xFF resets the framer: between messages
 * it is silent, inside one the cut message gets one error. A malformed message gets one error, and
 * input is then discarded up to whichever comes first: 0xFF; the close of the outermost bracket
 * (strings respected), and with it the rest of the line up to a '{'; an LF outside a string
 * directly followed by '{', also if it is at this '{' that the error is noticed; after an error
 * inside a string, the next LF, and that may be the LF that is the error. Between messages a run of
 * stray bytes gives one error; it ends at an LF, a 0xFF or a '{'.
 *
 * Errors are NEGO_ERROR_PARSE with QGA's texts ("JSON parse error, …", "JSON token size limit
 * exceeded", "QMP input must be a JSON object", …) and quote at most NEGO_ERROR_QUOTE_BYTES of
 * input.
 */
#pragma once

#include <glib.h>

typedef struct NegoFramer NegoFramer;

typedef struct {
  gsize max_bytes;  /* token text of one message as it came; nothing beyond it is stored */
  guint max_tokens; /* tokens of one message */
  guint max_depth;  /* open brackets */
} NegoFramerLimits;

typedef enum {
  NEGO_FRAMER_MORE,    /* all bytes are used; no whole message yet */
  NEGO_FRAMER_MESSAGE, /* a message is complete */
  NEGO_FRAMER_ERROR,   /* one malformed message, or run of stray bytes, is to be answered */
} NegoFramerResult;

typedef enum {
  NEGO_JSON_OBJECT,
  NEGO_JSON_ARRAY,
  NEGO_JSON_STRING,
  NEGO_JSON_INTEGER, /* fits int64 */
  NEGO_JSON_NUMBER,  /* any other number */
  NEGO_JSON_BOOLEAN,
  NEGO_JSON_NULL,
} NegoJsonKind;

/* A member of the outermost object. Offsets count from NegoFramerMessage.text. */
typedef struct {
  gsize key, key_len;     /* the key's text, with its quotes */
  gsize value, value_len; /* the value's text */
  NegoJsonKind kind;
  gboolean has_nul; /* a string in the value (or one of its keys) contains U+0000 */
} NegoFramerMember;

/* Members beyond these are counted, not recorded: no QMP message has as many. */
#define NEGO_FRAMER_MEMBERS 8u

typedef struct {
  const char *text; /* strict JSON, NUL-terminated, borrowed until the next call on the framer */
  gsize len;
  gboolean marked; /* the byte before its first one was 0xFF */
  guint n_members; /* all of them; the first NEGO_FRAMER_MEMBERS are in @members, in order */
  NegoFramerMember members[NEGO_FRAMER_MEMBERS];
} NegoFramerMessage;

/* @limits is copied; each is at least 1. */
NegoFramer *nego_framer_new (const NegoFramerLimits *limits);
void nego_framer_free (NegoFramer *framer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoFramer, nego_framer_free)

/* Memory of up to @bytes stays allocated between messages, until nego_framer_shrink(). */
void nego_framer_set_keep (NegoFramer *framer, gsize bytes);

/* Takes bytes of @data up to the end of the next message or error and says in @used how many (an
 * error may take none); the caller calls again with the rest. @message is set with
 * NEGO_FRAMER_MESSAGE, @error with NEGO_FRAMER_ERROR. The memory of a large message is returned by
 * the next call, which may be one without data. */
NegoFramerResult nego_framer_feed (NegoFramer *framer,
                                   const guint8 *data,
                                   gsize len,
                                   gsize *used,
                                   NegoFramerMessage *message,
                                   GError **error);

/* Gives back the memory of a message that was handed out and is done with; else its text stays
 * until the next call. */
void nego_framer_release (NegoFramer *framer);

/* The same of the memory that is kept for the next message, unless one has begun. */
void nego_framer_shrink (NegoFramer *framer);

/* Forgets what is pending, silently, and returns the memory of a large message. */
void nego_framer_reset (NegoFramer *framer);

/* Whether a message has begun and not ended, or is still being discarded. */
gboolean nego_framer_is_pending (const NegoFramer *framer);

/* The recorded member @name (plain ASCII) of @message, or NULL. */
const NegoFramerMember *nego_framer_message_find (const NegoFramerMessage *message,
                                                  const char *name);
