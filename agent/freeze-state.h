/* SPDX-License-Identifier: MIT */
/*
 * freeze-state: how far a freeze or thaw of the guest's file systems is, and what each thing that
 * happens makes of it: a pure function. Whatever happens, the thaw hook follows the freeze hook.
 */
#pragma once

#include <glib.h>

typedef enum {
  NEGO_FREEZE_THAWED,
  NEGO_FREEZE_PREPARING,  /* the freeze hook runs */
  NEGO_FREEZE_CANCELLING, /* the freeze hook is being ended, since a thaw is wanted */
  NEGO_FREEZE_FREEZING,   /* one file system after another is frozen */
  NEGO_FREEZE_FROZEN,
  NEGO_FREEZE_THAWING,   /* one after another is thawed */
  NEGO_FREEZE_FINISHING, /* the thaw hook runs */
  NEGO_FREEZE_STATES,
} NegoFreezeState;

typedef enum {
  NEGO_FREEZE_EVENT_FREEZE,      /* somebody wants a freeze */
  NEGO_FREEZE_EVENT_THAW,        /* somebody wants a thaw, or the time is over */
  NEGO_FREEZE_EVENT_HOOK_OK,     /* the hook ended well */
  NEGO_FREEZE_EVENT_HOOK_FAILED, /* it did not */
  NEGO_FREEZE_EVENT_FROZEN,      /* all file systems are frozen, one at least */
  NEGO_FREEZE_EVENT_NONE,        /* there was none to freeze */
  NEGO_FREEZE_EVENT_FAILED,      /* one could not be frozen */
  NEGO_FREEZE_EVENT_THAWED,      /* all are thawed, as far as can be */
  NEGO_FREEZE_EVENTS,
} NegoFreezeEvent;

/* The state after @event; @state itself where the event changes nothing. */
NegoFreezeState nego_freeze_state_next (NegoFreezeState state, NegoFreezeEvent event);
