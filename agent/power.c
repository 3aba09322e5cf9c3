/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-power"

#include "config.h"

#include "agent/power.h"

#include "common/error.h"
#include "common/names.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

/* sd_booted(3). */
#define SYSTEMD     "/run/systemd/system"
#define STATE       "/sys/power/state"
#define ACTION      "shutdown"
#define MESSAGE     "hypervisor initiated shutdown"
#define UNSUPPORTED "the requested suspend mode is not supported by the guest"

#define LOGIND(method)                                                     \
  {                                                                        \
    "busctl", "call", "org.freedesktop.login1", "/org/freedesktop/login1", \
      "org.freedesktop.login1.Manager", method, "b", "false"               \
  }

#define WORDS 9

typedef struct {
  gboolean systemd;         /* only where it is the init */
  const char *probe[WORDS]; /* says whether there is this way; without one there is, if there is
                               its program */
  int probe_min, probe_max; /* by these exit statuses */
  const char *argv[WORDS];
} NegoPowerWay;

#define WAYS 4

typedef struct {
  NegoPowerWay ways[WAYS];
  gboolean ends;     /* at last reboot (command) */
  int command;       /* of reboot(2) */
  const char *state; /* at last this word for /sys/power/state; NULL: none */
} NegoPowerPlan;

#define SYSTEMD_SUSPEND(unit, verb)                                    \
  {                                                                    \
    TRUE, { "systemctl", "status", unit }, 1, 3, { "systemctl", verb } \
  }
#define PM_SUSPEND(option, program)                         \
  {                                                         \
    FALSE, { "pm-is-supported", option }, 0, 0, { program } \
  }

static const NegoPowerPlan plans[] = {
  [NEGO_POWER_POWERDOWN] = { {
                               { TRUE, .argv = LOGIND ("PowerOff") },
                               { TRUE, .argv = { "systemctl", "poweroff" } },
                               { .argv = { "shutdown", "-h", "-P", "+0", MESSAGE } },
                               { .argv = { "poweroff" } },
                             },
                             .ends = TRUE,
                             .command = RB_POWER_OFF },
  [NEGO_POWER_HALT] = { {
                          { TRUE, .argv = LOGIND ("Halt") },
                          { TRUE, .argv = { "systemctl", "halt" } },
                          { .argv = { "shutdown", "-h", "-H", "+0", MESSAGE } },
                          { .argv = { "halt" } },
                        },
                        .ends = TRUE,
                        .command = RB_HALT_SYSTEM },
  [NEGO_POWER_REBOOT] = { {
                            { TRUE, .argv = LOGIND ("Reboot") },
                            { TRUE, .argv = { "systemctl", "reboot" } },
                            { .argv = { "shutdown", "-h", "-r", "+0", MESSAGE } },
                            { .argv = { "reboot" } },
                          },
                          .ends = TRUE,
                          .command = RB_AUTOBOOT },
  [NEGO_POWER_SUSPEND_DISK] = { {
                                  SYSTEMD_SUSPEND ("systemd-hibernate", "hibernate"),
                                  PM_SUSPEND ("--hibernate", "pm-hibernate"),
                                },
                                .state = "disk" },
  [NEGO_POWER_SUSPEND_RAM] = { {
                                 SYSTEMD_SUSPEND ("systemd-suspend", "suspend"),
                                 PM_SUSPEND ("--suspend", "pm-suspend"),
                               },
                               .state = "mem" },
  [NEGO_POWER_SUSPEND_HYBRID] = { {
    SYSTEMD_SUSPEND ("systemd-hybrid-sleep", "hybrid-sleep"),
    PM_SUSPEND ("--suspend-hybrid", "pm-suspend-hybrid"),
  } },
};

struct NegoPower {
  NegoTools *tools;
  NegoOffload *offload;
  NegoPowerRebootFunc reboot;
};

/* One action on its way through its plan. */
typedef struct {
  NegoPower *power;
  const NegoPowerPlan *plan;
  guint way;
  gboolean probed;
  GError *error; /* of the last way that there was */
  NegoPowerFunc done;
  gpointer user_data;
} NegoPowerRun;

/* What the last way, a system call that may block, does on its thread. */
typedef struct {
  NegoPowerRebootFunc reboot;
  int command;
  const char *word;
  char *path;
  int errnum;
} NegoPowerLast;

NegoPower *
nego_power_new (NegoTools *tools, NegoOffload *offload)
{
  NegoPower *power = g_new0 (NegoPower, 1);

  power->tools = tools;
  power->offload = offload;
  power->reboot = reboot;
  return power;
}

void
nego_power_free (NegoPower *power)
{
  g_free (power);
}

void
nego_power_set_reboot (NegoPower *power, NegoPowerRebootFunc reboot_func)
{
  power->reboot = reboot_func;
}

static void
nego_power_run_free (gpointer data)
{
  NegoPowerRun *run = data;

  g_clear_error (&run->error);
  g_free (run);
}

static void
nego_power_end (NegoPowerRun *run)
{
  run->done (run->error, run->user_data);
  nego_power_run_free (run);
}

static void
nego_power_last_free (gpointer data)
{
  NegoPowerLast *last = data;

  g_free (last->path);
  g_free (last);
}

static int
nego_power_write_state (const char *path, const char *word)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  int errnum = 0;

  if (fd < 0)
    return errno;
  /* It returns when the guest has woken up again. */
  if (write (fd, word, strlen (word)) < 0)
    errnum = errno;
  close (fd);
  return errnum;
}

