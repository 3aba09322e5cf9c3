/* SPDX-License-Identifier: MIT */
/*
 * guest-sync, guest-sync-delimited, guest-ping, guest-info, negotiator-info, and who may call what.
 */
#include "config.h"

#include "common/names.h"
#include "tests/qtest-like/libnegotest.h"

#include <string.h>

#define PING     NEGO_TEST_PING
#define PONG     NEGO_TEST_PONG
#define SYNC(id) "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":" id "}}"
#define INFO     "{\"execute\":\"guest-info\"}"
#define LIST     "{\"execute\":\"negotiator-list\"}"
#define EXEC(command) \
  "{\"execute\":\"negotiator-exec\",\"arguments\":{\"command\":\"" command "\"}}"
#define DISABLED(command) \
  NEGO_TEST_NOT_FOUND ("Command " command " has been disabled: the command is not allowed")

/* Sorted. */
static const char *const own_commands[] = {
  "guest-exec",
  "guest-exec-status",
  "guest-file-close",
  "guest-file-flush",
  "guest-file-open",
  "guest-file-read",
  "guest-file-seek",
  "guest-file-write",
  "guest-fsfreeze-freeze",
  "guest-fsfreeze-freeze-list",
  "guest-fsfreeze-status",
  "guest-fsfreeze-thaw",
  "guest-fstrim",
  "guest-get-cpustats",
  "guest-get-disks",
  "guest-get-diskstats",
  "guest-get-fsinfo",
  "guest-get-host-name",
  "guest-get-load",
  "guest-get-memory-block-info",
  "guest-get-memory-blocks",
  "guest-get-osinfo",
  "guest-get-time",
  "guest-get-timezone",
  "guest-get-users",
  "guest-get-vcpus",
  "guest-info",
  "guest-network-get-interfaces",
  "guest-network-get-route",
  "guest-ping",
  "guest-set-memory-blocks",
  "guest-set-time",
  "guest-set-user-password",
  "guest-set-vcpus",
  "guest-shutdown",
  "guest-ssh-add-authorized-keys",
  "guest-ssh-get-authorized-keys",
  "guest-ssh-remove-authorized-keys",
  "guest-suspend-disk",
  "guest-suspend-hybrid",
  "guest-suspend-ram",
  "guest-sync",
  "guest-sync-delimited",
  "negotiator-cancel",
  "negotiator-exec",
  "negotiator-exec-forget",
  "negotiator-exec-input",
  "negotiator-exec-signal",
  "negotiator-exec-status",
  "negotiator-file-create",
  "negotiator-file-finish",
  "negotiator-file-stat",
  "negotiator-info",
  "negotiator-jobs",
  "negotiator-list",
  "negotiator-session",
};

/* Those of any qemu-ga. */
static const char *const common_commands[]
  = { "guest-info", "guest-ping", "guest-sync", "guest-sync-delimited" };

/* The entry of guest-info for @name, or NULL. */
static JsonObject *
find_command (JsonObject *info, const char *name)
{
  JsonArray *commands = json_object_get_array_member (info, "supported_commands");

  for (guint i = 0; i < json_array_get_length (commands); i++) {
    JsonObject *command = json_array_get_object_element (commands, i);

    if (g_str_equal (json_object_get_string_member (command, "name"), name))
      return command;
  }
  return NULL;
}

static gboolean
is_enabled (NegoTestClient *client, const char *name)
{
  g_autoptr (JsonObject) info = nego_test_call_object (client, INFO);
  JsonObject *command = find_command (info, name);

  g_assert_nonnull (command);
  return json_object_get_boolean_member (command, "enabled");
}

