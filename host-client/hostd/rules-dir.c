/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/rules-dir.h"

#include "common/error.h"
#include "common/names.h"
#include "common/pipe.h"
#include "common/trust.h"
#include "host-client/hostd/rules-file.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static int
nego_rules_dir_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* The names of the files in the directory @dir_fd, sorted. */
static GPtrArray *
nego_rules_dir_list (int dir_fd, const char *dir, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  int fd = nego_trust_reopen (dir_fd);
  DIR *open_dir = fd >= 0 ? fdopendir (fd) : NULL;
  const struct dirent *entry;

  if (open_dir == NULL) {
    nego_error_set_errno (error, errno, "failed to read the directory '%s'", dir);
    nego_pipe_close (&fd);
    return NULL;
  }
  while ((entry = readdir (open_dir)) != NULL && names->len <= NEGO_RULES_FILES)
    if (entry->d_name[0] != '.' && g_str_has_suffix (entry->d_name, ".conf"))
      g_ptr_array_add (names, g_strdup (entry->d_name));
  closedir (open_dir);
  if (names->len > NEGO_RULES_FILES) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "'%s' has more than %u files", dir,
                 NEGO_RULES_FILES);
    return NULL;
  }
  g_ptr_array_sort (names, nego_rules_dir_compare);
  return g_steal_pointer (&names);
}

static gboolean
nego_rules_dir_read (int fd, const char *path, GString *text, GError **error)
{
  char buffer[4096];
  ssize_t n;

  while ((n = read (fd, buffer, sizeof buffer)) != 0) {
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return nego_error_set_errno (error, errno, "failed to read the policy file '%s'", path);
    g_string_append_len (text, buffer, n);
    if (text->len > NEGO_RULES_FILE_BYTES) {
      g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG,
                   "failed to read the policy file '%s': it is larger than %u bytes", path,
                   NEGO_RULES_FILE_BYTES);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
nego_rules_dir_load_file (
  NegoRules *rules, int dir_fd, const char *dir, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autoptr (GString) text = g_string_new (NULL);
  struct stat st;
  int found = nego_trust_open_at (dir_fd, dir, name, &st, error);
  int fd;
  gboolean done;

  if (found < 0)
    return FALSE;
  if (!S_ISREG (st.st_mode)) {
    nego_pipe_close (&found);
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED, "'%s' is not a regular file", path);
    return FALSE;
  }
  fd = nego_trust_reopen (found);
  if (fd < 0)
    nego_error_set_errno (error, errno, "failed to open the policy file '%s'", path);
  done = fd >= 0 && nego_rules_dir_read (fd, path, text, error)
         && nego_rules_parse (rules, path, text->str, text->len, error);
  nego_pipe_close (&fd);
  nego_pipe_close (&found);
  return done;
}

NegoRules *
nego_rules_load (const char *dir, GError **error)
{
  g_autoptr (NegoRules) rules = nego_rules_new ();
  g_autoptr (GError) missing = NULL;
  g_autoptr (GPtrArray) names = NULL;
  int dir_fd = nego_trust_open_dir (dir, &missing);
  gboolean done;

  if (dir_fd < 0 && g_error_matches (missing, NEGO_ERROR, NEGO_ERROR_NOT_FOUND))
    return g_steal_pointer (&rules);
  if (dir_fd < 0) {
    g_propagate_error (error, g_steal_pointer (&missing));
    return NULL;
  }
  names = nego_rules_dir_list (dir_fd, dir, error);
  done = names != NULL;
  for (guint i = 0; done && i < names->len; i++)
    done = nego_rules_dir_load_file (rules, dir_fd, dir, names->pdata[i], error);
  nego_pipe_close (&dir_fd);
  return done ? g_steal_pointer (&rules) : NULL;
}
