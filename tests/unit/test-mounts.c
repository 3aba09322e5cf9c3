/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/mounts.h"
#include "common/error.h"
#include "common/names.h"
#include "tests/helpers/tree.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* "PATH TYPE MAJOR:MINOR", with a blank between mounts. */
static char *
describe (GPtrArray *mounts)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < mounts->len; i++) {
    const NegoMount *mount = mounts->pdata[i];

    g_string_append_printf (text, "%s%s %s %u:%u", i > 0 ? "; " : "", mount->path, mount->type,
                            mount->major, mount->minor);
  }
  return g_string_free (text, FALSE);
}

static const struct {
  const char *name, *text, *mounts;
} rows[] = {
  { "empty", "", "" },
  { "one", "26 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n", "/ ext4 254:0" },
  { "tags", "26 1 8:1 / / rw shared:1 master:2 - xfs /dev/sda1 rw\n", "/ xfs 8:1" },
  { "no-lf", "26 1 8:1 / / rw - xfs /dev/sda1 rw", "/ xfs 8:1" },
  { "in-memory", "21 26 0:20 / /proc rw - proc proc rw\n22 26 0:21 / /n rw - nfs4 a:/b rw\n", "" },
  { "order",
    "26 1 8:1 / / rw - ext4 /dev/sda1 rw\n27 26 8:2 / /boot rw - ext4 /dev/sda2 rw\n"
    "28 27 8:3 / /boot/efi rw - vfat /dev/sda3 rw\n",
    "/ ext4 8:1; /boot ext4 8:2; /boot/efi vfat 8:3" },
  { "device-twice",
    "26 1 8:1 / / rw - ext4 /dev/sda1 rw\n27 26 8:1 /srv /srv rw - ext4 /dev/sda1 rw\n",
    "/ ext4 8:1" },
  { "escapes", "26 1 8:1 / /a\\040b\\134c\\012d\\011e rw - ext4 /dev/sda1 rw\n",
    "/a b\\c\nd\te ext4 8:1" },
  { "no-escape", "26 1 8:1 / /a\\04\\9\\999 rw - ext4 /dev/sda1 rw\n", "/a\\04\\9\\999 ext4 8:1" },
  { "empty-source", "26 1 8:1 / / rw - ext4  rw\n", "/ ext4 8:1" },
  { "btrfs-without-source", "26 1 0:30 / / rw - btrfs /nonexistent/disk rw\n", "" },
  { "btrfs-no-disk", "26 1 0:30 / / rw - btrfs /dev/null rw\n", "" },
  { "malformed",
    "\n-\n - \n26 1 8:1 / /\n26 1 8:1 - ext4 a b\n26 1 8 / / rw - ext4 a b\n"
    "26 1 8:1x / / rw - ext4 a b\n26 1 8:1 / / rw - ext4\n27 1 8:2 / /ok rw - ext4 a b\n",
    "/ok ext4 8:2" },
};

static void
test_parse (gconstpointer data)
{
  const gsize i = GPOINTER_TO_SIZE (data);
  g_autofree char *text = g_strdup (rows[i].text);
  g_autoptr (GPtrArray) mounts = nego_mounts_parse (text);
  g_autofree char *said = describe (mounts);

  g_assert_cmpstr (said, ==, rows[i].mounts);
}

/* Its own device is not one that can be looked up. */
static void
test_btrfs (void)
{
  g_autofree char *dir = tree_new (NULL, 0);
  g_autofree char *node = g_build_filename (dir, "disk x", NULL);
  g_autofree char *text = g_strdup_printf ("26 1 0:30 / / rw - btrfs %s/disk\\040x rw\n"
                                           "27 1 0:30 /@home /home rw - btrfs %s/disk\\040x rw\n",
                                           dir, dir);

  if (mknod (node, S_IFBLK | 0600, makedev (259, 7)) < 0) {
    g_test_skip ("no block device can be made here");
  } else {
    g_autoptr (GPtrArray) mounts = nego_mounts_parse (text);
    g_autofree char *said = describe (mounts);

    g_assert_cmpstr (said, ==, "/ btrfs 259:7");
  }
  tree_free (g_steal_pointer (&dir));
}

static void
test_missing (void)
{
  char *root = tree_new (NULL, 0);
  g_autoptr (GError) error = NULL;

  g_assert_null (nego_mounts_read (root, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND);
  g_assert_cmpstr (error->message, ==,
                   "failed to open mtab file: '/proc/self/mountinfo': No such file or directory");
  tree_free (root);
}

static void
check_size (gsize size, gboolean fits)
{
  char *root = tree_new ((TreeEntry[]){ { "/proc/self/mountinfo", "", NULL } }, 1);
  g_autofree char *path = g_strconcat (root, "/proc/self/mountinfo", NULL);
  g_autoptr (GPtrArray) mounts = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (truncate (path, (off_t) size), ==, 0);
  mounts = nego_mounts_read (root, &error);
  g_assert_cmpint (mounts != NULL, ==, fits);
  if (!fits)
    g_assert_cmpstr (error->message, ==,
                     "failed to open mtab file: '/proc/self/mountinfo': File too large");
  tree_free (root);
}

static void
test_limit (void)
{
  check_size (NEGO_SYSFS_FILE_BYTES, TRUE);
  check_size (NEGO_SYSFS_FILE_BYTES + 1, FALSE);
}

/* Whatever this machine has. */
static void
test_real (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) mounts = nego_mounts_read ("", &error);

  g_assert_no_error (error);
  for (guint i = 0; i < mounts->len; i++) {
    const NegoMount *mount = mounts->pdata[i];

    g_assert_cmpint (*mount->path, ==, '/');
    g_assert_cmpuint (mount->major, >, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/mounts/parse/%s", rows[i].name);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_parse);
  }
  g_test_add_func ("/mounts/btrfs", test_btrfs);
  g_test_add_func ("/mounts/missing", test_missing);
  g_test_add_func ("/mounts/limit", test_limit);
  g_test_add_func ("/mounts/real", test_real);
  return g_test_run ();
}
