/* SPDX-License-Identifier: MIT */
/*
 * Clients of the field, byte for byte as they were seen on the wire: what each sends, and what it
 * must get to go on.
 */
#include "config.h"

#include "tests/qtest-like/libnegotest.h"

#include <string.h>

/* libvirt: its sync is the only line with a blank; a LF behind each; one call at a time. */
static void
test_libvirt (NegoTest *test)
{
  g_autoptr (NegoTestClient) client = nego_test_connect (test);

  nego_test_send_text (client,
                       "{\"execute\":\"guest-sync\", \"arguments\":{\"id\":1795257748810}}\n");
  nego_test_expect (client, "{\"return\": 1795257748810}");
  nego_test_send_text (client, "{\"execute\":\"guest-ping\"}\n");
  nego_test_expect (client, "{\"return\": {}}");
  nego_test_send_text (client, "{\"execute\":\"guest-info\"}\n");
  json_node_unref (nego_test_receive_return (client));
}

/* libvirt after a call that timed out midway: the rest of the request is never sent, and the next
 * line is a sync. Its first sync may stay unanswered: then it sends a second one. */
static void
test_libvirt_cut (NegoTest *test)
{
  g_autoptr (NegoTestClient) client = nego_test_connect (test);

  nego_test_send_text (client, "{\"execute\":\"guest-ping\",\"arguments\":{\"x\":");
  nego_test_send_text (client, "{\"execute\":\"guest-sync\", \"arguments\":{\"id\":1}}\n");
  nego_test_send_text (client, "{\"execute\":\"guest-sync\", \"arguments\":{\"id\":2}}\n");
  g_free (nego_test_receive (client)); /* an error, which libvirt drops while it syncs */
  nego_test_expect (client, "{\"return\": 2}");
  nego_test_send_text (client, "{\"execute\":\"guest-ping\"}\n");
  nego_test_expect (client, "{\"return\": {}}");
}

/* virsh qemu-agent-command: libvirt parses the text and writes it anew; the id is passed on. */
static void
test_libvirt_passthrough (NegoTest *test)
{
  g_autoptr (NegoTestClient) client = nego_test_connect (test);

  nego_test_send_text (client, "{\"execute\":\"guest-sync\", \"arguments\":{\"id\":3}}\n"
                               "{\"execute\":\"guest-ping\",\"id\":1.0e5}\n");
  nego_test_expect (client, "{\"return\": 3}");
  nego_test_expect (client, "{\"return\": {}, \"id\": 100000}");
  nego_test_send_text (client, "5\n");
  nego_test_expect (client, NEGO_TEST_ERROR ("QMP input must be a JSON object"));
}

/* Proxmox VE: a connection for each command; both lines in one write; the number's text counts. */
static void
test_proxmox (NegoTest *test)
{
  for (int i = 0; i < 3; i++) {
    g_autoptr (NegoTestClient) client = nego_test_connect (test);

    nego_test_send_text (client,
                         "{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":41234701}}\n"
                         "{\"execute\":\"guest-ping\",\"arguments\":{}}\n");
    nego_test_expect (client, "\xFF{\"return\": 41234701}");
    nego_test_expect (client, "{\"return\": {}}");
  }
}

/* qemu.qmp: no LF, arguments always, the id a string that must come back. */
static void
test_qemu_qmp (NegoTest *test)
{
  g_autoptr (NegoTestClient) client = nego_test_connect (test);

  nego_test_send_text (client,
                       "{\"execute\":\"guest-ping\",\"arguments\":{},\"id\":\"__qmp#00000\"}");
  nego_test_expect (client, "{\"return\": {}, \"id\": \"__qmp#00000\"}");
  nego_test_send_text (
    client,
    "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":3735928559},\"id\":\"__qmp#00001\"}");
  nego_test_expect (client, "{\"return\": 3735928559, \"id\": \"__qmp#00001\"}");
  nego_test_send_text (client, "{\"execute\":\"nope\",\"arguments\":{},\"id\":\"__qmp#00002\"}");
  nego_test_expect (client, "{\"id\": \"__qmp#00002\", \"error\": {\"class\": \"CommandNotFound\", "
                            "\"desc\": \"The command nope has not been found\"}}");
}

/* UTM: 0xFF, then a request without LF; throws all away before 0xFF; then counts brackets. */
static void
test_utm (NegoTest *test)
{
  g_autoptr (NegoTestClient) client = nego_test_connect (test);
  g_autofree char *line = NULL;

  nego_test_send_text (client,
                       "\xFF{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":99}}");
  do {
    g_free (line);
    line = nego_test_receive (client);
  } while (line[0] != '\xFF');
  g_assert_cmpstr (line, ==, "\xFF{\"return\": 99}");
  nego_test_send_text (client, "{\"execute\":\"guest-ping\"}");
  nego_test_expect (client, "{\"return\": {}}");
}

