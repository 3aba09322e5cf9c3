/* SPDX-License-Identifier: MIT */
/* block-device and disk-address, on trees like sysfs. */
#include "config.h"

#include "agent/block-device.h"
#include "common/names.h"
#include "tests/helpers/tree.h"

#include <string.h>

#define PCI        "/sys/devices/pci0000:00"
#define DRIVER(to) "../../../bus/pci/drivers/" to

/* A disk's path, what there is besides, and what is expected of its address: "TYPE BUS TARGET UNIT
 * PCI". */
static const struct {
  const char *name;
  const char *path;
  TreeEntry more[6];
  const char *address;
} rows[] = {
  { "virtio-blk",
    PCI "/0000:00:05.0/virtio2/block/vda",
    { { PCI "/0000:00:05.0/driver", NULL, DRIVER ("virtio-pci") } },
    "virtio 0 0 0 0:0:5.0" },
  { "behind-bridge",
    PCI "/0000:00:02.3/0000:04:00.0/virtio2/block/vda",
    { { PCI "/0000:00:02.3/driver", NULL, DRIVER ("pcieport") },
      { PCI "/0000:00:02.3/0000:04:00.0/driver", NULL, "../../" DRIVER ("virtio-pci") } },
    "virtio 0 0 0 0:4:0.0" },
  { "virtio-scsi",
    PCI "/0000:00:06.1/virtio3/host2/target2:0:4/2:0:4:7/block/sda",
    { { PCI "/0000:00:06.1/driver", NULL, DRIVER ("virtio-pci") } },
    "scsi 0 4 7 0:0:6.1" },
  { "ide",
    PCI "/0000:00:01.1/ata12/host1/target1:0:1/1:0:1:0/block/sr0",
    { { PCI "/0000:00:01.1/driver", NULL, DRIVER ("ata_piix") },
      { PCI "/0000:00:01.1/ata9", NULL, NULL } },
    "ide 1 0 1 0:0:1.1" },
  { "ide-first",
    PCI "/0000:00:01.1/ata9/host0/target0:0:0/0:0:0:0/block/sr0",
    { { PCI "/0000:00:01.1/driver", NULL, DRIVER ("ata_piix") },
      { PCI "/0000:00:01.1/ata12", NULL, NULL } },
    "ide 0 0 0 0:0:1.1" },
  { "ide-old",
    PCI "/0000:00:01.1/host1/target1:0:0/1:0:0:0/block/sda",
    { { PCI "/0000:00:01.1/driver", NULL, DRIVER ("ata_piix") },
      { PCI "/0000:00:01.1/host0", NULL, NULL } },
    "ide 1 0 0 0:0:1.1" },
  { "sata",
    PCI "/0000:00:1f.2/ata5/host4/target4:0:0/4:0:0:0/block/sda",
    { { PCI "/0000:00:1f.2/driver", NULL, DRIVER ("ahci") },
      { PCI "/0000:00:1f.2/ata3", NULL, NULL },
      { PCI "/0000:00:1f.2/ata4", NULL, NULL } },
    "sata 0 0 2 0:0:31.2" },
  { "lsi",
    PCI "/0000:00:07.0/host1/target1:0:5/1:0:5:0/block/sda",
    { { PCI "/0000:00:07.0/driver", NULL, DRIVER ("sym53c8xx") } },
    "scsi 0 0 5 0:0:7.0" },
  { "nvme",
    PCI "/0000:00:08.0/nvme/nvme0/nvme0n1",
    { { PCI "/0000:00:08.0/driver", NULL, DRIVER ("nvme") } },
    "nvme 0 0 0 0:0:8.0" },
  { "usb",
    PCI "/0000:00:09.0/usb1/1-1/1-1:1.0/host5/target5:0:0/5:0:0:0/block/sdb",
    { { PCI "/0000:00:09.0/driver", NULL, DRIVER ("xhci_hcd") } },
    "usb 0 0 0 0:0:9.0" },
  { "ehci",
    PCI "/0000:00:09.7/usb1/1-1/1-1:1.0/host5/target5:0:0/5:0:0:0/block/sdb",
    { { PCI "/0000:00:09.7/driver", NULL, DRIVER ("ehci-pci") } },
    "usb 0 0 0 0:0:9.7" },
  { "other-driver",
    PCI "/0000:00:0a.0/host1/target1:0:5/1:0:5:0/block/sda",
    { { PCI "/0000:00:0a.0/driver", NULL, DRIVER ("megaraid_sas") } },
    "unknown 0 0 0 -1:-1:-1.-1" },
  { "no-driver", PCI "/0000:00:0a.0/block/sda", { { NULL } }, "unknown 0 0 0 -1:-1:-1.-1" },
  { "mmio",
    "/sys/devices/platform/a000000.virtio_mmio/virtio0/block/vda",
    { { NULL } },
    "virtio 0 0 0 -1:-1:-1.-1" },
  { "mmio-scsi",
    "/sys/devices/platform/a000000.virtio_mmio/virtio0/host0/target0:1:2/0:1:2:3/block/sda",
    { { NULL } },
    "scsi 1 2 3 -1:-1:-1.-1" },
  { "ccw",
    "/sys/devices/css0/0.1.0a0c/0.0.0108/virtio0/block/vda",
    { { NULL } },
    "virtio 0 0 0 -1:-1:-1.-1 0.1.2572.264" },
  { "xen", "/sys/devices/vbd-768/block/xvda", { { NULL } }, "unknown 0 0 0 -1:-1:-1.-1" },
};

