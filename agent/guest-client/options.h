/* SPDX-License-Identifier: MIT */
/*
 * options: nego-guest's command line, and, under the name negotiator-guest, that of the Python
 * program of this name.
 *
 * Options stand before or behind the verb; behind the COMMAND of exec everything is the command's,
 * and behind "--" nothing is an option. Errors are NEGO_ERROR_CONFIG and name the option.
 */
#pragma once

#include <glib.h>

typedef struct NegoGuestVerb NegoGuestVerb;

typedef struct {
  const NegoGuestVerb *verb; /* NULL: help or version was asked for, or the daemon */
  char *socket;              /* NULL: NEGO_HOST_SOCKET */
  char *device;              /* NULL: the agent's socket, and no device */
  gboolean has_timeout;
  double timeout; /* seconds; 0: without limit */
  gboolean json;
  gboolean verbose;
  gboolean quiet;
  gboolean no_input;
  gboolean detach;
  char *key;
  gboolean help;
  gboolean version;
  gboolean daemon; /* negotiator-guest: be the agent */
  gboolean old;    /* negotiator-guest: commands are listed by name, and output ends with one LF */
  char **args;     /* the words behind the verb; never NULL */
} NegoGuestOptions;

struct NegoGuestVerb {
  const char *name;
  const char *words;   /* for the usage; "" for none */
  const char *summary; /* for the usage */
  guint min_words, max_words;
  gboolean runs; /* the words behind the first are not nego-guest's; -n, --detach and --key */
  /* Returns: the exit status. */
  int (*run) (const NegoGuestOptions *options);
};

/* @verbs ends with one without a name. Returns: (transfer full), or NULL. */
NegoGuestOptions *
nego_guest_options_new (const NegoGuestVerb *verbs, int argc, char **argv, GError **error);
/* As negotiator-guest: @list and @exec are the verbs of -l and -e. */
NegoGuestOptions *nego_guest_options_new_old (
  const NegoGuestVerb *list, const NegoGuestVerb *exec, int argc, char **argv, GError **error);
void nego_guest_options_free (NegoGuestOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoGuestOptions, nego_guest_options_free)

/* The usage, of all @verbs. */
void nego_guest_options_append_help (GString *out, const NegoGuestVerb *verbs);
void nego_guest_options_append_help_old (GString *out);

/* The moment that is as many seconds away as --timeout says, else @default_s. */
gint64 nego_guest_options_deadline (const NegoGuestOptions *options, double default_s);
