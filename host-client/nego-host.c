/* SPDX-License-Identifier: MIT */
/*
 * nego-host: the host's command line.
 */
#include "config.h"

#include "common/error.h"
#include "common/pipe.h"
#include "common/client/output.h"
#include "host-client/negotiator-host.h"
#include "host-client/verbs.h"

static const NegoVerb verbs[] = {
  { .name = "list",
    .words = "",
    .summary = "the guests, their channels, and whether an agent answers",
    .run = nego_cmd_list },
  { .name = "commands",
    .words = "",
    .summary = "the commands that the guest offers",
    .guest = TRUE,
    .run = nego_cmd_commands },
  { .name = "exec",
    .words = "COMMAND [ARG…]",
    .summary = "run a command of the guest",
    .guest = TRUE,
    .min_words = 1,
    .max_words = G_MAXUINT - 1,
    .runs = TRUE,
    .run = nego_cmd_exec },
  { .name = "cp",
    .words = "FROM TO",
    .summary = "copy a file: one of FROM and TO is GUEST:PATH",
    .copies = TRUE,
    .min_words = 2,
    .max_words = 2,
    .run = nego_cmd_cp },
  { .name = "jobs",
    .words = "",
    .summary = "the guest's jobs: queued, running, and ended ones that are kept",
    .guest = TRUE,
    .run = nego_cmd_jobs },
  { .name = "attach",
    .words = "JOB",
    .summary = "a job's output, from what is kept of it to its end",
    .guest = TRUE,
    .min_words = 1,
    .max_words = 1,
    .run = nego_cmd_attach },
  { .name = "kill",
    .words = "JOB",
    .summary = "send a signal to a job",
    .guest = TRUE,
    .min_words = 1,
    .max_words = 1,
    .signals = TRUE,
    .run = nego_cmd_kill },
  { .name = "forget",
    .words = "JOB",
    .summary = "let a job go, with its output; kill it if it runs",
    .guest = TRUE,
    .min_words = 1,
    .max_words = 1,
    .run = nego_cmd_forget },
  { .name = "ping",
    .words = "",
    .summary = "whether the agent answers",
    .guest = TRUE,
    .run = nego_cmd_ping },
  { .name = "info",
    .words = "",
    .summary = "what the agent is and can do",
    .guest = TRUE,
    .run = nego_cmd_info },
  { .name = "wait",
    .words = "",
    .summary = "until the guest has told something, such as that it is ready",
    .guest = TRUE,
    .waits = TRUE,
    .run = nego_cmd_wait },
  { .name = "qmp",
    .words = "[JSON]",
    .summary = "send a request, or those on the standard input, and print the reply",
    .guest = TRUE,
    .max_words = 1,
    .run = nego_cmd_qmp },
  { .name = "snapshot",
    .words = "",
    .summary = "an external snapshot of the guest's disks",
    .guest = TRUE,
    .fleet = TRUE,
    .snapshots = TRUE,
    .run = nego_cmd_snapshot },
  { NULL },
};

static int
nego_host_print_help (const NegoOptions *options)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (options->help)
    nego_options_append_help (text, verbs);
  else
    g_string_append (text, "nego-host " NEGO_VERSION "\n");
  return nego_output_text (text, NULL) ? 0 : 1;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoOptions) options = NULL;

  nego_pipe_fill_standard ();
  if (nego_negotiator_host_is_called ())
    return nego_negotiator_host_main (argc, argv, verbs);
  options = nego_options_new (verbs, argc, argv, &error);
  if (options == NULL) {
    nego_output_say ("%s", error->message);
    return 2;
  }
  return options->verb != NULL ? options->verb->run (options) : nego_host_print_help (options);
}