/* Clients in the field refuse a member that QGA's schema does not have. */
static void
test_info_members (gconstpointer user_data)
{
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);
  g_autoptr (JsonObject) info = nego_test_call_object (client, INFO);
  JsonArray *commands = json_object_get_array_member (info, "supported_commands");

  g_assert_cmpuint (json_object_get_size (info), ==, 2);
  g_assert_cmpuint (json_array_get_length (commands), >, 0);
  for (guint i = 0; i < json_array_get_length (commands); i++) {
    JsonObject *command = json_array_get_object_element (commands, i);

    g_assert_cmpuint (json_object_get_size (command), ==, 3);
    g_assert_nonnull (json_object_get_string_member (command, "name"));
    g_assert_true (json_node_get_value_type (json_object_get_member (command, "enabled"))
                   == G_TYPE_BOOLEAN);
    g_assert_true (json_node_get_value_type (json_object_get_member (command, "success-response"))
                   == G_TYPE_BOOLEAN);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (common_commands); i++)
    g_assert_true (is_enabled (client, common_commands[i]));
}

static void
test_info_content (gconstpointer user_data)
{
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);
  g_autoptr (JsonObject) info = nego_test_call_object (client, INFO);
  JsonArray *commands = json_object_get_array_member (info, "supported_commands");

  g_assert_cmpstr (json_object_get_string_member (info, "version"), ==, "10.2.2");
  g_assert_cmpuint (json_array_get_length (commands), ==, G_N_ELEMENTS (own_commands));
  for (gsize i = 0; i < G_N_ELEMENTS (own_commands); i++) {
    JsonObject *command = find_command (info, own_commands[i]);

    g_assert_nonnull (command);
    g_assert_true (json_object_get_boolean_member (command, "enabled"));
    /* As in QGA: those after which nobody may be left to answer. */
    g_assert_cmpint (json_object_get_boolean_member (command, "success-response"), ==,
                     !g_str_equal (own_commands[i], "guest-shutdown")
                       && !g_str_has_prefix (own_commands[i], "guest-suspend-"));
  }
}

static void
test_sync_ids (gconstpointer user_data)
{
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);

  nego_test_ask (client, SYNC ("0"), NEGO_TEST_RETURN ("0"));
  nego_test_ask (client, SYNC ("1795257748810"), NEGO_TEST_RETURN ("1795257748810"));
  nego_test_ask (client, SYNC ("-1"), NEGO_TEST_RETURN ("-1"));
  nego_test_ask (client, PING, PONG);
}

static void
check_uint (JsonObject *limits, const char *name, guint64 value)
{
  g_assert_true (json_object_has_member (limits, name));
  g_assert_cmpuint ((guint64) json_object_get_int_member (limits, name), ==, value);
}

static void
check_info (NegoTestClient *client, gboolean qga)
{
  g_autoptr (JsonObject) info = nego_test_call_object (client, "{\"execute\":\"negotiator-info\"}");
  JsonObject *limits = json_object_get_object_member (info, "limits");
  g_autofree char *boot_id = NULL;

  g_assert_true (g_file_get_contents ("/proc/sys/kernel/random/boot_id", &boot_id, NULL, NULL));
  g_assert_cmpstr (json_object_get_string_member (info, "version"), ==, NEGO_VERSION);
  g_assert_cmpstr (json_object_get_string_member (info, "boot-id"), ==, g_strstrip (boot_id));
  g_assert_cmpint (json_object_get_boolean_member (info, "events"), ==, !qga);
  g_assert_false (json_object_get_boolean_member (info, "frozen"));
  g_assert_false (json_object_get_boolean_member (info, "cgroup"));
  check_uint (info, "jobs", 0);
  g_assert_cmpuint (strlen (json_object_get_string_member (info, "instance")), ==, 32);
  g_assert_cmpuint (json_object_get_size (info), ==, 8);

  check_uint (limits, "message-bytes", qga ? NEGO_MESSAGE_BYTES_QGA : NEGO_MESSAGE_BYTES_PORT);
  check_uint (limits, "message-tokens", NEGO_MESSAGE_TOKENS);
  check_uint (limits, "message-depth", NEGO_MESSAGE_DEPTH);
  check_uint (limits, "reply-bytes", NEGO_REPLY_BYTES);
  check_uint (limits, "args", NEGO_SCRIPT_ARGS);
  check_uint (limits, "arg-bytes", NEGO_SCRIPT_ARG_BYTES - 1);
  check_uint (limits, "env", NEGO_SCRIPT_ENV);
  check_uint (limits, "input-bytes", NEGO_SCRIPT_INPUT_BYTES);
  check_uint (limits, "output-bytes", NEGO_SCRIPT_OUTPUT_BYTES);
  check_uint (limits, "timeout", NEGO_SCRIPT_TIMEOUT_S);
  check_uint (limits, "script-runs", NEGO_SCRIPT_CONCURRENCY);
  check_uint (limits, "jobs-running", 3);
  check_uint (limits, "jobs-queued", NEGO_JOBS_QUEUED);
  check_uint (limits, "jobs-retained", NEGO_JOBS_RETAINED);
  check_uint (limits, "jobs-retained-bytes", NEGO_JOBS_RETAINED_BYTES);
  check_uint (limits, "job-expiry", NEGO_JOB_EXPIRY_S);
  check_uint (limits, "job-window-bytes", NEGO_JOB_WINDOW_BYTES);
  check_uint (limits, "job-input-bytes", NEGO_JOB_INPUT_BYTES);
  g_assert_cmpint (json_object_has_member (limits, "status-wait"), ==, qga);
}

