/* SPDX-License-Identifier: MIT */
/*
 * bare-echo: the floor under an agent's time for a request: poll, read, one write with a fixed
 * reply for each line. It looks at nothing but line ends.
 *
 * Usage: bare-echo PATH. PATH is a character device (a virtio-serial port), or the address of a
 * Unix socket to listen on, for one client after another.
 */
#include "config.h"

#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char REPLY[] = "{\"return\": {}}\n";
#define REPLY_LEN (sizeof REPLY - 1)

/* Until the peer goes. On a port there may be no host at first: then read() gives 0 at once, again
 * and again, so it is started just before it is measured. */
static void
serve (int fd, bool socket)
{
  struct pollfd ready = { .fd = fd, .events = POLLIN };
  char in[65536], out[65536];
  bool served = false;

  for (;;) {
    size_t n_out = 0;
    ssize_t n;

    if (poll (&ready, 1, -1) < 0)
      err (1, "cannot wait");
    n = read (fd, in, sizeof in);
    if (n <= 0 && (socket || served))
      return;
    for (ssize_t i = 0; i < n; i++)
      if (in[i] == '\n' && n_out + REPLY_LEN <= sizeof out) {
        memcpy (out + n_out, REPLY, REPLY_LEN);
        n_out += REPLY_LEN;
      }
    if (n_out > 0 && write (fd, out, n_out) != (ssize_t) n_out)
      err (1, "cannot answer");
    served = served || n_out > 0;
  }
}

static int
listen_on (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (strlen (path) >= sizeof address.sun_path)
    errx (1, "the socket's path '%s' is too long", path);
  strcpy (address.sun_path, path);
  if (fd < 0 || bind (fd, (const struct sockaddr *) &address, sizeof address) != 0
      || listen (fd, 1) != 0)
    err (1, "cannot listen on '%s'", path);
  return fd;
}

int
main (int argc, char **argv)
{
  struct stat st;
  int fd;

  if (argc != 2)
    errx (2, "usage: bare-echo PATH");
  if (stat (argv[1], &st) == 0 && S_ISCHR (st.st_mode)) {
    fd = open (argv[1], O_RDWR | O_CLOEXEC);
    if (fd < 0)
      err (1, "cannot open '%s'", argv[1]);
    serve (fd, false);
    return 0;
  }
  fd = listen_on (argv[1]);
  for (;;) {
    int client = accept (fd, NULL, NULL);

    if (client < 0)
      err (1, "cannot accept a client");
    serve (client, true);
    close (client);
  }
}
