/* SPDX-License-Identifier: MIT */
/* guest-get-disks, guest-get-diskstats, guest-get-fsinfo, guest-fstrim, on trees like a machine's.
 */
#include "config.h"

#include "agent/fs-usage.h"
#include "agent/nvme-smart.h"
#include "tests/helpers/agent-fixture.h"
#include "tests/helpers/tree.h"

#include <errno.h>
#include <string.h>

#define PCI     "/sys/devices/pci0000:00"
#define VDA     PCI "/0000:00:05.0/virtio2/block/vda"
#define NVME    PCI "/0000:00:08.0/nvme/nvme0/nvme0n1"
#define VIRTUAL "/sys/devices/virtual/block"

#define VDA_ADDRESS(rest)                                                            \
  "{\"pci-controller\": {\"domain\": 0, \"bus\": 0, \"slot\": 5, \"function\": 0}, " \
  "\"bus-type\": \"virtio\", \"bus\": 0, \"target\": 0, \"unit\": 0, " rest "}"

static const TreeEntry machine[] = {
  { PCI "/0000:00:05.0/driver", NULL, "../../../bus/pci/drivers/virtio-pci" },
  { PCI "/0000:00:08.0/driver", NULL, "../../../bus/pci/drivers/nvme" },
  { VDA "/uevent", "MAJOR=254\nMINOR=0\nDEVNAME=vda\nDEVTYPE=disk\n", NULL },
  { VDA "/size", "41943040\n", NULL },
  { VDA "/slaves", NULL, NULL },
  { VDA "/vda1/uevent", "MAJOR=254\nMINOR=1\nDEVNAME=vda1\nDEVTYPE=partition\n", NULL },
  { VDA "/vda1/partition", "1\n", NULL },
  { VDA "/vda2/uevent", "MAJOR=254\nMINOR=2\nDEVNAME=vda2\nDEVTYPE=partition\n", NULL },
  { VDA "/vda2/partition", "2\n", NULL },
  { VDA "/vda-no-partition/uevent", "DEVNAME=x\n", NULL },
  { NVME "/uevent", "MAJOR=259\nMINOR=0\nDEVNAME=nvme0n1\nDEVTYPE=disk\n", NULL },
  { NVME "/size", "8\n", NULL },
  { VIRTUAL "/dm-0/uevent", "MAJOR=253\nMINOR=0\nDEVNAME=dm-0\n", NULL },
  { VIRTUAL "/dm-0/size", "8\n", NULL },
  { VIRTUAL "/dm-0/dm/name", "vg-root\n", NULL },
  { VIRTUAL "/dm-0/slaves/vda2", NULL,
    "../../../../pci0000:00/0000:00:05.0/virtio2/block/vda/vda2" },
  { VIRTUAL "/loop0/uevent", "MAJOR=7\nMINOR=0\nDEVNAME=loop0\n", NULL },
  { VIRTUAL "/loop0/size", "0\n", NULL },
  { "/sys/block/vda", NULL, "../devices/pci0000:00/0000:00:05.0/virtio2/block/vda" },
  { "/sys/block/nvme0n1", NULL, "../devices/pci0000:00/0000:00:08.0/nvme/nvme0/nvme0n1" },
  { "/sys/block/dm-0", NULL, "../devices/virtual/block/dm-0" },
  { "/sys/block/loop0", NULL, "../devices/virtual/block/loop0" },
  { "/sys/dev/block/254:1", NULL, "../../devices/pci0000:00/0000:00:05.0/virtio2/block/vda/vda1" },
  { "/sys/dev/block/253:0", NULL, "../../devices/virtual/block/dm-0" },
  { "/run/udev/data/b254:1", "E:ID_SERIAL=S1\n", NULL },
  { "/proc/self/mountinfo",
    "21 26 0:20 / /proc rw - proc proc rw\n"
    "26 1 253:0 / /dm rw - ext4 /dev/dm-0 rw\n"
    "27 26 254:1 / /boot\\040x rw - vfat /dev/vda1 rw\n"
    "28 26 9:9 / /gone rw - xfs /dev/gone rw\n",
    NULL },
  { "/proc/diskstats",
    "   7       0 loop0 1 2 3 4 5 6 7 8 9 10 11\n"
    " 254       0 vda 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25\n"
    " 254       1 vda1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 99\n"
    "   8       1 sda1 31 32 33 18446744073709551615\n"
    "   8       2 sda2 1 2\n"
    "\n   8\n 8 3\n 8 4 sda4\nx y z\n",
    NULL },
};

