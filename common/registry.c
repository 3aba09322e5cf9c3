/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "negotiator"

#include "config.h"

#include "common/registry.h"

#include "common/error.h"
#include "common/names.h"
#include "common/pipe.h"
#include "common/trust.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  char *path;
  NegoScriptSource source;
} NegoRegistryDir;

struct NegoRegistry {
  GArray *dirs;
};

static void
nego_registry_dir_clear (gpointer data)
{
  NegoRegistryDir *dir = data;

  g_free (dir->path);
}

static void
nego_registry_add (NegoRegistry *registry, const char *path, NegoScriptSource source)
{
  NegoRegistryDir dir = { g_strdup (path), source };

  g_array_append_val (registry->dirs, dir);
}

NegoRegistry *
nego_registry_new (const char *const *dirs, const char *builtin_dir)
{
  NegoRegistry *registry = g_new0 (NegoRegistry, 1);

  registry->dirs = g_array_new (FALSE, FALSE, sizeof (NegoRegistryDir));
  g_array_set_clear_func (registry->dirs, nego_registry_dir_clear);
  for (guint i = 0; dirs != NULL && dirs[i] != NULL; i++)
    nego_registry_add (registry, dirs[i], NEGO_SCRIPT_USER);
  if (builtin_dir != NULL)
    nego_registry_add (registry, builtin_dir, NEGO_SCRIPT_BUILTIN);
  return registry;
}

void
nego_registry_free (NegoRegistry *registry)
{
  if (registry == NULL)
    return;
  g_array_free (registry->dirs, TRUE);
  g_free (registry);
}

/* Opens @dir. In @refusal: why no script of it may be run; the directory is then still readable by
 * its path, for the names. Returns -1 for both a refused and a missing directory. */
static int
nego_registry_open (const NegoRegistryDir *dir, char **refusal)
{
  g_autoptr (GError) error = NULL;
  int fd = nego_trust_open_dir (dir->path, &error);

  if (fd < 0 && !g_error_matches (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND))
    *refusal = g_strdup_printf ("%s%s", error->code == NEGO_ERROR_REFUSED ? "directory " : "",
                                error->message);
  return fd;
}

static NegoScript *
nego_registry_load (const NegoRegistryDir *dir, int fd, const char *refusal, const char *name)
{
  if (refusal != NULL)
    return nego_script_new_refused (dir->path, name, dir->source, g_strdup (refusal));
  return nego_script_load (fd, dir->path, name, dir->source);
}

/* Adds the scripts of @dir to @found (name → script), and counts the entries in @seen. */
static void
nego_registry_list_dir (const NegoRegistryDir *dir, GHashTable *found, guint *seen)
{
  g_autofree char *refusal = NULL;
  int fd = nego_registry_open (dir, &refusal);
  DIR *entries = fd >= 0 || refusal != NULL ? opendir (dir->path) : NULL;
  const struct dirent *entry;

  while (entries != NULL && (entry = readdir (entries)) != NULL) {
    NegoScript *script;

    if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
      continue;
    if (++*seen > NEGO_SCRIPTS) {
      g_warning ("'%s' and the directories before it have more than %u entries: the others are not "
                 "listed",
                 dir->path, NEGO_SCRIPTS);
      break;
    }
    if (!nego_script_name_is_valid (entry->d_name) || g_hash_table_contains (found, entry->d_name))
      continue;
    script = nego_registry_load (dir, fd, refusal, entry->d_name);
    if (script != NULL)
      g_hash_table_insert (found, script->name, script);
  }
  if (entries != NULL)
    closedir (entries);
  nego_pipe_close (&fd);
}

static int
nego_registry_compare (gconstpointer a, gconstpointer b)
{
  const NegoScript *const *first = a;
  const NegoScript *const *second = b;

  return strcmp ((*first)->name, (*second)->name);
}

GPtrArray *
nego_registry_list (NegoRegistry *registry)
{
  g_autoptr (GHashTable) found = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) nego_script_free);
  GHashTableIter iter;
  gpointer script;
  guint seen = 0;

  for (guint i = 0; i < registry->dirs->len && seen <= NEGO_SCRIPTS; i++)
    nego_registry_list_dir (&g_array_index (registry->dirs, NegoRegistryDir, i), found, &seen);
  g_hash_table_iter_init (&iter, found);
  while (g_hash_table_iter_next (&iter, NULL, &script))
    g_ptr_array_add (list, script);
  g_ptr_array_sort (list, nego_registry_compare);
  return list;
}

static NegoScript *
nego_registry_find_in (const NegoRegistryDir *dir, const char *name)
{
  g_autofree char *refusal = NULL;
  g_autofree char *path = g_build_filename (dir->path, name, NULL);
  NegoScript *script = NULL;
  struct stat st;
  int fd = nego_registry_open (dir, &refusal);

  if (fd >= 0 || (refusal != NULL && lstat (path, &st) == 0))
    script = nego_registry_load (dir, fd, refusal, name);
  nego_pipe_close (&fd);
  return script;
}

NegoScript *
nego_registry_find (NegoRegistry *registry, const char *name, GError **error)
{
  g_autoptr (NegoScript) script = NULL;

  if (nego_script_name_is_valid (name))
    for (guint i = 0; i < registry->dirs->len && script == NULL; i++)
      script = nego_registry_find_in (&g_array_index (registry->dirs, NegoRegistryDir, i), name);
  if (script == NULL) {
    g_autofree char *quoted
      = nego_script_name_is_valid (name) ? g_strdup (name) : nego_error_quote (name);

    g_set_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND, "unknown negotiator command '%s'",
                 quoted);
    return NULL;
  }
  if (script->refusal != NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED,
                 "negotiator command '%s' is refused by the checks of its files: %s", name,
                 script->refusal);
    return NULL;
  }
  return g_steal_pointer (&script);
}
