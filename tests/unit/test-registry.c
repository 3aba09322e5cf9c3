/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "common/registry.h"
#include "common/trust.h"
#include "tests/helpers/script-dir.h"

#include <glib/gstdio.h>

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SCRIPT "#!/bin/sh\n"

typedef struct {
  char *base;    /* holds the two */
  char *dir;     /* the user's scripts */
  char *builtin; /* the built-ins */
  NegoRegistry *registry;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->base = script_dir_new ();
  if (fixture->base == NULL)
    return;
  fixture->dir = g_build_filename (fixture->base, "user", NULL);
  fixture->builtin = g_build_filename (fixture->base, "builtin", NULL);
  g_assert_cmpint (g_mkdir (fixture->dir, 0755), ==, 0);
  g_assert_cmpint (g_mkdir (fixture->builtin, 0755), ==, 0);
  {
    const char *const dirs[] = { "/no/such/directory", fixture->dir, NULL };

    fixture->registry = nego_registry_new (dirs, fixture->builtin);
  }
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  nego_registry_free (fixture->registry);
  g_free (fixture->dir);
  g_free (fixture->builtin);
  script_dir_free (fixture->base);
}

static void
add (const char *dir, const char *name, mode_t mode, const char *text)
{
  g_free (script_dir_add (dir, name, mode, text));
}