static void
set_up_tree (AgentFixture *fixture, const TreeEntry *entries, gsize n)
{
  agent_fixture_set_up (fixture, NULL);
  if (fixture->dir != NULL)
    fixture->agent->root = tree_new (entries, n);
}

static void
set_up (AgentFixture *fixture, gconstpointer data)
{
  set_up_tree (fixture, machine, G_N_ELEMENTS (machine));
}

static void
set_up_empty (AgentFixture *fixture, gconstpointer data)
{
  set_up_tree (fixture, NULL, 0);
}

static void
tear_down (AgentFixture *fixture, gconstpointer data)
{
  char *root = fixture->dir != NULL ? (char *) fixture->agent->root : NULL;

  agent_fixture_tear_down (fixture, NULL);
  g_clear_pointer (&root, tree_free);
}

static void
check (AgentFixture *fixture, const char *command, const char *reply)
{
  g_autofree char *request = g_strdup_printf ("{'execute':'%s'}", command);
  g_autofree char *line = NULL;

  agent_fixture_tell (fixture, request);
  line = agent_fixture_hear (fixture);
  g_assert_cmpstr (line, ==, reply);
}

static void
answer_smart (const char *name, gpointer answer)
{
  NegoNvmeSmart *smart = answer;

  g_assert_cmpstr (name, ==, "/dev/nvme0n1");
  smart->known = TRUE;
  smart->page[1] = 0x2c;
  smart->page[2] = 0x01;
  smart->page[32 + 16 * 9 + 8] = 5;
}

static void
use_smart (AgentFixture *fixture, NegoSurveyFunc func)
{
  nego_survey_free (fixture->agent->smart);
  fixture->agent->smart = nego_survey_new (fixture->agent->offload, func, sizeof (NegoNvmeSmart));
}

static void
use_usage (AgentFixture *fixture, NegoSurveyFunc func)
{
  nego_survey_free (fixture->agent->usage);
  fixture->agent->usage = nego_survey_new (fixture->agent->offload, func, sizeof (NegoFsUsage));
}

#define DISKS_BEFORE                                                                            \
  "{\"return\": [{\"name\": \"/dev/vda2\", \"partition\": true, \"dependencies\": "             \
  "[\"/dev/vda\"]}, "                                                                           \
  "{\"name\": \"/dev/vda1\", \"partition\": true, \"dependencies\": [\"/dev/vda\"]}, "          \
  "{\"name\": \"/dev/vda\", \"partition\": false, \"dependencies\": [], "                       \
  "\"address\": " VDA_ADDRESS (                                                                 \
    "\"dev\": \"/dev/vda\"") "}, "                                                              \
                             "{\"name\": \"/dev/nvme0n1\", \"partition\": false, \"address\": " \
                             "{\"pci-controller\": "                                            \
                             "{\"domain\": 0, \"bus\": 0, \"slot\": 8, \"function\": 0}, "      \
                             "\"bus-type\": \"nvme\", "                                         \
                             "\"bus\": 0, \"target\": 0, \"unit\": 0, \"dev\": \"/dev/nvme0n1\"}"
#define DISKS_AFTER                                                                        \
  "}, {\"name\": \"/dev/dm-0\", \"partition\": false, \"dependencies\": [\"/dev/vda2\"], " \
  "\"alias\": \"vg-root\"}]}"
#define ZERO(name) "\"" name "-lo\": 0, \"" name "-hi\": 0, "
#define SMART                                                                                     \
  ", \"smart\": {\"critical-warning\": 0, \"temperature\": 300, \"available-spare\": 0, "         \
  "\"available-spare-threshold\": 0, \"percentage-used\": 0, " ZERO ("data-units-read")           \
    ZERO ("data-units-written") ZERO ("host-read-commands") ZERO ("host-write-commands")          \
      ZERO ("controller-busy-time") ZERO ("power-cycles") ZERO ("power-on-hours")                 \
        ZERO ("unsafe-shutdowns") ZERO ("media-errors") "\"number-of-error-log-entries-lo\": 0, " \
                                                        "\"number-of-error-log-entries-hi\": 5, " \
                                                        "\"type\": \"nvme\"}"

