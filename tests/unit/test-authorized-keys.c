/* SPDX-License-Identifier: MIT */
/*
 * guest-ssh-*-authorized-keys, for the user that runs the test and, if that is root, for nobody
 * too, in a home directory of the test's own.
 */
#include "config.h"

#include "agent/authorized-keys.h"
#include "common/exec.h"
#include "common/names.h"
#include "tests/helpers/agent-fixture.h"
#include "tests/helpers/tool-root.h"
#include "tests/helpers/valgrind.h"

#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GET    "guest-ssh-get-authorized-keys"
#define ADD    "guest-ssh-add-authorized-keys"
#define REMOVE "guest-ssh-remove-authorized-keys"
#define DIR    ".ssh"
#define FILE   DIR "/authorized_keys"
#define A      "ssh-ed25519 AAAA a"
#define B      "ssh-rsa BBBB b"
#define C      "ssh-rsa CCCC c"

typedef struct {
  AgentFixture agent;
  ToolRoot home;
  char *user;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  const struct passwd *entry = getpwuid (geteuid ());

  tool_root_init (&fixture->home);
  /* Both helpers run as /proc/self/exe. */
  if (skip_under_valgrind ())
    return;
  if (entry == NULL) {
    g_test_skip ("the user of this process has no account");
    return;
  }
  fixture->user = g_strdup (entry->pw_name);
  agent_fixture_set_up (&fixture->agent, NULL);
  if (fixture->agent.dir != NULL)
    fixture->agent.agent->home = fixture->home.path;
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir != NULL)
    agent_fixture_tear_down (&fixture->agent, NULL);
  tool_root_clear (&fixture->home);
  g_free (fixture->user);
}

static char *
get_path (Fixture *fixture, const char *name)
{
  return g_build_filename (fixture->home.path, name, NULL);
}

/* The arguments for the fixture's user, and more. */
static char *
make_arguments (Fixture *fixture, const char *more)
{
  return g_strdup_printf ("{'username':'%s'%s}", fixture->user, more);
}

static void
succeed (Fixture *fixture, const char *command, const char *more)
{
  g_autofree char *arguments = make_arguments (fixture, more);
  g_autoptr (JsonNode) node = agent_fixture_ask (&fixture->agent, command, arguments);

  g_assert_cmpuint (json_object_get_size (agent_fixture_returned (node)), ==, 0);
}

/* @format has one %s for @name in the home directory, or two. */
static void
fail (Fixture *fixture, const char *command, const char *more, const char *text, const char *name)
{
  g_autofree char *arguments = make_arguments (fixture, more);
  g_autofree char *path = get_path (fixture, name);
  g_autoptr (GString) expected = g_string_new (text);

  g_string_replace (expected, "@", path, 0);
  agent_fixture_assert_error (&fixture->agent, command, arguments, expected->str);
}

static void
assert_keys (Fixture *fixture, const char *expected)
{
  g_autofree char *arguments = make_arguments (fixture, "");
  g_autoptr (JsonNode) node = agent_fixture_ask (&fixture->agent, GET, arguments);
  g_autofree char *got
    = json_to_string (json_object_get_member (agent_fixture_returned (node), "keys"), FALSE);

  g_assert_cmpstr (got, ==, expected);
}

static void
assert_file (Fixture *fixture, const char *expected)
{
  g_autofree char *text = tool_root_read_file (&fixture->home, FILE);

  g_assert_cmpstr (text, ==, expected);
}

static mode_t
get_mode (Fixture *fixture, const char *name)
{
  g_autofree char *path = get_path (fixture, name);
  struct stat st;

  g_assert_cmpint (lstat (path, &st), ==, 0);
  return st.st_mode;
}

