/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/transport-serial.h"

#include <errno.h>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

static gboolean
nego_transport_serial_make_raw (int fd)
{
  struct termios termios;

  if (tcgetattr (fd, &termios) < 0)
    return FALSE;
  termios.c_iflag &= ~(tcflag_t) (IGNBRK | BRKINT | IGNPAR | PARMRK | INPCK | ISTRIP | INLCR | IGNCR
                                  | ICRNL | IXON | IXOFF | IXANY | IMAXBEL);
  termios.c_oflag = 0;
  termios.c_lflag = 0;
  termios.c_cc[VMIN] = 1;
  termios.c_cc[VTIME] = 0;
  /* qemu-ga adds the bits of B38400 to the speed that is set, which makes another speed of most. */
  cfsetspeed (&termios, B38400);
  return tcsetattr (fd, TCSANOW, &termios) == 0 && tcflush (fd, TCIFLUSH) == 0;
}

int
nego_transport_serial_open (const char *path, char **node)
{
  int fd = open (path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  int errnum;

  *node = g_strdup (path);
  if (fd < 0)
    return -errno;
  if (nego_transport_serial_make_raw (fd))
    return fd;
  errnum = errno;
  close (fd);
  return -errnum;
}