static void
test_negotiator_info (void)
{
  const NegoTestOptions options
    = { .negotiator = "jobs = 3\nchannels = unix-listen:@DIR@/own.sock" };
  NegoTest *test = nego_test_start (&options);
  NegoTestClient *qga = nego_test_connect (test);
  NegoTestClient *own = nego_test_connect_to (test, "own.sock");

  check_info (qga, TRUE);
  check_info (own, FALSE);
  nego_test_client_free (qga);
  nego_test_client_free (own);
  nego_test_stop (test);
}

/* Two starts of the agent are told apart by it. */
static void
test_instance (void)
{
  char *instances[2] = { NULL };

  for (gsize i = 0; i < G_N_ELEMENTS (instances); i++) {
    NegoTest *test = nego_test_start (NULL);
    NegoTestClient *client = nego_test_connect (test);
    g_autoptr (JsonObject) info
      = nego_test_call_object (client, "{\"execute\":\"negotiator-info\"}");

    instances[i] = g_strdup (json_object_get_string_member (info, "instance"));
    nego_test_client_free (client);
    nego_test_stop (test);
  }
  g_assert_cmpstr (instances[0], !=, instances[1]);
  g_free (instances[0]);
  g_free (instances[1]);
}

/* What a client gets with some settings; both files and options. */
typedef struct {
  const char *name;
  const char *general;
  const char *negotiator;
  const char *args[4];
  const char *request;
  const char *reply;   /* NULL: any success; @DIR@ is the agent's directory */
  const char *command; /* in guest-info: enabled if the reply is a success; may be NULL */
} PolicyRow;

