/* SPDX-License-Identifier: MIT */
/*
 * settings: what nego-hostd is told by its configuration file, data/hostd.conf, and its command
 * line, which wins.
 *
 * Errors are NEGO_ERROR_CONFIG and name the file and the key, or the option.
 */
#pragma once

#include "host-client/hostd/settings-socket.h"

/* The scripts run as this process. */
#define NEGO_SETTINGS_SELF "self"

typedef struct {
  char *file;           /* the configuration file */
  gboolean file_named;  /* it must be there */
  char **connect;       /* libvirt's URIs, each once; empty: no libvirt */
  GPtrArray *sockets;   /* NegoSettingsSocket: guests without libvirt */
  char **host_commands; /* directories of scripts */
  char *run_as;         /* whom the scripts run as */
  char *control;        /* the path of our own socket; "": none */
  char *group;          /* who may use it, beside our user */
  char *guests_group;   /* who may use the guests' sockets; NULL: the same */
  guint guests_mode;    /* the permissions of these */
  char *policy;         /* the directory of the rules (rules-dir.h) */
  gboolean verbose;
  gboolean version, help; /* of the command line */
  char **check_policy;    /* GUEST COMMAND [ARG…]; NULL: it was not asked for */
  char *help_text;
} NegoSettings;

/* From the command line and the file that it names. */
NegoSettings *nego_settings_new (int argc, char **argv, GError **error);
void nego_settings_free (NegoSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoSettings, nego_settings_free)
