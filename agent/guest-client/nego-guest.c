/* SPDX-License-Identifier: MIT */
/*
 * nego-guest: the guest's command line: what the host offers, and running it. As negotiator-guest
 * it takes the options of the Python program of that name.
 */
#include "config.h"

#include "agent/guest-client/verbs.h"
#include "common/client/output.h"
#include "common/pipe.h"

#include <errno.h>
#include <unistd.h>

static const NegoGuestVerb verbs[] = {
  { .name = "list",
    .words = "",
    .summary = "the commands that the host offers",
    .run = nego_guest_cmd_list },
  { .name = "exec",
    .words = "COMMAND [ARG…]",
    .summary = "run a command of the host",
    .min_words = 1,
    .max_words = G_MAXUINT - 1,
    .runs = TRUE,
    .run = nego_guest_cmd_exec },
  { .name = "ping",
    .words = "",
    .summary = "whether the host answers",
    .run = nego_guest_cmd_ping },
  { .name = "info",
    .words = "",
    .summary = "what answers there, and since when",
    .run = nego_guest_cmd_info },
  { .name = "wait",
    .words = "",
    .summary = "wait until the host answers",
    .run = nego_guest_cmd_wait },
  { .name = "notify",
    .words = "ready|NAME=VALUE",
    .summary = "tell the host something about this guest",
    .min_words = 1,
    .max_words = 1,
    .run = nego_guest_cmd_notify },
  { NULL },
};

static int
nego_guest_print_help (const NegoGuestOptions *options)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (options->old)
    nego_guest_options_append_help_old (text);
  else if (options->help)
    nego_guest_options_append_help (text, verbs);
  else
    g_string_append (text, "nego-guest " NEGO_VERSION "\n");
  return nego_output_text (text, NULL) ? 0 : 1;
}

/* The agent in our place, on the negotiator ports alone. */
static int
nego_guest_be_agent (const NegoGuestOptions *options)
{
  execl (NEGO_AGENT_PROGRAM, "nego-agent", "--no-qga", options->verbose ? "-v" : NULL, NULL);
  nego_output_say ("cannot execute '%s': %s", NEGO_AGENT_PROGRAM, g_strerror (errno));
  return 1;
}

int
main (int argc, char **argv)
{
  const gboolean old = g_str_equal (program_invocation_short_name, "negotiator-guest");
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoGuestOptions) options = NULL;

  nego_pipe_fill_standard ();
  options = old ? nego_guest_options_new_old (&verbs[0], &verbs[1], argc, argv, &error)
                : nego_guest_options_new (verbs, argc, argv, &error);
  if (options == NULL) {
    nego_output_say ("%s", error->message);
    return 2;
  }
  if (options->daemon && !options->help)
    return nego_guest_be_agent (options);
  return options->verb != NULL && !options->help ? options->verb->run (options)
                                                 : nego_guest_print_help (options);
}
