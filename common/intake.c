/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/intake.h"

#include <malloc.h>

/* A message over this, or as much input that is none, leaves holes in the heap: they are given back
 * once it is done with. */
#define NEGO_INTAKE_LARGE_BYTES (1u << 20)

struct NegoIntake {
  NegoFramer *framer;
  GByteArray *rest;
  gsize taken;    /* bytes since the last message or error */
  gboolean large; /* more than NEGO_INTAKE_LARGE_BYTES were taken for one, since the last release */
  const NegoIntakeCallbacks *callbacks;
  gpointer user_data;
};

NegoIntake *
nego_intake_new (const NegoFramerLimits *limits,
                 const NegoIntakeCallbacks *callbacks,
                 gpointer user_data)
{
  NegoIntake *intake = g_new0 (NegoIntake, 1);

  intake->framer = nego_framer_new (limits);
  intake->rest = g_byte_array_new ();
  intake->callbacks = callbacks;
  intake->user_data = user_data;
  return intake;
}

void
nego_intake_free (NegoIntake *intake)
{
  gboolean large;

  if (intake == NULL)
    return;
  large = intake->large;
  nego_framer_free (intake->framer);
  g_byte_array_unref (intake->rest);
  g_free (intake);
  if (large)
    malloc_trim (0);
}

/* Returns how many bytes were taken. */
static gsize
nego_intake_feed (NegoIntake *intake, const guint8 *data, gsize len)
{
  gsize n = 0;

  while (n < len && intake->callbacks->has_room (intake->user_data)) {
    NegoFramerMessage message;
    GError *error = NULL;
    gsize used = 0;
    NegoFramerResult result
      = nego_framer_feed (intake->framer, data + n, len - n, &used, &message, &error);

    n += used;
    intake->taken += used;
    if (result != NEGO_FRAMER_MORE) {
      intake->large |= intake->taken > NEGO_INTAKE_LARGE_BYTES;
      intake->taken = 0;
    }
    if (result == NEGO_FRAMER_MESSAGE)
      intake->callbacks->message (&message, intake->user_data);
    else if (result == NEGO_FRAMER_ERROR)
      intake->callbacks->error (error, intake->user_data);
  }
  return n;
}

void
nego_intake_take (NegoIntake *intake, const guint8 *data, gsize len)
{
  gsize taken = nego_intake_feed (intake, data, len);

  g_byte_array_append (intake->rest, data + taken, (guint) (len - taken));
}

void
nego_intake_take_rest (NegoIntake *intake)
{
  gsize taken = nego_intake_feed (intake, intake->rest->data, intake->rest->len);

  g_byte_array_remove_range (intake->rest, 0, (guint) taken);
}

gboolean
nego_intake_has_rest (const NegoIntake *intake)
{
  return intake->rest->len > 0;
}

void
nego_intake_reset (NegoIntake *intake)
{
  nego_framer_reset (intake->framer);
  g_byte_array_set_size (intake->rest, 0);
  intake->large |= intake->taken > NEGO_INTAKE_LARGE_BYTES;
  intake->taken = 0;
}

void
nego_intake_release (NegoIntake *intake)
{
  nego_framer_release (intake->framer);
  if (intake->large)
    malloc_trim (0);
  intake->large = FALSE;
}
