/* SPDX-License-Identifier: MIT */
/*
 * guest-file-open, -close, -read, -write, -seek, -flush. Against qemu-ga only what it does the
 * same.
 */
#include "config.h"

#include "common/names.h"
#include "tests/qtest-like/libnegotest.h"

#include <glib/gstdio.h>

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMAND(name, arguments) \
  "{\"execute\":\"guest-file-" name "\",\"arguments\":{" arguments "}}"
#define HANDLE "\"handle\":%" G_GINT64_FORMAT

/* A directory of the test's own, and a client. */
typedef struct {
  NegoTestClient *client;
  char *dir;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  fixture->client = nego_test_connect ((NegoTest *) user_data);
  fixture->dir = g_dir_make_tmp ("nego-file-XXXXXX", NULL);
  g_assert_nonnull (fixture->dir);
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  const char *name;
  GDir *dir = g_dir_open (fixture->dir, 0, NULL);

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (fixture->dir, name, NULL);

    g_assert_cmpint (g_remove (path), ==, 0);
  }
  g_dir_close (dir);
  g_assert_cmpint (g_rmdir (fixture->dir), ==, 0);
  g_free (fixture->dir);
  nego_test_client_free (fixture->client);
}

static char *
path_of (const Fixture *fixture, const char *name)
{
  return g_build_filename (fixture->dir, name, NULL);
}

static gint64
open_file (NegoTestClient *client, const char *path, const char *mode)
{
  g_autofree char *request
    = g_strdup_printf (COMMAND ("open", "\"path\":\"%s\",\"mode\":\"%s\""), path, mode);
  JsonNode *node = nego_test_call (client, request);
  gint64 handle = json_node_get_int (node);

  json_node_unref (node);
  return handle;
}

static void
open_fails (const Fixture *fixture, const char *path, const char *mode, const char *cause)
{
  g_autofree char *request
    = g_strdup_printf (COMMAND ("open", "\"path\":\"%s\",\"mode\":\"%s\""), path, mode);
  g_autofree char *desc
    = g_strdup_printf ("failed to open file '%s' (mode: '%s'): %s", path, mode, cause);

  nego_test_expect_error (fixture->client, request, desc);
}

/* guest-file-NAME of @handle with more @arguments must be answered with @reply. */
static void
ask (
  NegoTestClient *client, const char *name, gint64 handle, const char *arguments, const char *reply)
{
  g_autofree char *request = g_strdup_printf (COMMAND ("%s", HANDLE "%s"), name, handle, arguments);

  nego_test_ask (client, request, reply);
}

static void
fails (
  NegoTestClient *client, const char *name, gint64 handle, const char *arguments, const char *desc)
{
  g_autofree char *request = g_strdup_printf (COMMAND ("%s", HANDLE "%s"), name, handle, arguments);

  nego_test_expect_error (client, request, desc);
}

static void
close_file (NegoTestClient *client, gint64 handle)
{
  ask (client, "close", handle, "", NEGO_TEST_RETURN ("{}"));
}

static void
is_unknown (NegoTestClient *client, const char *name, gint64 handle, const char *arguments)
{
  g_autofree char *desc
    = g_strdup_printf ("handle '%" G_GINT64_FORMAT "' has not been found", handle);

  fails (client, name, handle, arguments, desc);
}

#define READ(count, text, eof) \
  NEGO_TEST_RETURN ("{\"count\": " count ", \"buf-b64\": \"" text "\", \"eof\": " eof "}")
#define WRITTEN(count) NEGO_TEST_RETURN ("{\"count\": " count ", \"eof\": false}")
#define AT(position)   NEGO_TEST_RETURN ("{\"position\": " position ", \"eof\": false}")

