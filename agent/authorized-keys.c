/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/authorized-keys.h"

#include "common/error.h"
#include "common/names.h"
#include "common/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY ".ssh"
#define FILE_NAME "authorized_keys"

/* A user's directory, open; nothing below is reached by a path. */
typedef struct {
  int home_fd;
  int fd; /* of .ssh; -1: it does not exist */
  char *directory, *path;
} NegoAuthorizedKeys;

static void
nego_authorized_keys_clear (NegoAuthorizedKeys *keys)
{
  if (keys->fd >= 0)
    close (keys->fd);
  if (keys->home_fd >= 0)
    close (keys->home_fd);
  g_free (keys->directory);
  g_free (keys->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoAuthorizedKeys, nego_authorized_keys_clear)

/* The words of GLib's error are QGA's. */
static gboolean
nego_authorized_keys_fail_read (const NegoAuthorizedKeys *keys, int errnum, GError **error)
{
  return nego_error_set_errno (error, errnum, "failed to read '%s': Failed to open file “%s”",
                               keys->path, keys->path);
}

static gboolean
nego_authorized_keys_open (NegoAuthorizedKeys *keys, const char *home, GError **error)
{
  keys->fd = -1;
  keys->directory = g_build_filename (home, DIRECTORY, NULL);
  keys->path = g_build_filename (keys->directory, FILE_NAME, NULL);
  keys->home_fd = open (home, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (keys->home_fd < 0)
    return nego_authorized_keys_fail_read (keys, errno, error);
  keys->fd = openat (keys->home_fd, DIRECTORY, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (keys->fd < 0 && errno != ENOENT)
    return nego_authorized_keys_fail_read (keys, errno, error);
  return TRUE;
}

static gboolean
nego_authorized_keys_read_fd (int fd, GString *text, int *errnum)
{
  char piece[65536];
  ssize_t n;

  while ((n = read (fd, piece, sizeof piece)) != 0) {
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 || text->len + (gsize) n > NEGO_KEYS_FILE_BYTES) {
      *errnum = n < 0 ? errno : EFBIG;
      return FALSE;
    }
    g_string_append_len (text, piece, n);
  }
  return TRUE;
}

/* Returns the file's text, or NULL: with @error, or without it there is no file. */
static GString *
nego_authorized_keys_read (const NegoAuthorizedKeys *keys, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  struct stat st;
  int errnum = 0;
  int fd;

  if (keys->fd < 0)
    return NULL;
  /* Not blocking: it may be a FIFO. */
  fd = openat (keys->fd, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT)
    return NULL;
  if (fd < 0)
    errnum = errno;
  else if (fstat (fd, &st) != 0)
    errnum = errno;
  else if (!S_ISREG (st.st_mode))
    errnum = S_ISDIR (st.st_mode) ? EISDIR : EINVAL;
  else
    nego_authorized_keys_read_fd (fd, text, &errnum);
  if (fd >= 0)
    close (fd);
  if (errnum == 0)
    return g_steal_pointer (&text);
  nego_authorized_keys_fail_read (keys, errnum, error);
  return NULL;
}

static gboolean
nego_authorized_keys_make_directory (NegoAuthorizedKeys *keys, GError **error)
{
  if (keys->fd >= 0)
    return TRUE;
  if (mkdirat (keys->home_fd, DIRECTORY, 0700) != 0 && errno != EEXIST)
    return nego_error_set_errno (error, errno, "failed to create directory '%s'", keys->directory);
  keys->fd = openat (keys->home_fd, DIRECTORY, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (keys->fd < 0)
    return nego_error_set_errno (error, errno, "failed to create directory '%s'", keys->directory);
  return TRUE;
}

/* Returns 0 or an errno. */
static int
nego_authorized_keys_fill (int fd, const GString *text)
{
  gsize done = 0;

  while (done < text->len) {
    ssize_t n = write (fd, text->str + done, text->len - done);

    if (n < 0 && errno != EINTR)
      return errno;
    if (n > 0)
      done += (gsize) n;
  }
  return fsync (fd) == 0 ? 0 : errno;
}

static int
nego_authorized_keys_replace (const NegoAuthorizedKeys *keys, const GString *text)
{
  g_autofree char *random = nego_random_name ();
  g_autofree char *name = g_strconcat ("." FILE_NAME ".", random, NULL);
  struct stat st;
  int errnum = 0;
  int fd;

  if (text->len > NEGO_KEYS_FILE_BYTES)
    return EFBIG;
  /* What is replaced: a link would not be followed, but whoever made it meant it. */
  if (fstatat (keys->fd, FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG (st.st_mode))
    return S_ISLNK (st.st_mode) ? ELOOP : EINVAL;
  fd = openat (keys->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return errno;
  errnum = nego_authorized_keys_fill (fd, text);
  if (close (fd) != 0 && errnum == 0)
    errnum = errno;
  if (errnum == 0 && renameat (keys->fd, name, keys->fd, FILE_NAME) != 0)
    errnum = errno;
  if (errnum != 0)
    unlinkat (keys->fd, name, 0);
  return errnum;
}

static gboolean
nego_authorized_keys_write (const NegoAuthorizedKeys *keys, const GString *text, GError **error)
{
  int errnum = nego_authorized_keys_replace (keys, text);

  return errnum == 0 || nego_error_set_errno (error, errnum, "failed to write to '%s'", keys->path);
}

char **
nego_authorized_keys_list (const char *home, GError **error)
{
  g_auto (NegoAuthorizedKeys) keys = { 0 };
  g_autoptr (GString) text = NULL;
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) failure = NULL;

  if (!nego_authorized_keys_open (&keys, home, error))
    return NULL;
  text = nego_authorized_keys_read (&keys, &failure);
  if (text == NULL) {
    if (failure != NULL)
      g_propagate_error (error, g_steal_pointer (&failure));
    else
      nego_authorized_keys_fail_read (&keys, ENOENT, error);
    return NULL;
  }
  lines = g_strsplit (text->str, "\n", -1);
  for (guint i = g_strv_length (lines); i > 0; i--)
    if (*g_strstrip (lines[i - 1]) != '\0' && lines[i - 1][0] != '#')
      g_ptr_array_add (list, g_strdup (lines[i - 1]));
  g_ptr_array_add (list, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&list), FALSE);
}

/* The lines of @text as a set, which borrows from *@lines. */
static GHashTable *
nego_authorized_keys_index (const char *text, char ***lines)
{
  GHashTable *set = g_hash_table_new (g_str_hash, g_str_equal);

  *lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; (*lines)[i] != NULL; i++)
    g_hash_table_add (set, (*lines)[i]);
  return set;
}

gboolean
nego_authorized_keys_add (const char *home,
                          const char *const *new_keys,
                          gboolean reset,
                          GError **error)
{
  g_auto (NegoAuthorizedKeys) keys = { 0 };
  g_autoptr (GString) text = NULL;
  g_autoptr (GHashTable) known = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) failure = NULL;

  if (!nego_authorized_keys_open (&keys, home, error)
      || !nego_authorized_keys_make_directory (&keys, error))
    return FALSE;
  if (!reset)
    text = nego_authorized_keys_read (&keys, &failure);
  if (failure != NULL) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  if (text == NULL)
    text = g_string_new (NULL);
  known = nego_authorized_keys_index (text->str, &lines);
  if (text->len > 0 && text->str[text->len - 1] != '\n')
    g_string_append_c (text, '\n');
  for (guint i = 0; new_keys[i] != NULL; i++)
    if (*new_keys[i] != '\0' && g_hash_table_add (known, (gpointer) new_keys[i]))
      g_string_append_printf (text, "%s\n", new_keys[i]);
  return nego_authorized_keys_write (&keys, text, error);
}

gboolean
nego_authorized_keys_remove (const char *home, const char *const *old_keys, GError **error)
{
  g_auto (NegoAuthorizedKeys) keys = { 0 };
  g_autoptr (GString) text = NULL, left = g_string_new (NULL);
  g_autoptr (GHashTable) set = g_hash_table_new (g_str_hash, g_str_equal);
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) failure = NULL;

  if (!nego_authorized_keys_open (&keys, home, error))
    return FALSE;
  text = nego_authorized_keys_read (&keys, &failure);
  if (failure != NULL) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  if (text == NULL)
    return TRUE;
  for (guint i = 0; old_keys[i] != NULL; i++)
    g_hash_table_add (set, (gpointer) old_keys[i]);
  lines = g_strsplit (text->str, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    /* Behind the last LF there is no line. */
    if (lines[i + 1] == NULL && *lines[i] == '\0')
      break;
    if (!g_hash_table_contains (set, lines[i]))
      g_string_append_printf (left, "%s\n", lines[i]);
  }
  return nego_authorized_keys_write (&keys, left, error);
}
