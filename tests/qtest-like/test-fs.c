/* SPDX-License-Identifier: MIT */
/*
 * guest-get-fsinfo, guest-get-disks and guest-get-diskstats on this machine, whatever it has. What
 * they make of other machines' trees is in tests/unit/test-cmd-disks.c; freezing is in tests/vm.
 */
#include "config.h"

#include "tests/qtest-like/libnegotest.h"

#include <string.h>

#define FSINFO    "{\"execute\":\"guest-get-fsinfo\"}"
#define DISKS     "{\"execute\":\"guest-get-disks\"}"
#define DISKSTATS "{\"execute\":\"guest-get-diskstats\"}"

/* What a member has to be. */
typedef enum { STRING, BOOLEAN, INTEGER, OBJECT, ARRAY } Kind;

typedef struct {
  const char *name;
  Kind kind;
  gboolean optional;
} Member;

static gboolean
is_kind (JsonNode *node, Kind kind)
{
  switch (kind) {
  case STRING:
    return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING;
  case BOOLEAN:
    return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_BOOLEAN;
  case INTEGER:
    return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64;
  case OBJECT:
    return JSON_NODE_HOLDS_OBJECT (node);
  case ARRAY:
  default:
    return JSON_NODE_HOLDS_ARRAY (node);
  }
}

/* It has these members, and no other. */
static void
check_members (JsonObject *object, const Member *members, gsize n)
{
  guint found = 0;

  for (gsize i = 0; i < n; i++) {
    JsonNode *node = json_object_get_member (object, members[i].name);

    if (node == NULL && !members[i].optional)
      g_error ("there is no member '%s'", members[i].name);
    if (node == NULL)
      continue;
    found++;
    if (!is_kind (node, members[i].kind))
      g_error ("member '%s' is of a wrong kind", members[i].name);
  }
  g_assert_cmpuint (json_object_get_size (object), ==, found);
}

#define CHECK_MEMBERS(object, members) check_members (object, members, G_N_ELEMENTS (members))

/* libvirtd dies of an address that lacks any of what is not optional here. */
static void
check_address (JsonObject *address)
{
  static const Member members[] = {
    { "pci-controller", OBJECT }, { "bus-type", STRING },
    { "bus", INTEGER },           { "target", INTEGER },
    { "unit", INTEGER },          { "serial", STRING, TRUE },
    { "dev", STRING, TRUE },      { "ccw-address", OBJECT, TRUE },
  };
  static const Member pci[] = {
    { "domain", INTEGER },
    { "bus", INTEGER },
    { "slot", INTEGER },
    { "function", INTEGER },
  };

  CHECK_MEMBERS (address, members);
  CHECK_MEMBERS (json_object_get_object_member (address, "pci-controller"), pci);
}

static JsonArray *
get_list (NegoTestClient *client, const char *request, JsonNode **node)
{
  *node = nego_test_call (client, request);
  g_assert_true (JSON_NODE_HOLDS_ARRAY (*node));
  return json_node_get_array (*node);
}

static void
test_fsinfo (gconstpointer user_data)
{
  static const Member members[] = {
    { "name", STRING },
    { "mountpoint", STRING },
    { "type", STRING },
    { "used-bytes", INTEGER, TRUE },
    { "total-bytes", INTEGER, TRUE },
    { "total-bytes-privileged", INTEGER, TRUE },
    { "disk", ARRAY },
  };
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);
  g_autoptr (JsonNode) node = NULL;
  JsonArray *list = get_list (client, FSINFO, &node);

  for (guint i = 0; i < json_array_get_length (list); i++) {
    JsonObject *info = json_array_get_object_element (list, i);
    JsonArray *disks;

    CHECK_MEMBERS (info, members);
    disks = json_object_get_array_member (info, "disk");
    for (guint j = 0; j < json_array_get_length (disks); j++)
      check_address (json_array_get_object_element (disks, j));
  }
}

static void
test_disks (gconstpointer user_data)
{
  static const Member members[] = {
    { "name", STRING },          { "partition", BOOLEAN },  { "dependencies", ARRAY, TRUE },
    { "address", OBJECT, TRUE }, { "alias", STRING, TRUE }, { "smart", OBJECT, TRUE },
  };
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);
  g_autoptr (JsonNode) node = NULL;
  JsonArray *list = get_list (client, DISKS, &node);

  for (guint i = 0; i < json_array_get_length (list); i++) {
    JsonObject *info = json_array_get_object_element (list, i);

    CHECK_MEMBERS (info, members);
    g_assert_true (g_str_has_prefix (json_object_get_string_member (info, "name"), "/dev/"));
    if (json_object_has_member (info, "address"))
      check_address (json_object_get_object_member (info, "address"));
  }
}

static void
test_diskstats (gconstpointer user_data)
{
  static const Member members[] = {
    { "name", STRING },
    { "major", INTEGER },
    { "minor", INTEGER },
    { "stats", OBJECT },
  };
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);
  g_autoptr (JsonNode) node = NULL;
  JsonArray *list = get_list (client, DISKSTATS, &node);

  for (guint i = 0; i < json_array_get_length (list); i++) {
    JsonObject *info = json_array_get_object_element (list, i);
    JsonObject *stats;

    CHECK_MEMBERS (info, members);
    stats = json_object_get_object_member (info, "stats");
    g_assert_true (json_object_has_member (stats, "read-ios"));
    g_assert_true (json_object_has_member (stats, "write-sectors"));
  }
}

static const NegoTestRow argument_rows[] = {
  { "fsinfo", "{\"execute\":\"guest-get-fsinfo\",\"arguments\":{\"x\":1}}",
    .replies = { NEGO_TEST_ERROR ("Parameter 'x' is unexpected") } },
  { "disks", "{\"execute\":\"guest-get-disks\",\"arguments\":{\"x\":1}}",
    .replies = { NEGO_TEST_ERROR ("Parameter 'x' is unexpected") } },
  { "diskstats", "{\"execute\":\"guest-get-diskstats\",\"arguments\":{\"x\":1}}",
    .replies = { NEGO_TEST_ERROR ("Parameter 'x' is unexpected") } },
};

int
main (int argc, char **argv)
{
  NegoTest *test;

  g_test_init (&argc, &argv, NULL);
  test = nego_test_start (NULL);
  g_test_add_data_func ("/fs/fsinfo", test, test_fsinfo);
  g_test_add_data_func ("/fs/disks", test, test_disks);
  g_test_add_data_func ("/fs/diskstats", test, test_diskstats);
  nego_test_add_rows (test, "/fs/arguments", argument_rows, G_N_ELEMENTS (argument_rows));
  return nego_test_run_shared (test);
}