static void
test_round_trip (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *path = path_of (fixture, "file");
  gint64 handle = open_file (fixture->client, path, "w+");

  ask (fixture->client, "write", handle, ",\"buf-b64\":\"aGVsbG8=\"", WRITTEN ("5"));
  ask (fixture->client, "write", handle, ",\"buf-b64\":\"IHdvcmxk\",\"count\":3", WRITTEN ("3"));
  ask (fixture->client, "write", handle, ",\"buf-b64\":\"\"", WRITTEN ("0"));
  ask (fixture->client, "flush", handle, "", NEGO_TEST_RETURN ("{}"));
  ask (fixture->client, "seek", handle, ",\"offset\":0,\"whence\":\"cur\"", AT ("8"));
  ask (fixture->client, "seek", handle, ",\"offset\":-8,\"whence\":2", AT ("0"));
  ask (fixture->client, "read", handle, ",\"count\":5", READ ("5", "aGVsbG8=", "false"));
  ask (fixture->client, "read", handle, ",\"count\":3", READ ("3", "IHdv", "false"));
  ask (fixture->client, "read", handle, ",\"count\":3", READ ("0", "", "true"));
  ask (fixture->client, "read", handle, ",\"count\":0", READ ("0", "", "false"));
  ask (fixture->client, "seek", handle, ",\"offset\":6,\"whence\":\"set\"", AT ("6"));
  ask (fixture->client, "read", handle, "", READ ("2", "d28=", "true"));
  close_file (fixture->client, handle);
  is_unknown (fixture->client, "close", handle, "");
  is_unknown (fixture->client, "flush", handle, "");
  is_unknown (fixture->client, "read", handle, "");
  is_unknown (fixture->client, "write", handle, ",\"buf-b64\":\"\"");
  is_unknown (fixture->client, "seek", handle, ",\"offset\":0,\"whence\":0");
}

static void
test_modes (Fixture *fixture, gconstpointer user_data)
{
  static const struct {
    const char *mode, *content;
  } rows[] = {
    { "w", "new" },        { "wb", "new" },    { "a", "oldernew" },  { "ab", "oldernew" },
    { "r+", "newer" },     { "rb+", "newer" }, { "r+b", "newer" },   { "w+", "new" },
    { "wb+", "new" },      { "w+b", "new" },   { "a+", "oldernew" }, { "ab+", "oldernew" },
    { "a+b", "oldernew" },
  };
  g_autofree char *path = path_of (fixture, "file");

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *content = NULL;
    gint64 handle;

    g_assert_true (g_file_set_contents (path, "older", -1, NULL));
    handle = open_file (fixture->client, path, rows[i].mode);
    ask (fixture->client, "write", handle, ",\"buf-b64\":\"bmV3\"", WRITTEN ("3"));
    close_file (fixture->client, handle);
    g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
    g_assert_cmpstr (content, ==, rows[i].content);
  }
  nego_test_expect_error (fixture->client, COMMAND ("open", "\"path\":\"/\",\"mode\":\"x\""),
                          "invalid file open mode 'x'");
  nego_test_expect_error (fixture->client, COMMAND ("open", "\"path\":\"/\",\"mode\":\"\""),
                          "invalid file open mode ''");
}

static void
test_open_errors (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *absent = path_of (fixture, "absent"), *link = path_of (fixture, "link");
  g_autofree char *longest = g_strnfill (4097, 'x');
  g_autofree char *below = g_strconcat (fixture->dir, "/file/below", NULL);
  g_autofree char *path = path_of (fixture, "file");

  open_fails (fixture, absent, "r", "No such file or directory");
  open_fails (fixture, longest, "w", "File name too long");
  /* Each part is short, and the whole is not. */
  for (gsize i = 0; longest[i] != '\0'; i++)
    longest[i] = i % 2 == 0 ? '/' : '.';
  open_fails (fixture, longest, "r", "File name too long");
  open_fails (fixture, fixture->dir, "w", "Is a directory");
  g_assert_true (g_file_set_contents (path, "x", -1, NULL));
  open_fails (fixture, below, "r", "Not a directory");
  g_assert_cmpint (symlink (absent, link), ==, 0);
  open_fails (fixture, link, "w", "No such file or directory");
  open_fails (fixture, "", "r", "No such file or directory");
  g_assert_false (g_file_test (absent, G_FILE_TEST_EXISTS));
}