static const char *
find_bus (QapiGuestDiskBusType type)
{
  return qapi_guest_disk_bus_type_to_string (type);
}

static char *
describe (const QapiGuestDiskAddress *address)
{
  const QapiGuestPCIAddress *pci = address->pci_controller;
  const QapiGuestCCWAddress *ccw = address->ccw_address;
  g_autofree char *text
    = g_strdup_printf ("%s %d %d %d %d:%d:%d.%d", find_bus (address->bus_type), (int) address->bus,
                       (int) address->target, (int) address->unit, (int) pci->domain,
                       (int) pci->bus, (int) pci->slot, (int) pci->function);

  if (ccw == NULL)
    return g_steal_pointer (&text);
  return g_strdup_printf ("%s %d.%d.%d.%d", text, (int) ccw->cssid, (int) ccw->ssid,
                          (int) ccw->subchno, (int) ccw->devno);
}

static void
test_address (gconstpointer data)
{
  const gsize i = GPOINTER_TO_SIZE (data);
  g_autofree char *uevent = g_strconcat (rows[i].path, "/uevent", NULL);
  TreeEntry entries[G_N_ELEMENTS (rows[i].more) + 1]
    = { { uevent, "MAJOR=8\nMINOR=16\nDEVNAME=disk\n", NULL } };
  g_autoptr (NegoBlockDevice) device = NULL;
  g_autoptr (QapiGuestDiskAddress) address = NULL;
  g_autofree char *said = NULL;
  gsize n = 1;
  char *root;

  for (; n <= G_N_ELEMENTS (rows[i].more) && rows[i].more[n - 1].path != NULL; n++)
    entries[n] = rows[i].more[n - 1];
  root = tree_new (entries, n);
  device = nego_block_device_new (root, rows[i].path);
  g_assert_nonnull (device);
  address = nego_block_device_new_address (root, device);
  said = describe (address);
  g_assert_cmpstr (said, ==, rows[i].address);
  g_assert_cmpstr (address->dev, ==, "/dev/disk");
  g_assert_null (address->serial);
  tree_free (root);
}

#define VIRTUAL "/sys/devices/virtual/block"
#define DISK    PCI "/0000:00:05.0/virtio2/block/vda"

/* dm-1 lies on dm-0 and on vda2, dm-0 on vda1. */
static const TreeEntry mapper[] = {
  { PCI "/0000:00:05.0/driver", NULL, DRIVER ("virtio-pci") },
  { DISK "/uevent", "MAJOR=254\nMINOR=0\nDEVNAME=vda\nDEVTYPE=disk\n", NULL },
  { DISK "/vda1/uevent", "MAJOR=254\nMINOR=1\nDEVNAME=vda1\nDEVTYPE=partition\n", NULL },
  { DISK "/vda2/uevent", "MAJOR=254\nMINOR=2\nDEVNAME=vda2\nDEVTYPE=partition\n", NULL },
  { VIRTUAL "/dm-0/uevent", "MAJOR=253\nMINOR=0\nDEVNAME=dm-0\n", NULL },
  { VIRTUAL "/dm-0/dm/name", "vg-inner\n", NULL },
  { VIRTUAL "/dm-0/slaves/vda1", NULL,
    "../../../../pci0000:00/0000:00:05.0/virtio2/block/vda/vda1" },
  { VIRTUAL "/dm-1/uevent", "MAJOR=253\nMINOR=1\nDEVNAME=dm-1\n", NULL },
  { VIRTUAL "/dm-1/dm/name", "vg-outer\n", NULL },
  { VIRTUAL "/dm-1/slaves/dm-0", NULL, "../../dm-0" },
  { VIRTUAL "/dm-1/slaves/vda2", NULL,
    "../../../../pci0000:00/0000:00:05.0/virtio2/block/vda/vda2" },
  { VIRTUAL "/loop0/uevent", "MAJOR=7\nMINOR=0\nDEVNAME=loop0\n", NULL },
  { "/sys/dev/block/253:1", NULL, "../../devices/virtual/block/dm-1" },
  { "/sys/dev/block/7:0", NULL, "../../devices/virtual/block/loop0" },
  { "/run/udev/data/b254:1", "S:disk/by-id/x\nE:ID_SERIAL=a serial\nE:ID_SERIAL_SHORT=x\n", NULL },
  { "/run/udev/data/b254:2", "E:ID_SERIAL=\n", NULL },
  { "/run/udev/data/b253:1", "E:DM_NAME=vg-by-udev\n", NULL },
};