static void
test_disks (AgentFixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  use_smart (fixture, answer_smart);
  check (fixture, "guest-get-disks", DISKS_BEFORE SMART DISKS_AFTER);
}

/* The real way to ask finds no such disk in the tree, or somebody else's. */
static void
answer_not (const char *name, gpointer answer)
{
}

static void
test_disks_without_smart (AgentFixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  use_smart (fixture, answer_not);
  check (fixture, "guest-get-disks", DISKS_BEFORE DISKS_AFTER);
}

static void
answer_usage (const char *path, gpointer answer)
{
  NegoFsUsage *usage = answer;

  usage->known = g_str_equal (path, "/dm");
  usage->used = G_GUINT64_CONSTANT (10000000000000000000);
  usage->total = 2;
  usage->privileged = 3;
}

#define GONE                                                                                   \
  "{\"return\": [{\"name\": \"9:9\", \"mountpoint\": \"/gone\", \"type\": \"xfs\", \"disk\": " \
  "[]}, "
#define BOOT                                                                         \
  "{\"name\": \"vda1\", \"mountpoint\": \"/boot x\", \"type\": \"vfat\", \"disk\": " \
  "[" VDA_ADDRESS ("\"serial\": \"S1\", \"dev\": \"/dev/vda1\"") "]}, "
#define DM_DISK "\"disk\": [" VDA_ADDRESS ("\"dev\": \"/dev/vda2\"") "]}]}"

#define FSINFO_KNOWN                                                             \
  GONE BOOT "{\"name\": \"dm-0\", \"mountpoint\": \"/dm\", \"type\": \"ext4\", " \
            "\"used-bytes\": 10000000000000000000, \"total-bytes\": 2, "         \
            "\"total-bytes-privileged\": 3, " DM_DISK

static void
test_fsinfo (AgentFixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  use_usage (fixture, answer_usage);
  check (fixture, "guest-get-fsinfo", FSINFO_KNOWN);
}

/* A second request behind it has all figures, too. */
static void
test_fsinfo_twice (AgentFixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  use_usage (fixture, answer_usage);
  agent_fixture_tell (fixture, "{'execute':'guest-get-fsinfo'}\n{'execute':'guest-get-fsinfo'}\n");
  for (guint i = 0; i < 2; i++) {
    g_autofree char *line = agent_fixture_hear (fixture);

    g_assert_cmpstr (line, ==, FSINFO_KNOWN);
  }
}

/* A file system that does not answer until the test lets it. */
static struct {
  GMutex lock;
  GCond changed;
  gboolean is_open;
} gate;

static void
answer_at_gate (const char *path, gpointer answer)
{
  g_mutex_lock (&gate.lock);
  while (g_str_equal (path, "/dm") && !gate.is_open)
    g_cond_wait (&gate.changed, &gate.lock);
  g_mutex_unlock (&gate.lock);
}

static void
gate_open (void)
{
  g_mutex_lock (&gate.lock);
  gate.is_open = TRUE;
  g_cond_broadcast (&gate.changed);
  g_mutex_unlock (&gate.lock);
}

/* It is listed without figures, now and when it is still dead the next time. */
static void
test_fsinfo_dead (AgentFixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  use_usage (fixture, answer_at_gate);
  for (guint i = 0; i < 3; i++)
    check (fixture, "guest-get-fsinfo",
           GONE BOOT "{\"name\": \"dm-0\", \"mountpoint\": \"/dm\", \"type\": \"ext4\", " DM_DISK);
  gate_open ();
}

/* A sync behind the request is answered though the file system is not. */
static void
test_fsinfo_and_sync (AgentFixture *fixture, gconstpointer data)
{
  g_autofree char *line = NULL;

  if (fixture->dir == NULL)
    return;
  gate.is_open = FALSE;
  use_usage (fixture, answer_at_gate);
  agent_fixture_tell (fixture, "{'execute':'guest-get-fsinfo','id':1}\n"
                               "{'execute':'guest-sync','arguments':{'id':7}}\n");
  do {
    g_clear_pointer (&line, g_free);
    line = agent_fixture_hear (fixture);
    /* On a machine that does nothing else for two seconds, the figures' deadline is first. */
  } while (strstr (line, "\"id\": 1") != NULL);
  g_assert_cmpstr (line, ==, "{\"return\": 7}");
  gate_open ();
}