static void
test_bad_arguments (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *path = path_of (fixture, "file");
  gint64 handle;

  g_assert_true (g_file_set_contents (path, "content", -1, NULL));
  handle = open_file (fixture->client, path, "r+");
  fails (fixture->client, "read", handle, ",\"count\":-1",
         "value '-1' is invalid for argument count");
  fails (fixture->client, "read", handle, ",\"count\":50331649",
         "value '50331649' is invalid for argument count");
  fails (fixture->client, "read", handle, ",\"count\":9223372036854775808",
         "Invalid parameter type for 'count', expected: integer");
  fails (fixture->client, "write", handle, ",\"buf-b64\":\"bmV3\",\"count\":4",
         "value '4' is invalid for argument count");
  fails (fixture->client, "write", handle, ",\"buf-b64\":\"bmV3\",\"count\":-1",
         "value '-1' is invalid for argument count");
  fails (fixture->client, "write", handle, ",\"buf-b64\":\"b*V3\"",
         "Base64 data contains invalid characters");
  fails (fixture->client, "seek", handle, ",\"offset\":0,\"whence\":3", "invalid whence code 3");
  fails (fixture->client, "seek", handle, ",\"offset\":0,\"whence\":\"start\"",
         "Parameter 'whence' does not accept value 'start'");
  fails (fixture->client, "seek", handle, ",\"offset\":0,\"whence\":true",
         "Invalid parameter type for 'whence', expected: GuestFileWhence");
  fails (fixture->client, "seek", handle, ",\"offset\":-1,\"whence\":0",
         "failed to seek file: Invalid argument");
  /* None of them has changed anything. */
  ask (fixture->client, "read", handle, "", READ ("7", "Y29udGVudA==", "true"));
  close_file (fixture->client, handle);
}

static void
test_seek_past_end (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *path = path_of (fixture, "file");
  gint64 handle = open_file (fixture->client, path, "w+");
  struct stat st;

  ask (fixture->client, "seek", handle, ",\"offset\":1000000000,\"whence\":\"set\"",
       AT ("1000000000"));
  ask (fixture->client, "read", handle, "", READ ("0", "", "true"));
  ask (fixture->client, "write", handle, ",\"buf-b64\":\"eA==\"", WRITTEN ("1"));
  close_file (fixture->client, handle);
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpint (st.st_size, ==, 1000000001);
}

static void
test_wrong_direction (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *path = path_of (fixture, "file");
  gint64 handle = open_file (fixture->client, path, "w"), dir;

  fails (fixture->client, "read", handle, "", "failed to read file: Bad file descriptor");
  close_file (fixture->client, handle);
  dir = open_file (fixture->client, fixture->dir, "r");
  fails (fixture->client, "read", dir, "", "failed to read file: Is a directory");
  close_file (fixture->client, dir);
}

/* Ours only. */

static void
test_new_file_mode (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *path = path_of (fixture, "file");
  struct stat st;

  close_file (fixture->client, open_file (fixture->client, path, "w"));
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpint (st.st_mode, ==, S_IFREG | 0644);
  g_assert_cmpint (chmod (path, 0640), ==, 0);
  close_file (fixture->client, open_file (fixture->client, path, "w"));
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 0777, ==, 0640);
}

/* An agent whose unit has another umask. */
static void
test_umask (void)
{
  mode_t mask = umask (077);
  NegoTest *test = nego_test_start (NULL);
  Fixture fixture;
  g_autofree char *path = NULL;
  struct stat st;

  umask (mask);
  set_up (&fixture, test);
  path = path_of (&fixture, "file");
  close_file (fixture.client, open_file (fixture.client, path, "w"));
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpint (st.st_mode, ==, S_IFREG | 0644);
  tear_down (&fixture, test);
  nego_test_stop (test);
}

static void
test_incomplete_base64 (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *path = path_of (fixture, "file");
  gint64 handle = open_file (fixture->client, path, "w");

  fails (fixture->client, "write", handle, ",\"buf-b64\":\"YWI\"", "Base64 data is incomplete");
  close_file (fixture->client, handle);
}

static void
test_write_direction (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *path = path_of (fixture, "file");
  gint64 handle;

  g_assert_true (g_file_set_contents (path, "content", -1, NULL));
  handle = open_file (fixture->client, path, "r");
  fails (fixture->client, "write", handle, ",\"buf-b64\":\"bmV3\"",
         "failed to write to file: Bad file descriptor");
  close_file (fixture->client, handle);
}