/* qapi-rs, vmtest: the line behind the sync's must be the reply. */
static void
test_qapi_rs (NegoTest *test)
{
  g_autoptr (NegoTestClient) client = nego_test_connect (test);
  g_autoptr (JsonObject) info = NULL;

  nego_test_send_text (client, "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":2147483647}}\n");
  nego_test_expect (client, "{\"return\": 2147483647}");
  info = nego_test_call_object (client, "{\"execute\":\"guest-info\"}");
  g_assert_true (g_ascii_isdigit (json_object_get_string_member (info, "version")[0]));
}

/* fc.qemu: 16 bits, no LF, arguments always. */
static void
test_fc_qemu (NegoTest *test)
{
  g_autoptr (NegoTestClient) client = nego_test_connect (test);

  nego_test_send_text (client, "{\"execute\": \"guest-sync\", \"arguments\": {\"id\": 65535}}");
  nego_test_expect (client, "{\"return\": 65535}");
  nego_test_send_text (client, "{\"execute\": \"guest-ping\", \"arguments\": {}}");
  nego_test_expect (client, "{\"return\": {}}");
}

/* qmpbackup, Cloudpods, hand-written ones: neither sync nor LF. */
static void
test_plain (NegoTest *test)
{
  g_autoptr (NegoTestClient) client = nego_test_connect (test);

  nego_test_send_text (client, "{\"execute\": \"guest-ping\"}");
  nego_test_expect (client, "{\"return\": {}}");
  nego_test_send_text (client, "{\"execute\": \"guest-info\"}");
  json_node_unref (nego_test_receive_return (client));
}

/* avocado-vt: guest-sync-delimited behind 0xFF; lines that it cannot read are passed over. */
static void
test_avocado (NegoTest *test)
{
  g_autoptr (NegoTestClient) client = nego_test_connect (test);
  g_autofree char *line = NULL;

  nego_test_send_text (
    client, "\xFF{\"execute\": \"guest-sync-delimited\", \"arguments\": {\"id\": 4711}}\n");
  do {
    g_free (line);
    line = nego_test_receive (client);
  } while (strstr (line, "4711") == NULL);
  g_assert_cmpstr (line, ==, "\xFF{\"return\": 4711}");
  nego_test_ask (client, "{\"execute\": \"guest-ping\"}", "{\"return\": {}}");
}

/* go-qemu waits for a greeting, which an agent must not send, before its first bytes. */
static void
test_silence (NegoTest *test)
{
  g_autoptr (NegoTestClient) client = nego_test_connect (test);

  g_assert_false (nego_test_is_answered (client, 100));
  nego_test_send_text (client, "{\"execute\":\"qmp_capabilities\"}\n");
  nego_test_expect (client,
                    NEGO_TEST_NOT_FOUND ("The command qmp_capabilities has not been found"));
}

/* A host that collects a script's result through libvirt's passthrough. */
static void
test_exec (NegoTest *test)
{
  g_autoptr (NegoTestClient) client = nego_test_connect (test);
  g_autoptr (JsonObject) job = NULL;
  g_autofree char *status = NULL;

  nego_test_add_script (test, "greet", "#!/bin/sh\necho hello\n");
  nego_test_send_text (client, "{\"execute\":\"guest-sync\", \"arguments\":{\"id\":9}}\n");
  nego_test_expect (client, "{\"return\": 9}");
  json_node_unref (nego_test_call (client, "{\"execute\":\"negotiator-list\"}"));
  job = nego_test_exec (client, "\"command\":\"greet\"");
  status = g_strdup_printf ("\"job\":\"%s\"", json_object_get_string_member (job, "job"));
  g_clear_pointer (&job, json_object_unref);
  job = nego_test_status (client, status);
  g_assert_cmpstr (json_object_get_string_member (job, "out-data"), ==, "hello\n");
}

typedef struct {
  const char *name;
  void (*func) (NegoTest *test);
  gboolean own; /* qemu-ga has not what it needs */
} Case;

static const Case cases[] = {
  { "libvirt", test_libvirt },
  { "libvirt-cut", test_libvirt_cut, TRUE },
  { "libvirt-passthrough", test_libvirt_passthrough },
  { "proxmox", test_proxmox },
  { "qemu-qmp", test_qemu_qmp },
  { "utm", test_utm },
  { "qapi-rs", test_qapi_rs },
  { "fc-qemu", test_fc_qemu },
  { "plain", test_plain },
  { "avocado", test_avocado },
  { "silence", test_silence },
  { "exec", test_exec, TRUE },
};

static void
run_case (gconstpointer user_data)
{
  NegoTest *test = nego_test_start (NULL);

  ((const Case *) user_data)->func (test);
  nego_test_stop (test);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/clients/%s", cases[i].name);

    if (!nego_test_is_qga () || !cases[i].own)
      g_test_add_data_func (path, &cases[i], run_case);
  }
  return g_test_run ();
}
