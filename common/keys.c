/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/keys.h"

#include <string.h>

/* So many keys of an object are compared with each other as they come. */
#define NEGO_KEYS_FEW 16u
/* So many keys' memory is kept for the next message: half a million may have come. */
#define NEGO_KEYS_KEEP 1024u

/* By its place, since the text may move. */
typedef struct {
  gsize start, len;
} NegoKey;

struct NegoKeys {
  GArray *keys;    /* NegoKey: of all open objects, the innermost object's last */
  GArray *objects; /* guint: where the keys of each open object begin */
  guint most;      /* keys that there were at a time */
};

NegoKeys *
nego_keys_new (void)
{
  NegoKeys *keys = g_new0 (NegoKeys, 1);

  keys->keys = g_array_new (FALSE, FALSE, sizeof (NegoKey));
  keys->objects = g_array_new (FALSE, FALSE, sizeof (guint));
  return keys;
}

void
nego_keys_free (NegoKeys *keys)
{
  g_array_unref (keys->keys);
  g_array_unref (keys->objects);
  g_free (keys);
}

void
nego_keys_clear (NegoKeys *keys)
{
  if (keys->most > NEGO_KEYS_KEEP) {
    g_array_unref (keys->keys);
    keys->keys = g_array_new (FALSE, FALSE, sizeof (NegoKey));
    keys->most = 0;
  }
  g_array_set_size (keys->keys, 0);
  g_array_set_size (keys->objects, 0);
}

void
nego_keys_open (NegoKeys *keys)
{
  g_array_append_val (keys->objects, keys->keys->len);
}

static int
nego_keys_compare (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const NegoKey *left = a, *right = b;
  const char *text = user_data;

  if (left->len != right->len)
    return left->len < right->len ? -1 : 1;
  return memcmp (text + left->start, text + right->start, left->len);
}

static guint
nego_keys_get_first (const NegoKeys *keys)
{
  return g_array_index (keys->objects, guint, keys->objects->len - 1);
}

gboolean
nego_keys_add (NegoKeys *keys, const char *text, gsize start, gsize len)
{
  const NegoKey key = { start, len };
  guint first = nego_keys_get_first (keys), n = keys->keys->len - first;

  if (n < NEGO_KEYS_FEW)
    for (guint i = 0; i < n; i++)
      if (nego_keys_compare (&key, &g_array_index (keys->keys, NegoKey, first + i), (gpointer) text)
          == 0)
        return FALSE;
  g_array_append_val (keys->keys, key);
  keys->most = MAX (keys->most, keys->keys->len);
  return TRUE;
}

gboolean
nego_keys_close (NegoKeys *keys, const char *text)
{
  guint first = nego_keys_get_first (keys), n = keys->keys->len - first;
  gboolean unique = TRUE;

  if (n > NEGO_KEYS_FEW) {
    NegoKey *own = &g_array_index (keys->keys, NegoKey, first);

    g_qsort_with_data (own, (int) n, sizeof (NegoKey), nego_keys_compare, (gpointer) text);
    for (guint i = 1; i < n && unique; i++)
      unique = nego_keys_compare (&own[i - 1], &own[i], (gpointer) text) != 0;
  }
  g_array_set_size (keys->keys, first);
  g_array_set_size (keys->objects, keys->objects->len - 1);
  return unique;
}
