/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/memory.h"

#include <string.h>

/* Whatever is advised of a block, and however it lies: what is not given back stays. */
static void
test_block (gconstpointer data)
{
  const gsize size = *(const gsize *) data, half = size / 2;
  g_autofree char *block = g_malloc (size + 1), *expected = g_malloc (size + 1);
  gsize back;

  nego_memory_expect (block, size);
  for (gsize i = 0; i < size; i++)
    block[i] = expected[i] = (char) (i % 251);
  g_assert_cmpmem (block, size, expected, size);
  back = nego_memory_give_back (block, 0, half);
  g_assert_cmpuint (back, <=, half);
  g_assert_cmpmem (block + half, size - half, expected + half, size - half);
  g_assert_cmpmem (block + back, size - back, expected + back, size - back);
  /* Nothing more until another page is whole. */
  g_assert_cmpuint (nego_memory_give_back (block, back, half), ==, back);
  /* It can be used again. */
  memcpy (block, expected, size);
  g_assert_cmpmem (block, size, expected, size);
}

int
main (int argc, char **argv)
{
  static const gsize sizes[]
    = { 1, 4096, NEGO_MEMORY_LARGE_BYTES - 1, NEGO_MEMORY_LARGE_BYTES, 16777217 };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree char *path = g_strdup_printf ("/memory/%" G_GSIZE_FORMAT, sizes[i]);

    g_test_add_data_func (path, &sizes[i], test_block);
  }
  return g_test_run ();
}
