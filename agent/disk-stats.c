/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/disk-stats.h"

#include "agent/sysfs.h"

#include <stdlib.h>
#include <string.h>

#define NEGO_DISK_STATS_FILE "/proc/diskstats"
/* Numbers behind the name that are known here. */
#define NEGO_DISK_STATS_COLUMNS 17u
/* The table has so many of them, of kernels before 2.6.25 for partitions. */
#define NEGO_DISK_STATS_OLD_PARTITION 4u
#define NEGO_DISK_STATS_BASE          11u
#define NEGO_DISK_STATS_DISCARD       15u
#define NEGO_DISK_STATS_FLUSH         17u

static void
nego_disk_stats_set_base (QapiGuestDiskStats *stats, const guint64 *columns)
{
  stats->has_read_ios = stats->has_read_merges = stats->has_read_sectors = TRUE;
  stats->has_read_ticks = stats->has_write_ios = stats->has_write_merges = TRUE;
  stats->has_write_sectors = stats->has_write_ticks = stats->has_ios_pgr = TRUE;
  stats->has_total_ticks = stats->has_weight_ticks = TRUE;
  stats->read_ios = columns[0];
  stats->read_merges = columns[1];
  stats->read_sectors = columns[2];
  stats->read_ticks = columns[3];
  stats->write_ios = columns[4];
  stats->write_merges = columns[5];
  stats->write_sectors = columns[6];
  stats->write_ticks = columns[7];
  stats->ios_pgr = columns[8];
  stats->total_ticks = columns[9];
  stats->weight_ticks = columns[10];
}

static void
nego_disk_stats_set_discard (QapiGuestDiskStats *stats, const guint64 *columns)
{
  stats->has_discard_ios = stats->has_discard_merges = TRUE;
  stats->has_discard_sectors = stats->has_discard_ticks = TRUE;
  stats->discard_ios = columns[11];
  stats->discard_merges = columns[12];
  stats->discard_sectors = columns[13];
  stats->discard_ticks = columns[14];
}

static void
nego_disk_stats_set_flush (QapiGuestDiskStats *stats, const guint64 *columns)
{
  stats->has_flush_ios = stats->has_flush_ticks = TRUE;
  stats->flush_ios = columns[15];
  stats->flush_ticks = columns[16];
}

static void
nego_disk_stats_set_old_partition (QapiGuestDiskStats *stats, const guint64 *columns)
{
  stats->has_read_ios = stats->has_read_sectors = TRUE;
  stats->has_write_ios = stats->has_write_sectors = TRUE;
  stats->read_ios = columns[0];
  stats->read_sectors = columns[1];
  stats->write_ios = columns[2];
  stats->write_sectors = columns[3];
}

static QapiGuestDiskStats *
nego_disk_stats_new (const guint64 *columns, guint n)
{
  QapiGuestDiskStats *stats = qapi_guest_disk_stats_new ();

  if (n >= NEGO_DISK_STATS_BASE)
    nego_disk_stats_set_base (stats, columns);
  else if (n == NEGO_DISK_STATS_OLD_PARTITION)
    nego_disk_stats_set_old_partition (stats, columns);
  if (n >= NEGO_DISK_STATS_DISCARD)
    nego_disk_stats_set_discard (stats, columns);
  if (n >= NEGO_DISK_STATS_FLUSH)
    nego_disk_stats_set_flush (stats, columns);
  return stats;
}

/* The number that @text begins with, blanks before it; moves @text behind it. */
static gboolean
nego_disk_stats_take_number (char **text, guint64 *number)
{
  char *end;

  *number = g_ascii_strtoull (*text, &end, 10);
  if (end == *text)
    return FALSE;
  *text = end;
  return TRUE;
}

/* "MAJOR MINOR NAME NUMBER…"; NULL: it is none. */
static QapiGuestDiskStatsInfo *
nego_disk_stats_parse_line (char *line)
{
  QapiGuestDiskStatsInfo *info;
  guint64 major, minor;
  guint64 columns[NEGO_DISK_STATS_COLUMNS];
  char *name;
  guint n = 0;

  if (!nego_disk_stats_take_number (&line, &major) || !nego_disk_stats_take_number (&line, &minor))
    return NULL;
  line += strspn (line, " ");
  name = strsep (&line, " ");
  if (line == NULL)
    return NULL;
  while (n < NEGO_DISK_STATS_COLUMNS && nego_disk_stats_take_number (&line, &columns[n]))
    n++;
  info = qapi_guest_disk_stats_info_new ();
  info->name = g_strdup (name);
  info->major = major;
  info->minor = minor;
  info->stats = nego_disk_stats_new (columns, n);
  return info;
}

GPtrArray *
nego_disk_stats_read (const char *root, GError **error)
{
  g_autofree char *text = nego_sysfs_read (root, NEGO_DISK_STATS_FILE, error);
  GPtrArray *list;
  char *rest = text;
  char *line;

  if (text == NULL) {
    g_prefix_error (error, "open(\"/proc/diskstats\"): ");
    return NULL;
  }
  list = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_guest_disk_stats_info_free);
  while ((line = strsep (&rest, "\n")) != NULL) {
    QapiGuestDiskStatsInfo *info = nego_disk_stats_parse_line (line);

    if (info != NULL)
      g_ptr_array_add (list, info);
  }
  return list;
}