static void
nego_power_do_last (gpointer data)
{
  NegoPowerLast *last = data;

  if (last->path != NULL) {
    last->errnum = nego_power_write_state (last->path, last->word);
    return;
  }
  sync ();
  last->errnum = last->reboot (last->command) == 0 ? 0 : errno;
}

static void
nego_power_last_done (gpointer data, gpointer user_data)
{
  const NegoPowerLast *last = data;
  NegoPowerRun *run = user_data;

  g_clear_error (&run->error);
  if (last->errnum != 0 && last->path != NULL)
    nego_error_set_errno (&run->error, last->errnum, "suspend: cannot write to '/sys/power/state'");
  else if (last->errnum != 0)
    nego_error_set_errno (&run->error, last->errnum, "failed to shutdown");
  nego_power_end (run);
}

/* Whether the kernel knows this way to suspend. */
static gboolean
nego_power_has_state (const char *path, const char *word)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  words = g_strsplit (g_strstrip (text), " ", -1);
  return g_strv_contains ((const char *const *) words, word);
}

/* All programs failed, or are not there. */
static void
nego_power_try_last (NegoPowerRun *run)
{
  NegoPower *power = run->power;
  const NegoPowerPlan *plan = run->plan;
  g_autofree char *path = g_strconcat (nego_tools_get_root (power->tools), STATE, NULL);
  NegoPowerLast *last;

  if (!plan->ends && (plan->state == NULL || !nego_power_has_state (path, plan->state))) {
    if (run->error == NULL)
      g_set_error_literal (&run->error, NEGO_ERROR, NEGO_ERROR_GENERIC, UNSUPPORTED);
    nego_power_end (run);
    return;
  }
  last = g_new0 (NegoPowerLast, 1);
  last->reboot = power->reboot;
  last->command = plan->command;
  last->word = plan->state;
  last->path = plan->ends ? NULL : g_steal_pointer (&path);
  g_clear_error (&run->error);
  if (nego_offload_run (power->offload, nego_power_do_last, last, nego_power_last_free, 0,
                        nego_power_last_done, run, &run->error)
      == NULL)
    nego_power_end (run);
}

static void nego_power_try (NegoPowerRun *run);

static void
nego_power_try_next (NegoPowerRun *run)
{
  run->way++;
  run->probed = FALSE;
  nego_power_try (run);
}

/* A suspend is told as qemu-ga tells it, and its cause is in the guest's log. */
static void
nego_power_keep_error (NegoPowerRun *run, const NegoToolsResult *result)
{
  const NegoPowerWay *way = &run->plan->ways[run->way];

  g_message ("'%s' did not work: %s", way->argv[0], result->error->message);
  g_clear_error (&run->error);
  if (run->plan->ends)
    run->error = g_error_copy (result->error);
  else
    g_set_error (&run->error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                 "the helper program '%s' returned an unexpected exit status code (%d)",
                 way->argv[0], result->status);
}

static void
nego_power_tool_done (const NegoToolsResult *result, gpointer user_data)
{
  NegoPowerRun *run = user_data;
  const NegoPowerWay *way = &run->plan->ways[run->way];

  if (way->probe[0] != NULL && !run->probed) {
    if (result->status < way->probe_min || result->status > way->probe_max) {
      nego_power_try_next (run);
      return;
    }
    run->probed = TRUE;
    nego_power_try (run);
    return;
  }
  if (result->error != NULL) {
    nego_power_keep_error (run, result);
    nego_power_try_next (run);
    return;
  }
  g_clear_error (&run->error);
  nego_power_end (run);
}

static gboolean
nego_power_has_way (const NegoPower *power, const NegoPowerWay *way)
{
  const char *program = way->probe[0] != NULL ? way->probe[0] : way->argv[0];
  g_autofree char *found = nego_tools_find (power->tools, program);
  g_autofree char *systemd = g_strconcat (nego_tools_get_root (power->tools), SYSTEMD, NULL);

  return found != NULL && (!way->systemd || access (systemd, F_OK) == 0);
}

/* Tries the way that @run is at, or the next one that there is. */
static void
nego_power_try (NegoPowerRun *run)
{
  const NegoPowerWay *way;
  NegoToolsSpec spec = { .action = ACTION };

  while (run->way < WAYS
         && (run->plan->ways[run->way].argv[0] == NULL
             || !nego_power_has_way (run->power, &run->plan->ways[run->way])))
    run->way++;
  if (run->way == WAYS) {
    nego_power_try_last (run);
    return;
  }
  way = &run->plan->ways[run->way];
  spec.argv = way->probe[0] != NULL && !run->probed ? way->probe : way->argv;
  /* A suspend returns when the guest has woken up. */
  if (spec.argv == way->probe || run->plan->ends)
    spec.timeout_ms = NEGO_TOOL_S * 1000;
  nego_tools_run (run->power->tools, &spec, nego_power_tool_done, run, NULL);
}

void
nego_power_run (NegoPower *power, NegoPowerAction action, NegoPowerFunc done, gpointer user_data)
{
  NegoPowerRun *run = g_new0 (NegoPowerRun, 1);

  run->power = power;
  run->plan = &plans[action];
  run->done = done;
  run->user_data = user_data;
  nego_power_try (run);
}