static const PolicyRow policies[] = {
  { "all", .request = LIST, .command = "negotiator-list" },
  { "block", "block-rpcs = guest-ping,guest-info2", .request = PING,
    .reply = DISABLED ("guest-ping"), .command = "guest-ping" },
  { "block-option", .args = { "-b", "guest-ping" }, .request = PING,
    .reply = DISABLED ("guest-ping"), .command = "guest-ping" },
  { "block-old-option", .args = { "--blacklist=guest-ping" }, .request = PING,
    .reply = DISABLED ("guest-ping"), .command = "guest-ping" },
  { "block-other", "block-rpcs = guest-ping", .request = LIST, .command = "negotiator-list" },
  { "block-sync", "block-rpcs = guest-sync,guest-sync-delimited", .request = SYNC ("1"),
    .reply = NEGO_TEST_RETURN ("1"), .command = "guest-sync" },
  { "block-negotiator", "block-rpcs = negotiator-exec", .request = EXEC ("reader"),
    .reply = DISABLED ("negotiator-exec"), .command = "negotiator-exec" },
  { "allow", "allow-rpcs = guest-info", .request = PING, .reply = DISABLED ("guest-ping"),
    .command = "guest-ping" },
  { "allow-itself", "allow-rpcs = guest-info,guest-ping", .request = PING, .reply = PONG,
    .command = "guest-ping" },
  { "allow-empty-name", "allow-rpcs = ,guest-info", .request = PING,
    .reply = DISABLED ("guest-ping"), .command = "guest-ping" },
  { "allow-empty", "allow-rpcs =", .request = PING, .reply = PONG, .command = "guest-ping" },
  { "allow-sync", "allow-rpcs = guest-info", .request = SYNC ("1"), .reply = NEGO_TEST_RETURN ("1"),
    .command = "guest-sync" },
  { "allow-and-block", "allow-rpcs = guest-info,guest-ping\nblock-rpcs = guest-ping",
    .request = PING, .reply = DISABLED ("guest-ping"), .command = "guest-ping" },
  /* A list that a distribution wrote for guest-* says nothing of scripts. */
  { "allow-guest-only", "allow-rpcs = guest-info", .request = EXEC ("writer"),
    .command = "negotiator-exec" },
  { "allow-one-negotiator", "allow-rpcs = guest-info,negotiator-list", .request = EXEC ("reader"),
    .reply = DISABLED ("negotiator-exec"), .command = "negotiator-exec" },
  { "allow-this-negotiator", "allow-rpcs = guest-info,negotiator-exec", "commands = none",
    .request = EXEC ("writer"), .command = "negotiator-exec" },
  { "none", NULL, "commands = none", .request = LIST, .reply = DISABLED ("negotiator-list"),
    .command = "negotiator-list" },
  { "none-guest", NULL, "commands = none", .request = PING, .reply = PONG,
    .command = "guest-ping" },
  { "read-list", NULL, "commands = read", .request = LIST, .command = "negotiator-list" },
  { "read-only-script", NULL, "commands = read", .request = EXEC ("reader"),
    .command = "negotiator-exec" },
  { "read-other-script", NULL, "commands = read", .request = EXEC ("writer"),
    .reply = NEGO_TEST_ERROR (
      "negotiator command 'writer' is refused by 'commands = read' in "
      "[negotiator]: '@DIR@/guest-commands/writer.conf' does not say ReadOnly=true") },
};

static void
test_policy (gconstpointer user_data)
{
  const PolicyRow *row = user_data;
  const NegoTestOptions options
    = { .general = row->general, .negotiator = row->negotiator, .args = row->args };
  NegoTest *test = nego_test_start (&options);
  NegoTestClient *client = nego_test_connect (test);
  gboolean refused = row->reply != NULL && strstr (row->reply, "\"error\"") != NULL;

  nego_test_add_script (test, "reader", "#!/bin/sh\n");
  nego_test_add_script_conf (test, "reader", "ReadOnly=true");
  nego_test_add_script (test, "writer", "#!/bin/sh\n");
  if (row->reply != NULL) {
    g_autoptr (GString) reply = g_string_new (row->reply);

    g_string_replace (reply, "@DIR@", nego_test_get_dir (test), 0);
    nego_test_ask (client, row->request, reply->str);
  }
  if (row->reply == NULL)
    json_node_unref (nego_test_call (client, row->request));
  if (row->command != NULL)
    g_assert_cmpint (is_enabled (client, row->command), ==, !refused);
  nego_test_client_free (client);
  nego_test_stop (test);
}

static void
add_policies (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (policies); i++) {
    g_autofree char *path = g_strdup_printf ("/core/policy/%s", policies[i].name);

    g_test_add_data_func (path, &policies[i], test_policy);
  }
}

int
main (int argc, char **argv)
{
  NegoTest *test;

  g_test_init (&argc, &argv, NULL);
  test = nego_test_start (NULL);
  g_test_add_data_func ("/core/info-members", test, test_info_members);
  g_test_add_data_func ("/core/sync-ids", test, test_sync_ids);
  if (nego_test_is_qga ())
    return nego_test_run_shared (test);
  g_test_add_data_func ("/core/info-content", test, test_info_content);
  g_test_add_func ("/core/negotiator-info", test_negotiator_info);
  g_test_add_func ("/core/instance", test_instance);
  add_policies ();
  return nego_test_run_shared (test);
}
