/* SPDX-License-Identifier: MIT */
/* guest-get-osinfo, -users, -load, -cpustats, of files that the test writes. */
#include "config.h"

#include "common/names.h"
#include "tests/helpers/root-fixture.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <utmpx.h>

#define OS    "guest-get-osinfo"
#define USERS "guest-get-users"
#define LOAD  "guest-get-load"
#define STATS "guest-get-cpustats"

/* The reply of guest-get-osinfo must have @members, JSON text, behind those of the kernel. */
static void
assert_os (RootFixture *fixture, const char *members)
{
  struct utsname kernel;
  g_autofree char *value = NULL;

  g_assert_cmpint (uname (&kernel), ==, 0);
  value = g_strdup_printf (
    "{\"kernel-release\": \"%s\", \"kernel-version\": \"%s\", \"machine\": \"%s\"%s}",
    kernel.release, kernel.version, kernel.machine, members);
  root_fixture_assert_return (fixture, OS, "{}", value);
}

static void
test_os (RootFixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  assert_os (fixture, "");
  root_fixture_add (fixture, "/usr/lib/os-release", "ID=fallback\n");
  assert_os (fixture, ", \"id\": \"fallback\"");
  root_fixture_add (fixture, "/etc/os-release",
                    "PRETTY_NAME=\"Example OS 7 (\\$six)\"\nNAME='Example \"OS\"'\nID=example\n"
                    "VERSION_ID=\"7\"\nVERSION=\"7 (six)\"\nVARIANT=\"Server Edition\"\n"
                    "VARIANT_ID=server\nHOME_URL=\"https://example.com/\"\n");
  assert_os (fixture, ", \"id\": \"example\", \"name\": \"Example \\\"OS\\\"\", "
                      "\"pretty-name\": \"Example OS 7 ($six)\", \"version\": \"7 (six)\", "
                      "\"version-id\": \"7\", \"variant\": \"Server Edition\", "
                      "\"variant-id\": \"server\"");
}

static void
test_os_strange (RootFixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  root_fixture_add (fixture, "/etc/os-release",
                    "# a comment\nno assignment\n=nameless\nBAD NAME=x\n\xff\xfe=1\n"
                    "ID=one\n  ID=two words\r\nNAME=\"unterminated\nVERSION=a;b\n"
                    "VERSION_ID=\nVARIANT='back\\slash'\nVARIANT_ID=\xc3\nPRETTY_NAME=\"\\x\\\\\"");
  assert_os (fixture, ", \"id\": \"two\", \"name\": \"unterminated\", \"pretty-name\": "
                      "\"\\\\x\\\\\", \"version\": \"a\", \"version-id\": \"\", \"variant\": "
                      "\"back\\\\slash\", \"variant-id\": \"\\uFFFD\"");
  root_fixture_remove (fixture, "/etc/os-release");
  root_fixture_add_dir (fixture, "/etc/os-release");
  assert_os (fixture, "");
}

static void
test_os_long (RootFixture *fixture, gconstpointer data)
{
  g_autoptr (GString) text = g_string_new ("ID=long\n");

  if (fixture->agent.dir == NULL)
    return;
  while (text->len < NEGO_OS_RELEASE_BYTES)
    g_string_append_c (text, '\n');
  root_fixture_add (fixture, "/etc/os-release", text->str);
  assert_os (fixture, ", \"id\": \"long\"");
  g_string_append_c (text, '\n');
  root_fixture_add (fixture, "/etc/os-release", text->str);
  assert_os (fixture, "");
}

static void
add_record (GString *data, short type, const char *name, int seconds, int microseconds)
{
  struct utmpx record;

  memset (&record, 0, sizeof record);
  record.ut_type = type;
  strncpy (record.ut_user, name, sizeof record.ut_user);
  memset (record.ut_host, 'h', sizeof record.ut_host);
  record.ut_tv.tv_sec = seconds;
  record.ut_tv.tv_usec = microseconds;
  g_string_append_len (data, (const char *) &record, sizeof record);
}

static void
test_utmp (RootFixture *fixture, gconstpointer data)
{
  g_autoptr (GString) records = g_string_new (NULL);

  if (fixture->agent.dir == NULL)
    return;
  add_record (records, BOOT_TIME, "reboot", 1700000000, 0);
  add_record (records, USER_PROCESS, "zoe", 1700000200, 500000);
  add_record (records, USER_PROCESS, "adam", 1700000100, 0);
  add_record (records, DEAD_PROCESS, "gone", 1700000000, 0);
  add_record (records, USER_PROCESS, "zoe", 1700000150, 250000);
  add_record (records, USER_PROCESS, "zoe", 1700000250, 0);
  add_record (records, USER_PROCESS, "abcdefghijklmnopqrstuvwxyz012345", -1, 0);
  g_string_append (records, "a piece of a record");
  root_fixture_add_len (fixture, NEGO_UTMP_FILE, records->str, records->len);
  /* It is not looked at. */
  root_fixture_add (fixture, NEGO_LOGIND_SESSIONS "/1",
                    "USER=other\nCLASS=user\nTYPE=tty\nREALTIME=1\n");
  root_fixture_assert_return (
    fixture, USERS, "{}",
    "[{\"user\": \"zoe\", \"login-time\": 1700000150.25}, "
    "{\"user\": \"adam\", \"login-time\": 1700000100}, "
    "{\"user\": \"abcdefghijklmnopqrstuvwxyz012345\", \"login-time\": 4294967295}]");
  root_fixture_add (fixture, NEGO_UTMP_FILE, "");
  root_fixture_assert_return (fixture, USERS, "{}", "[]");
}

