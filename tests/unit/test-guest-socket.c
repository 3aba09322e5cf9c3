/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/guest-socket.h"

#include <string.h>
#include <sys/un.h>

static void
test_dir (void)
{
  g_autofree char *dir = nego_guest_socket_dir ("/run/negotiator/hostd.sock");

  g_assert_cmpstr (dir, ==, "/run/negotiator/guests");
}

static void
test_names (void)
{
  const struct {
    const char *name, *path;
  } rows[] = {
    { "web-1.example_org", "/d/web-1.example_org.sock" },
    { ".hidden", "/d/%2Ehidden.sock" },
    { "..", "/d/%2E..sock" },
    { "../x", "/d/%2E.%2Fx.sock" },
    { "a b%", "/d/a%20b%25.sock" },
    { "\303\244", "/d/%C3%A4.sock" },
    { "", "/d/.sock" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = nego_guest_socket_path ("/d", rows[i].name);

    g_assert_cmpstr (path, ==, rows[i].path);
  }
}

static void
test_limit (void)
{
  const gsize longest = sizeof ((struct sockaddr_un *) NULL)->sun_path - 1 - strlen ("/d/.sock");
  g_autofree char *at = g_strnfill (longest, 'n');
  g_autofree char *above = g_strnfill (longest + 1, 'n');
  g_autofree char *path = nego_guest_socket_path ("/d", at);

  g_assert_nonnull (path);
  g_assert_null (nego_guest_socket_path ("/d", above));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/guest-socket/dir", test_dir);
  g_test_add_func ("/guest-socket/names", test_names);
  g_test_add_func ("/guest-socket/limit", test_limit);
  return g_test_run ();
}
