/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/root-fixture.h"

#include <glib/gstdio.h>

#include <errno.h>
#include <ftw.h>
#include <string.h>

static char *
root_path (RootFixture *fixture, const char *path)
{
  return g_strconcat (fixture->root, path, NULL);
}

void
root_fixture_set_up (RootFixture *fixture, gconstpointer data)
{
  agent_fixture_set_up (&fixture->agent, NULL);
  fixture->root = g_dir_make_tmp ("nego-root-XXXXXX", NULL);
  g_assert_nonnull (fixture->root);
  if (fixture->agent.dir == NULL)
    return;
  fixture->agent.agent->root = fixture->root;
}

static int
remove_entry (const char *path, const struct stat *st, int type, struct FTW *where)
{
  return remove (path);
}

void
root_fixture_tear_down (RootFixture *fixture, gconstpointer data)
{
  agent_fixture_tear_down (&fixture->agent, NULL);
  nftw (fixture->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
  g_free (fixture->root);
}

void
root_fixture_add_len (RootFixture *fixture, const char *path, const char *data, gsize len)
{
  g_autofree char *full = root_path (fixture, path);
  g_autofree char *dir = g_path_get_dirname (full);

  g_assert_cmpint (g_mkdir_with_parents (dir, 0755), ==, 0);
  g_assert_true (g_file_set_contents (full, data, (gssize) len, NULL));
}

void
root_fixture_add (RootFixture *fixture, const char *path, const char *text)
{
  root_fixture_add_len (fixture, path, text, strlen (text));
}

void
root_fixture_add_dir (RootFixture *fixture, const char *path)
{
  g_autofree char *full = root_path (fixture, path);

  g_assert_cmpint (g_mkdir_with_parents (full, 0755), ==, 0);
}

void
root_fixture_remove (RootFixture *fixture, const char *path)
{
  g_autofree char *full = root_path (fixture, path);

  g_assert_cmpint (remove (full), ==, 0);
}

void
root_fixture_assert_file (RootFixture *fixture, const char *path, const char *text)
{
  g_autofree char *full = root_path (fixture, path);
  g_autofree char *found = NULL;

  g_assert_true (g_file_get_contents (full, &found, NULL, NULL));
  g_assert_cmpstr (found, ==, text);
}

/* Not agent_fixture_hear (), which checks the length of negotiator replies. */
static char *
ask (RootFixture *fixture, const char *command, const char *arguments)
{
  g_autofree char *request
    = g_strdup_printf ("{'execute':'%s','arguments':%s}", command, arguments);
  GString *heard = fixture->agent.heard;
  char *end;
  char *line;

  agent_fixture_tell (&fixture->agent, request);
  while ((end = memchr (heard->str, '\n', heard->len)) == NULL)
    g_main_context_iteration (NULL, TRUE);
  line = g_strndup (heard->str, (gsize) (end - heard->str));
  g_string_erase (heard, 0, (gssize) strlen (line) + 1);
  return line;
}

void
root_fixture_assert_return (RootFixture *fixture,
                            const char *command,
                            const char *arguments,
                            const char *value)
{
  g_autofree char *line = ask (fixture, command, arguments);
  g_autofree char *expected = g_strdup_printf ("{\"return\": %s}", value);

  g_assert_cmpstr (line, ==, expected);
}

void
root_fixture_assert_error (RootFixture *fixture,
                           const char *command,
                           const char *arguments,
                           const char *desc)
{
  agent_fixture_assert_error (&fixture->agent, command, arguments, desc);
}

guint
root_fixture_count (RootFixture *fixture, const char *command)
{
  g_autofree char *line = ask (fixture, command, "{}");
  g_autoptr (JsonNode) node = json_from_string (line, NULL);

  g_assert_nonnull (node);
  return json_array_get_length (
    json_object_get_array_member (json_node_get_object (node), "return"));
}