static void
test_many_users (RootFixture *fixture, gconstpointer data)
{
  g_autoptr (GString) records = g_string_new (NULL);

  if (fixture->agent.dir == NULL)
    return;
  for (guint i = 0; i < NEGO_USERS; i++) {
    g_autofree char *name = g_strdup_printf ("u%u", i);

    add_record (records, USER_PROCESS, name, 1, 0);
  }
  root_fixture_add_len (fixture, NEGO_UTMP_FILE, records->str, records->len);
  g_assert_cmpuint (root_fixture_count (fixture, USERS), ==, NEGO_USERS);
  add_record (records, USER_PROCESS, "one-more", 1, 0);
  root_fixture_add_len (fixture, NEGO_UTMP_FILE, records->str, records->len);
  root_fixture_assert_error (fixture, USERS, "{}", "too many users (limit 4096)");
}

static void
test_sessions (RootFixture *fixture, gconstpointer data)
{
  g_autofree char *long_text = g_strnfill (NEGO_SESSION_FILE_BYTES, '\n');
  g_autofree char *too_long
    = g_strconcat ("USER=long\nCLASS=user\nTYPE=tty\nREALTIME=5\n", long_text, NULL);
  const struct {
    const char *name;
    const char *text;
  } files[] = {
    { "1",
      "# This is private data. Do not parse.\nUID=1000\nUSER=zoe\nACTIVE=1\nIS_DISPLAY=1\n"
      "STATE=active\nREMOTE=0\nTYPE=tty\nORIGINAL_TYPE=tty\nCLASS=user\nSCOPE=session-1.scope\n"
      "SEAT=seat0\nTTY=tty1\nREALTIME=1700000300500000\nMONOTONIC=1\n" },
    { "3", "USER=adam\nSTATE=online\nTYPE=wayland\nCLASS=user-early\nREALTIME=1700000200000000\n" },
    { "c4", "USER=zoe\nSTATE=online\nTYPE=x11\nCLASS=user\nREALTIME=1700000100000000\n" },
    { "5", "USER=gdm\nSTATE=active\nTYPE=x11\nCLASS=greeter\nREALTIME=1\n" },
    { "6", "USER=cron\nSTATE=active\nTYPE=unspecified\nCLASS=user\nREALTIME=1\n" },
    { "7", "USER=left\nSTATE=closing\nTYPE=tty\nCLASS=user\nREALTIME=1\n" },
    { "8", "USER=timeless\nSTATE=active\nTYPE=tty\nCLASS=user\n" },
    { "9", "USER=wrong\nSTATE=active\nTYPE=tty\nCLASS=user\nREALTIME=soon\n" },
    { "10", "USER=\nTYPE=tty\nCLASS=user\nREALTIME=1\n" },
    { "11", "" },
    { "12", too_long },
    { ".#13a", "USER=half\nTYPE=tty\nCLASS=user\nREALTIME=1\n" },
    { "1.ref", "USER=pipe\nTYPE=tty\nCLASS=user\nREALTIME=1\n" },
  };

  if (fixture->agent.dir == NULL)
    return;
  root_fixture_assert_return (fixture, USERS, "{}", "[]");
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_strconcat (NEGO_LOGIND_SESSIONS "/", files[i].name, NULL);

    root_fixture_add (fixture, path, files[i].text);
  }
  root_fixture_add_dir (fixture, NEGO_LOGIND_SESSIONS "/14");
  root_fixture_assert_return (fixture, USERS, "{}",
                              "[{\"user\": \"zoe\", \"login-time\": 1700000100}, "
                              "{\"user\": \"adam\", \"login-time\": 1700000200}]");
}

