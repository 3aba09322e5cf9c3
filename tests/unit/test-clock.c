/* SPDX-License-Identifier: MIT */
/*
 * The clocks, and guest-set-time with them: what would touch the system is replaced.
 */
#include "config.h"

#include "agent/clock.h"
#include "common/error.h"
#include "tests/helpers/agent-fixture.h"

#include <glib/gstdio.h>

#include <errno.h>
#include <unistd.h>

/* 2026-11-29 21:30:05.25 UTC */
#define NOW_S  G_GINT64_CONSTANT (1795987805)
#define NOW_NS (NOW_S * G_GINT64_CONSTANT (1000000000) + 250000000)

/* What the fake system was told, by one thread at a time. */
static struct {
  struct timespec system;
  struct rtc_time hardware;
  guint n_system, n_set, n_read;
  int system_errno, control_errno;
} fake;

static int
fake_set_system (const struct timespec *time)
{
  fake.n_system++;
  fake.system = *time;
  errno = fake.system_errno;
  return errno == 0 ? 0 : -1;
}

static int
fake_control (int fd, unsigned long request, struct rtc_time *time)
{
  if (request == RTC_SET_TIME) {
    fake.n_set++;
    fake.hardware = *time;
  } else {
    g_assert_cmpuint (request, ==, RTC_RD_TIME);
    fake.n_read++;
    *time = fake.hardware;
  }
  errno = fake.control_errno;
  return errno == 0 ? 0 : -1;
}

typedef struct {
  AgentFixture agent;
  char *root;
  NegoClock clock;
} Fixture;

static void
add_file (Fixture *fixture, const char *dir, const char *name, const char *text)
{
  g_autofree char *parent = g_build_filename (fixture->root, dir, NULL);
  g_autofree char *path = g_build_filename (parent, name, NULL);

  g_assert_cmpint (g_mkdir_with_parents (parent, 0755), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  memset (&fake, 0, sizeof fake);
  fixture->root = g_dir_make_tmp ("nego-clock-XXXXXX", NULL);
  g_assert_nonnull (fixture->root);
  fixture->clock = (NegoClock){ fixture->root, fake_set_system, fake_control };
  add_file (fixture, "dev", "rtc0", "");
  agent_fixture_set_up (&fixture->agent, NULL);
  if (fixture->agent.dir != NULL)
    fixture->agent.agent->clock = &fixture->clock;
}

static void
remove_file (Fixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->root, name, NULL);

  g_remove (path);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "dev/rtc0", "dev", "etc/adjtime", "etc", "" };

  agent_fixture_tear_down (&fixture->agent, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    remove_file (fixture, names[i]);
  g_free (fixture->root);
}

static void
assert_hardware (int hour, int min, int sec, int day)
{
  g_assert_cmpint (fake.hardware.tm_year, ==, 126);
  g_assert_cmpint (fake.hardware.tm_mon, ==, 10);
  g_assert_cmpint (fake.hardware.tm_mday, ==, day);
  g_assert_cmpint (fake.hardware.tm_hour, ==, hour);
  g_assert_cmpint (fake.hardware.tm_min, ==, min);
  g_assert_cmpint (fake.hardware.tm_sec, ==, sec);
}

static void
test_utc (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (nego_clock_set (&fixture->clock, NOW_NS, &error));
  g_assert_cmpint (fake.system.tv_sec, ==, NOW_S);
  g_assert_cmpint (fake.system.tv_nsec, ==, 250000000);
  assert_hardware (21, 30, 5, 29);
  add_file (fixture, "etc", "adjtime", "0.0 0 0.0\n0\nUTC\n");
  g_assert_true (nego_clock_read (&fixture->clock, &error));
  g_assert_cmpint (fake.system.tv_sec, ==, NOW_S);
  g_assert_cmpint (fake.system.tv_nsec, ==, 0);
}

/* TZ is a rule and needs no zone's file: three hours east. */
static void
test_local (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  add_file (fixture, "etc", "adjtime", "0.0 0 0.0\n0\nLOCAL\n");
  g_assert_true (nego_clock_set (&fixture->clock, NOW_NS, &error));
  assert_hardware (0, 30, 5, 30);
  g_assert_true (nego_clock_read (&fixture->clock, &error));
  g_assert_cmpint (fake.system.tv_sec, ==, NOW_S);
}

