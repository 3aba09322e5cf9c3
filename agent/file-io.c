/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/file-io.h"

#include "common/error.h"
#include "common/names.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEGO_FILE_IO_MODE 0644
/* Somebody else makes and removes the file at the same time. */
#define NEGO_FILE_IO_TRIES 8

typedef struct {
  const char *names[3];
  int flags;
} NegoFileIoMode;

static const NegoFileIoMode modes[] = {
  { { "r", "rb", NULL }, O_RDONLY },
  { { "w", "wb", NULL }, O_WRONLY | O_CREAT | O_TRUNC },
  { { "a", "ab", NULL }, O_WRONLY | O_CREAT | O_APPEND },
  { { "r+", "rb+", "r+b" }, O_RDWR },
  { { "w+", "wb+", "w+b" }, O_RDWR | O_CREAT | O_TRUNC },
  { { "a+", "ab+", "a+b" }, O_RDWR | O_CREAT | O_APPEND },
};

static const NegoFileIoMode *
nego_file_io_find_mode (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    for (guint j = 0; j < G_N_ELEMENTS (modes[i].names); j++)
      if (g_strcmp0 (modes[i].names[j], name) == 0)
        return &modes[i];
  return NULL;
}

gboolean
nego_file_io_check_mode (const char *mode, GError **error)
{
  if (nego_file_io_find_mode (mode) != NULL)
    return TRUE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "invalid file open mode '%s'", mode);
  return FALSE;
}

/* A file is either made, with O_EXCL, or opened as it is. */
static int
nego_file_io_try (const char *path, int flags)
{
  const int others = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  int fd = -1;

  for (guint i = 0; i < NEGO_FILE_IO_TRIES; i++) {
    struct stat st;

    if (flags & O_CREAT)
      fd = open (path, flags | others | O_EXCL, NEGO_FILE_IO_MODE);
    if (fd >= 0 || ((flags & O_CREAT) && errno != EEXIST))
      return fd;
    fd = open (path, (flags & ~O_CREAT) | others);
    if (fd >= 0 || !(flags & O_CREAT) || errno != ENOENT)
      return fd;
    if (lstat (path, &st) == 0) {
      errno = ENOENT;
      return -1;
    }
  }
  return -1;
}

int
nego_file_io_open (const char *path, const char *mode, GError **error)
{
  const NegoFileIoMode *found = nego_file_io_find_mode (mode);
  int fd = nego_file_io_try (path, found->flags);

  if (fd < 0)
    nego_error_set_errno (error, errno, "failed to open file '%s' (mode: '%s')", path, mode);
  else if ((found->flags & (O_APPEND | O_ACCMODE)) == (O_APPEND | O_WRONLY))
    lseek (fd, 0, SEEK_END); /* as fopen(3) */
  return fd;
}

gsize
nego_file_io_expect (int fd, gsize max)
{
  struct stat st;
  off_t position = lseek (fd, 0, SEEK_CUR);

  if (fstat (fd, &st) < 0 || !S_ISREG (st.st_mode) || position < 0 || position >= st.st_size)
    return 0;
  return MIN (max, (gsize) (st.st_size - position));
}

static ssize_t
nego_file_io_read_once (int fd, guint8 *data, gsize len)
{
  ssize_t n;

  do
    n = read (fd, data, len);
  while (n < 0 && errno == EINTR);
  return n;
}

/* Reads until @data is full. Returns -1 when the first read fails; a later one's failure is the
 * next call's. */
static ssize_t
nego_file_io_fill (int fd, guint8 *data, gsize len, gboolean *eof)
{
  gsize filled = 0;

  while (filled < len) {
    ssize_t n = nego_file_io_read_once (fd, data + filled, len - filled);

    if (n < 0)
      return filled > 0 ? (ssize_t) filled : -1;
    *eof = n == 0;
    if (n == 0)
      break;
    filled += (gsize) n;
  }
  return (ssize_t) filled;
}

gboolean
nego_file_io_read (int fd,
                   gsize max,
                   NegoFileIoSink sink,
                   gpointer user_data,
                   gsize *count,
                   gboolean *eof,
                   GError **error)
{
  gsize size = MIN (max, NEGO_FILE_SLICE_BYTES);
  g_autofree guint8 *data = g_malloc (size + 1);

  *count = 0;
  *eof = FALSE;
  while (*count < max && !*eof) {
    gsize wanted = MIN (max - *count, size);
    ssize_t n = nego_file_io_fill (fd, data, wanted, eof);

    /* What was read is not lost by an error behind it, which the next read meets again. */
    if (n < 0 && *count > 0)
      break;
    if (n < 0)
      return nego_error_set_errno (error, errno, "failed to read file");
    sink (data, (gsize) n, user_data);
    *count += (gsize) n;
    if ((gsize) n < wanted)
      break;
  }
  return TRUE;
}

gboolean
nego_file_io_read_now (int fd, guint8 *data, gsize len, gsize *count, gboolean *eof)
{
  *count = 0;
  *eof = FALSE;
  while (*count < len) {
    const struct iovec rest = { .iov_base = data + *count, .iov_len = len - *count };
    /* File systems that may wait for a server refuse the flag. */
    ssize_t n = preadv2 (fd, &rest, 1, -1, RWF_NOWAIT);

    if (n < 0 && errno == EINTR)
      continue;
    /* A pipe gave what it had; a file is read from its place again. */
    if (n < 0)
      return *count > 0 && lseek (fd, -(off_t) *count, SEEK_CUR) < 0;
    *eof = n == 0;
    if (n == 0)
      break;
    *count += (gsize) n;
  }
  return TRUE;
}

gboolean
nego_file_io_write (int fd, const guint8 *data, gsize len, gsize *written, GError **error)
{
  *written = 0;
  while (*written < len) {
    ssize_t n = write (fd, data + *written, len - *written);

    if (n >= 0) {
      *written += (gsize) n;
    } else if (errno == EAGAIN && *written > 0) {
      return TRUE;
    } else if (errno != EINTR) {
      nego_error_set_errno (error, errno, "failed to write to file");
      if (*written > 0 && error != NULL) {
        g_autofree char *part
          = g_strdup_printf (" (%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " bytes were written)",
                             *written, len);
        g_autofree char *text = g_strconcat ((*error)->message, part, NULL);

        g_free ((*error)->message);
        (*error)->message = g_steal_pointer (&text);
      }
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
nego_file_io_seek (int fd, gint64 offset, int whence, gint64 *position, GError **error)
{
  *position = lseek (fd, offset, whence);
  return *position >= 0 || nego_error_set_errno (error, errno, "failed to seek file");
}
