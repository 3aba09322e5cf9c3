/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "host-client/discover.h"

/* A running guest as libvirt 9 describes it, shortened where nothing is of interest. */
static const char running_guest[]
  = "<domain type='kvm' id='3'>\n"
    "  <name>web &amp; co</name>\n"
    "  <metadata><x:channel xmlns:x='http://example.org/x'>"
    "<x:target type='virtio' name='org.qemu.guest_agent.0'/></x:channel></metadata>\n"
    "  <devices>\n"
    "    <serial type='pty'><source path='/dev/pts/3'/><target port='0'/></serial>\n"
    "    <channel type='unix'>\n"
    "      <source mode='bind' path='/run/libvirt/qemu/channel/3-web/org.qemu.guest_agent.0'/>\n"
    "      <target type='virtio' name='org.qemu.guest_agent.0' state='connected'/>\n"
    "      <alias name='channel0'/>\n"
    "      <address type='virtio-serial' controller='0' bus='0' port='1'/>\n"
    "    </channel>\n"
    "    <channel type='unix'>\n"
    "      <source mode='bind' path='/tmp/a &lt;b&gt;'/>\n"
    "      <target type='virtio' name='negotiator-host-to-guest.0' state='disconnected'/>\n"
    "    </channel>\n"
    "    <channel type='spicevmc'>\n"
    "      <target type='virtio' name='com.redhat.spice.0' state='disconnected'/>\n"
    "    </channel>\n"
    "    <channel type='unix'>\n"
    "      <source mode='connect' path='/run/other'/>\n"
    "      <target type='virtio' name='other.0'/>\n"
    "    </channel>\n"
    "    <channel type='pty'>\n"
    "      <target type='guestfwd' address='10.0.2.1' port='4600'/>\n"
    "    </channel>\n"
    "  </devices>\n"
    "</domain>\n";

static void
test_running (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) channels = nego_discover_channels (running_guest, &error);
  const NegoChannel *channel;

  g_assert_no_error (error);
  g_assert_cmpuint (channels->len, ==, 4);
  channel = nego_discover_find (channels, NEGO_PORT_QGA);
  g_assert_cmpstr (channel->path, ==, "/run/libvirt/qemu/channel/3-web/org.qemu.guest_agent.0");
  g_assert_true (channel->connected);
  channel = nego_discover_find (channels, NEGO_PORT_HOST_TO_GUEST);
  g_assert_cmpstr (channel->path, ==, "/tmp/a <b>");
  g_assert_false (channel->connected);
}

/* A socket that QEMU connects to, or none at all, is nothing to connect to. */
static void
test_no_path (void)
{
  g_autoptr (GPtrArray) channels = nego_discover_channels (running_guest, NULL);

  g_assert_null (nego_discover_find (channels, "other.0")->path);
  g_assert_null (nego_discover_find (channels, "com.redhat.spice.0")->path);
  g_assert_null (nego_discover_find (channels, "nothing.0"));
}

/* As virsh define leaves it: libvirt chooses the path when the guest starts. */
static void
test_off (void)
{
  static const char xml[]
    = "<domain type='qemu'><name>off</name><devices>"
      "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
      "</devices></domain>";
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) channels = nego_discover_channels (xml, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (channels->len, ==, 1);
  g_assert_null (nego_discover_find (channels, NEGO_PORT_QGA)->path);
  g_assert_false (nego_discover_find (channels, NEGO_PORT_QGA)->connected);
}

/* The path of one channel is not the next one's. */
static void
test_source_without_target (void)
{
  static const char xml[] = "<domain><devices>"
                            "<channel type='unix'><source mode='bind' path='/a'/></channel>"
                            "<channel type='unix'><target type='virtio' name='b'/></channel>"
                            "</devices></domain>";
  g_autoptr (GPtrArray) channels = nego_discover_channels (xml, NULL);

  g_assert_cmpuint (channels->len, ==, 1);
  g_assert_null (nego_discover_find (channels, "b")->path);
}

static void
test_without_channels (void)
{
  g_autoptr (GPtrArray) channels
    = nego_discover_channels ("<domain type='test'><name>test</name></domain>", NULL);

  g_assert_cmpuint (channels->len, ==, 0);
}

static void
test_broken (void)
{
  static const char *const texts[] = { "", "<domain>", "<domain></other>", "no XML" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (nego_discover_channels (texts[i], &error));
    g_assert_error (error, NEGO_ERROR, NEGO_ERROR_PARSE);
    g_assert_true (g_str_has_prefix (error->message, "cannot read libvirt's XML of the guest: "));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/discover/running", test_running);
  g_test_add_func ("/discover/no-path", test_no_path);
  g_test_add_func ("/discover/off", test_off);
  g_test_add_func ("/discover/source-without-target", test_source_without_target);
  g_test_add_func ("/discover/without-channels", test_without_channels);
  g_test_add_func ("/discover/broken", test_broken);
  return g_test_run ();
}