/* The system's time is all there is to set. */
static void
test_no_hardware (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  remove_file (fixture, "dev/rtc0");
  g_assert_true (nego_clock_set (&fixture->clock, NOW_NS, &error));
  g_assert_cmpuint (fake.n_system, ==, 1);
  g_assert_false (nego_clock_read (&fixture->clock, &error));
  g_assert_cmpstr (error->message, ==,
                   "failed to set system time to hardware clock: cannot open '/dev/misc/rtc': "
                   "No such file or directory");
  g_assert_cmpuint (fake.n_system, ==, 1);
}

static void
test_failures (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fake.control_errno = EINVAL;
  g_assert_false (nego_clock_set (&fixture->clock, NOW_NS, &error));
  g_assert_cmpstr (error->message, ==,
                   "failed to set hardware clock to system time: cannot set '/dev/rtc0': "
                   "Invalid argument");
  g_clear_error (&error);
  g_assert_false (nego_clock_read (&fixture->clock, &error));
  g_assert_cmpstr (error->message, ==,
                   "failed to set system time to hardware clock: cannot read '/dev/rtc0': "
                   "Invalid argument");
  g_clear_error (&error);
  fake.control_errno = 0;
  fake.system_errno = EPERM;
  g_assert_false (nego_clock_set (&fixture->clock, NOW_NS, &error));
  g_assert_cmpstr (error->message, ==, "Failed to set time to guest: Operation not permitted");
  /* Only what had been set goes to the hardware. */
  g_assert_cmpuint (fake.n_set, ==, 1);
}

static void
test_valid (Fixture *fixture, gconstpointer data)
{
  const gint64 second = G_GINT64_CONSTANT (1000000000);
  /* The last second of 2069, three hours east of UTC. */
  const gint64 last = G_GINT64_CONSTANT (3155760000) - 3 * 3600 - 1;

  g_assert_true (nego_clock_is_valid (0));
  g_assert_false (nego_clock_is_valid (-1));
  g_assert_true (nego_clock_is_valid (last * second));
  g_assert_false (nego_clock_is_valid ((last + 1) * second));
  g_assert_false (nego_clock_is_valid (G_MAXINT64));
  g_assert_false (nego_clock_is_valid (G_MININT64));
}

static void
test_command (Fixture *fixture, gconstpointer data)
{
  AgentFixture *agent = &fixture->agent;
  g_autofree char *arguments = g_strdup_printf ("{'time':%" G_GINT64_FORMAT "}", NOW_NS);
  g_autoptr (JsonNode) given = NULL, read = NULL;

  if (agent->dir == NULL)
    return;
  given = agent_fixture_ask (agent, "guest-set-time", arguments);
  g_assert_cmpuint (json_object_get_size (agent_fixture_returned (given)), ==, 0);
  g_assert_cmpint (fake.system.tv_sec, ==, NOW_S);
  g_assert_cmpuint (fake.n_set, ==, 1);
  fake.system.tv_sec = 0;
  read = agent_fixture_ask (agent, "guest-set-time", "{}");
  g_assert_cmpuint (json_object_get_size (agent_fixture_returned (read)), ==, 0);
  g_assert_cmpuint (fake.n_read, ==, 1);
  g_assert_cmpint (fake.system.tv_sec, ==, NOW_S);
  fake.system_errno = EPERM;
  agent_fixture_assert_error (agent, "guest-set-time", arguments,
                              "Failed to set time to guest: Operation not permitted");
  agent_fixture_assert_error (agent, "guest-set-time", "{'time':-1}", "Invalid time");
  g_assert_cmpuint (fake.n_set, ==, 1);
}

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_setenv ("TZ", "TEST-3", TRUE);
  g_test_init (&argc, &argv, NULL);
  ADD ("/clock/utc", test_utc);
  ADD ("/clock/local", test_local);
  ADD ("/clock/no-hardware", test_no_hardware);
  ADD ("/clock/failures", test_failures);
  ADD ("/clock/valid", test_valid);
  ADD ("/clock/command", test_command);
  return g_test_run ();
}
