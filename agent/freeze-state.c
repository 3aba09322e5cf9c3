/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/freeze-state.h"

typedef struct {
  gboolean known;
  NegoFreezeState next;
} NegoFreezeStep;

#define TO(state)             \
  {                           \
    TRUE, NEGO_FREEZE_##state \
  }

static const NegoFreezeStep steps[NEGO_FREEZE_STATES][NEGO_FREEZE_EVENTS] = {
  [NEGO_FREEZE_THAWED] = {
    [NEGO_FREEZE_EVENT_FREEZE] = TO (PREPARING),
    /* Somebody else may have frozen one, or an agent before this one. */
    [NEGO_FREEZE_EVENT_THAW] = TO (THAWING),
  },
  [NEGO_FREEZE_PREPARING] = {
    [NEGO_FREEZE_EVENT_HOOK_OK] = TO (FREEZING),
    [NEGO_FREEZE_EVENT_HOOK_FAILED] = TO (FINISHING),
    [NEGO_FREEZE_EVENT_THAW] = TO (CANCELLING),
  },
  [NEGO_FREEZE_CANCELLING] = {
    [NEGO_FREEZE_EVENT_HOOK_OK] = TO (THAWING),
    [NEGO_FREEZE_EVENT_HOOK_FAILED] = TO (THAWING),
  },
  [NEGO_FREEZE_FREEZING] = {
    [NEGO_FREEZE_EVENT_FROZEN] = TO (FROZEN),
    [NEGO_FREEZE_EVENT_NONE] = TO (FINISHING),
    [NEGO_FREEZE_EVENT_FAILED] = TO (THAWING),
    [NEGO_FREEZE_EVENT_THAW] = TO (THAWING),
  },
  [NEGO_FREEZE_FROZEN] = {
    [NEGO_FREEZE_EVENT_THAW] = TO (THAWING),
  },
  [NEGO_FREEZE_THAWING] = {
    [NEGO_FREEZE_EVENT_THAWED] = TO (FINISHING),
  },
  [NEGO_FREEZE_FINISHING] = {
    [NEGO_FREEZE_EVENT_HOOK_OK] = TO (THAWED),
    [NEGO_FREEZE_EVENT_HOOK_FAILED] = TO (THAWED),
  },
};

NegoFreezeState
nego_freeze_state_next (NegoFreezeState state, NegoFreezeEvent event)
{
  const NegoFreezeStep *step = &steps[state][event];

  return step->known ? step->next : state;
}
