/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/glob.h"

/* Steps over one character, or the one behind a '\'. */
static gunichar
nego_glob_take (const char **at)
{
  gunichar c;

  if (**at == '\\')
    (*at)++;
  c = g_utf8_get_char (*at);
  *at = g_utf8_next_char (*at);
  return c;
}

/* Steps @at, behind a '[', over the set; whether @c is in it. A ']' that comes first is a member.
 */
static gboolean
nego_glob_in_set (const char **at, gunichar c)
{
  const gboolean inverted = **at == '!' || **at == '^';
  gboolean found = FALSE;
  gboolean first = TRUE;

  if (inverted)
    (*at)++;
  while (first || **at != ']') {
    const gunichar low = nego_glob_take (at);
    gunichar high = low;

    first = FALSE;
    if (**at == '-' && (*at)[1] != ']') {
      (*at)++;
      high = nego_glob_take (at);
    }
    found |= low <= c && c <= high;
  }
  (*at)++;
  return found != inverted;
}

/* Steps @at over what stands for one character; whether @c is one. */
static gboolean
nego_glob_fits_one (const char **at, gunichar c)
{
  switch (**at) {
  case '?':
    (*at)++;
    return TRUE;
  case '[':
    (*at)++;
    return nego_glob_in_set (at, c);
  default:
    return nego_glob_take (at) == c;
  }
}

static gboolean
nego_glob_set_is_valid (const char **at)
{
  gboolean first = TRUE;

  if (**at == '!' || **at == '^')
    (*at)++;
  for (; first || **at != ']'; first = FALSE) {
    if (**at == '\\')
      (*at)++;
    if (**at == '\0')
      return FALSE;
    (*at)++;
  }
  return TRUE;
}

gboolean
nego_glob_is_valid (const char *pattern)
{
  if (!g_utf8_validate (pattern, -1, NULL))
    return FALSE;
  for (const char *at = pattern; *at != '\0'; at++) {
    if (*at == '\\') {
      if (*++at == '\0')
        return FALSE;
    } else if (*at == '[') {
      at++;
      if (!nego_glob_set_is_valid (&at))
        return FALSE;
    }
  }
  return TRUE;
}

gboolean
nego_glob_fits (const char *pattern, const char *text)
{
  const char *star = NULL;  /* behind the last '*' */
  const char *retry = NULL; /* where what is behind that one is tried next */

  if (!g_utf8_validate (text, -1, NULL))
    return FALSE;
  /* When the piece between two '*' fits somewhere, the first place is as good as any other: only
   * the last '*' is ever tried again. */
  while (*text != '\0') {
    if (*pattern == '*') {
      star = ++pattern;
      retry = text;
      continue;
    }
    if (*pattern != '\0' && nego_glob_fits_one (&pattern, g_utf8_get_char (text))) {
      text = g_utf8_next_char (text);
      continue;
    }
    if (star == NULL)
      return FALSE;
    retry = g_utf8_next_char (retry);
    text = retry;
    pattern = star;
  }
  while (*pattern == '*')
    pattern++;
  return *pattern == '\0';
}
