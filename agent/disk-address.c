/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/disk-address.h"

#include "agent/sysfs.h"

#include <stdio.h>
#include <string.h>

/* The numbers of a SCSI device, "HOST:CHANNEL:TARGET:LUN". */
typedef struct {
  gboolean known;
  guint channel, target, lun;
} NegoDiskAddressScsi;

typedef struct {
  const char *root;
  const char *controller; /* the directory of the PCI function, or NULL */
  char **parts;           /* of the device's path */
  NegoDiskAddressScsi scsi;
  QapiGuestDiskAddress *address;
} NegoDiskAddressFind;

/* Leaves @scsi as it is where @text is something else. */
static gboolean
nego_disk_address_parse_scsi (const char *text, NegoDiskAddressScsi *scsi)
{
  NegoDiskAddressScsi found = { .known = TRUE };
  guint host;
  int end = 0;

  if (sscanf (text, "%u:%u:%u:%u%n", &host, &found.channel, &found.target, &found.lun, &end) != 4
      || text[end] != '\0')
    return FALSE;
  *scsi = found;
  return TRUE;
}

static gboolean
nego_disk_address_parse_pci (const char *text, QapiGuestPCIAddress *pci)
{
  guint domain, bus, slot, function;
  int end = 0;

  if (sscanf (text, "%x:%x:%x.%x%n", &domain, &bus, &slot, &function, &end) != 4
      || text[end] != '\0')
    return FALSE;
  pci->domain = domain;
  pci->bus = bus;
  pci->slot = slot;
  pci->function = function;
  return TRUE;
}

/* The place of this device's @prefix ("ata3") among its siblings' by number; the numbers themselves
 * count over all controllers. -1: it has none. */
static gint64
nego_disk_address_index (const NegoDiskAddressFind *find, const char *prefix)
{
  g_autoptr (GPtrArray) names = nego_sysfs_list (find->root, find->controller, NULL);
  gint64 index = 0;

  for (guint i = 0; names != NULL && i < names->len; i++) {
    const char *name = names->pdata[i];

    if (!g_str_has_prefix (name, prefix) || !g_ascii_isdigit (name[strlen (prefix)]))
      continue;
    if (g_strv_contains ((const char *const *) find->parts, name))
      return index;
    index++;
  }
  return -1;
}

static gint64
nego_disk_address_port (const NegoDiskAddressFind *find)
{
  gint64 index = nego_disk_address_index (find, "ata");

  /* Of kernels before 3.0. */
  if (index < 0)
    index = nego_disk_address_index (find, "host");
  return MAX (index, 0);
}

static void
nego_disk_address_set_ide (NegoDiskAddressFind *find)
{
  find->address->bus_type = QAPI_GUEST_DISK_BUS_TYPE_IDE;
  find->address->bus = nego_disk_address_port (find);
  find->address->unit = find->scsi.target;
}

static void
nego_disk_address_set_scsi_target (NegoDiskAddressFind *find)
{
  find->address->bus_type = QAPI_GUEST_DISK_BUS_TYPE_SCSI;
  find->address->unit = find->scsi.target;
}

static void
nego_disk_address_set_virtio (NegoDiskAddressFind *find)
{
  find->address->bus_type
    = find->scsi.known ? QAPI_GUEST_DISK_BUS_TYPE_SCSI : QAPI_GUEST_DISK_BUS_TYPE_VIRTIO;
  find->address->bus = find->scsi.channel;
  find->address->target = find->scsi.target;
  find->address->unit = find->scsi.lun;
}

static void
nego_disk_address_set_sata (NegoDiskAddressFind *find)
{
  find->address->bus_type = QAPI_GUEST_DISK_BUS_TYPE_SATA;
  find->address->unit = nego_disk_address_port (find);
}

static void
nego_disk_address_set_nvme (NegoDiskAddressFind *find)
{
  find->address->bus_type = QAPI_GUEST_DISK_BUS_TYPE_NVME;
}

