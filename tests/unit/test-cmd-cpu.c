/* SPDX-License-Identifier: MIT */
/*
 * guest-get-vcpus, guest-set-vcpus, guest-get-memory-blocks, guest-set-memory-blocks and
 * guest-get-memory-block-info, of trees that the test makes: nothing of this machine is switched.
 */
#include "config.h"

#include "agent/memory-blocks.h"
#include "common/error.h"
#include "tests/helpers/root-fixture.h"

#include <glib/gstdio.h>

#include <unistd.h>

#define CPU    "/sys/devices/system/cpu"
#define MEMORY "/sys/devices/system/memory"

#define GET_VCPUS  "guest-get-vcpus"
#define SET_VCPUS  "guest-set-vcpus"
#define GET_BLOCKS "guest-get-memory-blocks"
#define SET_BLOCKS "guest-set-memory-blocks"
#define GET_SIZE   "guest-get-memory-block-info"

static void
add_vcpus (RootFixture *fixture)
{
  /* As in the kernel's directory: the first one cannot be switched. */
  root_fixture_add_dir (fixture, CPU "/cpu0");
  root_fixture_add (fixture, CPU "/cpu1/online", "1\n");
  root_fixture_add (fixture, CPU "/cpu10/online", "0\n");
  root_fixture_add (fixture, CPU "/cpu2/online", "1\n");
  root_fixture_add_dir (fixture, CPU "/cpufreq");
  root_fixture_add_dir (fixture, CPU "/cpu");
  root_fixture_add_dir (fixture, CPU "/cpu3x");
  root_fixture_add (fixture, CPU "/cpu4", "not a directory");
  root_fixture_add (fixture, CPU "/online", "0-2\n");
}

static void
test_get_vcpus (RootFixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  root_fixture_assert_error (
    fixture, GET_VCPUS, "{}",
    "failed to list entries: /sys/devices/system/cpu: No such file or directory");
  add_vcpus (fixture);
  root_fixture_assert_return (fixture, GET_VCPUS, "{}",
                              "[{\"logical-id\": 0, \"online\": true, \"can-offline\": false}, "
                              "{\"logical-id\": 1, \"online\": true, \"can-offline\": true}, "
                              "{\"logical-id\": 2, \"online\": true, \"can-offline\": true}, "
                              "{\"logical-id\": 10, \"online\": false, \"can-offline\": true}]");
}

static void
test_get_vcpus_broken (RootFixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  root_fixture_add (fixture, CPU "/cpu1/online", "");
  root_fixture_assert_error (fixture, GET_VCPUS, "{}",
                             "pread(\"/sys/devices/system/cpu/cpu1//online\"): unexpected EOF");
  root_fixture_remove (fixture, CPU "/cpu1/online");
  root_fixture_add_dir (fixture, CPU "/cpu1/online");
  root_fixture_assert_error (fixture, GET_VCPUS, "{}",
                             "pread(\"/sys/devices/system/cpu/cpu1//online\"): Is a directory");
}

#define ON(id)  "{'logical-id':" #id ",'online':true}"
#define OFF(id) "{'logical-id':" #id ",'online':false}"

static void
test_set_vcpus (RootFixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  add_vcpus (fixture);
  root_fixture_assert_return (fixture, SET_VCPUS, "{'vcpus':[]}", "0");
  root_fixture_assert_return (fixture, SET_VCPUS,
                              "{'vcpus':[" ON (0) "," OFF (1) "," ON (10) "," ON (2) "]}", "4");
  root_fixture_assert_file (fixture, CPU "/cpu1/online", "0\n");
  root_fixture_assert_file (fixture, CPU "/cpu10/online", "1\n");
  /* It was online: nothing is written. */
  root_fixture_assert_file (fixture, CPU "/cpu2/online", "1\n");
  root_fixture_assert_return (fixture, SET_VCPUS,
                              "{'vcpus':[{'logical-id':10,'online':false,'can-offline':false}]}",
                              "1");
  root_fixture_assert_file (fixture, CPU "/cpu10/online", "0\n");
}

