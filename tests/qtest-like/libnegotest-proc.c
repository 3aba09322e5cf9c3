/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/qtest-like/libnegotest-private.h"

#include <stdio.h>
#include <string.h>

/* The kernel tells nobody that memory was given back. */
#define RSS_LOOK_US 20000
#define RSS_WAIT_S  60

static char *
read_proc (NegoTest *test, const char *name)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/%s", (int) nego_test_get_pid (test), name);
  char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    g_error ("cannot read '%s'", path);
  return text;
}

gboolean
nego_test_is_valgrind (void)
{
  const char *preload = g_getenv ("LD_PRELOAD");

  /* The test itself, or the agent that it starts (scripts/under-valgrind). */
  return (preload != NULL && strstr (preload, "vgpreload") != NULL)
         || g_getenv ("NEGO_UNDER_VALGRIND") != NULL;
}

gboolean
nego_test_is_plain (NegoTest *test)
{
  g_autofree char *maps = read_proc (test, "maps");

  return strstr (maps, "libasan") == NULL && strstr (maps, "valgrind") == NULL;
}

/* smaps_rollup walks the page tables; the counters of status and statm lag by up to 64 pages. */
gsize
nego_test_get_rss_kib (NegoTest *test)
{
  g_autofree char *rollup = read_proc (test, "smaps_rollup");
  const char *line = strstr (rollup, "\nRss:");
  gsize kib;

  g_assert_nonnull (line);
  g_assert_cmpint (sscanf (line, "\nRss: %zu kB", &kib), ==, 1);
  return kib;
}

void
nego_test_expect_rss_kib (NegoTest *test, gsize most)
{
  const gint64 end = g_get_monotonic_time () + RSS_WAIT_S * G_USEC_PER_SEC;
  gsize now;

  if (!nego_test_is_plain (test))
    return;
  while ((now = nego_test_get_rss_kib (test)) > most && g_get_monotonic_time () < end)
    g_usleep (RSS_LOOK_US);
  g_test_message ("RSS %zu KiB, at most %zu KiB are right", now, most);
  g_assert_cmpuint (now, <=, most);
}

guint64
nego_test_get_cpu_ns (NegoTest *test)
{
  g_autofree char *stat = read_proc (test, "schedstat");

  return g_ascii_strtoull (stat, NULL, 10);
}

guint64
nego_test_count_sleeps (NegoTest *test)
{
  g_autofree char *status = read_proc (test, "status");
  const char *line = strstr (status, "\nvoluntary_ctxt_switches:");

  g_assert_nonnull (line);
  return g_ascii_strtoull (strchr (line, ':') + 1, NULL, 10);
}

char *
nego_test_list_fds (NegoTest *test)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/fd", (int) nego_test_get_pid (test));
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  GString *list = g_string_new (NULL);
  const char *name;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *fd = g_build_filename (path, name, NULL);
    g_autofree char *target = g_file_read_link (fd, NULL);

    g_string_append_printf (list, "%s -> %s\n", name, target);
  }
  return g_string_free (list, FALSE);
}

guint
nego_test_count_fds (NegoTest *test)
{
  g_autofree char *list = nego_test_list_fds (test);
  guint n = 0;

  for (const char *p = list; *p != '\0'; p++)
    n += *p == '\n';
  return n;
}

guint
nego_test_count_children (NegoTest *test)
{
  g_autofree char *name = g_strdup_printf ("task/%d/children", (int) nego_test_get_pid (test));
  g_autofree char *text = read_proc (test, name);
  g_auto (GStrv) pids = g_strsplit (g_strstrip (text), " ", -1);

  return *text != '\0' ? g_strv_length (pids) : 0;
}
