/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/sysfs.h"

#include "common/error.h"
#include "common/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static gboolean
nego_sysfs_fail (GError **error, int errnum)
{
  g_set_error_literal (error, NEGO_ERROR, errnum == ENOENT ? NEGO_ERROR_NOT_FOUND : NEGO_ERROR_IO,
                       g_strerror (errnum));
  return FALSE;
}

/* Their sizes are not known before they are read. */
static gboolean
nego_sysfs_read_fd (int fd, GString *text, GError **error)
{
  char buffer[4096];
  ssize_t n;

  for (;;) {
    do
      n = read (fd, buffer, sizeof buffer);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
      return n == 0 || nego_sysfs_fail (error, errno);
    if (text->len + (gsize) n > NEGO_SYSFS_FILE_BYTES)
      return nego_sysfs_fail (error, EFBIG);
    g_string_append_len (text, buffer, n);
  }
}

char *
nego_sysfs_read (const char *root, const char *path, GError **error)
{
  g_autofree char *full = g_strconcat (root, path, NULL);
  g_autoptr (GString) text = NULL;
  gboolean read;
  int fd = open (full, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

  if (fd < 0) {
    nego_sysfs_fail (error, errno);
    return NULL;
  }
  text = g_string_new (NULL);
  read = nego_sysfs_read_fd (fd, text, error);
  close (fd);
  return read ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}

char *
nego_sysfs_read_attribute (const char *root, const char *dir, const char *name)
{
  g_autofree char *path = g_strconcat (dir, "/", name, NULL);
  g_autofree char *text = nego_sysfs_read (root, path, NULL);

  if (text == NULL || *g_strstrip (text) == '\0')
    return NULL;
  return g_steal_pointer (&text);
}

char *
nego_sysfs_read_link (const char *root, const char *path)
{
  g_autofree char *full = g_strconcat (root, path, NULL);
  g_autofree char *dir = g_path_get_dirname (path);
  char target[PATH_MAX];
  ssize_t n = readlink (full, target, sizeof target - 1);

  if (n < 0)
    return NULL;
  target[n] = '\0';
  return g_canonicalize_filename (target, dir);
}

gboolean
nego_sysfs_exists (const char *root, const char *dir, const char *name)
{
  g_autofree char *full = g_strconcat (root, dir, "/", name, NULL);

  return access (full, F_OK) == 0;
}

static int
nego_sysfs_compare (gconstpointer a, gconstpointer b)
{
  return strverscmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
nego_sysfs_list (const char *root, const char *path, GError **error)
{
  g_autofree char *full = g_strconcat (root, path, NULL);
  GPtrArray *names;
  struct dirent *entry;
  DIR *dir = opendir (full);

  if (dir == NULL) {
    nego_sysfs_fail (error, errno);
    return NULL;
  }
  names = g_ptr_array_new_with_free_func (g_free);
  while (names->len < NEGO_SYSFS_NAMES && (entry = readdir (dir)) != NULL)
    if (entry->d_name[0] != '.')
      g_ptr_array_add (names, g_strdup (entry->d_name));
  closedir (dir);
  g_ptr_array_sort (names, nego_sysfs_compare);
  return names;
}

char *
nego_sysfs_find_value (const char *text, const char *key)
{
  const gsize key_len = strlen (key);
  const char *line, *end;

  for (line = text; *line != '\0'; line = *end == '\0' ? end : end + 1) {
    end = strchrnul (line, '\n');
    if (strncmp (line, key, key_len) == 0 && line[key_len] == '=') {
      const char *value = line + key_len + 1;

      return value < end ? g_strndup (value, (gsize) (end - value)) : NULL;
    }
  }
  return NULL;
}
