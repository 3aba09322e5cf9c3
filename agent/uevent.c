/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/uevent.h"

#include "common/error.h"

#include <glib-unix.h>

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel's own messages; group 2 is udev's. */
#define NEGO_UEVENT_GROUP_KERNEL 1u
/* The kernel's UEVENT_BUFFER_SIZE is 2048, and the header comes before it. */
#define NEGO_UEVENT_BYTES 8192u

struct NegoUevent {
  int fd;
  GSource *source;
  char *wanted; /* "SUBSYSTEM=…" */
  NegoUeventFunc changed;
  gpointer user_data;
};

/* A message is a header and then KEY=VALUE texts, each with a NUL. */
static gboolean
nego_uevent_matches (const NegoUevent *uevent, const char *message, gsize len)
{
  const char *at = message;

  while (at < message + len) {
    gsize text = strnlen (at, (gsize) (message + len - at));

    if (text == strlen (uevent->wanted) && memcmp (at, uevent->wanted, text) == 0)
      return TRUE;
    at += text + 1;
  }
  return FALSE;
}

static gboolean
nego_uevent_read (NegoUevent *uevent)
{
  char buffer[NEGO_UEVENT_BYTES];
  gboolean matches = FALSE;

  for (;;) {
    struct sockaddr_nl sender = { 0 };
    socklen_t sender_len = sizeof sender;
    ssize_t len
      = recvfrom (uevent->fd, buffer, sizeof buffer, 0, (struct sockaddr *) &sender, &sender_len);

    if (len < 0 && errno == EINTR)
      continue;
    /* ENOBUFS: messages were lost, perhaps ours. */
    if (len < 0 && errno != ENOBUFS)
      return matches;
    /* Only the kernel has port 0. */
    if (len < 0 || (sender.nl_pid == 0 && nego_uevent_matches (uevent, buffer, (gsize) len)))
      matches = TRUE;
  }
}

static gboolean
nego_uevent_ready_cb (int fd, GIOCondition condition, gpointer user_data)
{
  NegoUevent *uevent = user_data;

  if (nego_uevent_read (uevent))
    uevent->changed (uevent, uevent->user_data);
  return G_SOURCE_CONTINUE;
}

static int
nego_uevent_open (GError **error)
{
  struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = NEGO_UEVENT_GROUP_KERNEL };
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

  if (fd < 0) {
    nego_error_set_errno (error, errno, "failed to open the kernel's device messages");
    return -1;
  }
  if (bind (fd, (struct sockaddr *) &address, sizeof address) < 0) {
    nego_error_set_errno (error, errno, "failed to listen for the kernel's device messages");
    close (fd);
    return -1;
  }
  return fd;
}

NegoUevent *
nego_uevent_new (const char *subsystem, NegoUeventFunc changed, gpointer user_data, GError **error)
{
  int fd = nego_uevent_open (error);
  NegoUevent *uevent;

  if (fd < 0)
    return NULL;
  uevent = g_new0 (NegoUevent, 1);
  uevent->fd = fd;
  uevent->wanted = g_strconcat ("SUBSYSTEM=", subsystem, NULL);
  uevent->changed = changed;
  uevent->user_data = user_data;
  uevent->source = g_unix_fd_source_new (fd, G_IO_IN);
  g_source_set_callback (uevent->source, G_SOURCE_FUNC (nego_uevent_ready_cb), uevent, NULL);
  g_source_attach (uevent->source, g_main_context_get_thread_default ());
  return uevent;
}

void
nego_uevent_free (NegoUevent *uevent)
{
  if (uevent == NULL)
    return;
  g_source_destroy (uevent->source);
  g_source_unref (uevent->source);
  close (uevent->fd);
  g_free (uevent->wanted);
  g_free (uevent);
}
