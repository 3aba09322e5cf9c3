/* SPDX-License-Identifier: MIT */
/*
 * options: nego-host's command line.
 *
 * Options stand before or behind the verb and its words; behind the COMMAND of exec everything is
 * the script's, and behind "--" nothing is an option. Errors are NEGO_ERROR_CONFIG and name the
 * option.
 */
#pragma once

#include <glib.h>

typedef struct NegoVerb NegoVerb;

typedef struct {
  const NegoVerb *verb; /* NULL: help or version was asked for */
  char *connect;        /* libvirt's URI, the last of connects; NULL: its default */
  char **connects;      /* all of them; NULL: none */
  char *socket;         /* NULL: libvirt */
  gboolean has_timeout;
  double timeout; /* seconds; 0: without limit */
  gboolean json;
  gboolean verbose;
  gboolean quiet;
  gboolean no_input;
  char *key;
  gboolean detach;
  char *signal; /* NULL: TERM */
  gboolean has_kill_after;
  double kill_after; /* seconds */
  gboolean help;
  gboolean version;
  gboolean all;   /* guests that run */
  char *match;    /* those whose names match; NULL: no pattern */
  gboolean many;  /* these, or a list of names in guest */
  guint parallel; /* of these at once */
  char *name;     /* of a snapshot; NULL: none was given */
  char *note;     /* what is waited for: NAME or NAME=VALUE; NULL: ready */
  char *hostd;    /* nego-hostd's own socket; NULL: where it is by default */
  gboolean quiesce;
  gboolean no_metadata;
  char *guest; /* NULL: the verb takes none, or --socket, --all or --match say who */
  char **args; /* the verb's other words; never NULL */
} NegoOptions;

struct NegoVerb {
  const char *name;
  const char *words;   /* behind the guest, for the usage; "" for none */
  const char *summary; /* for the usage */
  gboolean guest;      /* a guest is named, unless --socket is given */
  gboolean copies;     /* the guest is named in one of the words */
  guint min_words, max_words;
  gboolean runs;      /* the words behind the first are not nego-host's; -n, --detach and --key */
  gboolean signals;   /* -s and --kill-after */
  gboolean fleet;     /* always of several guests, though it be of one */
  gboolean snapshots; /* --name, --quiesce, --no-metadata */
  gboolean waits;     /* --for; the guest is nego-hostd's to find */
  /* Returns: nego-host's exit status. */
  int (*run) (const NegoOptions *options);
};

/* @verbs ends with one without a name. Returns: (transfer full), or NULL. */
NegoOptions *nego_options_new (const NegoVerb *verbs, int argc, char **argv, GError **error);
void nego_options_free (NegoOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoOptions, nego_options_free)

/* The usage, of all @verbs. */
void nego_options_append_help (GString *out, const NegoVerb *verbs);

/* The moment that is as many seconds away as --timeout says, else @default_s. */
gint64 nego_options_deadline (const NegoOptions *options, double default_s);
