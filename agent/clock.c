/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/clock.h"

#include "common/epoch.h"
#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NS_PER_S G_GINT64_CONSTANT (1000000000)
/* Tries while another process (hwclock, chrony) has the device, and the pause between two. */
#define OPEN_TRIES    20u
#define OPEN_PAUSE_US 100000u
#define TO_HARDWARE   "failed to set hardware clock to system time"
#define TO_SYSTEM     "failed to set system time to hardware clock"

static const char *const devices[] = { "/dev/rtc", "/dev/rtc0", "/dev/misc/rtc" };

static int
nego_clock_set_system (const struct timespec *time)
{
  return clock_settime (CLOCK_REALTIME, time);
}

static int
nego_clock_control (int fd, unsigned long request, struct rtc_time *time)
{
  return ioctl (fd, request, time);
}

const NegoClock nego_clock_real = {
  .root = "",
  .set_system = nego_clock_set_system,
  .control = nego_clock_control,
};

gboolean
nego_clock_is_valid (gint64 ns)
{
  const time_t seconds = (time_t) (ns / NS_PER_S);
  struct tm tm;

  return ns >= 0 && localtime_r (&seconds, &tm) != NULL && tm.tm_year >= 70 && tm.tm_year <= 169;
}

/* Returns a descriptor, or -1 with errno and *@path (borrowed): what could not be opened. */
static int
nego_clock_open (const NegoClock *clock, const char **path)
{
  for (guint i = 0; i < G_N_ELEMENTS (devices); i++) {
    g_autofree char *full = g_strconcat (clock->root, devices[i], NULL);
    int fd = -1;

    *path = devices[i];
    for (guint try = 0; try < OPEN_TRIES; try++) {
      fd = open (full, O_RDONLY | O_CLOEXEC);
      if (fd >= 0 || errno != EBUSY)
        break;
      g_usleep (OPEN_PAUSE_US);
    }
    if (fd >= 0 || errno != ENOENT)
      return fd;
  }
  return -1;
}

/* The third line of adjtime(5). */
static gboolean
nego_clock_is_local (const NegoClock *clock)
{
  g_autofree char *path = g_strconcat (clock->root, "/etc/adjtime", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  lines = g_strsplit (text, "\n", 4);
  return g_strv_length (lines) >= 3 && g_str_has_prefix (lines[2], "LOCAL");
}

static void
nego_clock_to_rtc (const struct tm *tm, struct rtc_time *rtc)
{
  *rtc = (struct rtc_time){
    .tm_sec = tm->tm_sec,
    .tm_min = tm->tm_min,
    .tm_hour = tm->tm_hour,
    .tm_mday = tm->tm_mday,
    .tm_mon = tm->tm_mon,
    .tm_year = tm->tm_year,
    .tm_wday = tm->tm_wday,
    .tm_yday = tm->tm_yday,
    .tm_isdst = tm->tm_isdst,
  };
}

static time_t
nego_clock_from_rtc (const struct rtc_time *rtc, gboolean local)
{
  struct tm tm = {
    .tm_sec = rtc->tm_sec,
    .tm_min = rtc->tm_min,
    .tm_hour = rtc->tm_hour,
    .tm_mday = rtc->tm_mday,
    .tm_mon = rtc->tm_mon,
    .tm_year = rtc->tm_year,
    .tm_isdst = -1,
  };

  return local ? mktime (&tm) : timegm (&tm);
}

static gboolean
nego_clock_set_hardware (const NegoClock *clock, time_t seconds, GError **error)
{
  const char *path;
  int fd = nego_clock_open (clock, &path);
  struct rtc_time rtc;
  struct tm tm;
  int rc, errnum;

  if (fd < 0 && errno == ENOENT)
    return TRUE;
  if (fd < 0)
    return nego_error_set_errno (error, errno, TO_HARDWARE ": cannot open '%s'", path);
  if (nego_clock_is_local (clock))
    localtime_r (&seconds, &tm);
  else
    gmtime_r (&seconds, &tm);
  nego_clock_to_rtc (&tm, &rtc);
  rc = clock->control (fd, RTC_SET_TIME, &rtc);
  errnum = errno;
  close (fd);
  return rc == 0 || nego_error_set_errno (error, errnum, TO_HARDWARE ": cannot set '%s'", path);
}

static gboolean
nego_clock_set_time (const NegoClock *clock, const struct timespec *time, GError **error)
{
  return clock->set_system (time) == 0
         || nego_error_set_errno (error, errno, "Failed to set time to guest");
}

gboolean
nego_clock_set (const NegoClock *clock, gint64 ns, GError **error)
{
  const struct timespec time = nego_epoch_to_timespec (ns);

  /* The hardware clock's second goes on half a second after it was set (rtc-cmos): so the second
   * that has begun is right within half of one, without waiting for the next. */
  return nego_clock_set_time (clock, &time, error)
         && nego_clock_set_hardware (clock, time.tv_sec, error);
}

gboolean
nego_clock_read (const NegoClock *clock, GError **error)
{
  const char *path;
  int fd = nego_clock_open (clock, &path);
  struct rtc_time rtc = { 0 };
  struct timespec time = { 0 };
  int rc, errnum;

  if (fd < 0)
    return nego_error_set_errno (error, errno, TO_SYSTEM ": cannot open '%s'", path);
  rc = clock->control (fd, RTC_RD_TIME, &rtc);
  errnum = errno;
  close (fd);
  if (rc != 0)
    return nego_error_set_errno (error, errnum, TO_SYSTEM ": cannot read '%s'", path);
  time.tv_sec = nego_clock_from_rtc (&rtc, nego_clock_is_local (clock));
  return nego_clock_set_time (clock, &time, error);
}
