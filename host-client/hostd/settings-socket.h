/* SPDX-License-Identifier: MIT */
/*
 * settings-socket: a guest without libvirt, as the settings name it: NAME=PATH for each of its
 * ports.
 */
#pragma once

#include <glib.h>

typedef struct {
  char *name;
  char *path;  /* of negotiator-guest-to-host.0; NULL: none */
  char *agent; /* of negotiator-host-to-guest.0; NULL: none */
} NegoSettingsSocket;

/* Returns: (transfer full), of NegoSettingsSocket. */
GPtrArray *nego_settings_socket_list_new (void);

/* Adds what the texts of @list (NULL: none) say to @sockets. @agent: they are of the port to the
 * guest's agent, else of that of its calls. Errors: NEGO_ERROR_CONFIG, which name @where. */
gboolean nego_settings_socket_add_all (
  GPtrArray *sockets, char **list, gboolean agent, const char *where, GError **error);
