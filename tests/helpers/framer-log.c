/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/framer-log.h"

#include "common/error.h"

#include <string.h>

static void
check_message (const NegoFramerMessage *message)
{
  g_assert_cmpuint (strlen (message->text), ==, message->len);
  for (guint i = 0; i < MIN (message->n_members, NEGO_FRAMER_MEMBERS); i++) {
    const NegoFramerMember *member = &message->members[i];

    g_assert_cmpint (message->text[member->key], ==, '"');
    g_assert_cmpint (message->text[member->key + member->key_len - 1], ==, '"');
    g_assert_cmpint (message->text[member->key + member->key_len], ==, ':');
    g_assert_cmpuint (member->key + member->key_len + 1, ==, member->value);
    g_assert_nonnull (strchr (",}", message->text[member->value + member->value_len]));
  }
}

void
framer_log_feed (NegoFramer *framer, const char *data, gsize len, GString *output)
{
  while (len > 0) {
    g_autoptr (GError) error = NULL;
    NegoFramerMessage message;
    gsize used = 0;

    switch (nego_framer_feed (framer, (const guint8 *) data, len, &used, &message, &error)) {
    case NEGO_FRAMER_MESSAGE:
      check_message (&message);
      g_string_append_printf (output, "M %s\n", message.text);
      break;
    case NEGO_FRAMER_ERROR:
      g_assert_error (error, NEGO_ERROR, NEGO_ERROR_PARSE);
      g_string_append_printf (output, "E %s\n", error->message);
      break;
    default:
      g_assert_cmpuint (used, ==, len);
      break;
    }
    g_assert_cmpuint (used, <=, len);
    data += used;
    len -= used;
  }
}

void
framer_log_check (const NegoFramerLimits *limits,
                  const char *input,
                  gsize len,
                  const char *expected)
{
  for (guint round = 0; round < 20; round++) {
    g_autoptr (NegoFramer) framer = nego_framer_new (limits);
    g_autoptr (GString) output = g_string_new (NULL);
    gsize at = 0;

    while (at < len) {
      gsize rest = len - at, n = rest;

      if (round == 1)
        n = 1;
      else if (round > 1)
        n = (gsize) g_test_rand_int_range (1, (gint32) MIN (rest, 16) + 1);
      framer_log_feed (framer, input + at, n, output);
      at += n;
    }
    g_assert_cmpstr (output->str, ==, expected);
  }
}