/* nego_registry_find() gives the error, and the list the reason; %s in @reason is the directory. */
static void
assert_refused (Fixture *fixture, const char *name, const char *reason)
{
  g_auto (GStrv) parts = g_strsplit (reason, "%s", -1);
  g_autofree char *refusal = g_strjoinv (fixture->dir, parts);
  g_autofree char *message
    = g_strdup_printf ("negotiator command '%s' is refused by the checks of its files: %s", name,
                       refusal);
  g_autoptr (GPtrArray) list = nego_registry_list (fixture->registry);
  g_autoptr (GError) error = NULL;
  guint listed = 0;

  g_assert_null (nego_registry_find (fixture->registry, name, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED);
  g_assert_cmpstr (error->message, ==, message);
  for (guint i = 0; i < list->len; i++) {
    const NegoScript *script = list->pdata[i];

    if (strcmp (script->name, name) == 0) {
      g_assert_cmpstr (script->refusal, ==, refusal);
      listed++;
    }
  }
  g_assert_cmpuint (listed, ==, 1);
}

static void
assert_unknown (Fixture *fixture, const char *name, const char *quoted)
{
  g_autofree char *message = g_strdup_printf ("unknown negotiator command '%s'", quoted);
  g_autoptr (GError) error = NULL;

  g_assert_null (nego_registry_find (fixture->registry, name, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_list (Fixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "Zed", "both", "builtin-only", "dir", "elf", "user-only" };
  g_autoptr (GPtrArray) list = NULL;
  g_autofree char *subdir = NULL, *elf = NULL, *contents = NULL;
  const NegoScript *script;
  gsize len;

  if (fixture->base == NULL)
    return;
  add (fixture->dir, "user-only", 0755, SCRIPT);
  add (fixture->dir, "user-only.conf", 0644, "[Command]\nDescription=Mine\n");
  add (fixture->dir, "Zed", 0700, SCRIPT);
  add (fixture->dir, "both", 0755, SCRIPT);
  add (fixture->dir, ".hidden", 0755, SCRIPT);
  add (fixture->dir, "backup~", 0755, SCRIPT);
  add (fixture->builtin, "both", 0755, SCRIPT);
  add (fixture->builtin, "builtin-only", 0755, SCRIPT);
  subdir = g_build_filename (fixture->dir, "dir", NULL);
  g_assert_cmpint (g_mkdir (subdir, 0755), ==, 0);
  elf = g_build_filename (fixture->dir, "elf", NULL);
  g_assert_true (g_file_get_contents ("/bin/true", &contents, &len, NULL));
  g_assert_true (g_file_set_contents_full (elf, contents, (gssize) len, 0, 0755, NULL));

  list = nego_registry_list (fixture->registry);
  g_assert_cmpuint (list->len, ==, G_N_ELEMENTS (names));
  for (guint i = 0; i < list->len; i++) {
    script = list->pdata[i];
    g_assert_cmpstr (script->name, ==, names[i]);
    g_assert_cmpint (script->source, ==, i == 2 ? NEGO_SCRIPT_BUILTIN : NEGO_SCRIPT_USER);
    if (i != 3)
      g_assert_cmpstr (script->refusal, ==, NULL);
  }
  script = list->pdata[5];
  g_assert_cmpstr (script->conf->description, ==, "Mine");
}

static void
test_find (Fixture *fixture, gconstpointer data)
{
  g_autoptr (NegoScript) mine = NULL, builtin = NULL, again = NULL;
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  if (fixture->base == NULL)
    return;
  path = script_dir_add (fixture->dir, "x", 0755, SCRIPT);
  add (fixture->builtin, "x", 0755, SCRIPT);
  mine = nego_registry_find (fixture->registry, "x", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (mine->path, ==, path);
  g_assert_cmpint (mine->source, ==, NEGO_SCRIPT_USER);
  g_assert_cmpuint (mine->conf->timeout_ms, ==, NEGO_SCRIPT_TIMEOUT_S * 1000);

  /* Changes are seen at once. */
  add (fixture->dir, "x.conf", 0644, "[Command]\nTimeout=3\n");
  again = nego_registry_find (fixture->registry, "x", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (again->conf->timeout_ms, ==, 3000);
  g_assert_cmpint (g_unlink (path), ==, 0);
  builtin = nego_registry_find (fixture->registry, "x", &error);
  g_assert_no_error (error);
  g_assert_cmpint (builtin->source, ==, NEGO_SCRIPT_BUILTIN);
}

static void
test_names (Fixture *fixture, gconstpointer data)
{
  g_autofree char *longest = g_strnfill (NEGO_SCRIPT_NAME_BYTES, 'n');
  g_autofree char *longer = g_strnfill (NEGO_SCRIPT_NAME_BYTES + 1, 'n');
  g_autofree char *quoted = g_strnfill (NEGO_ERROR_QUOTE_BYTES, 'n');
  g_autoptr (NegoScript) found = NULL;

  if (fixture->base == NULL)
    return;
  add (fixture->dir, longest, 0755, SCRIPT);
  add (fixture->dir, longer, 0755, SCRIPT);
  add (fixture->dir, "x.conf", 0755, SCRIPT);
  add (fixture->base, "above", 0755, SCRIPT);
  found = nego_registry_find (fixture->registry, longest, NULL);
  g_assert_nonnull (found);
  assert_unknown (fixture, longer, quoted);
  assert_unknown (fixture, "", "");
  assert_unknown (fixture, "gone", "gone");
  assert_unknown (fixture, "x.conf", "x.conf");
  assert_unknown (fixture, ".", ".");
  assert_unknown (fixture, "..", "..");
  assert_unknown (fixture, ".hidden", ".hidden");
  assert_unknown (fixture, "../above", "../above");
  assert_unknown (fixture, "a\nb", "a\\nb");
  assert_unknown (fixture, "-x", "-x");
  assert_unknown (fixture, "\xc3\xa9", "\\303\\251");
}

static void
test_refused_files (Fixture *fixture, gconstpointer data)
{
  g_autofree char *fifo = NULL, *link = NULL, *dir = NULL, *target = NULL;

  if (fixture->base == NULL)
    return;
  dir = g_build_filename (fixture->dir, "dir", NULL);
  g_assert_cmpint (g_mkdir (dir, 0755), ==, 0);
  assert_refused (fixture, "dir", "'%s/dir' is a directory");

  target = script_dir_add (fixture->dir, "target", 0755, SCRIPT);
  link = g_build_filename (fixture->dir, "link", NULL);
  g_assert_cmpint (symlink (target, link), ==, 0);
  assert_refused (fixture, "link", "'%s/link' is a symbolic link");

  fifo = g_build_filename (fixture->dir, "fifo", NULL);
  g_assert_cmpint (mkfifo (fifo, 0700), ==, 0);
  assert_refused (fixture, "fifo", "'%s/fifo' is not a regular file");

  add (fixture->dir, "by-group", 0775, SCRIPT);
  assert_refused (fixture, "by-group", "'%s/by-group' is writable by group or others");
  add (fixture->dir, "by-others", 0757, SCRIPT);
  assert_refused (fixture, "by-others", "'%s/by-others' is writable by group or others");
  add (fixture->dir, "data", 0644, SCRIPT);
  assert_refused (fixture, "data", "'%s/data' is not executable");
  add (fixture->dir, "bare", 0755, "echo hello\n");
  assert_refused (fixture, "bare", "'%s/bare' is no program and has no interpreter line (#!)");
  add (fixture->dir, "empty", 0755, "");
  assert_refused (fixture, "empty", "'%s/empty' is no program and has no interpreter line (#!)");

  /* A refused script does not make way for the built-in of its name. */
  add (fixture->builtin, "data", 0755, SCRIPT);
  assert_refused (fixture, "data", "'%s/data' is not executable");
}

static void
test_refused_key_files (Fixture *fixture, gconstpointer data)
{
  g_autofree char *large = g_strnfill (NEGO_SCRIPT_CONF_BYTES, '#');
  g_autofree char *larger = g_strnfill (NEGO_SCRIPT_CONF_BYTES + 1, '#');
  g_autofree char *conf = NULL;
  g_autoptr (NegoScript) found = NULL;

  if (fixture->base == NULL)
    return;
  add (fixture->dir, "x", 0755, SCRIPT);
  add (fixture->dir, "x.conf", 0664, "[Command]\n");
  assert_refused (fixture, "x", "'%s/x.conf' is writable by group or others");
  add (fixture->dir, "x.conf", 0644, "[Command]\n\nTimout=1\n");
  assert_refused (fixture, "x", "%s/x.conf:3: unknown key 'Timout'");
  add (fixture->dir, "x.conf", 0644, larger);
  assert_refused (fixture, "x", "'%s/x.conf' is longer than 65536 bytes");
  add (fixture->dir, "x.conf", 0644, large);
  found = nego_registry_find (fixture->registry, "x", NULL);
  g_assert_nonnull (found);
  conf = g_build_filename (fixture->dir, "x.conf", NULL);
  g_assert_cmpint (g_unlink (conf), ==, 0);
  g_assert_cmpint (symlink ("/dev/null", conf), ==, 0);
  assert_refused (fixture, "x", "'%s/x.conf' is a symbolic link");
  g_assert_cmpint (g_unlink (conf), ==, 0);
  g_assert_cmpint (g_mkdir (conf, 0755), ==, 0);
  assert_refused (fixture, "x", "'%s/x.conf' is not a regular file");
}

static void
test_refused_owner (Fixture *fixture, gconstpointer data)
{
  g_autofree char *script = NULL, *conf = NULL;

  if (fixture->base == NULL)
    return;
  if (geteuid () != 0) {
    g_test_skip ("only root can give files away");
    return;
  }
  script = script_dir_add (fixture->dir, "x", 0755, SCRIPT);
  conf = script_dir_add (fixture->dir, "x.conf", 0644, "");
  g_assert_cmpint (chown (conf, 12345, 0), ==, 0);
  assert_refused (fixture, "x", "'%s/x.conf' is owned by uid 12345");
  g_assert_cmpint (chown (script, 12345, 0), ==, 0);
  assert_refused (fixture, "x", "'%s/x' is owned by uid 12345");
  g_assert_cmpint (chown (fixture->dir, 12345, 0), ==, 0);
  assert_refused (fixture, "x", "directory '%s' is owned by uid 12345");
  g_assert_cmpint (chown (fixture->dir, 0, 0), ==, 0);
}

static void
test_refused_directories (Fixture *fixture, gconstpointer data)
{
  g_autofree char *link = NULL;

  if (fixture->base == NULL)
    return;
  add (fixture->dir, "x", 0755, SCRIPT);
  add (fixture->builtin, "y", 0755, SCRIPT);
  g_assert_cmpint (chmod (fixture->dir, 01777), ==, 0);
  assert_refused (fixture, "x", "directory '%s' is writable by group or others");
  assert_unknown (fixture, "gone", "gone");
  g_assert_cmpint (chmod (fixture->dir, 0755), ==, 0);

  /* A directory above is as bad. */
  g_assert_cmpint (chmod (fixture->base, 0775), ==, 0);
  g_clear_pointer (&fixture->registry, nego_registry_free);
  {
    const char *const dirs[] = { fixture->dir, NULL };
    g_autofree char *reason
      = g_strdup_printf ("directory '%s' is writable by group or others", fixture->base);

    fixture->registry = nego_registry_new (dirs, NULL);
    assert_refused (fixture, "x", reason);
  }
  g_assert_cmpint (chmod (fixture->base, 0755), ==, 0);

  link = g_build_filename (fixture->base, "link", NULL);
  g_assert_cmpint (symlink (fixture->dir, link), ==, 0);
  g_clear_pointer (&fixture->registry, nego_registry_free);
  {
    const char *const dirs[] = { link, NULL };
    g_autofree char *reason = g_strdup_printf ("directory '%s' is a symbolic link", link);

    fixture->registry = nego_registry_new (dirs, NULL);
    assert_refused (fixture, "x", reason);
  }
}

static void
test_trust_not_a_directory (Fixture *fixture, gconstpointer data)
{
  g_autofree char *file = NULL, *below = NULL, *expected = NULL;
  g_autoptr (GError) error = NULL;

  if (fixture->base == NULL)
    return;
  file = script_dir_add (fixture->dir, "x", 0755, SCRIPT);
  below = g_build_filename (file, "below", NULL);
  expected = g_strdup_printf ("'%s' is not a directory", file);
  g_assert_cmpint (nego_trust_open_dir (below, &error), ==, -1);
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED);
  g_assert_cmpstr (error->message, ==, expected);
  g_clear_error (&error);
  g_assert_cmpint (nego_trust_open_dir ("/no/such", &error), ==, -1);
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND);
  g_assert_cmpstr (error->message, ==, "cannot open '/no': No such file or directory");
}

/* Keeps the message of what is logged. */
static GLogWriterOutput
on_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  char **message = user_data;

  for (gsize i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, "MESSAGE") == 0) {
      g_assert_null (*message);
      *message = g_strdup (fields[i].value);
    }
  return G_LOG_WRITER_HANDLED;
}

static void
test_many (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) list = NULL, bounded = NULL;
  char *const *logged = data;

  if (fixture->base == NULL)
    return;
  for (guint i = 0; i < NEGO_SCRIPTS; i++) {
    g_autofree char *name = g_strdup_printf ("s%u", i);

    add (fixture->dir, name, 0644, "");
  }
  list = nego_registry_list (fixture->registry);
  g_assert_cmpuint (list->len, ==, NEGO_SCRIPTS);
  add (fixture->dir, ".one-more", 0644, "");
  g_assert_null (*logged);
  bounded = nego_registry_list (fixture->registry);
  g_assert_nonnull (*logged);
  g_assert_true (g_str_has_suffix (
    *logged,
    "and the directories before it have more than 4096 entries: the others are not listed"));
  /* The one that is not seen may be the one whose name is no script's. */
  g_assert_cmpuint (bounded->len, <=, NEGO_SCRIPTS);
  g_assert_cmpuint (bounded->len, >=, NEGO_SCRIPTS - 1);
}

static guint
count_fds (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

/* Runs last: whatever was refused above, nothing stayed open. */
static void
test_no_leaks (gconstpointer data)
{
  g_assert_cmpuint (count_fds (), ==, GPOINTER_TO_UINT (data));
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*func) (Fixture *fixture, gconstpointer data);
  } tests[] = {
    { "/registry/list", test_list },
    { "/registry/find", test_find },
    { "/registry/names", test_names },
    { "/registry/refused-files", test_refused_files },
    { "/registry/refused-key-files", test_refused_key_files },
    { "/registry/refused-owner", test_refused_owner },
    { "/registry/refused-directories", test_refused_directories },
    { "/registry/trust-not-a-directory", test_trust_not_a_directory },
    { "/registry/many", test_many },
  };

  g_autofree char *logged = NULL;

  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (on_log, &logged, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, &logged, set_up, tests[i].func, tear_down);
  g_test_add_data_func ("/registry/no-leaks", GUINT_TO_POINTER (count_fds ()), test_no_leaks);
  return g_test_run ();
}