static void
nego_disk_address_set_usb (NegoDiskAddressFind *find)
{
  find->address->bus_type = QAPI_GUEST_DISK_BUS_TYPE_USB;
}

static const struct {
  const char *driver;
  void (*set) (NegoDiskAddressFind *find);
} controllers[] = {
  { "virtio-pci", nego_disk_address_set_virtio },     { "ahci", nego_disk_address_set_sata },
  { "ata_piix", nego_disk_address_set_ide },          { "nvme", nego_disk_address_set_nvme },
  { "sym53c8xx", nego_disk_address_set_scsi_target }, { "xhci_hcd", nego_disk_address_set_usb },
  { "ehci-pci", nego_disk_address_set_usb },
};

static gboolean
nego_disk_address_set_controller (NegoDiskAddressFind *find, const QapiGuestPCIAddress *pci)
{
  g_autofree char *link = g_strconcat (find->controller, "/driver", NULL);
  g_autofree char *target = nego_sysfs_read_link (find->root, link);
  g_autofree char *driver = target != NULL ? g_path_get_basename (target) : NULL;

  for (gsize i = 0; driver != NULL && i < G_N_ELEMENTS (controllers); i++) {
    if (!g_str_equal (driver, controllers[i].driver))
      continue;
    *find->address->pci_controller = *pci;
    controllers[i].set (find);
    return TRUE;
  }
  return FALSE;
}

/* The first function on the way to the disk that is a controller, and no bridge. */
static void
nego_disk_address_find_pci (NegoDiskAddressFind *find)
{
  g_autoptr (GString) dir = g_string_new (NULL);
  QapiGuestPCIAddress pci;

  /* The path begins with a slash, so the first part is empty. */
  for (gsize i = 1; find->parts[i] != NULL; i++) {
    g_string_append_printf (dir, "/%s", find->parts[i]);
    if (!nego_disk_address_parse_pci (find->parts[i], &pci))
      continue;
    find->controller = dir->str;
    if (nego_disk_address_set_controller (find, &pci))
      return;
  }
}

/* "/sys/devices/css0/0.SSID.SUBCHNO/0.X.DEVNO/virtio0/…" */
static void
nego_disk_address_find_ccw (NegoDiskAddressFind *find, const char *path)
{
  guint cssid, ssid, subchno, devno;
  QapiGuestCCWAddress *ccw;

  if (sscanf (path, "/sys/devices/css%x/%*x.%x.%x/%*x.%*x.%x/", &cssid, &ssid, &subchno, &devno)
      != 4)
    return;
  ccw = qapi_guest_ccw_address_new ();
  ccw->cssid = cssid;
  ccw->ssid = ssid;
  ccw->subchno = subchno;
  ccw->devno = devno;
  find->address->ccw_address = ccw;
  if (strstr (path, "/virtio") != NULL)
    nego_disk_address_set_virtio (find);
}

void
nego_disk_address_find (const char *root, const char *path, QapiGuestDiskAddress *address)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  NegoDiskAddressFind find = { .root = root, .parts = parts, .address = address };
  QapiGuestPCIAddress *pci = qapi_guest_pci_address_new ();

  pci->domain = pci->bus = pci->slot = pci->function = -1;
  address->pci_controller = pci;
  address->bus_type = QAPI_GUEST_DISK_BUS_TYPE_UNKNOWN;
  for (gsize i = 0; parts[i] != NULL; i++)
    if (nego_disk_address_parse_scsi (parts[i], &find.scsi))
      break;
  if (g_str_has_prefix (path, "/sys/devices/pci"))
    nego_disk_address_find_pci (&find);
  else if (g_str_has_prefix (path, "/sys/devices/css"))
    nego_disk_address_find_ccw (&find, path);
  else if (strstr (path, "/virtio") != NULL)
    nego_disk_address_set_virtio (&find);
}
