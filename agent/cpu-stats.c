/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/cpu-stats.h"

#include <string.h>

/* In the order of a row; the first four are there on every kernel. */
enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, GUEST, GUEST_NICE, N_TIMES };

/* The row "N VALUE …", behind "cpu". Returns how many values it has; 0: it is no processor's. */
static guint
nego_cpu_stats_read_row (const char *row, guint64 hz, gint64 *cpu, guint64 times[N_TIMES])
{
  char *end;
  guint n;

  if (!g_ascii_isdigit (*row))
    return 0;
  *cpu = g_ascii_strtoll (row, &end, 10);
  for (n = 0; n < N_TIMES && end[0] == ' ' && g_ascii_isdigit (end[1]); n++) {
    guint64 ticks = g_ascii_strtoull (end + 1, &end, 10);

    /* Not ticks * 1000 / hz, which could overflow. */
    times[n] = ticks / hz * 1000 + ticks % hz * 1000 / hz;
  }
  return n > IDLE ? n : 0;
}

static QapiGuestCpuStats *
nego_cpu_stats_make (gint64 cpu, const guint64 times[N_TIMES], guint n)
{
  QapiGuestCpuStats *stats = qapi_guest_cpu_stats_new ();

  stats->type = QAPI_GUEST_CPU_STATS_TYPE_LINUX;
  stats->cpu = cpu;
  stats->user = times[USER];
  stats->nice = times[NICE];
  stats->system = times[SYSTEM];
  stats->idle = times[IDLE];
  stats->iowait = times[IOWAIT];
  stats->has_iowait = n > IOWAIT;
  stats->irq = times[IRQ];
  stats->has_irq = n > IRQ;
  stats->softirq = times[SOFTIRQ];
  stats->has_softirq = n > SOFTIRQ;
  stats->steal = times[STEAL];
  stats->has_steal = n > STEAL;
  stats->guest = times[GUEST];
  stats->has_guest = n > GUEST;
  stats->guestnice = times[GUEST_NICE];
  stats->has_guestnice = n > GUEST_NICE;
  return stats;
}

GPtrArray *
nego_cpu_stats_parse (const char *text, guint64 hz)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_guest_cpu_stats_free);
  const char *line;

  /* The processors are at the beginning, behind their sum. */
  for (line = text; g_str_has_prefix (line, "cpu"); line++) {
    guint64 times[N_TIMES] = { 0 };
    gint64 cpu;
    guint n = nego_cpu_stats_read_row (line + strlen ("cpu"), hz, &cpu, times);

    if (n > 0)
      g_ptr_array_add (rows, nego_cpu_stats_make (cpu, times, n));
    line = strchr (line, '\n');
    if (line == NULL)
      break;
  }
  return rows;
}
