/* SPDX-License-Identifier: MIT */
/*
 * setting: each setting of the agent: its group and key, how it is read from text, and its text.
 */
#pragma once

#include "agent/conf.h"

#include <glib.h>

typedef struct NegoSetting NegoSetting;

struct NegoSetting {
  const char *group, *key;
  gboolean (*set) (NegoConf *conf, const NegoSetting *setting, const char *value, GError **error);
  /* Returns: (transfer full), NULL: not set, and not dumped. */
  char *(*get) (const NegoConf *conf, const NegoSetting *setting);
  gsize offset;     /* of the member, where the setter needs it */
  guint64 min, max; /* of a number */
  guint scale;      /* what the member has for one of the setting's */
};

/* All settings, in the order of --dump-conf. */
extern const NegoSetting nego_settings[];
extern const gsize nego_n_settings;