static void
test_fifo (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *path = path_of (fixture, "fifo");
  gint64 handle;
  int fd;

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  open_fails (fixture, path, "w", "No such device or address");
  handle = open_file (fixture->client, path, "r");
  ask (fixture->client, "read", handle, "", READ ("0", "", "true"));
  fd = open (path, O_WRONLY | O_CLOEXEC);
  fails (fixture->client, "read", handle, "",
         "failed to read file: Resource temporarily unavailable");
  g_assert_cmpint (write (fd, "hello", 5), ==, 5);
  ask (fixture->client, "read", handle, ",\"count\":100000", READ ("5", "aGVsbG8=", "false"));
  fails (fixture->client, "seek", handle, ",\"offset\":0,\"whence\":0",
         "failed to seek file: Illegal seek");
  close_file (fixture->client, handle);
  close (fd);
}

/* A FIFO takes what fits, and says how much that is. */
static void
test_full_fifo (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *path = path_of (fixture, "fifo"), *request = NULL;
  g_autofree guint8 *data = g_malloc0 (1 << 20);
  g_autofree char *text = g_base64_encode (data, 1 << 20);
  g_autoptr (JsonObject) written = NULL;
  gint64 handle, count;
  int fd;

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  handle = open_file (fixture->client, path, "w");
  request = g_strdup_printf (COMMAND ("write", HANDLE ",\"buf-b64\":\"%s\""), handle, text);
  written = nego_test_call_object (fixture->client, request);
  count = json_object_get_int_member (written, "count");
  g_assert_cmpint (count, >, 0);
  g_assert_cmpint (count, <, 1 << 20);
  nego_test_expect_error (fixture->client, request,
                          "failed to write to file: Resource temporarily unavailable");
  while (count > 0) {
    gssize n = read (fd, data, 1 << 20);

    g_assert_cmpint (n, >, 0);
    count -= n;
  }
  close (fd);
  fails (fixture->client, "write", handle, ",\"buf-b64\":\"bmV3\"",
         "failed to write to file: Broken pipe");
  close_file (fixture->client, handle);
}

static void
test_devices (Fixture *fixture, gconstpointer user_data)
{
  gint64 handle = open_file (fixture->client, "/dev/zero", "r");
  gint64 full;

  ask (fixture->client, "read", handle, ",\"count\":3", READ ("3", "AAAA", "false"));
  close_file (fixture->client, handle);
  full = open_file (fixture->client, "/dev/full", "w");
  fails (fixture->client, "write", full, ",\"buf-b64\":\"bmV3\"",
         "failed to write to file: No space left on device");
  close_file (fixture->client, full);
}

static void
test_nul_in_path (Fixture *fixture, gconstpointer user_data)
{
  nego_test_expect_error (fixture->client, COMMAND ("open", "\"path\":\"/etc/passwd\\u0000x\""),
                          "QMP input member 'arguments' must not contain U+0000");
}

static void
test_other_client (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (NegoTestClient) other = nego_test_connect ((NegoTest *) user_data);
  g_autofree char *path = path_of (fixture, "file");
  gint64 handle = open_file (fixture->client, path, "w");

  is_unknown (other, "read", handle, "");
  is_unknown (other, "close", handle, "");
  close_file (fixture->client, handle);
}

/* Whether the agent has @path open. */
static gboolean
is_open (NegoTest *test, const char *path)
{
  g_autofree char *fds = g_strdup_printf ("/proc/%d/fd", (int) nego_test_get_pid (test));
  GDir *dir = g_dir_open (fds, 0, NULL);
  gboolean found = FALSE;
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *fd = g_build_filename (fds, name, NULL);
    g_autofree char *target = g_file_read_link (fd, NULL);

    found |= g_strcmp0 (target, path) == 0;
  }
  g_dir_close (dir);
  return found;
}

/* The kernel tells a process nothing of another's descriptors: each round is a few round trips. */
static void
await_closed (NegoTest *test, const char *path)
{
  gint64 end = g_get_monotonic_time () + NEGO_TEST_DEADLINE_MS * 1000;

  while (is_open (test, path)) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    nego_test_settle (test);
  }
}

