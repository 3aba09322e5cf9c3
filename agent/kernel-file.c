/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/kernel-file.h"

#include "common/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One read of this size gets all of most files. */
#define FIRST_BYTES 16384

static int
nego_kernel_file_open (const char *root, const char *path, int flags)
{
  g_autofree char *full = *root != '\0' ? g_strconcat (root, path, NULL) : NULL;

  /* Not blocking: what stands there may be a FIFO. */
  return open (full != NULL ? full : path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

/* Reads @fd to its end, or one byte beyond @limit. */
static GString *
nego_kernel_file_read_fd (int fd, gsize limit)
{
  g_autoptr (GString) text = g_string_sized_new (FIRST_BYTES);
  ssize_t n;

  do {
    gsize len = text->len;
    gsize piece = MIN (MAX (FIRST_BYTES, len), limit + 1 - len);

    g_string_set_size (text, len + piece);
    do
      n = read (fd, text->str + len, piece);
    while (n < 0 && errno == EINTR);
    g_string_truncate (text, len + (gsize) MAX (n, 0));
  } while (n > 0 && text->len <= limit);
  return n < 0 ? NULL : g_steal_pointer (&text);
}

char *
nego_kernel_file_read (const char *root, const char *path, gsize limit, gsize *len, GError **error)
{
  GString *text;
  int fd = nego_kernel_file_open (root, path, O_RDONLY);
  int errnum;

  if (fd < 0) {
    nego_error_set_errno (error, errno, "open(\"%s\")", path);
    return NULL;
  }
  text = nego_kernel_file_read_fd (fd, limit);
  errnum = errno;
  close (fd);
  if (text == NULL) {
    nego_error_set_errno (error, errnum, "read(\"%s\")", path);
    return NULL;
  }
  if (text->len > limit) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO,
                 "the file \"%s\" is longer than %" G_GSIZE_FORMAT " bytes", path, limit);
    g_string_free (text, TRUE);
    return NULL;
  }
  if (len != NULL)
    *len = text->len;
  return g_string_free (text, FALSE);
}

int
nego_kernel_file_open_dir (const char *root, const char *path)
{
  return nego_kernel_file_open (root, path, O_RDONLY | O_DIRECTORY);
}

gssize
nego_kernel_file_read_at (int dir_fd, const char *name, char *buffer, gsize size, gboolean *opened)
{
  int fd = openat (dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  int errnum;
  ssize_t n;

  *opened = fd >= 0;
  if (fd < 0)
    return -1;
  do
    n = read (fd, buffer, size - 1);
  while (n < 0 && errno == EINTR);
  errnum = errno;
  close (fd);
  errno = errnum;
  buffer[MAX (n, 0)] = '\0';
  return n;
}

gboolean
nego_kernel_file_write_at (int dir_fd, const char *name, const char *text)
{
  int fd = openat (dir_fd, name, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  gsize len = strlen (text);
  int errnum;
  ssize_t n;

  if (fd < 0)
    return FALSE;
  /* Not tried again when interrupted: it may have begun. */
  n = write (fd, text, len);
  errnum = n >= 0 ? EIO : errno;
  close (fd);
  errno = errnum;
  return n == (ssize_t) len;
}

static int
nego_kernel_file_compare (gconstpointer a, gconstpointer b)
{
  guint64 first = *(const guint64 *) a, second = *(const guint64 *) b;

  return first < second ? -1 : first > second;
}

static gboolean
nego_kernel_file_is_dir (DIR *dir, const struct dirent *entry)
{
  struct stat st;

  if (entry->d_type != DT_UNKNOWN)
    return entry->d_type == DT_DIR;
  return fstatat (dirfd (dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0
         && S_ISDIR (st.st_mode);
}

GArray *
nego_kernel_file_list (const char *root, const char *path, const char *prefix, guint limit)
{
  int fd = nego_kernel_file_open_dir (root, path);
  DIR *dir = fd >= 0 ? fdopendir (fd) : NULL;
  GArray *numbers;
  const struct dirent *entry;

  if (dir == NULL) {
    int errnum = errno;

    if (fd >= 0)
      close (fd);
    errno = errnum;
    return NULL;
  }
  numbers = g_array_new (FALSE, FALSE, sizeof (guint64));
  while (numbers->len <= limit && (entry = readdir (dir)) != NULL) {
    guint64 number;

    if (g_str_has_prefix (entry->d_name, prefix)
        && g_ascii_string_to_unsigned (entry->d_name + strlen (prefix), 10, 0, G_MAXINT64, &number,
                                       NULL)
        && nego_kernel_file_is_dir (dir, entry))
      g_array_append_val (numbers, number);
  }
  closedir (dir);
  g_array_sort (numbers, nego_kernel_file_compare);
  return numbers;
}