static void
test_set_vcpus_partly (RootFixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  add_vcpus (fixture);
  /* The first that fails ends it, and what comes behind it is left alone. */
  root_fixture_assert_return (fixture, SET_VCPUS, "{'vcpus':[" OFF (1) "," OFF (0) "," OFF (2) "]}",
                              "1");
  root_fixture_assert_file (fixture, CPU "/cpu1/online", "0\n");
  root_fixture_assert_file (fixture, CPU "/cpu2/online", "1\n");
  root_fixture_assert_error (fixture, SET_VCPUS, "{'vcpus':[" OFF (0) "," OFF (2) "]}",
                             "logical processor #0 can't be offlined");
  root_fixture_assert_file (fixture, CPU "/cpu2/online", "1\n");
  root_fixture_assert_error (fixture, SET_VCPUS, "{'vcpus':[" OFF (77) "]}",
                             "open(\"/sys/devices/system/cpu/cpu77/\"): No such file or directory");
  root_fixture_assert_error (fixture, SET_VCPUS, "{'vcpus':[" OFF (-1) "]}",
                             "open(\"/sys/devices/system/cpu/cpu-1/\"): No such file or directory");
  root_fixture_assert_error (fixture, SET_VCPUS, "{'vcpus':[" OFF (4) "]}",
                             "open(\"/sys/devices/system/cpu/cpu4/\"): Not a directory");
  root_fixture_assert_error (fixture, SET_VCPUS, "{'vcpus':[{'logical-id':1}]}",
                             "Parameter 'vcpus[0].online' is missing");
}

/* The kernel refuses. */
static void
test_set_vcpus_refused (RootFixture *fixture, gconstpointer data)
{
  g_autofree char *path = NULL;

  if (fixture->agent.dir == NULL)
    return;
  if (access ("/dev/full", R_OK | W_OK) != 0) {
    g_test_skip ("no /dev/full");
    return;
  }
  root_fixture_add_dir (fixture, CPU "/cpu5");
  path = g_strconcat (fixture->root, CPU "/cpu5/online", NULL);
  g_assert_cmpint (symlink ("/dev/full", path), ==, 0);
  /* It reads as NUL, which is not '0'. */
  root_fixture_assert_error (
    fixture, SET_VCPUS, "{'vcpus':[" OFF (5) "]}",
    "pwrite(\"/sys/devices/system/cpu/cpu5//online\"): No space left on device");
}

static void
add_blocks (RootFixture *fixture)
{
  root_fixture_add (fixture, MEMORY "/block_size_bytes", "8000000\n");
  root_fixture_add (fixture, MEMORY "/memory0/state", "online\n");
  root_fixture_add (fixture, MEMORY "/memory0/removable", "0\n");
  root_fixture_add (fixture, MEMORY "/memory32/state", "offline\n");
  root_fixture_add (fixture, MEMORY "/memory32/removable", "1\n");
  root_fixture_add (fixture, MEMORY "/memory4/state", "online\n");
  root_fixture_add_dir (fixture, MEMORY "/memory5");
  root_fixture_add_dir (fixture, MEMORY "/power");
  root_fixture_add_dir (fixture, MEMORY "/memoryx");
}

static void
test_get_blocks (RootFixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  root_fixture_assert_return (fixture, GET_BLOCKS, "{}", "[]");
  root_fixture_assert_error (fixture, GET_SIZE, "{}",
                             "open(\"/sys/devices/system/memory/\"): No such file or directory");
  root_fixture_add_dir (fixture, MEMORY);
  root_fixture_assert_error (fixture, GET_BLOCKS, "{}", "guest reported zero memory blocks!");
  root_fixture_assert_error (fixture, GET_SIZE, "{}",
                             "open sysfs file \"block_size_bytes\": No such file or directory");
  add_blocks (fixture);
  root_fixture_assert_return (fixture, GET_BLOCKS, "{}",
                              "[{\"phys-index\": 0, \"online\": true, \"can-offline\": false}, "
                              "{\"phys-index\": 4, \"online\": true, \"can-offline\": false}, "
                              "{\"phys-index\": 5, \"online\": true, \"can-offline\": false}, "
                              "{\"phys-index\": 32, \"online\": false, \"can-offline\": true}]");
  root_fixture_assert_return (fixture, GET_SIZE, "{}", "{\"size\": 134217728}");
}