static char *
list_disks (const char *root, const char *path)
{
  g_autoptr (NegoBlockDevice) device = nego_block_device_new (root, path);
  g_autoptr (GPtrArray) disks
    = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_guest_disk_address_free);
  GString *text = g_string_new (NULL);

  g_assert_nonnull (device);
  nego_block_device_add_disks (root, device, disks);
  for (guint i = 0; i < disks->len; i++) {
    const QapiGuestDiskAddress *address = disks->pdata[i];

    g_string_append_printf (text, "%s %s (%s); ", find_bus (address->bus_type), address->dev,
                            address->serial != NULL ? address->serial : "none");
  }
  return g_string_free (text, FALSE);
}

static void
test_disks_below (void)
{
  char *root = tree_new (mapper, G_N_ELEMENTS (mapper));
  g_autofree char *below_outer = list_disks (root, "/sys/dev/block/253:1");
  g_autofree char *below_loop = list_disks (root, "/sys/dev/block/7:0");
  g_autofree char *of_disk = list_disks (root, DISK);

  g_assert_cmpstr (below_outer, ==, "virtio /dev/vda1 (a serial); virtio /dev/vda2 (none); ");
  g_assert_cmpstr (below_loop, ==, "");
  g_assert_cmpstr (of_disk, ==, "virtio /dev/vda (none); ");
  tree_free (root);
}

static void
test_names (void)
{
  char *root = tree_new (mapper, G_N_ELEMENTS (mapper));
  g_autoptr (NegoBlockDevice) outer = nego_block_device_new (root, "/sys/dev/block/253:1");
  g_autoptr (NegoBlockDevice) inner = nego_block_device_new (root, VIRTUAL "/dm-0");
  g_autoptr (NegoBlockDevice) none = nego_block_device_new (root, "/sys/dev/block/9:9");

  g_assert_null (none);
  g_assert_cmpstr (outer->path, ==, VIRTUAL "/dm-1");
  g_assert_cmpstr (outer->name, ==, "dm-1");
  g_assert_cmpstr (outer->node, ==, "/dev/dm-1");
  g_assert_cmpstr (outer->alias, ==, "vg-by-udev");
  g_assert_true (outer->is_virtual);
  g_assert_cmpstr (inner->alias, ==, "vg-inner");
  tree_free (root);
}

/* Devices that the kernel would not allow: on themselves, and on more than the limit. */
static void
test_bounds (void)
{
  const guint n = NEGO_BLOCK_DEVICE_DISKS + 1;
  g_autofree TreeEntry *entries = g_new0 (TreeEntry, 2 * n + 3);
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *of_loop = NULL;
  g_autofree char *of_many = NULL;
  char *root;

  for (guint i = 0; i < n; i++) {
    char *disk = g_strdup_printf ("/sys/devices/vbd-%u/uevent", i);
    char *slave = g_strdup_printf (VIRTUAL "/md0/slaves/x%u", i);
    char *target = g_strdup_printf ("../../../../vbd-%u", i);

    entries[2 * i] = (TreeEntry){ disk, "DEVNAME=x\n", NULL };
    entries[2 * i + 1] = (TreeEntry){ slave, NULL, target };
    g_ptr_array_add (texts, disk);
    g_ptr_array_add (texts, slave);
    g_ptr_array_add (texts, target);
  }
  entries[2 * n] = (TreeEntry){ VIRTUAL "/md0/uevent", "DEVNAME=md0\n", NULL };
  entries[2 * n + 1] = (TreeEntry){ VIRTUAL "/dm-0/uevent", "DEVNAME=dm-0\n", NULL };
  entries[2 * n + 2] = (TreeEntry){ VIRTUAL "/dm-0/slaves/dm-0", NULL, "../../dm-0" };
  root = tree_new (entries, 2 * n + 3);
  of_loop = list_disks (root, VIRTUAL "/dm-0");
  of_many = list_disks (root, VIRTUAL "/md0");
  g_assert_cmpstr (of_loop, ==, "");
  g_assert_cmpuint (strlen (of_many), ==,
                    NEGO_BLOCK_DEVICE_DISKS * strlen ("unknown /dev/x (none); "));
  tree_free (root);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/block-device/address/%s", rows[i].name);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_address);
  }
  g_test_add_func ("/block-device/disks-below", test_disks_below);
  g_test_add_func ("/block-device/names", test_names);
  g_test_add_func ("/block-device/bounds", test_bounds);
  return g_test_run ();
}