static guint
count_entries (Fixture *fixture)
{
  g_autofree char *path = get_path (fixture, DIR);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static void
test_keys (Fixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  succeed (fixture, ADD, ",'keys':['" A "','" B "']");
  assert_file (fixture, A "\n" B "\n");
  g_assert_cmpuint (get_mode (fixture, FILE), ==, S_IFREG | 0600);
  g_assert_cmpuint (get_mode (fixture, DIR), ==, S_IFDIR | 0700);
  /* The last one first, as qemu-ga has them. */
  assert_keys (fixture, "[\"" B "\",\"" A "\"]");
  succeed (fixture, ADD, ",'keys':['" B "','" C "','" C "','']");
  assert_file (fixture, A "\n" B "\n" C "\n");
  succeed (fixture, REMOVE, ",'keys':['" B "','no such']");
  assert_file (fixture, A "\n" C "\n");
  succeed (fixture, ADD, ",'keys':['" B "'],'reset':true");
  assert_file (fixture, B "\n");
  succeed (fixture, ADD, ",'keys':[],'reset':false");
  assert_file (fixture, B "\n");
  succeed (fixture, ADD, ",'keys':[],'reset':true");
  assert_file (fixture, "");
  assert_keys (fixture, "[]");
  g_assert_cmpuint (count_entries (fixture), ==, 1);
}

/* What others wrote stays as it is. */
static void
test_other_lines (Fixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  tool_root_add_file (&fixture->home, FILE, "# mine\n\n  " A " \r\nno-pty " B);
  assert_keys (fixture, "[\"no-pty " B "\",\"" A "\"]");
  succeed (fixture, ADD, ",'keys':['" C "']");
  assert_file (fixture, "# mine\n\n  " A " \r\nno-pty " B "\n" C "\n");
  succeed (fixture, REMOVE, ",'keys':['" C "','" B "']");
  assert_file (fixture, "# mine\n\n  " A " \r\nno-pty " B "\n");
}

static void
test_missing (Fixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  fail (fixture, GET, "", "failed to read '@': Failed to open file “@”: No such file or directory",
        FILE);
  succeed (fixture, REMOVE, ",'keys':['" A "']");
  fail (fixture, GET, "", "failed to read '@': Failed to open file “@”: No such file or directory",
        FILE);
}

static void
test_refused (Fixture *fixture, gconstpointer data)
{
  static const char *const commands[] = { ADD, REMOVE };

  if (fixture->agent.dir == NULL)
    return;
  tool_root_add_file (&fixture->home, FILE, A "\n");
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    fail (fixture, commands[i], ",'keys':['a\\nb']", "invalid OpenSSH public key: 'a\\nb'", "");
    fail (fixture, commands[i], ",'keys':['" B "','b\\r']", "invalid OpenSSH public key: 'b\\r'",
          "");
    fail (fixture, commands[i], ",'keys':['#b']", "invalid OpenSSH public key: '#b'", "");
  }
  assert_file (fixture, A "\n");
}

static void
test_unknown_user (Fixture *fixture, gconstpointer data)
{
  g_autofree char *name = g_strnfill (NEGO_USER_NAME_BYTES + 1, 'x');
  g_autofree char *arguments = g_strdup_printf ("{'username':'%s'}", name);
  g_autofree char *text = g_strdup_printf ("failed to lookup user '%.64s': no such user", name);

  if (fixture->agent.dir == NULL)
    return;
  agent_fixture_assert_error (&fixture->agent, GET, "{'username':'no-such-user'}",
                              "failed to lookup user 'no-such-user': no such user");
  agent_fixture_assert_error (&fixture->agent, ADD, "{'username':'no-such-user','keys':[]}",
                              "failed to lookup user 'no-such-user': no such user");
  agent_fixture_assert_error (&fixture->agent, GET, "{'username':''}",
                              "failed to lookup user '': no such user");
  agent_fixture_assert_error (&fixture->agent, GET, "{'username':'a\\nb'}",
                              "failed to lookup user 'a\\nb': no such user");
  agent_fixture_assert_error (&fixture->agent, GET, arguments, text);
}

