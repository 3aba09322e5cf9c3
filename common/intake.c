/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/intake.h"

#include "common/old-frame.h"

#include <malloc.h>
#include <string.h>

/* A message over this, or as much input that is none, leaves holes in the heap: they are given back
 * as soon as it is done with. Those of a file that is written in pieces of 1 MiB, which would have
 * to be mapped again for the next piece, are when nothing comes any more. */
#define NEGO_INTAKE_LARGE_BYTES (2u << 20)

struct NegoIntake {
  NegoFramer *framer;
  GByteArray *rest;
  gboolean takes_old;
  gboolean at_start; /* the next byte may begin a message of the Python negotiator */
  NegoOldFrame old;
  gsize taken;    /* bytes since the last message or error */
  gsize most;     /* of them, since that was asked last */
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
nego_intake_enable_old (NegoIntake *intake)
{
  intake->takes_old = intake->at_start = TRUE;
}

void
nego_intake_set_keep (NegoIntake *intake, gsize bytes)
{
  nego_framer_set_keep (intake->framer, bytes);
}

void
nego_intake_free (NegoIntake *intake)
{
  gboolean large;

  if (intake == NULL)
    return;
  large = intake->large;
  nego_framer_free (intake->framer);
  nego_old_frame_clear (&intake->old);
  g_byte_array_unref (intake->rest);
  g_free (intake);
  if (large)
    malloc_trim (0);
}

/* Gives bytes of @data to the framer, up to the end of a message or error. Returns how many. */
static gsize
nego_intake_feed_framer (NegoIntake *intake, const guint8 *data, gsize len)
{
  NegoFramerMessage message;
  GError *error = NULL;
  gsize used = 0;
  NegoFramerResult result = nego_framer_feed (intake->framer, data, len, &used, &message, &error);

  intake->taken += used;
  intake->most = MAX (intake->most, intake->taken);
  if (result != NEGO_FRAMER_MORE) {
    intake->large |= intake->taken > NEGO_INTAKE_LARGE_BYTES;
    intake->taken = 0;
  }
  if (result == NEGO_FRAMER_MESSAGE)
    intake->callbacks->message (&message, intake->user_data);
  else if (result == NEGO_FRAMER_ERROR)
    intake->callbacks->error (error, intake->user_data);
  return used;
}

/* The same with 0xFF ending it, behind which another kind of message may begin. */
static gsize
nego_intake_feed_to_mark (NegoIntake *intake, const guint8 *data, gsize len)
{
  const guint8 *mark = memchr (data, 0xff, len);
  const gsize n
    = nego_intake_feed_framer (intake, data, mark != NULL ? (gsize) (mark - data) + 1 : len);

  intake->at_start = n > 0 && data[n - 1] == 0xff;
  return n;
}

static gsize
nego_intake_feed_old (NegoIntake *intake, const guint8 *data, gsize len)
{
  g_auto (NegoOldFrame) done = { 0 };
  gsize used;
  NegoOldFrameResult result = nego_old_frame_feed (&intake->old, data, len, &used);

  if (result == NEGO_OLD_FRAME_MORE)
    return used;
  done = intake->old;
  intake->old = (NegoOldFrame){ 0 };
  intake->at_start = result == NEGO_OLD_FRAME_MESSAGE;
  if (result == NEGO_OLD_FRAME_MESSAGE)
    intake->callbacks->old (done.text->str, done.text->len, intake->user_data);
  else /* a number that goes on, perhaps: no message ends in it */
    nego_intake_feed_framer (intake, (const guint8 *) done.digits, done.n_digits);
  return used;
}

/* Returns how many bytes were taken. */
static gsize
nego_intake_feed (NegoIntake *intake, const guint8 *data, gsize len)
{
  gsize n = 0;

  while (n < len && intake->callbacks->has_room (intake->user_data)) {
    if (nego_old_frame_is_pending (&intake->old) || (intake->at_start && g_ascii_isdigit (data[n])))
      n += nego_intake_feed_old (intake, data + n, len - n);
    else if (intake->takes_old)
      n += nego_intake_feed_to_mark (intake, data + n, len - n);
    else
      n += nego_intake_feed_framer (intake, data + n, len - n);
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
  nego_old_frame_clear (&intake->old);
  intake->at_start = intake->takes_old;
  g_byte_array_set_size (intake->rest, 0);
  intake->large |= intake->taken > NEGO_INTAKE_LARGE_BYTES;
  intake->taken = 0;
}

gboolean
nego_intake_had_large (NegoIntake *intake, gsize bytes)
{
  const gsize most = intake->most;

  intake->most = 0;
  return most > bytes;
}

void
nego_intake_release (NegoIntake *intake)
{
  nego_framer_release (intake->framer);
  if (intake->large)
    malloc_trim (0);
  intake->large = FALSE;
}

void
nego_intake_shrink (NegoIntake *intake)
{
  nego_framer_shrink (intake->framer);
  malloc_trim (0);
}