static void
test_client_gone (Fixture *fixture, gconstpointer user_data)
{
  NegoTest *test = (NegoTest *) user_data;
  NegoTestClient *other = nego_test_connect (test);
  g_autofree char *path = path_of (fixture, "file");

  open_file (other, path, "w");
  open_file (other, path, "r");
  g_assert_true (is_open (test, path));
  nego_test_client_free (other);
  await_closed (test, path);
}

static void
test_limit (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *path = path_of (fixture, "file"), *request = NULL;
  gint64 handles[NEGO_FILES];

  for (guint i = 0; i < NEGO_FILES; i++)
    handles[i] = open_file (fixture->client, path, "w");
  request = g_strdup_printf (COMMAND ("open", "\"path\":\"%s\""), path);
  nego_test_expect_error (fixture->client, request, "too many open files (limit 64)");
  close_file (fixture->client, handles[0]);
  handles[0] = open_file (fixture->client, path, "r");
  for (guint i = 0; i < NEGO_FILES; i++)
    close_file (fixture->client, handles[i]);
}

/* All clients together: the limit holds for a newcomer, and a failed open does not count. */
static void
test_limit_of_all (Fixture *fixture, gconstpointer user_data)
{
  NegoTest *test = (NegoTest *) user_data;
  NegoTestClient *clients[NEGO_FILES_ALL / NEGO_FILES];
  g_autofree char *path = path_of (fixture, "file"), *absent = path_of (fixture, "absent");
  g_autofree char *request = g_strdup_printf (COMMAND ("open", "\"path\":\"%s\""), path);

  open_fails (fixture, absent, "r", "No such file or directory");
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++) {
    clients[i] = nego_test_connect (test);
    for (guint j = 0; j < NEGO_FILES; j++)
      open_file (clients[i], path, "w");
  }
  nego_test_expect_error (fixture->client, request, "too many open files (limit 512)");
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    nego_test_client_free (clients[i]);
  await_closed (test, path);
  close_file (fixture->client, open_file (fixture->client, path, "r"));
}

static void
test_largest (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *path = path_of (fixture, "file"), *request = NULL;
  g_autofree guint8 *read = NULL;
  g_autoptr (JsonObject) reply = NULL;
  const gsize size = (4u << 20) + 1;
  g_autofree guint8 *data = g_malloc (size);
  gsize len;
  gint64 handle;

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8) (i * 7 + i / 251);
  g_assert_true (g_file_set_contents (path, (const char *) data, (gssize) size, NULL));
  handle = open_file (fixture->client, path, "r");
  request = g_strdup_printf (COMMAND ("read", HANDLE ",\"count\":50331648"), handle);
  reply = nego_test_call_object (fixture->client, request);
  g_assert_cmpint (json_object_get_int_member (reply, "count"), ==, size);
  g_assert_true (json_object_get_boolean_member (reply, "eof"));
  read = g_base64_decode (json_object_get_string_member (reply, "buf-b64"), &len);
  g_assert_cmpmem (read, len, data, size);
  close_file (fixture->client, handle);
}

/* Long strings go past json-glib, broken by LF or not, and arrive as they are. */
static void
test_long_write (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *path = path_of (fixture, "file"), *content = NULL;
  const gsize size = (3u << 20) + 1;
  g_autofree guint8 *data = g_malloc (size);
  g_autofree char *text = NULL;
  g_autoptr (GString) broken = g_string_new (NULL);
  gsize len;
  gint64 handle;

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8) (i * 13 + i / 509);
  text = g_base64_encode (data, size);
  for (const char *p = text; *p != '\0'; p += MIN (strlen (p), 1u << 20))
    g_string_append_printf (broken, "%.*s\\n", 1 << 20, p);
  handle = open_file (fixture->client, path, "w");
  for (guint i = 0; i < 2; i++) {
    g_autofree char *arguments
      = g_strdup_printf (",\"buf-b64\":\"%s\"", i == 0 ? text : broken->str);

    ask (fixture->client, "write", handle, arguments, WRITTEN ("3145729"));
  }
  close_file (fixture->client, handle);
  g_assert_true (g_file_get_contents (path, &content, &len, NULL));
  g_assert_cmpuint (len, ==, 2 * size);
  g_assert_cmpmem (content, size, data, size);
  g_assert_cmpmem (content + size, size, data, size);
}

