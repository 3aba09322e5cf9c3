/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/bench/client.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* No reply of the bench is longer: 16 MiB as base64. */
#define LINE_BYTES (24u << 20)
/* Where members of a long reply are that are not its data. */
#define EDGE_BYTES 256u
/* An agent that answers nothing for so long is broken, not slow. */
#define ANSWER_SECONDS 30

struct BenchClient {
  int fd;
  int watch;
  size_t start; /* of what is not consumed yet */
  size_t end;
  char buffer[LINE_BYTES];
};

/* Waits until there is something at @path. Returns the watch: closing one takes the kernel some
 * 10 ms, which shall not count. */
static int
wait_for (const char *path)
{
  char *copy = strdup (path);
  char events[4096];
  struct pollfd watch = { .fd = inotify_init1 (IN_CLOEXEC), .events = POLLIN };

  if (watch.fd < 0 || copy == NULL || inotify_add_watch (watch.fd, dirname (copy), IN_CREATE) < 0)
    err (1, "cannot watch the directory of '%s'", path);
  while (access (path, F_OK) != 0)
    if (poll (&watch, 1, ANSWER_SECONDS * 1000) <= 0 || read (watch.fd, events, sizeof events) < 0)
      errx (1, "no '%s' in %d s", path, ANSWER_SECONDS);
  free (copy);
  return watch.fd;
}

BenchClient *
bench_client_new (const char *path)
{
  BenchClient *client = calloc (1, sizeof *client);
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  struct timeval limit = { .tv_sec = ANSWER_SECONDS };

  if (client == NULL)
    err (1, "cannot allocate a client");
  if (strlen (path) >= sizeof address.sun_path)
    errx (1, "the socket's path '%s' is too long", path);
  strcpy (address.sun_path, path);
  client->fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (client->fd < 0)
    err (1, "cannot make a socket");
  setsockopt (client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt (client->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  client->watch = wait_for (path);
  /* The socket's file is there some microseconds before it listens. */
  while (connect (client->fd, (const struct sockaddr *) &address, sizeof address) != 0)
    if (errno != ECONNREFUSED && errno != EINTR)
      err (1, "cannot connect to '%s'", path);
  return client;
}

void
bench_client_free (BenchClient *client)
{
  close (client->fd);
  close (client->watch);
  free (client);
}

void
bench_client_send (BenchClient *client, const char *data, size_t len)
{
  while (len > 0) {
    ssize_t n = write (client->fd, data, len);

    if (n < 0)
      err (1, "cannot send a request");
    data += n;
    len -= n;
  }
}

/* The line that is there, as far as what is behind @seen is concerned, or NULL. */
static const char *
take_line (BenchClient *client, size_t seen)
{
  char *line = client->buffer + client->start;
  char *end = memchr (client->buffer + seen, '\n', client->end - seen);

  if (end == NULL)
    return NULL;
  *end = '\0';
  client->start = end + 1 - client->buffer;
  return line;
}

const char *
bench_client_read_some (BenchClient *client)
{
  const size_t seen = client->end - client->start;
  ssize_t n;

  memmove (client->buffer, client->buffer + client->start, seen);
  client->end = seen;
  client->start = 0;
  if (client->end == sizeof client->buffer)
    errx (1, "a reply is longer than %u bytes", LINE_BYTES);
  n = read (client->fd, client->buffer + client->end, sizeof client->buffer - client->end);
  if (n < 0)
    err (1, "cannot read a reply");
  if (n == 0)
    errx (1, "the agent closed the connection");
  client->end += n;
  return take_line (client, seen);
}

const char *
bench_client_read_line (BenchClient *client)
{
  const char *line = take_line (client, client->start);

  while (line == NULL)
    line = bench_client_read_some (client);
  return line;
}

int
bench_client_get_fd (const BenchClient *client)
{
  return client->fd;
}

const char *
bench_client_expect (BenchClient *client, const char *expect)
{
  const char *line = bench_client_read_line (client);

  if (strstr (line, expect) == NULL)
    errx (1, "a reply without '%s': %s", expect, line);
  return line;
}

const char *
bench_client_expect_at_end (BenchClient *client, const char *expect)
{
  const char *line = bench_client_read_line (client);
  const size_t len = client->buffer + client->start - 1 - line;
  const size_t edge = len < EDGE_BYTES ? len : EDGE_BYTES;

  if (memmem (line, edge, expect, strlen (expect)) == NULL
      && memmem (line + len - edge, edge, expect, strlen (expect)) == NULL)
    errx (1, "a reply without '%s': %.*s", expect, (int) edge, line);
  return line;
}

void
bench_client_stuff (BenchClient *client, const char *data, size_t len, int quiet_ms)
{
  struct pollfd room = { .fd = client->fd, .events = POLLOUT };
  size_t done = 0;

  if (fcntl (client->fd, F_SETFL, O_NONBLOCK) != 0)
    err (1, "cannot make the socket non-blocking");
  while (poll (&room, 1, quiet_ms) > 0) {
    ssize_t n = write (client->fd, data + done, len - done);

    if (n < 0 && errno != EAGAIN)
      err (1, "cannot send a request");
    if (n > 0)
      done = (done + n) % len;
  }
}

char *
bench_client_member (const char *line, const char *name)
{
  char key[64];
  const char *value;
  size_t len;

  if ((size_t) snprintf (key, sizeof key, "\"%s\": ", name) >= sizeof key)
    errx (1, "the member's name '%s' is too long", name);
  value = strstr (line, key);
  if (value == NULL)
    errx (1, "a reply without '%s': %s", name, line);
  value += strlen (key);
  if (*value == '"')
    value++;
  len = strcspn (value, "\",}");
  return strndup (value, len);
}
