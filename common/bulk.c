/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/bulk.h"

#include "common/json.h"
#include "common/memory.h"
#include "common/names.h"

#include <string.h>

static void
nego_bulk_member_free (gpointer data)
{
  NegoBulkMember *member = data;

  g_free (member->key);
  g_free (member->value);
  g_free (member);
}

void
nego_bulk_clear (NegoBulk *bulk)
{
  if (bulk->text != NULL)
    g_string_free (g_steal_pointer (&bulk->text), TRUE);
  g_clear_pointer (&bulk->members, g_ptr_array_unref);
}

/* The closing quote of the string that opens at @p: one before which there is an even number of
 * backslashes. The text is valid, so there is one. */
static const char *
nego_bulk_find_quote (const char *p, const char *end)
{
  const char *open = p;

  do {
    const char *q;

    p = memchr (p + 1, '"', (gsize) (end - p - 1));
    for (q = p; q > open + 1 && q[-1] == '\\'; q--)
      ;
    if ((p - q) % 2 == 0)
      return p;
  } while (TRUE);
}

/* g_strndup() looks at each byte. */
static char *
nego_bulk_copy (const char *text, gsize len)
{
  char *copy = g_malloc (len + 1);

  nego_memory_expect (copy, len + 1);
  memcpy (copy, text, len);
  copy[len] = '\0';
  return copy;
}

/* The characters of the string from @open to @close, its quotes. */
static char *
nego_bulk_get_value (const char *open, const char *close)
{
  const gsize len = (gsize) (close - open) - 1;

  if (memchr (open + 1, '\\', len) == NULL)
    return nego_bulk_copy (open + 1, len);
  return nego_json_string_value (open, len + 2);
}

static void
nego_bulk_add (NegoBulk *bulk, char *key, const char *open, const char *close)
{
  NegoBulkMember *member = g_new0 (NegoBulkMember, 1);

  if (bulk->text == NULL) {
    bulk->text = g_string_new (NULL);
    bulk->members = g_ptr_array_new_with_free_func (nego_bulk_member_free);
  }
  member->key = key;
  member->value = nego_bulk_get_value (open, close);
  g_ptr_array_add (bulk->members, member);
}

gboolean
nego_bulk_take (NegoBulk *bulk, const char *arguments, gsize len)
{
  const char *end = arguments + len, *copied = arguments;
  const char *key = NULL, *key_end = NULL;
  guint depth = 0;

  for (const char *p = arguments; p < end; p++) {
    const char *open = p;

    depth += *p == '{' || *p == '[';
    depth -= *p == '}' || *p == ']';
    if (*p != '"')
      continue;
    p = nego_bulk_find_quote (p, end);
    if (depth != 1)
      continue;
    if (open[-1] != ':') {
      key = open + 1;
      key_end = p;
    } else if ((gsize) (p - open) > NEGO_BULK_BYTES
               && memchr (key, '\\', (gsize) (key_end - key)) == NULL) {
      nego_bulk_add (bulk, g_strndup (key, (gsize) (key_end - key)), open, p);
      g_string_append_len (bulk->text, copied, open - copied);
      g_string_append (bulk->text, "\"\"");
      copied = p + 1;
    }
  }
  if (bulk->text == NULL)
    return FALSE;
  g_string_append_len (bulk->text, copied, end - copied);
  return TRUE;
}