static void
test_get_blocks_broken (RootFixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  root_fixture_add (fixture, MEMORY, "a file");
  root_fixture_assert_error (
    fixture, GET_BLOCKS, "{}",
    "Can't open directory\"/sys/devices/system/memory/\": Not a directory");
  root_fixture_remove (fixture, MEMORY);
  root_fixture_add_dir (fixture, MEMORY "/memory1/state");
  root_fixture_assert_error (fixture, GET_BLOCKS, "{}",
                             "pread sysfs file \"state\": Is a directory");
  root_fixture_remove (fixture, MEMORY "/memory1/state");
  root_fixture_add (fixture, MEMORY "/memory1/state", "");
  root_fixture_assert_error (fixture, GET_BLOCKS, "{}",
                             "pread sysfs file \"state\": unexpected EOF");
}

#define BLOCK(index, online) "{'phys-index':" #index ",'online':" #online "}"

static void
test_set_blocks (RootFixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  add_blocks (fixture);
  root_fixture_add_dir (fixture, MEMORY "/memory6/state");
  root_fixture_assert_return (fixture, SET_BLOCKS, "{'mem-blks':[]}", "[]");
  root_fixture_assert_return (
    fixture, SET_BLOCKS,
    "{'mem-blks':[" BLOCK (32, true) "," BLOCK (99, true) "," BLOCK (4, true) "," BLOCK (
      5, true) "," BLOCK (5, false) "," BLOCK (6, false) "," BLOCK (-1,
                                                                    false) "," BLOCK (0,
                                                                                      false) "]}",
    "[{\"phys-index\": 32, \"response\": \"success\"}, "
    "{\"phys-index\": 99, \"response\": \"not-found\", \"error-code\": 2}, "
    "{\"phys-index\": 4, \"response\": \"success\"}, "
    "{\"phys-index\": 5, \"response\": \"success\", \"error-code\": 2}, "
    "{\"phys-index\": 5, \"response\": \"operation-not-supported\", \"error-code\": 2}, "
    "{\"phys-index\": 6, \"response\": \"operation-failed\", \"error-code\": 21}, "
    "{\"phys-index\": 18446744073709551615, \"response\": \"not-found\", \"error-code\": 2}, "
    "{\"phys-index\": 0, \"response\": \"success\"}]");
  /* The kernel's file would have the new word alone. */
  root_fixture_assert_file (fixture, MEMORY "/memory32/state", "onlinee\n");
  root_fixture_assert_file (fixture, MEMORY "/memory4/state", "online\n");
  root_fixture_assert_file (fixture, MEMORY "/memory0/state", "offline");
}

/* The limit itself would be a test of the file system's patience. */
static void
test_many_blocks (RootFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) blocks = NULL;

  if (fixture->agent.dir == NULL)
    return;
  add_blocks (fixture);
  blocks = nego_memory_blocks_list (fixture->root, 4, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (blocks->len, ==, 4);
  g_assert_null (nego_memory_blocks_list (fixture->root, 3, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC);
  g_assert_cmpstr (error->message, ==, "too many memory blocks (limit 3)");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ROOT_TEST_ADD ("/cmd-cpu/get-vcpus", test_get_vcpus);
  ROOT_TEST_ADD ("/cmd-cpu/get-vcpus-broken", test_get_vcpus_broken);
  ROOT_TEST_ADD ("/cmd-cpu/set-vcpus", test_set_vcpus);
  ROOT_TEST_ADD ("/cmd-cpu/set-vcpus-partly", test_set_vcpus_partly);
  ROOT_TEST_ADD ("/cmd-cpu/set-vcpus-refused", test_set_vcpus_refused);
  ROOT_TEST_ADD ("/cmd-cpu/get-memory-blocks", test_get_blocks);
  ROOT_TEST_ADD ("/cmd-cpu/get-memory-blocks-broken", test_get_blocks_broken);
  ROOT_TEST_ADD ("/cmd-cpu/set-memory-blocks", test_set_blocks);
  ROOT_TEST_ADD ("/cmd-cpu/many-memory-blocks", test_many_blocks);
  return g_test_run ();
}
