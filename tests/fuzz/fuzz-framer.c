/* SPDX-License-Identifier: MIT */
/*
 * What must hold for any input of the framer:
 *  - the pieces that it comes in make no difference;
 *  - what is passed on is strict JSON: json-glib takes it, and the framer passes it unchanged;
 *  - one error for a malformed message: the next comes only after an LF, a 0xFF or a '{';
 *  - after 0xFF all is as at the start.
 *
 * An entry point for libFuzzer, and for replay.c.
 */
#include "config.h"

#include "common/error.h"
#include "common/framer.h"
#include "common/json.h"

#include <json-glib/json-glib.h>

#include <stdint.h>
#include <string.h>

#define PING "{\"execute\":\"guest-ping\"}"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Small enough for short inputs to meet them. */
static const NegoFramerLimits limits = { .max_bytes = 2000, .max_tokens = 600, .max_depth = 64 };

typedef struct {
  GString *results;
  gsize last_error; /* where the last one was noticed; G_MAXSIZE: there was none */
  gboolean check;
} Run;

static void
check_message (const NegoFramerMessage *message)
{
  g_autoptr (NegoFramer) framer = nego_framer_new (&(NegoFramerLimits){
    /* U+0000 and quotes grow. */
    .max_bytes = limits.max_bytes * 3,
    .max_tokens = limits.max_tokens,
    .max_depth = limits.max_depth,
  });
  g_autoptr (GString) spelled = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = json_from_string (message->text, &error);
  NegoFramerMessage again;
  gsize used;

  g_assert_no_error (error);
  g_assert_true (JSON_NODE_HOLDS_OBJECT (node));
  g_assert_cmpuint (json_object_get_size (json_node_get_object (node)), ==, message->n_members);
  g_assert_cmpint (nego_framer_feed (framer, (const guint8 *) message->text, message->len, &used,
                                     &again, NULL),
                   ==, NEGO_FRAMER_MESSAGE);
  g_assert_cmpmem (message->text, message->len, again.text, again.len);

  nego_json_respell (spelled, message->text, message->len);
  for (gsize i = 0; i < spelled->len; i++)
    g_assert_true (g_ascii_isprint (spelled->str[i]));
  g_assert_cmpint (nego_framer_feed (framer, (const guint8 *) spelled->str, spelled->len, &used,
                                     &again, NULL),
                   ==, NEGO_FRAMER_MESSAGE);
}

/* @at: where the error was noticed, in @data. */
static void
check_error (Run *run, const guint8 *data, gsize size, gsize at)
{
  if (run->last_error != G_MAXSIZE) {
    gsize i = run->last_error;

    while (i < size && i <= at && memchr ("\n{\xff", data[i], 3) == NULL)
      i++;
    g_assert_true (i < size && i <= at);
  }
  run->last_error = at;
}

static void
feed (Run *run, NegoFramer *framer, const guint8 *data, gsize size, gsize from, gsize to)
{
  while (from < to) {
    g_autoptr (GError) error = NULL;
    NegoFramerMessage message;
    gsize used = 0;
    NegoFramerResult result
      = nego_framer_feed (framer, data + from, to - from, &used, &message, &error);

    g_assert_cmpuint (used, <=, to - from);
    from += used;
    if (result == NEGO_FRAMER_MESSAGE) {
      g_string_append_printf (run->results, "%zu M %s\n", from, message.text);
      if (run->check)
        check_message (&message);
    } else if (result == NEGO_FRAMER_ERROR) {
      g_assert_error (error, NEGO_ERROR, NEGO_ERROR_PARSE);
      g_assert_cmpuint (strlen (error->message), <, 128);
      g_string_append_printf (run->results, "%zu E %s\n", from, error->message);
      if (run->check)
        check_error (run, data, size, from);
    } else {
      g_assert_cmpuint (from, ==, to);
    }
  }
}

static void
check_reset (Run *run, NegoFramer *framer)
{
  static const guint8 input[] = "\xff" PING;
  g_autofree char *expected = NULL;

  feed (run, framer, (const guint8 *) "\xff", 1, 0, 1);
  g_assert_false (nego_framer_is_pending (framer));
  g_string_truncate (run->results, 0);
  feed (run, framer, input, sizeof input - 1, 0, sizeof input - 1);
  expected = g_strdup_printf ("%zu M " PING "\n", sizeof input - 1);
  g_assert_cmpstr (run->results->str, ==, expected);
}

/* @step 0: whole; else pieces of 1 to @step bytes, which depend on the data only. */
static char *
run_framer (const guint8 *data, gsize size, gsize step)
{
  g_autoptr (NegoFramer) framer = nego_framer_new (&limits);
  Run run = { g_string_new (NULL), G_MAXSIZE, step == 0 };
  gsize at = 0, n = 0;
  char *results;

  while (at < size) {
    n = step == 0 ? size : (n * 31 + data[at]) % step + 1;
    n = MIN (n, size - at);
    feed (&run, framer, data, size, at, at + n);
    at += n;
  }
  results = g_strdup (run.results->str);
  run.check = FALSE;
  check_reset (&run, framer);
  g_string_free (run.results, TRUE);
  return results;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const gsize steps[] = { 1, 2, 7, 40 };
  g_autofree char *whole = run_framer (data, size, 0);

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    g_autofree char *pieces = run_framer (data, size, steps[i]);

    g_assert_cmpstr (whole, ==, pieces);
  }
  return 0;
}