/* @n keys of @len bytes each, as the member keys. */
static char *
make_keys (guint n, guint len)
{
  GString *text = g_string_new (",'keys':[");
  g_autofree char *fill = g_strnfill (len, 'x');

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s'%06u%s'", i > 0 ? "," : "", i, fill + MIN (len, 6));
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

static void
test_limits (Fixture *fixture, gconstpointer data)
{
  g_autofree char *most = make_keys (NEGO_KEYS, 100);
  g_autofree char *more = make_keys (NEGO_KEYS + 1, 100);
  g_autofree char *many = make_keys (10000, 100);
  g_autofree char *longest = make_keys (1, NEGO_KEY_BYTES);
  g_autofree char *longer = make_keys (1, NEGO_KEY_BYTES + 1);
  g_autofree char *large = make_keys (NEGO_KEYS_FILE_BYTES / (NEGO_KEY_BYTES + 1), NEGO_KEY_BYTES);
  g_autofree char *larger
    = make_keys (NEGO_KEYS_FILE_BYTES / (NEGO_KEY_BYTES + 1) + 1, NEGO_KEY_BYTES);

  if (fixture->agent.dir == NULL)
    return;
  succeed (fixture, ADD, most);
  succeed (fixture, REMOVE, most);
  assert_file (fixture, "");
  fail (fixture, ADD, more, "too many keys (limit 2048)", "");
  fail (fixture, ADD, many, "too many keys (limit 2048)", "");
  fail (fixture, REMOVE, many, "too many keys (limit 2048)", "");
  succeed (fixture, ADD, longest);
  succeed (fixture, REMOVE, longest);
  fail (fixture, ADD, longer, "a key is too long (limit 16384 bytes)", "");
  succeed (fixture, ADD, large);
  fail (fixture, ADD, ",'reset':true", "Parameter 'keys' is missing", "");
  {
    g_autofree char *before = tool_root_read_file (&fixture->home, FILE);

    /* One that is there already takes no room, one that is not does. */
    fail (fixture, ADD, larger, "failed to write to '@': File too large", FILE);
    assert_file (fixture, before);
  }
  g_assert_cmpuint (count_entries (fixture), ==, 1);
}

/* Neither the directory nor the file may be a link, whoever made it. */
static void
test_links (Fixture *fixture, gconstpointer data)
{
  g_autofree char *dir = get_path (fixture, DIR);
  g_autofree char *file = get_path (fixture, FILE);
  g_autofree char *secret = get_path (fixture, "secret/authorized_keys");
  g_autofree char *secret_dir = get_path (fixture, "secret");
  g_autofree char *text = NULL;

  if (fixture->agent.dir == NULL)
    return;
  tool_root_add_file (&fixture->home, "secret/authorized_keys", A "\n");
  g_assert_cmpint (mkdir (dir, 0700), ==, 0);
  g_assert_cmpint (symlink (secret, file), ==, 0);
  fail (fixture, GET, "",
        "failed to read '@': Failed to open file “@”: Too many levels of symbolic links", FILE);
  fail (fixture, ADD, ",'keys':['" B "']",
        "failed to read '@': Failed to open file “@”: Too many levels of symbolic links", FILE);
  fail (fixture, ADD, ",'keys':['" B "'],'reset':true",
        "failed to write to '@': Too many levels of symbolic links", FILE);
  fail (fixture, REMOVE, ",'keys':['" A "']",
        "failed to read '@': Failed to open file “@”: Too many levels of symbolic links", FILE);
  g_assert_cmpuint (get_mode (fixture, FILE) & S_IFMT, ==, S_IFLNK);
  g_assert_cmpint (unlink (file), ==, 0);
  g_assert_cmpint (rmdir (dir), ==, 0);
  g_assert_cmpint (symlink (secret_dir, dir), ==, 0);
  fail (fixture, GET, "", "failed to read '@': Failed to open file “@”: Not a directory", FILE);
  fail (fixture, ADD, ",'keys':['" B "'],'reset':true",
        "failed to read '@': Failed to open file “@”: Not a directory", FILE);
  text = tool_root_read_file (&fixture->home, "secret/authorized_keys");
  g_assert_cmpstr (text, ==, A "\n");
}

/* It is read without blocking, and not replaced. */
static void
test_no_file (Fixture *fixture, gconstpointer data)
{
  g_autofree char *dir = get_path (fixture, DIR);
  g_autofree char *file = get_path (fixture, FILE);

  if (fixture->agent.dir == NULL)
    return;
  g_assert_cmpint (mkdir (dir, 0700), ==, 0);
  g_assert_cmpint (mkfifo (file, 0600), ==, 0);
  fail (fixture, GET, "", "failed to read '@': Failed to open file “@”: Invalid argument", FILE);
  fail (fixture, ADD, ",'keys':['" B "'],'reset':true", "failed to write to '@': Invalid argument",
        FILE);
  g_assert_cmpuint (get_mode (fixture, FILE) & S_IFMT, ==, S_IFIFO);
  g_assert_cmpint (unlink (file), ==, 0);
  g_assert_cmpint (mkdir (file, 0700), ==, 0);
  fail (fixture, GET, "", "failed to read '@': Failed to open file “@”: Is a directory", FILE);
}

/* Root's file by way of nobody's home: what root may read, nobody may not. */
static void
test_rights (Fixture *fixture, gconstpointer data)
{
  const struct passwd *entry = getpwnam ("nobody");
  g_autofree char *dir = get_path (fixture, DIR);
  g_autofree char *file = get_path (fixture, FILE);
  struct stat st;

  if (fixture->agent.dir == NULL)
    return;
  if (geteuid () != 0 || entry == NULL) {
    g_test_skip ("only root can become nobody");
    return;
  }
  if (stat ("/proc/self/exe", &st) != 0 || (st.st_mode & S_IXOTH) == 0) {
    g_test_skip ("nobody may not execute this program");
    return;
  }
  g_free (fixture->user);
  fixture->user = g_strdup ("nobody");
  g_assert_cmpint (chown (fixture->home.path, entry->pw_uid, entry->pw_gid), ==, 0);
  succeed (fixture, ADD, ",'keys':['" A "']");
  g_assert_cmpint (stat (file, &st), ==, 0);
  g_assert_cmpuint (st.st_uid, ==, entry->pw_uid);
  g_assert_cmpuint (st.st_gid, ==, entry->pw_gid);
  g_assert_cmpint (stat (dir, &st), ==, 0);
  g_assert_cmpuint (st.st_uid, ==, entry->pw_uid);
  assert_keys (fixture, "[\"" A "\"]");
  g_assert_cmpint (chown (file, 0, 0), ==, 0);
  fail (fixture, GET, "", "failed to read '@': Failed to open file “@”: Permission denied", FILE);
  g_assert_cmpint (chown (dir, 0, 0), ==, 0);
  fail (fixture, GET, "", "failed to read '@': Failed to open file “@”: Permission denied", FILE);
  fail (fixture, ADD, ",'keys':['" B "'],'reset':true", "failed to write to '@': Permission denied",
        FILE);
  assert_file (fixture, A "\n");
}

#define ADD_TEST(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  if (nego_exec_is_helper (argc, argv))
    return nego_exec_helper_main (argc, argv);
  if (nego_authorized_keys_is_helper (argc, argv))
    return nego_authorized_keys_helper_main (argc, argv);
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/authorized-keys/keys", test_keys);
  ADD_TEST ("/authorized-keys/other-lines", test_other_lines);
  ADD_TEST ("/authorized-keys/missing", test_missing);
  ADD_TEST ("/authorized-keys/refused", test_refused);
  ADD_TEST ("/authorized-keys/unknown-user", test_unknown_user);
  ADD_TEST ("/authorized-keys/limits", test_limits);
  ADD_TEST ("/authorized-keys/links", test_links);
  ADD_TEST ("/authorized-keys/no-file", test_no_file);
  ADD_TEST ("/authorized-keys/rights", test_rights);
  return g_test_run ();
}