/* Requests that are sent at once are answered one after the other, with their ids. */
static void
test_pipelined (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *path = path_of (fixture, "file");
  g_autoptr (GString) requests = g_string_new (NULL);
  gint64 handle;

  g_assert_true (g_file_set_contents (path, "abcdef", -1, NULL));
  handle = open_file (fixture->client, path, "r");
  for (guint i = 0; i < 3; i++)
    g_string_append_printf (requests,
                            "{\"execute\":\"guest-file-read\",\"id\":%u,\"arguments\":{" HANDLE
                            ",\"count\":3}}\n",
                            i, handle);
  nego_test_send_text (fixture->client, requests->str);
  nego_test_expect (
    fixture->client,
    "{\"return\": {\"count\": 3, \"buf-b64\": \"YWJj\", \"eof\": false}, \"id\": 0}");
  nego_test_expect (
    fixture->client,
    "{\"return\": {\"count\": 3, \"buf-b64\": \"ZGVm\", \"eof\": false}, \"id\": 1}");
  nego_test_expect (fixture->client,
                    "{\"return\": {\"count\": 0, \"buf-b64\": \"\", \"eof\": true}, \"id\": 2}");
  close_file (fixture->client, handle);
}

/* A file system of 64 KiB that a write of 1 MiB fills. */
static void
test_full_disk (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *disk = path_of (fixture, "disk"), *path = NULL, *request = NULL;
  g_autofree guint8 *data = g_malloc0 (1 << 20);
  g_autofree char *text = g_base64_encode (data, 1 << 20);
  gint64 handle;

  g_assert_cmpint (g_mkdir (disk, 0700), ==, 0);
  if (mount ("none", disk, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k") < 0) {
    g_test_skip ("a tmpfs cannot be mounted here");
    return;
  }
  path = g_build_filename (disk, "file", NULL);
  handle = open_file (fixture->client, path, "w");
  request = g_strdup_printf (COMMAND ("write", HANDLE ",\"buf-b64\":\"%s\""), handle, text);
  nego_test_expect_error (fixture->client, request,
                          "failed to write to file: No space left on device "
                          "(65536 of 1048576 bytes were written)");
  ask (fixture->client, "seek", handle, ",\"offset\":0,\"whence\":\"cur\"", AT ("65536"));
  close_file (fixture->client, handle);
  g_assert_cmpint (umount (disk), ==, 0);
}

#define ADD(path, test, func) g_test_add (path, Fixture, test, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  NegoTest *test;

  g_test_init (&argc, &argv, NULL);
  test = nego_test_start (NULL);
  ADD ("/file/round-trip", test, test_round_trip);
  ADD ("/file/modes", test, test_modes);
  ADD ("/file/open-errors", test, test_open_errors);
  ADD ("/file/bad-arguments", test, test_bad_arguments);
  ADD ("/file/seek-past-end", test, test_seek_past_end);
  ADD ("/file/wrong-direction", test, test_wrong_direction);
  ADD ("/file/pipelined", test, test_pipelined);
  ADD ("/file/long-write", test, test_long_write);
  if (nego_test_is_qga ())
    return nego_test_run_shared (test);
  ADD ("/file/new-file-mode", test, test_new_file_mode);
  g_test_add_func ("/file/umask", test_umask);
  ADD ("/file/incomplete-base64", test, test_incomplete_base64);
  ADD ("/file/write-direction", test, test_write_direction);
  ADD ("/file/fifo", test, test_fifo);
  ADD ("/file/full-fifo", test, test_full_fifo);
  ADD ("/file/devices", test, test_devices);
  ADD ("/file/nul-in-path", test, test_nul_in_path);
  ADD ("/file/other-client", test, test_other_client);
  ADD ("/file/client-gone", test, test_client_gone);
  ADD ("/file/limit", test, test_limit);
  ADD ("/file/limit-of-all", test, test_limit_of_all);
  ADD ("/file/largest", test, test_largest);
  ADD ("/file/full-disk", test, test_full_disk);
  return nego_test_run_shared (test);
}
