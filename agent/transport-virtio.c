/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/transport-virtio.h"

#include "common/names.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *
nego_transport_virtio_find (const char *name, const char *sys_dir, const char *dev_dir)
{
  g_autoptr (GDir) dir = g_dir_open (sys_dir, 0, NULL);
  const char *port;

  while (dir != NULL && (port = g_dir_read_name (dir)) != NULL) {
    g_autofree char *file = g_build_filename (sys_dir, port, "name", NULL);
    g_autofree char *text = NULL;

    /* A port without a name has no such file. */
    if (g_file_get_contents (file, &text, NULL, NULL) && g_str_equal (g_strchomp (text), name))
      return g_build_filename (dev_dir, port, NULL);
  }
  return NULL;
}

static int
nego_transport_virtio_open_node (const char *node)
{
  int fd = open (node, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat st;

  if (fd < 0)
    return -errno;
  if (fstat (fd, &st) == 0 && S_ISCHR (st.st_mode))
    return fd;
  close (fd);
  return -ENOTTY;
}

int
nego_transport_virtio_open (const char *path, char **node)
{
  g_autofree char *found = NULL;
  int fd = nego_transport_virtio_open_node (path);

  if (fd == -ENOENT && g_str_has_prefix (path, NEGO_VIRTIO_DEV_DIR "/"))
    found = nego_transport_virtio_find (path + strlen (NEGO_VIRTIO_DEV_DIR "/"),
                                        NEGO_VIRTIO_SYS_DIR, NEGO_DEV_DIR);
  if (found != NULL)
    fd = nego_transport_virtio_open_node (found);
  *node = found != NULL ? g_steal_pointer (&found) : g_strdup (path);
  return fd;
}
