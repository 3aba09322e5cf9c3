/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "host-client/hostd/settings.h"

#include <glib/gstdio.h>

#include <unistd.h>

typedef struct {
  char *dir, *file;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->dir = g_dir_make_tmp ("nego-settings-XXXXXX", &error);
  g_assert_no_error (error);
  f->file = g_build_filename (f->dir, "hostd.conf", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_unlink (f->file);
  g_assert_cmpint (g_rmdir (f->dir), ==, 0);
  g_free (f->dir);
  g_free (f->file);
}

/* The settings of a file with @text, and of @words of the command line behind it. */
static NegoSettings *
read_settings (Fixture *f, const char *text, const char *words, GError **error)
{
  g_auto (GStrv) list = g_strsplit (words, " ", -1);
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autofree char *option = g_strconcat ("--config=", f->file, NULL);

  g_assert_true (g_file_set_contents (f->file, text, -1, NULL));
  g_ptr_array_add (argv, (gpointer) "nego-hostd");
  g_ptr_array_add (argv, option);
  for (char **word = list; *word != NULL; word++)
    if (**word != '\0')
      g_ptr_array_add (argv, *word);
  return nego_settings_new ((int) argv->len, (char **) argv->pdata, error);
}

static NegoSettings *
take_settings (Fixture *f, const char *text, const char *words)
{
  g_autoptr (GError) error = NULL;
  NegoSettings *settings = read_settings (f, text, words, &error);

  g_assert_no_error (error);
  return settings;
}

static void
assert_list (char **list, const char *expected)
{
  g_autofree char *text = g_strjoinv (" ", list);

  g_assert_cmpstr (text, ==, expected);
}

static void
assert_socket (
  const NegoSettings *settings, guint at, const char *name, const char *path, const char *agent)
{
  const NegoSettingsSocket *entry;

  g_assert_cmpuint (at, <, settings->sockets->len);
  entry = settings->sockets->pdata[at];
  g_assert_cmpstr (entry->name, ==, name);
  g_assert_cmpstr (entry->path, ==, path);
  g_assert_cmpstr (entry->agent, ==, agent);
}

static void
test_defaults (Fixture *f, gconstpointer data)
{
  g_autoptr (NegoSettings) settings = take_settings (f, "", "");

  assert_list (settings->connect, "qemu:///system");
  g_assert_cmpuint (settings->sockets->len, ==, 0);
  g_assert_cmpuint (g_strv_length (settings->host_commands), ==, 3);
  g_assert_cmpstr (settings->run_as, ==, "negotiator-run");
  g_assert_cmpstr (settings->control, ==, NEGO_CONTROL_SOCKET);
  g_assert_cmpstr (settings->group, ==, "negotiator");
  g_assert_null (settings->guests_group);
  g_assert_cmpuint (settings->guests_mode, ==, 0660);
  g_assert_false (settings->verbose);
  g_assert_null (settings->check_policy);
}

static void
test_file (Fixture *f, gconstpointer data)
{
  g_autoptr (NegoSettings) settings
    = take_settings (f,
                     "[hostd]\nconnect=a:///;b:///\nsockets=web=/p1;db=/p2\nagent-sockets=web=/a1\n"
                     "host-commands=/x;/y\nrun-as=somebody\ncontrol=/c\ngroup=g\nguests-group=h\n"
                     "guests-mode=0600\npolicy=/p\nverbose=true\n",
                     "");

  assert_list (settings->connect, "a:/// b:///");
  g_assert_cmpuint (settings->sockets->len, ==, 2);
  assert_socket (settings, 0, "web", "/p1", "/a1");
  assert_socket (settings, 1, "db", "/p2", NULL);
  assert_list (settings->host_commands, "/x /y");
  g_assert_cmpstr (settings->run_as, ==, "somebody");
  g_assert_cmpstr (settings->control, ==, "/c");
  g_assert_cmpstr (settings->group, ==, "g");
  g_assert_cmpstr (settings->guests_group, ==, "h");
  g_assert_cmpuint (settings->guests_mode, ==, 0600);
  g_assert_cmpstr (settings->policy, ==, "/p");
  g_assert_true (settings->verbose);
}

static void
test_line_wins (Fixture *f, gconstpointer data)
{
  const char *const text = "[hostd]\nconnect=a:///\nsockets=web=/p1\nrun-as=somebody\n"
                           "host-commands=/x\n";
  g_autoptr (NegoSettings) sockets
    = take_settings (f, text, "--socket=db=/p2 --agent-socket db=/a2 --run-as self");
  g_autoptr (NegoSettings) connections
    = take_settings (f, text, "-c b:/// --connect=c:/// --host-commands /y");

  assert_list (sockets->connect, "");
  g_assert_cmpuint (sockets->sockets->len, ==, 1);
  assert_socket (sockets, 0, "db", "/p2", "/a2");
  g_assert_cmpstr (sockets->run_as, ==, NEGO_SETTINGS_SELF);
  assert_list (connections->connect, "b:/// c:///");
  g_assert_cmpuint (connections->sockets->len, ==, 0);
  assert_list (connections->host_commands, "/y");
}

/* Two stations of one guest would share its record. */
static void
test_named_twice (Fixture *f, gconstpointer data)
{
  const char *const text = "[hostd]\nconnect=a:///;b:///;a:///;b:///;c:///\n";
  g_autoptr (NegoSettings) file = take_settings (f, text, "");
  g_autoptr (NegoSettings) line = take_settings (f, text, "-c d:/// --connect=d:/// -c d:///");

  assert_list (file->connect, "a:/// b:/// c:///");
  assert_list (line->connect, "d:///");
}

static void
test_errors (Fixture *f, gconstpointer data)
{
  /* %s: the file. */
  static const struct {
    const char *text, *words, *message;
  } rows[] = {
    { "[hostd]\nguests-mode=0660x\n", "",
      "wrong 'guests-mode' in '%s': '0660x' is no mode of a file, in octal" },
    { "[hostd]\nguests-mode=1000\n", "",
      "wrong 'guests-mode' in '%s': '1000' is no mode of a file, in octal" },
    { "[hostd]\nguests-mode=\n", "",
      "wrong 'guests-mode' in '%s': '' is no mode of a file, in octal" },
    { "[hostd]\nagent-sockets=a=b\n", "",
      "wrong 'agent-sockets' in '%s': wrong 'agent-sockets' 'a=b': it is not NAME=PATH, with an "
      "absolute path" },
    { "[hostd]\nsockets=a=/x;b=/y;a=/z\n", "",
      "wrong 'sockets' in '%s': wrong 'sockets': guest 'a' is named twice" },
    { "", "--agent-socket a=/x --agent-socket a=/y",
      "wrong --agent-socket: guest 'a' is named twice" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_auto (GStrv) parts = g_strsplit (rows[i].message, "%s", 2);
    g_autofree char *expected = g_strjoinv (f->file, parts);

    g_assert_null (read_settings (f, rows[i].text, rows[i].words, &error));
    g_assert_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG);
    g_assert_cmpstr (error->message, ==, expected);
  }
}

/* At the highest mode. */
static void
test_mode (Fixture *f, gconstpointer data)
{
  g_autoptr (NegoSettings) settings = take_settings (f, "[hostd]\nguests-mode=777\n", "");

  g_assert_cmpuint (settings->guests_mode, ==, 0777);
}

static void
test_check_policy (Fixture *f, gconstpointer data)
{
  g_autoptr (NegoSettings) settings = take_settings (f, "", "--check-policy web hello -- -x");
  g_autoptr (NegoSettings) nothing = take_settings (f, "", "--check-policy");

  g_assert_cmpuint (g_strv_length (settings->check_policy), >=, 3);
  g_assert_cmpstr (settings->check_policy[0], ==, "web");
  g_assert_cmpstr (settings->check_policy[1], ==, "hello");
  assert_list (nothing->check_policy, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/settings/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("check-policy", test_check_policy);
  ADD ("defaults", test_defaults);
  ADD ("errors", test_errors);
  ADD ("file", test_file);
  ADD ("line-wins", test_line_wins);
  ADD ("mode", test_mode);
  ADD ("named-twice", test_named_twice);
  return g_test_run ();
}
