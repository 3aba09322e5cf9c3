/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/mounts.h"

#include "agent/sysfs.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define NEGO_MOUNTS_FILE "/proc/self/mountinfo"

void
nego_mount_free (NegoMount *mount)
{
  g_free (mount->path);
  g_free (mount->type);
  g_free (mount);
}

/* Undoes the kernel's octal escapes, in place. */
static void
nego_mounts_unescape (char *text)
{
  char *out = text;

  while (*text != '\0') {
    if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' && text[2] <= '7'
        && text[3] >= '0' && text[3] <= '7') {
      *out++ = (char) ((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
      text += 4;
    } else {
      *out++ = *text++;
    }
  }
  *out = '\0';
}

/* btrfs gives its mounts a device of their own that nothing can be known of: that of the source. */
static gboolean
nego_mounts_find_device (NegoMount *mount, char *source)
{
  struct stat st;

  if (mount->major != 0)
    return TRUE;
  if (!g_str_equal (mount->type, "btrfs"))
    return FALSE;
  nego_mounts_unescape (source);
  if (*source != '/' || stat (source, &st) < 0 || !S_ISBLK (st.st_mode))
    return FALSE;
  mount->major = major (st.st_rdev);
  mount->minor = minor (st.st_rdev);
  return TRUE;
}

/* "ID PARENT MAJOR:MINOR ROOT PATH OPTIONS TAG… - TYPE SOURCE OPTIONS" */
static NegoMount *
nego_mounts_parse_line (char *line)
{
  enum { DEVICE = 2, PATH = 4, FIELDS = 6 };
  char *fields[FIELDS];
  char *type, *source;
  char *rest = strstr (line, " - ");
  NegoMount *mount;
  guint major, minor;
  int end = 0;

  if (rest == NULL)
    return NULL;
  *rest = '\0';
  rest += strlen (" - ");
  for (gsize i = 0; i < FIELDS; i++) {
    fields[i] = strsep (&line, " ");
    if (fields[i] == NULL)
      return NULL;
  }
  type = strsep (&rest, " ");
  source = strsep (&rest, " ");
  if (source == NULL || sscanf (fields[DEVICE], "%u:%u%n", &major, &minor, &end) != 2
      || fields[DEVICE][end] != '\0')
    return NULL;
  mount = g_new0 (NegoMount, 1);
  nego_mounts_unescape (fields[PATH]);
  mount->path = g_strdup (fields[PATH]);
  mount->type = g_strdup (type);
  mount->major = major;
  mount->minor = minor;
  if (nego_mounts_find_device (mount, source))
    return mount;
  nego_mount_free (mount);
  return NULL;
}

GPtrArray *
nego_mounts_parse (char *text)
{
  GPtrArray *mounts = g_ptr_array_new_with_free_func ((GDestroyNotify) nego_mount_free);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  char *line;

  while ((line = strsep (&text, "\n")) != NULL) {
    NegoMount *mount = nego_mounts_parse_line (line);
    gint64 device;

    if (mount == NULL)
      continue;
    device = (gint64) ((guint64) mount->major << 32 | mount->minor);
    if (g_hash_table_add (seen, g_memdup2 (&device, sizeof device)))
      g_ptr_array_add (mounts, mount);
    else
      nego_mount_free (mount);
  }
  return mounts;
}

GPtrArray *
nego_mounts_read (const char *root, GError **error)
{
  g_autofree char *text = nego_sysfs_read (root, NEGO_MOUNTS_FILE, error);

  if (text == NULL) {
    g_prefix_error (error, "failed to open mtab file: '/proc/self/mountinfo': ");
    return NULL;
  }
  return nego_mounts_parse (text);
}
