/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/freeze-state.h"

#define S(name) NEGO_FREEZE_##name
#define E(name) NEGO_FREEZE_EVENT_##name

/* Each event in each state that it means something in; all others change nothing. */
static const struct {
  NegoFreezeState state;
  NegoFreezeEvent event;
  NegoFreezeState next;
} steps[] = {
  { S (THAWED), E (FREEZE), S (PREPARING) },
  { S (THAWED), E (THAW), S (THAWING) },
  { S (PREPARING), E (HOOK_OK), S (FREEZING) },
  { S (PREPARING), E (HOOK_FAILED), S (FINISHING) },
  { S (PREPARING), E (THAW), S (CANCELLING) },
  { S (CANCELLING), E (HOOK_OK), S (THAWING) },
  { S (CANCELLING), E (HOOK_FAILED), S (THAWING) },
  { S (FREEZING), E (FROZEN), S (FROZEN) },
  { S (FREEZING), E (NONE), S (FINISHING) },
  { S (FREEZING), E (FAILED), S (THAWING) },
  { S (FREEZING), E (THAW), S (THAWING) },
  { S (FROZEN), E (THAW), S (THAWING) },
  { S (THAWING), E (THAWED), S (FINISHING) },
  { S (FINISHING), E (HOOK_OK), S (THAWED) },
  { S (FINISHING), E (HOOK_FAILED), S (THAWED) },
};

static NegoFreezeState
expected (NegoFreezeState state, NegoFreezeEvent event)
{
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    if (steps[i].state == state && steps[i].event == event)
      return steps[i].next;
  return state;
}

static void
test_steps (void)
{
  for (guint state = 0; state < NEGO_FREEZE_STATES; state++)
    for (guint event = 0; event < NEGO_FREEZE_EVENTS; event++)
      g_assert_cmpint (nego_freeze_state_next (state, event), ==, expected (state, event));
}

/* From each state a thaw leads back to thawed, if what it waits for happens, and whether or not it
 * goes well. */
static void
test_always_thaws (void)
{
  static const NegoFreezeEvent after[NEGO_FREEZE_STATES][2] = {
    [NEGO_FREEZE_CANCELLING] = { E (HOOK_OK), E (HOOK_FAILED) },
    [NEGO_FREEZE_THAWING] = { E (THAWED), E (THAWED) },
    [NEGO_FREEZE_FINISHING] = { E (HOOK_OK), E (HOOK_FAILED) },
  };

  for (guint state = 0; state < NEGO_FREEZE_STATES; state++)
    for (guint which = 0; which < 2; which++) {
      NegoFreezeState now = nego_freeze_state_next (state, E (THAW));
      gboolean finished = FALSE;

      for (guint i = 0; i < NEGO_FREEZE_STATES && now != S (THAWED); i++) {
        finished |= now == S (FINISHING);
        now = nego_freeze_state_next (now, after[now][which]);
      }
      g_assert_cmpint (now, ==, S (THAWED));
      g_assert_true (finished);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/freeze-state/steps", test_steps);
  g_test_add_func ("/freeze-state/always-thaws", test_always_thaws);
  return g_test_run ();
}