static int
trim (const char *path, int fd, guint64 *trimmed, guint64 *minimum)
{
  if (g_str_equal (path, "/"))
    return ENOTTY;
  if (g_str_equal (path, "/tmp"))
    return EINVAL;
  *trimmed = 4096 + *minimum;
  *minimum = MAX (*minimum, 512);
  return 0;
}

/* A file can be a mount point, too. */
#define TRIM_MOUNTS                                             \
  "1 0 8:1 / / rw - ext4 x rw\n2 0 8:2 / /tmp rw - ext4 x rw\n" \
  "3 0 8:3 / /dev/null rw - ext4 x rw\n4 0 8:4 / /nonexistent rw - ext4 x rw\n"
#define TRIMMED(figures)                                                                         \
  "{\"return\": {\"paths\": [{\"path\": \"/nonexistent\", \"error\": \"failed to open: No such " \
  "file or directory\"}, {\"path\": \"/dev/null\", " figures "}, "                               \
  "{\"path\": \"/tmp\", \"error\": \"failed to trim: Invalid argument\"}, "                      \
  "{\"path\": \"/\", \"error\": \"trim not supported\"}]}}"

static void
test_fstrim (AgentFixture *fixture, gconstpointer data)
{
  g_autofree char *path = NULL;
  g_autofree char *line = NULL;
  g_autofree char *second = NULL;

  if (fixture->dir == NULL)
    return;
  path = g_strconcat (fixture->agent->root, "/proc/self/mountinfo", NULL);
  g_assert_true (g_file_set_contents (path, TRIM_MOUNTS, -1, NULL));
  fixture->agent->trim_func = trim;
  check (fixture, "guest-fstrim", TRIMMED ("\"trimmed\": 4096, \"minimum\": 512"));
  agent_fixture_tell (fixture, "{'execute':'guest-fstrim','arguments':{'minimum':1000}}");
  line = agent_fixture_hear (fixture);
  g_assert_cmpstr (line, ==, TRIMMED ("\"trimmed\": 5096, \"minimum\": 1000"));
  agent_fixture_tell (fixture, "{'execute':'guest-fstrim','arguments':{'minimum':-1}}");
  second = agent_fixture_hear (fixture);
  g_assert_cmpstr (second, ==, TRIMMED ("\"trimmed\": 4095, \"minimum\": -1"));
}

/* One behind another is no second one at the same time. */
static void
test_fstrim_twice (AgentFixture *fixture, gconstpointer data)
{
  g_autofree char *path = NULL;

  if (fixture->dir == NULL)
    return;
  path = g_strconcat (fixture->agent->root, "/proc/self/mountinfo", NULL);
  g_assert_true (g_file_set_contents (path, "1 0 8:1 / / rw - ext4 x rw\n", -1, NULL));
  fixture->agent->trim_func = trim;
  agent_fixture_tell (fixture, "{'execute':'guest-fstrim'}\n{'execute':'guest-fstrim'}\n");
  for (guint i = 0; i < 2; i++) {
    g_autofree char *line = agent_fixture_hear (fixture);

    g_assert_cmpstr (
      line, ==,
      "{\"return\": {\"paths\": [{\"path\": \"/\", \"error\": \"trim not supported\"}]}}");
  }
}

static int
trim_at_gate (const char *path, int fd, guint64 *trimmed, guint64 *minimum)
{
  g_mutex_lock (&gate.lock);
  while (!gate.is_open)
    g_cond_wait (&gate.changed, &gate.lock);
  g_mutex_unlock (&gate.lock);
  return ENOTTY;
}

/* While one goes on: a sync is answered, then a ping, and a second one is refused. */
static void
test_fstrim_goes_on (AgentFixture *fixture, gconstpointer data)
{
  g_autofree char *path = NULL;
  g_autofree char *line = NULL;

  if (fixture->dir == NULL)
    return;
  path = g_strconcat (fixture->agent->root, "/proc/self/mountinfo", NULL);
  g_assert_true (g_file_set_contents (path, "1 0 8:1 / / rw - ext4 x rw\n", -1, NULL));
  gate.is_open = FALSE;
  fixture->agent->trim_func = trim_at_gate;
  agent_fixture_tell (fixture, "{'execute':'guest-fstrim'}\n"
                               "{'execute':'guest-sync','arguments':{'id':7}}\n");
  line = agent_fixture_hear (fixture);
  g_assert_cmpstr (line, ==, "{\"return\": 7}");
  check (fixture, "guest-ping", "{\"return\": {}}");
  agent_fixture_assert_error (fixture, "guest-fstrim", "{}", "a guest-fstrim goes on already");
  gate_open ();
  while (fixture->agent->trim != NULL)
    g_main_context_iteration (NULL, TRUE);
  check (fixture, "guest-fstrim",
         "{\"return\": {\"paths\": [{\"path\": \"/\", \"error\": \"trim not supported\"}]}}");
}

