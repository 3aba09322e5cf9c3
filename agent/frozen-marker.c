/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-freeze"

#include "config.h"

#include "agent/frozen-marker.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEGO_FROZEN_MARKER_NAME "qga.state.isfrozen"
/* Longer than a boot's name. */
#define NEGO_FROZEN_MARKER_BYTES 64

char *
nego_frozen_marker_get_path (const char *statedir)
{
  return g_build_filename (statedir, NEGO_FROZEN_MARKER_NAME, NULL);
}

gboolean
nego_frozen_marker_is_set (const char *path, const char *boot_id)
{
  char text[NEGO_FROZEN_MARKER_BYTES];
  ssize_t n;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

  if (fd < 0)
    return errno != ENOENT;
  n = read (fd, text, sizeof text - 1);
  close (fd);
  text[MAX (n, 0)] = '\0';
  g_strchomp (text);
  if (*text == '\0' || boot_id == NULL || g_str_equal (text, boot_id))
    return TRUE;
  unlink (path);
  return FALSE;
}

void
nego_frozen_marker_set (const char *path, const char *boot_id)
{
  const gsize len = boot_id != NULL ? strlen (boot_id) : 0;
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0 || (len > 0 && write (fd, boot_id, len) != (ssize_t) len))
    g_warning ("failed to write '%s', so an agent that is started now will not know of the freeze: "
               "%s",
               path, g_strerror (errno));
  if (fd >= 0)
    close (fd);
}

void
nego_frozen_marker_clear (const char *path)
{
  if (unlink (path) < 0 && errno != ENOENT)
    g_warning ("failed to remove '%s': %s", path, g_strerror (errno));
}
