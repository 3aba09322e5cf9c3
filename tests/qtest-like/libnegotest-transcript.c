/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/qtest-like/libnegotest-private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEY "execute"
/* How much of a string in a reply is kept: that it is one is all that the schema says. */
#define STRING_CHARS 256

struct NegoTestTranscript {
  GByteArray *sent;
  GString *received;
};

NegoTestTranscript *
nego_test_transcript_new (void)
{
  NegoTestTranscript *transcript;

  if (g_getenv ("NEGO_TEST_TRANSCRIPTS") == NULL || nego_test_is_qga ())
    return NULL;
  transcript = g_new0 (NegoTestTranscript, 1);
  transcript->sent = g_byte_array_new ();
  transcript->received = g_string_new (NULL);
  return transcript;
}

void
nego_test_transcript_add_sent (NegoTestTranscript *transcript, const char *data, gsize len)
{
  if (transcript != NULL)
    g_byte_array_append (transcript->sent, (const guint8 *) data, (guint) len);
}

/* Appends @line, without the rest of strings that are long. */
static void
add_shortened (GString *text, const char *line)
{
  gboolean inside = FALSE;
  gsize n = 0;

  for (const char *at = line; *at != '\0'; at++) {
    /* As it is written: `\uXXXX`, or two characters. */
    const gsize escaped = inside && at[0] == '\\' && at[1] != '\0' ? at[1] == 'u' ? 6 : 2 : 1;
    const gsize len = strnlen (at, escaped);

    if (*at == '"')
      inside = !inside;
    n = inside ? n + 1 : 0;
    if (n <= STRING_CHARS)
      g_string_append_len (text, at, (gssize) len);
    at += len - 1;
  }
}

void
nego_test_transcript_add_received (NegoTestTranscript *transcript, const char *line)
{
  if (transcript == NULL)
    return;
  g_string_append (transcript->received, "< ");
  add_shortened (transcript->received, line);
  g_string_append_c (transcript->received, '\n');
}

static gboolean
is_quote (char c)
{
  return c == '"' || c == '\'';
}

static const char *
skip_blanks (const char *at, const char *end)
{
  while (at < end && g_ascii_isspace (*at))
    at++;
  return at;
}

/* The command that is named behind @key, a member's name without its first quote; NULL: none. */
static char *
find_name (const char *key, const char *end)
{
  const char *at = key + strlen (KEY);
  const char *name;

  if (at >= end || !is_quote (*at))
    return NULL;
  at = skip_blanks (at + 1, end);
  if (at >= end || *at != ':')
    return NULL;
  at = skip_blanks (at + 1, end);
  if (at >= end || !is_quote (*at))
    return NULL;
  name = ++at;
  while (at < end && (g_ascii_isalnum (*at) || *at == '-'))
    at++;
  return at < end && is_quote (*at) ? g_strndup (name, (gsize) (at - name)) : NULL;
}

/* Requests may be malformed, split and single-quoted: their commands are found without a parser. */
static void
add_names (GString *text, const GByteArray *sent)
{
  const char *at = (const char *) sent->data;
  const char *end = at + sent->len;

  while (at != NULL && (at = memmem (at, (gsize) (end - at), KEY, strlen (KEY))) != NULL) {
    g_autofree char *name = find_name (at, end);

    if (name != NULL)
      g_string_append_printf (text, "> %s\n", name);
    at += strlen (KEY);
  }
}

void
nego_test_transcript_free (NegoTestTranscript *transcript)
{
  g_autoptr (GString) text = NULL;
  g_autofree char *program = NULL;
  g_autofree char *path = NULL;
  FILE *file;

  if (transcript == NULL)
    return;
  text = g_string_new ("connection\n");
  add_names (text, transcript->sent);
  g_string_append_len (text, transcript->received->str, (gssize) transcript->received->len);
  program = g_path_get_basename (g_get_prgname ());
  path = g_strdup_printf ("%s/%s.%d", g_getenv ("NEGO_TEST_TRANSCRIPTS"), program, (int) getpid ());
  file = fopen (path, "ae");
  if (file == NULL)
    g_error ("cannot open '%s': %s", path, g_strerror (errno));
  g_assert_cmpuint (fwrite (text->str, 1, text->len, file), ==, text->len);
  g_assert_cmpint (fclose (file), ==, 0);
  g_byte_array_unref (transcript->sent);
  g_string_free (transcript->received, TRUE);
  g_free (transcript);
}
