/* SPDX-License-Identifier: MIT */
/*
 * slow-disk: to be preloaded (ld.so(8), LD_PRELOAD) into an agent that is measured: whoever asks a
 * file system for its figures, or trims, freezes or thaws it, waits NEGO_BENCH_DISK_MS and is
 * refused then. No disk is reached.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <time.h>

static void
wait_for_disk (void)
{
  const char *text = getenv ("NEGO_BENCH_DISK_MS");
  const long ms = text != NULL ? strtol (text, NULL, 10) : 0;
  struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

  while (nanosleep (&left, &left) != 0)
    ;
}

/* With 64-bit offsets, which both agents are built with: it is statvfs64 to the linker. */
int
statvfs (const char *path, struct statvfs *buffer)
{
  wait_for_disk ();
  errno = EIO;
  return -1;
}

int
ioctl (int fd, unsigned long request, ...)
{
  int (*next) (int, unsigned long, void *) = NULL;
  va_list arguments;
  void *argument;

  va_start (arguments, request);
  argument = va_arg (arguments, void *);
  va_end (arguments);
  if (request == FITRIM || request == FIFREEZE || request == FITHAW) {
    wait_for_disk ();
    errno = EOPNOTSUPP;
    return -1;
  }
  *(void **) &next = dlsym (RTLD_NEXT, "ioctl");
  return next (fd, request, argument);
}