static void
test_load (RootFixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  root_fixture_assert_error (
    fixture, LOAD, "{}",
    "cannot query load average: open(\"/proc/loadavg\"): No such file or directory");
  root_fixture_add (fixture, "/proc/loadavg", "0.50 12.00 3.25 2/345 6789\n");
  root_fixture_assert_return (fixture, LOAD, "{}",
                              "{\"load1m\": 0.5, \"load5m\": 12, \"load15m\": 3.25}");
  root_fixture_add (fixture, "/proc/loadavg", "0.50 12.00");
  root_fixture_assert_error (fixture, LOAD, "{}", "cannot query load average: Invalid argument");
  root_fixture_add (fixture, "/proc/loadavg", "");
  root_fixture_assert_error (fixture, LOAD, "{}", "cannot query load average: Invalid argument");
}

static void
test_cpustats (RootFixture *fixture, gconstpointer data)
{
  g_autofree char *value = NULL;
  guint64 tick = 1000 / (guint64) sysconf (_SC_CLK_TCK);

  if (fixture->agent.dir == NULL)
    return;
  root_fixture_assert_error (fixture, STATS, "{}",
                             "open(\"/proc/stat\"): No such file or directory");
  root_fixture_add (fixture, "/proc/stat",
                    "cpu  1 2 3 4 5 6 7 8 9 10\n"
                    "cpu0 1 2 3 4 5 6 7 8 9 10\n"
                    "cpu2 1 2 3 4\n"
                    "cpu3 1 2 3\n"
                    "cpu4\n"
                    "cpux 1 2 3 4\n"
                    "cpu5 1 \n2 3 4\n"
                    "cpu6 1 2 3 4 5 6 7 8 9 10\n"
                    "intr 1 2 3\n"
                    "cpu7 1 2 3 4\n");
  value = g_strdup_printf ("[{\"type\": \"linux\", \"cpu\": 0, \"user\": %" G_GUINT64_FORMAT
                           ", \"nice\": %" G_GUINT64_FORMAT ", \"system\": %" G_GUINT64_FORMAT
                           ", \"idle\": %" G_GUINT64_FORMAT ", \"iowait\": %" G_GUINT64_FORMAT
                           ", \"irq\": %" G_GUINT64_FORMAT ", \"softirq\": %" G_GUINT64_FORMAT
                           ", \"steal\": %" G_GUINT64_FORMAT ", \"guest\": %" G_GUINT64_FORMAT
                           ", \"guestnice\": %" G_GUINT64_FORMAT "}, "
                           "{\"type\": \"linux\", \"cpu\": 2, \"user\": %" G_GUINT64_FORMAT
                           ", \"nice\": %" G_GUINT64_FORMAT ", \"system\": %" G_GUINT64_FORMAT
                           ", \"idle\": %" G_GUINT64_FORMAT "}]",
                           tick, 2 * tick, 3 * tick, 4 * tick, 5 * tick, 6 * tick, 7 * tick,
                           8 * tick, 9 * tick, 10 * tick, tick, 2 * tick, 3 * tick, 4 * tick);
  root_fixture_assert_return (fixture, STATS, "{}", value);
}

/* Many processors, and a file as long as is read. */
static void
test_cpustats_long (RootFixture *fixture, gconstpointer data)
{
  g_autoptr (GString) text = g_string_new ("cpu  1 2 3 4\n");

  if (fixture->agent.dir == NULL)
    return;
  for (guint i = 0; i < 8192; i++)
    g_string_append_printf (text, "cpu%u 18446744073709551615 2 3 4 5 6 7 8 9 10\n", i);
  root_fixture_add (fixture, "/proc/stat", text->str);
  g_assert_cmpuint (root_fixture_count (fixture, STATS), ==, 8192);
  g_string_append (text, "intr ");
  while (text->len < NEGO_KERNEL_FILE_BYTES)
    g_string_append_c (text, '0');
  root_fixture_add (fixture, "/proc/stat", text->str);
  g_assert_cmpuint (root_fixture_count (fixture, STATS), ==, 8192);
  g_string_append_c (text, '0');
  root_fixture_add (fixture, "/proc/stat", text->str);
  root_fixture_assert_error (fixture, STATS, "{}",
                             "the file \"/proc/stat\" is longer than 8388608 bytes");
}

int
main (int argc, char **argv)
{
  g_unsetenv (NEGO_OS_RELEASE_ENV);
  g_test_init (&argc, &argv, NULL);
  ROOT_TEST_ADD ("/cmd-system/os", test_os);
  ROOT_TEST_ADD ("/cmd-system/os-strange", test_os_strange);
  ROOT_TEST_ADD ("/cmd-system/os-long", test_os_long);
  ROOT_TEST_ADD ("/cmd-system/utmp", test_utmp);
  ROOT_TEST_ADD ("/cmd-system/many-users", test_many_users);
  ROOT_TEST_ADD ("/cmd-system/sessions", test_sessions);
  ROOT_TEST_ADD ("/cmd-system/load", test_load);
  ROOT_TEST_ADD ("/cmd-system/cpustats", test_cpustats);
  ROOT_TEST_ADD ("/cmd-system/cpustats-long", test_cpustats_long);
  return g_test_run ();
}
