/* SPDX-License-Identifier: MIT */
/*
 * negotiator-file-create, -finish, -stat.
 */
#include "config.h"

#include "common/names.h"
#include "tests/qtest-like/libnegotest.h"

#include <glib/gstdio.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMAND(name, arguments) \
  "{\"execute\":\"negotiator-file-" name "\",\"arguments\":{" arguments "}}"
#define HANDLE "\"handle\":%" G_GINT64_FORMAT

typedef struct {
  NegoTestClient *client;
  char *dir, *path;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  fixture->client = nego_test_connect ((NegoTest *) user_data);
  fixture->dir = g_dir_make_tmp ("nego-file-XXXXXX", NULL);
  g_assert_nonnull (fixture->dir);
  fixture->path = g_build_filename (fixture->dir, "file", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  nego_test_client_free (fixture->client);
  g_remove (fixture->path);
  g_assert_cmpint (g_rmdir (fixture->dir), ==, 0);
  g_free (fixture->dir);
  g_free (fixture->path);
}

/* Returns the handle; @temporary: the file's first name. */
static gint64
create (NegoTestClient *client, const char *path, char **temporary)
{
  g_autofree char *request = g_strdup_printf (COMMAND ("create", "\"path\":\"%s\""), path);
  g_autoptr (JsonObject) file = nego_test_call_object (client, request);

  *temporary = g_strdup (json_object_get_string_member (file, "temporary"));
  return json_object_get_int_member (file, "handle");
}

static void
write_text (NegoTestClient *client, gint64 handle, const char *text)
{
  g_autofree char *base64 = g_base64_encode ((const guint8 *) text, strlen (text));
  g_autofree char *request
    = g_strdup_printf ("{\"execute\":\"guest-file-write\",\"arguments\":{" HANDLE
                       ",\"buf-b64\":\"%s\"}}",
                       handle, base64);

  json_object_unref (nego_test_call_object (client, request));
}

static void
test_finish (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *temporary = NULL, *dir = NULL, *request = NULL, *content = NULL, *desc = NULL;
  struct stat st;
  gint64 handle;

  g_assert_true (g_file_set_contents (fixture->path, "old", -1, NULL));
  handle = create (fixture->client, fixture->path, &temporary);
  dir = g_path_get_dirname (temporary);
  g_assert_cmpstr (dir, ==, fixture->dir);
  g_assert_cmpint (stat (temporary, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 0777, ==, 0600);
  write_text (fixture->client, handle, "new content");
  g_assert_true (g_file_get_contents (fixture->path, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "old");
  g_clear_pointer (&content, g_free);

  request = g_strdup_printf (
    COMMAND ("finish", HANDLE ",\"path\":\"%s\",\"mode\":416,\"mtime-ns\":1234567890123456789"),
    handle, fixture->path);
  nego_test_ask (fixture->client, request, NEGO_TEST_RETURN ("{}"));
  g_assert_true (g_file_get_contents (fixture->path, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "new content");
  g_assert_cmpint (stat (fixture->path, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 07777, ==, 0640);
  g_assert_cmpint (st.st_mtim.tv_sec, ==, 1234567890);
  g_assert_cmpint (st.st_mtim.tv_nsec, ==, 123456789);
  g_assert_false (g_file_test (temporary, G_FILE_TEST_EXISTS));
  desc = g_strdup_printf ("handle '%" G_GINT64_FORMAT "' has not been found", handle);
  nego_test_expect_error (fixture->client, request, desc);
}

/* What is not finished leaves nothing behind. */
static void
test_close (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *temporary = NULL, *request = NULL;
  gint64 handle = create (fixture->client, fixture->path, &temporary);

  g_assert_true (g_file_test (temporary, G_FILE_TEST_EXISTS));
  request
    = g_strdup_printf ("{\"execute\":\"guest-file-close\",\"arguments\":{" HANDLE "}}", handle);
  nego_test_ask (fixture->client, request, NEGO_TEST_RETURN ("{}"));
  g_assert_false (g_file_test (temporary, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
}

static void
test_client_gone (Fixture *fixture, gconstpointer user_data)
{
  NegoTest *test = (NegoTest *) user_data;
  NegoTestClient *other = nego_test_connect (test);
  gint64 end = g_get_monotonic_time () + NEGO_TEST_DEADLINE_MS * 1000;
  g_autofree char *temporary = NULL;

  create (other, fixture->path, &temporary);
  nego_test_client_free (other);
  while (g_file_test (temporary, G_FILE_TEST_EXISTS)) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    nego_test_settle (test);
  }
}

/* An agent that is stopped during a copy leaves nothing behind. */
static void
test_agent_stops (Fixture *fixture, gconstpointer user_data)
{
  NegoTest *test = nego_test_start (NULL);
  NegoTestClient *client = nego_test_connect (test);
  g_autofree char *temporary = NULL;
  gint64 handle = create (client, fixture->path, &temporary);

  write_text (client, handle, "a part");
  g_assert_true (g_file_test (temporary, G_FILE_TEST_EXISTS));
  nego_test_end (test);
  g_assert_false (g_file_test (temporary, G_FILE_TEST_EXISTS));
  nego_test_client_free (client);
}

static void
test_finish_errors (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *temporary = NULL, *elsewhere = NULL, *desc = NULL, *request = NULL;
  g_autofree char *absent = g_build_filename (fixture->dir, "absent", "file", NULL);
  g_autofree char *create_absent = g_strdup_printf (COMMAND ("create", "\"path\":\"%s\""), absent);
  g_autofree char *no_file
    = g_strdup_printf ("failed to create a file beside '%s': No such file or directory", absent);
  struct stat before, after;
  gint64 handle;

  nego_test_expect_error (fixture->client, create_absent, no_file);
  handle = create (fixture->client, fixture->path, &temporary);
  request = g_strdup_printf (COMMAND ("finish", HANDLE ",\"path\":\"x\",\"mode\":4096"), handle);
  nego_test_expect_error (fixture->client, request, "mode must be 0 to 4095");
  elsewhere = g_strdup_printf (COMMAND ("finish", HANDLE
                                        ",\"path\":\"%s\",\"mode\":420,\"mtime-ns\":1000000000"),
                               handle, absent);
  g_assert_cmpint (stat (temporary, &before), ==, 0);
  desc = g_strdup_printf ("failed to finish file '%s': No such file or directory", absent);
  nego_test_expect_error (fixture->client, elsewhere, desc);
  /* The file is as before. */
  g_assert_cmpint (stat (temporary, &after), ==, 0);
  g_assert_cmpint (after.st_mode & 07777, ==, 0600);
  g_assert_cmpint (after.st_mtim.tv_sec, ==, before.st_mtim.tv_sec);
  g_assert_cmpint (after.st_mtim.tv_nsec, ==, before.st_mtim.tv_nsec);
  g_free (request);
  request = g_strdup_printf (COMMAND ("finish", HANDLE ",\"path\":\"%s\",\"mode\":4095"), handle,
                             fixture->path);
  nego_test_ask (fixture->client, request, NEGO_TEST_RETURN ("{}"));
  g_assert_true (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
}

/* What took the place meanwhile, and is no regular file, stays. */
static void
test_special_files (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *create_it
    = g_strdup_printf (COMMAND ("create", "\"path\":\"%s\""), fixture->path);
  g_autofree char *link
    = g_strdup_printf ("'%s' is a symbolic link; name the file that it points to", fixture->path);
  g_autofree char *fifo
    = g_strdup_printf ("'%s' is there, and is not a regular file", fixture->path);
  g_autofree char *temporary = NULL, *finish = NULL, *close = NULL;
  gint64 handle = create (fixture->client, fixture->path, &temporary);

  finish = g_strdup_printf (COMMAND ("finish", HANDLE ",\"path\":\"%s\""), handle, fixture->path);
  g_assert_cmpint (symlink ("nowhere", fixture->path), ==, 0);
  nego_test_expect_error (fixture->client, finish, link);
  nego_test_expect_error (fixture->client, create_it, link);
  g_assert_cmpint (unlink (fixture->path), ==, 0);
  g_assert_cmpint (mkfifo (fixture->path, 0600), ==, 0);
  nego_test_expect_error (fixture->client, finish, fifo);
  nego_test_expect_error (fixture->client, create_it, fifo);
  g_assert_true (g_file_test (temporary, G_FILE_TEST_EXISTS));
  close = g_strdup_printf ("{\"execute\":\"guest-file-close\",\"arguments\":{" HANDLE "}}", handle);
  nego_test_ask (fixture->client, close, NEGO_TEST_RETURN ("{}"));
}

static void
test_other_file (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *request = NULL, *desc = NULL, *open = NULL, *close = NULL;
  JsonNode *node;
  gint64 handle;

  g_assert_true (g_file_set_contents (fixture->path, "old", -1, NULL));
  open = g_strdup_printf ("{\"execute\":\"guest-file-open\",\"arguments\":{\"path\":\"%s\"}}",
                          fixture->path);
  node = nego_test_call (fixture->client, open);
  handle = json_node_get_int (node);
  json_node_unref (node);
  request = g_strdup_printf (COMMAND ("finish", HANDLE ",\"path\":\"%s\""), handle, fixture->path);
  desc
    = g_strdup_printf ("the file of handle '%" G_GINT64_FORMAT "' is not to be finished", handle);
  nego_test_expect_error (fixture->client, request, desc);
  close = g_strdup_printf ("{\"execute\":\"guest-file-close\",\"arguments\":{" HANDLE "}}", handle);
  nego_test_ask (fixture->client, close, NEGO_TEST_RETURN ("{}"));
}

static void
test_stat (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *temporary = NULL, *all = NULL, *part = NULL, *close = NULL;
  gint64 handle = create (fixture->client, fixture->path, &temporary);
  g_autoptr (JsonObject) whole = NULL, plain = NULL, behind = NULL;
  static const struct {
    const char *arguments, *desc;
  } wrong[] = {
    { ",\"offset\":-1", "offset must not be below 0" },
    { ",\"count\":-1", "value '-1' is invalid for argument count" },
    { ",\"count\":16777217", "value '16777217' is invalid for argument count" },
  };

  write_text (fixture->client, handle, "hello");
  all = g_strdup_printf (COMMAND ("stat", HANDLE ",\"count\":16777216"), handle);
  whole = nego_test_call_object (fixture->client, all);
  nego_test_check_members (whole,
                           "{'regular': true, 'size': 5, 'mode': 384, 'sha256': "
                           "'2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'}");
  part = g_strdup_printf (COMMAND ("stat", HANDLE ",\"offset\":5,\"count\":1"), handle);
  behind = nego_test_call_object (fixture->client, part);
  nego_test_check_members (
    behind, "{'sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}");
  g_free (part);
  part = g_strdup_printf (COMMAND ("stat", HANDLE), handle);
  plain = nego_test_call_object (fixture->client, part);
  nego_test_check_members (plain, "{'size': 5, 'sha256': null}");
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autofree char *request
      = g_strdup_printf (COMMAND ("stat", HANDLE "%s"), handle, wrong[i].arguments);

    nego_test_expect_error (fixture->client, request, wrong[i].desc);
  }
  close = g_strdup_printf ("{\"execute\":\"guest-file-close\",\"arguments\":{" HANDLE "}}", handle);
  nego_test_ask (fixture->client, close, NEGO_TEST_RETURN ("{}"));
}

/* A list that a distribution wrote for guest-file-* holds for these too. */
static void
test_policy (void)
{
  const NegoTestOptions options = { .general = "block-rpcs = guest-file-write,guest-file-read" };
  NegoTest *test = nego_test_start (&options);
  NegoTestClient *client = nego_test_connect (test);
  const char *write = NEGO_TEST_NOT_FOUND (
    "Command guest-file-write has been disabled: the command is not allowed");
  const char *read
    = NEGO_TEST_NOT_FOUND ("Command guest-file-read has been disabled: the command is not allowed");

  nego_test_ask (client, COMMAND ("create", "\"path\":\"/tmp/x\""), write);
  nego_test_ask (client, COMMAND ("finish", "\"handle\":1,\"path\":\"/tmp/x\""), write);
  nego_test_ask (client, COMMAND ("stat", "\"handle\":1"), read);
  nego_test_client_free (client);
  nego_test_stop (test);
}

/* Without guest-file-open nobody could write to a file: nor by these. */
static void
test_policy_open (void)
{
  const NegoTestOptions options = { .general = "block-rpcs = guest-file-open" };
  NegoTest *test = nego_test_start (&options);
  NegoTestClient *client = nego_test_connect (test);
  const char *open
    = NEGO_TEST_NOT_FOUND ("Command guest-file-open has been disabled: the command is not allowed");

  nego_test_ask (client, COMMAND ("create", "\"path\":\"/tmp/x\""), open);
  nego_test_ask (client, COMMAND ("finish", "\"handle\":1,\"path\":\"/tmp/x\""), open);
  nego_test_client_free (client);
  nego_test_stop (test);
}

#define ADD(path, test, func) g_test_add (path, Fixture, test, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  NegoTest *test;

  g_test_init (&argc, &argv, NULL);
  test = nego_test_start (NULL);
  ADD ("/whole-file/finish", test, test_finish);
  ADD ("/whole-file/close", test, test_close);
  ADD ("/whole-file/client-gone", test, test_client_gone);
  ADD ("/whole-file/agent-stops", test, test_agent_stops);
  ADD ("/whole-file/finish-errors", test, test_finish_errors);
  ADD ("/whole-file/special-files", test, test_special_files);
  ADD ("/whole-file/other-file", test, test_other_file);
  ADD ("/whole-file/stat", test, test_stat);
  g_test_add_func ("/whole-file/policy", test_policy);
  g_test_add_func ("/whole-file/policy-open", test_policy_open);
  return nego_test_run_shared (test);
}
