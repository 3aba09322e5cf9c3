/* SPDX-License-Identifier: MIT */
/*
 * discover: the agent's channels of a libvirt domain, from its XML.
 *
 * Facts: libvirt's docs/formatdomain: <channel type='unix'> with <source mode='bind' path=…> and
 * <target type='virtio' name=… state=…>; path and state are there while the guest runs.
 */
#pragma once

#include <glib.h>

typedef struct {
  char *name;         /* the port's */
  char *path;         /* of QEMU's listening socket; NULL: none is known */
  gboolean connected; /* libvirt knows that something in the guest has it open */
} NegoChannel;

/* Returns: (transfer full) (element-type NegoChannel): the virtio channels in the domain's @xml.
 * Errors: NEGO_ERROR_PARSE. */
GPtrArray *nego_discover_channels (const char *xml, GError **error);

/* Whether an agent may be behind one of the channels. */
gboolean nego_discover_has_agent (const GPtrArray *channels);

/* The channel of this name, or NULL. */
const NegoChannel *nego_discover_find (const GPtrArray *channels, const char *name);
