/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/device.h"
#include "agent/transport-serial.h"
#include "agent/transport-virtio.h"
#include "agent/uevent.h"
#include "common/names.h"

#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* A device below a directory that is not there at first. */
typedef struct {
  char *dir;
  char *sub_dir;
  char *path;
  NegoDevice *device;
  int fd; /* of the open device, or -1 */
  guint opened;
} Fixture;

static void
opened_cb (NegoDevice *device, int fd, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_assert_cmpint (fixture->fd, ==, -1);
  fixture->fd = fd;
  fixture->opened++;
}

/* Opens a file that one process can have, as a virtio port: it is free once its holder has closed.
 */
static int
open_exclusive (const char *path, char **node)
{
  int fd = open (path, O_RDWR | O_CLOEXEC);

  *node = g_strdup (path);
  if (fd < 0)
    return -errno;
  if (flock (fd, LOCK_EX | LOCK_NB) == 0)
    return fd;
  close (fd);
  return -EBUSY;
}

/* The same without the noise of a close: a device's failing open makes no events. */
static int
open_quiet (const char *path, char **node)
{
  int probe = open (path, O_PATH | O_CLOEXEC);

  if (probe >= 0) {
    g_autofree char *locks = NULL;
    struct stat st;
    g_autofree char *inode = NULL;

    g_assert_cmpint (fstat (probe, &st), ==, 0);
    inode = g_strdup_printf (":%lu ", (gulong) st.st_ino);
    close (probe);
    g_assert_true (g_file_get_contents ("/proc/locks", &locks, NULL, NULL));
    if (strstr (locks, inode) != NULL) {
      *node = g_strdup (path);
      return -EBUSY;
    }
  }
  return open_exclusive (path, node);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->dir = g_dir_make_tmp ("nego-device-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->sub_dir = g_build_filename (fixture->dir, "sub", NULL);
  fixture->path = g_build_filename (fixture->sub_dir, "device", NULL);
  fixture->fd = -1;
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  nego_device_free (fixture->device);
  if (fixture->fd >= 0)
    close (fixture->fd);
  g_unlink (fixture->path);
  g_rmdir (fixture->sub_dir);
  g_assert_cmpint (g_rmdir (fixture->dir), ==, 0);
  g_free (fixture->dir);
  g_free (fixture->sub_dir);
  g_free (fixture->path);
}

static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
make_dir (Fixture *fixture)
{
  g_assert_cmpint (g_mkdir (fixture->sub_dir, 0700), ==, 0);
}

static void
make_file (Fixture *fixture)
{
  g_assert_true (g_file_set_contents (fixture->path, "", 0, NULL));
}

static void
wait_opened (Fixture *fixture, guint times)
{
  while (fixture->opened < times)
    g_main_context_iteration (NULL, TRUE);
}

static void
close_and_reopen (Fixture *fixture)
{
  close (fixture->fd);
  fixture->fd = -1;
  nego_device_reopen (fixture->device);
}

static void
test_appears (Fixture *fixture, gconstpointer data)
{
  fixture->device = nego_device_new (fixture->path, NULL, open_exclusive, opened_cb, fixture);
  settle ();
  g_assert_cmpuint (fixture->opened, ==, 0);
  make_dir (fixture);
  settle ();
  g_assert_cmpuint (fixture->opened, ==, 0);
  make_file (fixture);
  wait_opened (fixture, 1);
}

/* Gone with its directory, as the last virtio port is, and back. */
static void
test_comes_back (Fixture *fixture, gconstpointer data)
{
  guint i;

  make_dir (fixture);
  make_file (fixture);
  fixture->device = nego_device_new (fixture->path, NULL, open_exclusive, opened_cb, fixture);
  g_assert_cmpuint (fixture->opened, ==, 0); /* never from within new */
  wait_opened (fixture, 1);
  for (i = 2; i < 5; i++) {
    g_assert_cmpint (g_unlink (fixture->path), ==, 0);
    g_assert_cmpint (g_rmdir (fixture->sub_dir), ==, 0);
    close_and_reopen (fixture);
    settle ();
    g_assert_cmpuint (fixture->opened, ==, i - 1);
    make_dir (fixture);
    make_file (fixture);
    wait_opened (fixture, i);
  }
}

/* The holder's close is told before the device is free (NEGO_DEVICE_PAUSE_MS): the tries after it
 * find it. */
static void
test_held (Fixture *fixture, gconstpointer data)
{
  int holder, other;

  make_dir (fixture);
  make_file (fixture);
  holder = open (fixture->path, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (flock (holder, LOCK_EX), ==, 0);
  fixture->device = nego_device_new (fixture->path, NULL, open_quiet, opened_cb, fixture);
  settle ();
  g_assert_cmpuint (fixture->opened, ==, 0);
  other = dup (holder);
  g_assert_cmpint (other, >=, 0);
  close (open (fixture->path, O_RDONLY | O_CLOEXEC)); /* a close that frees nothing */
  settle ();
  g_assert_cmpuint (fixture->opened, ==, 0);
  close (holder);
  close (other);
  wait_opened (fixture, 1);
}

/* What does not stay open is opened a bounded number of times, and then left until something
 * changes. */
static void
test_flaps (Fixture *fixture, gconstpointer data)
{
  guint tries = 0;
  guint pause_ms;

  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  for (pause_ms = 1; pause_ms <= NEGO_DEVICE_PAUSE_MS; pause_ms *= 2)
    tries++;
  make_dir (fixture);
  make_file (fixture);
  fixture->device = nego_device_new (fixture->path, NULL, open_exclusive, opened_cb, fixture);
  for (guint i = 1; i <= tries + 1; i++) {
    wait_opened (fixture, i);
    close_and_reopen (fixture);
  }
  settle ();
  g_assert_cmpuint (fixture->opened, ==, tries + 1);
  g_assert_cmpint (g_unlink (fixture->path), ==, 0);
  make_file (fixture);
  wait_opened (fixture, tries + 2);
}

static void
make_pty (Fixture *fixture, int *master, int *slave)
{
  char name[64];

  g_assert_cmpint (openpty (master, slave, name, NULL, NULL), ==, 0);
  g_assert_cmpint (symlink (name, fixture->path), ==, 0);
}

static void
test_serial (Fixture *fixture, gconstpointer data)
{
  struct termios termios;
  char buffer[16];
  int master, slave;

  make_dir (fixture);
  make_pty (fixture, &master, &slave);
  g_assert_cmpint (write (master, "\nold", 4), ==, 4);
  fixture->device
    = nego_device_new (fixture->path, NULL, nego_transport_serial_open, opened_cb, fixture);
  wait_opened (fixture, 1);
  g_assert_cmpint (tcgetattr (fixture->fd, &termios), ==, 0);
  g_assert_cmpuint (termios.c_iflag
                      & (IGNBRK | BRKINT | IGNPAR | PARMRK | INPCK | ISTRIP | INLCR | IGNCR | ICRNL
                         | IXON | IXOFF | IXANY | IMAXBEL),
                    ==, 0);
  g_assert_cmpuint (termios.c_oflag, ==, 0);
  g_assert_cmpuint (termios.c_lflag, ==, 0);
  g_assert_cmpuint (termios.c_cc[VMIN], ==, 1);
  g_assert_cmpuint (termios.c_cc[VTIME], ==, 0);
  g_assert_cmpuint (cfgetospeed (&termios), ==, B38400);
  g_assert_cmpint (fcntl (fixture->fd, F_GETFL) & O_NONBLOCK, !=, 0);
  /* What had come before is dropped; bytes pass unchanged. */
  g_assert_cmpint (write (master, "\r\xff\x03\n", 4), ==, 4);
  g_assert_cmpint (read (fixture->fd, buffer, sizeof buffer), ==, 4);
  g_assert_cmpint (memcmp (buffer, "\r\xff\x03\n", 4), ==, 0);
  close (master);
  close (slave);
}

static void
test_serial_errors (Fixture *fixture, gconstpointer data)
{
  g_autofree char *missing = NULL;
  g_autofree char *file = NULL;

  g_assert_cmpint (nego_transport_serial_open (fixture->path, &missing), ==, -ENOENT);
  g_assert_cmpstr (missing, ==, fixture->path);
  make_dir (fixture);
  make_file (fixture);
  g_assert_cmpint (nego_transport_serial_open (fixture->path, &file), ==, -ENOTTY);
}

static void
test_virtio_errors (Fixture *fixture, gconstpointer data)
{
  g_autofree char *missing = NULL;
  g_autofree char *file = NULL;
  g_autofree char *named = NULL;

  g_assert_cmpint (nego_transport_virtio_open (fixture->path, &missing), ==, -ENOENT);
  g_assert_cmpstr (missing, ==, fixture->path);
  make_dir (fixture);
  make_file (fixture);
  g_assert_cmpint (nego_transport_virtio_open (fixture->path, &file), ==, -ENOTTY);
  g_assert_cmpint (nego_transport_virtio_open (NEGO_VIRTIO_DEV_DIR "/nobody.0", &named), ==,
                   -ENOENT);
  g_assert_cmpstr (named, ==, NEGO_VIRTIO_DEV_DIR "/nobody.0");
}

/* A list of ports as in /sys/class/virtio-ports: one without a name, two with. */
static void
test_virtio_find (Fixture *fixture, gconstpointer data)
{
  const char *const ports[] = { "vport0p0", "vport1p1", "vport1p2" };
  const char *const names[] = { NULL, NEGO_PORT_QGA "\n", "another\n" };
  g_autofree char *found = NULL;
  gsize i;

  g_assert_null (nego_transport_virtio_find (NEGO_PORT_QGA, fixture->sub_dir, "/dev"));
  make_dir (fixture);
  for (i = 0; i < G_N_ELEMENTS (ports); i++) {
    g_autofree char *dir = g_build_filename (fixture->sub_dir, ports[i], NULL);
    g_autofree char *file = g_build_filename (dir, "name", NULL);

    g_assert_cmpint (g_mkdir (dir, 0700), ==, 0);
    if (names[i] != NULL)
      g_assert_true (g_file_set_contents (file, names[i], -1, NULL));
  }
  found = nego_transport_virtio_find (NEGO_PORT_QGA, fixture->sub_dir, "/dev");
  g_assert_cmpstr (found, ==, "/dev/vport1p1");
  g_assert_null (nego_transport_virtio_find ("org.qemu", fixture->sub_dir, "/dev"));
  for (i = 0; i < G_N_ELEMENTS (ports); i++) {
    g_autofree char *dir = g_build_filename (fixture->sub_dir, ports[i], NULL);
    g_autofree char *file = g_build_filename (dir, "name", NULL);

    g_unlink (file);
    g_assert_cmpint (g_rmdir (dir), ==, 0);
  }
}

static void
changed_cb (NegoUevent *uevent, gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
}

/* The kernel announces what is written here as a change of the device. */
static gboolean
announce (const char *device)
{
  int fd = open (device, O_WRONLY | O_CLOEXEC);
  gboolean written
    = fd >= 0 && write (fd, "change", strlen ("change")) == (ssize_t) strlen ("change");

  if (fd >= 0)
    close (fd);
  return written;
}

static void
test_uevent (void)
{
  g_autoptr (GError) error = NULL;
  gboolean changed = FALSE;
  gboolean other = FALSE;
  g_autoptr (NegoUevent) uevent G_GNUC_UNUSED
    = nego_uevent_new ("mem", changed_cb, &changed, &error);
  g_autoptr (NegoUevent) of_another G_GNUC_UNUSED
    = nego_uevent_new ("mem2", changed_cb, &other, &error);

  g_assert_no_error (error);
  if (!announce ("/sys/class/mem/null/uevent")) {
    g_test_skip ("/sys/class/mem/null/uevent cannot be written");
    return;
  }
  while (!changed)
    g_main_context_iteration (NULL, TRUE);
  settle ();
  g_assert_false (other);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/device/appears", Fixture, NULL, set_up, test_appears, tear_down);
  g_test_add ("/device/comes-back", Fixture, NULL, set_up, test_comes_back, tear_down);
  g_test_add ("/device/held", Fixture, NULL, set_up, test_held, tear_down);
  g_test_add ("/device/serial", Fixture, NULL, set_up, test_serial, tear_down);
  g_test_add ("/device/serial-errors", Fixture, NULL, set_up, test_serial_errors, tear_down);
  g_test_add ("/device/virtio-errors", Fixture, NULL, set_up, test_virtio_errors, tear_down);
  g_test_add ("/device/virtio-find", Fixture, NULL, set_up, test_virtio_find, tear_down);
  g_test_add_func ("/device/uevent", test_uevent);
  g_test_add ("/device/flaps", Fixture, NULL, set_up, test_flaps, tear_down);
  return g_test_run ();
}