static void
test_diskstats (AgentFixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  check (fixture, "guest-get-diskstats",
         "{\"return\": ["
         "{\"name\": \"loop0\", \"major\": 7, \"minor\": 0, \"stats\": {"
         "\"read-sectors\": 3, \"read-ios\": 1, \"read-merges\": 2, \"write-sectors\": 7, "
         "\"write-ios\": 5, \"write-merges\": 6, \"read-ticks\": 4, \"write-ticks\": 8, "
         "\"ios-pgr\": 9, \"total-ticks\": 10, \"weight-ticks\": 11}}, "
         "{\"name\": \"vda\", \"major\": 254, \"minor\": 0, \"stats\": {"
         "\"read-sectors\": 13, \"read-ios\": 11, \"read-merges\": 12, \"write-sectors\": 17, "
         "\"write-ios\": 15, \"write-merges\": 16, \"discard-sectors\": 24, \"discard-ios\": 22, "
         "\"discard-merges\": 23, \"read-ticks\": 14, \"write-ticks\": 18, "
         "\"discard-ticks\": 25, \"ios-pgr\": 19, \"total-ticks\": 20, \"weight-ticks\": 21}}, "
         "{\"name\": \"vda1\", \"major\": 254, \"minor\": 1, \"stats\": {"
         "\"read-sectors\": 3, \"read-ios\": 1, \"read-merges\": 2, \"write-sectors\": 7, "
         "\"write-ios\": 5, \"write-merges\": 6, \"discard-sectors\": 14, \"discard-ios\": 12, "
         "\"discard-merges\": 13, \"flush-ios\": 16, \"read-ticks\": 4, \"write-ticks\": 8, "
         "\"discard-ticks\": 15, \"flush-ticks\": 17, \"ios-pgr\": 9, \"total-ticks\": 10, "
         "\"weight-ticks\": 11}}, "
         "{\"name\": \"sda1\", \"major\": 8, \"minor\": 1, \"stats\": {"
         "\"read-sectors\": 32, \"read-ios\": 31, \"write-sectors\": 18446744073709551615, "
         "\"write-ios\": 33}}, "
         "{\"name\": \"sda2\", \"major\": 8, \"minor\": 2, \"stats\": {}}]}");
}

static void
test_errors (AgentFixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  agent_fixture_assert_error (fixture, "guest-get-disks", "{}",
                              "Can't open directory \"/sys/block\": No such file or directory");
  agent_fixture_assert_error (fixture, "guest-get-diskstats", "{}",
                              "open(\"/proc/diskstats\"): No such file or directory");
  agent_fixture_assert_error (
    fixture, "guest-get-fsinfo", "{}",
    "failed to open mtab file: '/proc/self/mountinfo': No such file or directory");
  agent_fixture_assert_error (
    fixture, "guest-fstrim", "{}",
    "failed to open mtab file: '/proc/self/mountinfo': No such file or directory");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/cmd-disks/" name, AgentFixture, NULL, set_up, func, tear_down)
  ADD ("disks", test_disks);
  ADD ("disks-without-smart", test_disks_without_smart);
  ADD ("fsinfo", test_fsinfo);
  ADD ("fsinfo-twice", test_fsinfo_twice);
  ADD ("fsinfo-dead", test_fsinfo_dead);
  ADD ("fsinfo-and-sync", test_fsinfo_and_sync);
  ADD ("diskstats", test_diskstats);
  ADD ("fstrim", test_fstrim);
  ADD ("fstrim-twice", test_fstrim_twice);
  ADD ("fstrim-goes-on", test_fstrim_goes_on);
  g_test_add ("/cmd-disks/errors", AgentFixture, NULL, set_up_empty, test_errors, tear_down);
  return g_test_run ();
}
