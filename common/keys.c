/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/keys.h"

#include "common/json.h"

#include <string.h>

/* So many keys of an object are compared with each other as they come. */
#define NEGO_KEYS_FEW 16u

/* Text and side buffer grow, so a key is kept by its place. */
typedef struct {
  gsize start, len;
  gboolean decoded; /* the place is in the side buffer */
} NegoKey;

struct NegoKeys {
  GArray *keys;     /* NegoKey, of all open objects */
  GArray *objects;  /* guint: where the keys of each open object begin */
  GString *decoded; /* the characters of keys with escapes */
};

typedef struct {
  const NegoKeys *keys;
  const GString *text;
} NegoKeysSort;

NegoKeys *
nego_keys_new (void)
{
  NegoKeys *keys = g_new0 (NegoKeys, 1);

  keys->keys = g_array_new (FALSE, FALSE, sizeof (NegoKey));
  keys->objects = g_array_new (FALSE, FALSE, sizeof (guint));
  keys->decoded = g_string_new (NULL);
  return keys;
}

void
nego_keys_free (NegoKeys *keys)
{
  g_array_unref (keys->keys);
  g_array_unref (keys->objects);
  g_string_free (keys->decoded, TRUE);
  g_free (keys);
}

void
nego_keys_clear (NegoKeys *keys)
{
  /* A message may have had half a million keys: nothing of that is kept. */
  if (keys->keys->len > NEGO_KEYS_FEW) {
    g_array_unref (keys->keys);
    keys->keys = g_array_new (FALSE, FALSE, sizeof (NegoKey));
  }
  g_array_set_size (keys->keys, 0);
  g_array_set_size (keys->objects, 0);
  if (keys->decoded->len > 0) {
    g_string_free (keys->decoded, TRUE);
    keys->decoded = g_string_new (NULL);
  }
}

void
nego_keys_open (NegoKeys *keys)
{
  g_array_append_val (keys->objects, keys->keys->len);
}

static const char *
nego_keys_get (const NegoKeys *keys, const NegoKey *key, const GString *text)
{
  return (key->decoded ? keys->decoded->str : text->str) + key->start;
}

static int
nego_keys_compare (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const NegoKeysSort *sort = user_data;
  const NegoKey *left = a, *right = b;

  if (left->len != right->len)
    return left->len < right->len ? -1 : 1;
  return memcmp (nego_keys_get (sort->keys, left, sort->text),
                 nego_keys_get (sort->keys, right, sort->text), left->len);
}

static guint
nego_keys_first (const NegoKeys *keys)
{
  return g_array_index (keys->objects, guint, keys->objects->len - 1);
}

gboolean
nego_keys_add (NegoKeys *keys, const GString *text, gsize start, gsize len, gboolean escaped)
{
  NegoKeysSort sort = { keys, text };
  NegoKey key = { start + 1, len - 2, FALSE };
  guint first = nego_keys_first (keys), n = keys->keys->len - first;

  if (escaped) {
    key.start = keys->decoded->len;
    key.decoded = TRUE;
    nego_json_append_characters (keys->decoded, text->str + start, len);
    key.len = keys->decoded->len - key.start;
  }
  if (n < NEGO_KEYS_FEW)
    for (guint i = 0; i < n; i++)
      if (nego_keys_compare (&key, &g_array_index (keys->keys, NegoKey, first + i), &sort) == 0)
        return FALSE;
  g_array_append_val (keys->keys, key);
  return TRUE;
}

gboolean
nego_keys_close (NegoKeys *keys, const GString *text)
{
  NegoKeysSort sort = { keys, text };
  guint first = nego_keys_first (keys), n = keys->keys->len - first;
  gboolean unique = TRUE;

  if (n > NEGO_KEYS_FEW) {
    NegoKey *own = &g_array_index (keys->keys, NegoKey, first);

    g_qsort_with_data (own, (int) n, sizeof (NegoKey), nego_keys_compare, &sort);
    for (guint i = 1; i < n && unique; i++)
      unique = nego_keys_compare (&own[i - 1], &own[i], &sort) != 0;
  }
  g_array_set_size (keys->keys, first);
  g_array_set_size (keys->objects, keys->objects->len - 1);
  return unique;
}
