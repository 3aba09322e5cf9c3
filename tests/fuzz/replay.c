/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target without libFuzzer: replay CORPUS-FOLDER RUNS. Each file of the corpus is an
 * input, then RUNS mutations of them, which --seed repeats.
 */
#include "config.h"

#include <glib.h>

#include <stdint.h>
#include <stdlib.h>

/* A mutated input grows no longer. */
#define INPUT_BYTES 8192u

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct {
  GPtrArray *inputs; /* GBytes */
  guint runs;
} Corpus;

static void
run (const guint8 *data, gsize size)
{
  /* A copy of the very size, so that a sanitizer sees a read behind it. */
  g_autofree guint8 *copy = g_memdup2 (data, size);

  LLVMFuzzerTestOneInput (copy, size);
}

static void
load (Corpus *corpus, const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  const char *name;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    char *data;
    gsize size;

    g_file_get_contents (path, &data, &size, &error);
    g_assert_no_error (error);
    g_ptr_array_add (corpus->inputs, g_bytes_new_take (data, size));
  }
  g_assert_cmpuint (corpus->inputs->len, >, 0);
}

static void
test_corpus (gconstpointer user_data)
{
  const Corpus *corpus = user_data;

  for (guint i = 0; i < corpus->inputs->len; i++) {
    gsize size;
    const guint8 *data = g_bytes_get_data (corpus->inputs->pdata[i], &size);

    run (data, size);
  }
}

static guint
random_below (guint limit)
{
  return (guint) g_test_rand_int_range (0, (gint32) limit);
}

static GBytes *
random_input (const Corpus *corpus)
{
  return corpus->inputs->pdata[random_below (corpus->inputs->len)];
}

/* Inserts a piece of another input, or of itself. */
static void
splice (const Corpus *corpus, GByteArray *input)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (random_input (corpus), &size);
  guint from = random_below ((guint) size + 1), len = random_below ((guint) size - from + 1);
  guint at = random_below (input->len + 1);
  g_autoptr (GByteArray) tail = g_byte_array_new ();

  if (input->len + len > INPUT_BYTES)
    return;
  g_byte_array_append (tail, input->data + at, input->len - at);
  g_byte_array_set_size (input, at);
  g_byte_array_append (input, data + from, len);
  g_byte_array_append (input, tail->data, tail->len);
}

static void
mutate (const Corpus *corpus, GByteArray *input)
{
  /* What means something to a parser. */
  static const guint8 special[]
    = "{}[]:,\"'\\\n\r\t u0-.eE/%\x00\x01\x7f\x80\xbf\xc0\xc3\xed\xf4\xfe\xff";
  guint at = input->len > 0 ? random_below (input->len) : 0;

  if (input->len == 0) {
    splice (corpus, input);
    return;
  }
  switch (random_below (5)) {
  case 0:
    input->data[at] = (guint8) random_below (256);
    break;
  case 1:
    input->data[at] = special[random_below (sizeof special - 1)];
    break;
  case 2:
    g_byte_array_remove_range (input, at, 1 + random_below (MIN (input->len - at, 32)));
    break;
  case 3:
    g_byte_array_set_size (input, at);
    break;
  default:
    splice (corpus, input);
    break;
  }
}

static void
test_mutations (gconstpointer user_data)
{
  const Corpus *corpus = user_data;

  for (guint i = 0; i < corpus->runs; i++) {
    g_autoptr (GByteArray) input = g_byte_array_new ();
    gsize size;
    const guint8 *data = g_bytes_get_data (random_input (corpus), &size);

    g_byte_array_append (input, data, (guint) size);
    for (guint n = 1 + random_below (6); n > 0; n--)
      mutate (corpus, input);
    run (input->data, input->len);
  }
}

int
main (int argc, char *argv[])
{
  g_autoptr (GPtrArray) inputs = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  Corpus corpus = { inputs, 0 };

  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 3);
  load (&corpus, argv[1]);
  corpus.runs = (guint) g_ascii_strtoull (argv[2], NULL, 10);
  g_test_add_data_func ("/fuzz/corpus", &corpus, test_corpus);
  g_test_add_data_func ("/fuzz/mutations", &corpus, test_mutations);
  return g_test_run ();
}
