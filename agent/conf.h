/* SPDX-License-Identifier: MIT */
/*
 * conf: the agent's settings: qemu-ga's, and our own.
 *
 * Each setting has a group and a key, and one way to be set from text, whether that comes from a
 * file (conf-file.h) or from the command line (options.h). Single values: the later one wins.
 * Lists accumulate, so that what one file blocks no other file can unblock.
 *
 * It opens, reads and writes no file.
 */
#pragma once

#include "agent/address.h"
#include "common/job-table.h"
#include "common/policy.h"

#include <glib.h>

#define NEGO_CONF_GROUP_QGA "general"
#define NEGO_CONF_GROUP     "negotiator"

typedef struct {
  /* [general]: qemu-ga's. */
  gboolean daemonize;
  NegoMethod method;
  char *path;    /* NULL: the method's default, until nego_conf_check () */
  char *logfile; /* NULL: the standard error */
  char *pidfile;
  char *fsfreeze_hook; /* NULL: none */
  char *statedir;
  gboolean verbose;
  gboolean retry_path; /* kept only: our channels always come back */
  /* In the order of qemu-ga's --dump-conf: each single list reversed. */
  GPtrArray *block_rpcs;
  GPtrArray *allow_rpcs;

  /* [negotiator] */
  NegoPolicyCommands commands;
  gboolean serve_qga;    /* whether the channel of method and path is served */
  char **guest_commands; /* directories of scripts, in order */
  GPtrArray *channels;   /* NegoAddress: further channels */
  GArray *vsock_peers;   /* guint32: CIDs whose connections are taken */
  NegoJobLimits jobs;
  gboolean host_calls;    /* whether the guest's programs can call the host */
  NegoAddress *host_port; /* NULL: the method's default (nego_conf_get_host_port ()) */
  char *host_socket, *host_socket_group;
  guint host_socket_mode;
  guint thaw_after_ms; /* 0: file systems stay frozen until somebody thaws them */
  guint hook_ms;       /* how long the freeze hook may run; 0: without end */
  gsize exec_output; /* of guest-exec in one reply; 0: what suits the method (nego_conf_check ()) */

  /* Descriptors of socket activation: the channels instead of method and path. */
  GArray *activated;   /* int */
  GPtrArray *warnings; /* for the log, once there is one */
} NegoConf;

/* With the defaults. */
NegoConf *nego_conf_new (void);
void nego_conf_free (NegoConf *conf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoConf, nego_conf_free)

/* Sets @key of @group from @value. Errors: NEGO_ERROR_NOT_FOUND for an unknown key,
 * NEGO_ERROR_CONFIG with the reason, which names neither key nor place: the caller does. */
gboolean nego_conf_set (
  NegoConf *conf, const char *group, const char *key, const char *value, GError **error);

void nego_conf_warn (NegoConf *conf, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* What can be said only once all is set: fills in the default path and exec-output, checks that a
 * path is there where it must be. Errors: NEGO_ERROR_CONFIG. */
gboolean nego_conf_check (NegoConf *conf, GError **error);

/* A channel to serve. */
typedef struct {
  NegoAddress *address;
  gboolean qga; /* the QGA channel: 64 MiB messages, never an event */
} NegoConfChannel;

/* The channels to serve (NegoConfChannel), the QGA channel first. */
GPtrArray *nego_conf_list_channels (const NegoConf *conf);

/* The port to nego-hostd, if the guest's programs can call the host; NULL: none is known. Returns:
 * (transfer full). */
NegoAddress *nego_conf_get_host_port (const NegoConf *conf);

/* The configuration file that has the effect of @conf: qemu-ga's keys in its order and spelling,
 * then our group. Returns: (transfer full). */
char *nego_conf_dump (const NegoConf *conf);
