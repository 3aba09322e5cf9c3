/* SPDX-License-Identifier: MIT */
/*
 * The agent calls of one libvirt connection. The calls defined here take the place of libvirt's and
 * GLib's.
 */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "host-client/libvirt-conn.h"

#include <libvirt/libvirt-qemu.h>
#include <string.h>

extern const NegoLibvirtModule nego_libvirt_module;

static gboolean threads_fail;

/* Distinct places in memory, for libvirt's opaque types. */
static char connection, domain;

virDomainPtr
virDomainLookupByUUIDString (virConnectPtr conn, const char *uuid)
{
  return (gpointer) &domain;
}

int
virDomainFree (virDomainPtr handle)
{
  return 0;
}

char *
virDomainQemuAgentCommand (virDomainPtr handle, const char *cmd, int timeout, unsigned int flags)
{
  return strdup ("{\"return\":{}}");
}

GThread *
g_thread_try_new (const char *name, GThreadFunc func, gpointer data, GError **error)
{
  if (!threads_fail)
    return g_thread_new (name, func, data);
  g_set_error_literal (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "no thread");
  return NULL;
}

/* As many calls as there may be at once, and one more, of which each gives its place back. */
static void
check_calls (NegoLibvirt *libvirt, gint64 deadline, GQuark domain_of_error, int code)
{
  NegoDomain guest = { .uuid = (char *) "the-uuid" };
  g_autoptr (NegoLink) link = nego_libvirt_module.link (libvirt, &guest);
  const NegoLinkRequest request = { .text = "{}", .len = 2, .max_reply = NEGO_GUEST_REPLY_BYTES };

  for (guint i = 0; i <= NEGO_GUEST_CALLS; i++) {
    g_autoptr (GError) error = NULL;
    GString *reply = link->klass->call (link, &request, deadline, &error);

    if (domain_of_error == 0) {
      g_assert_no_error (error);
      g_assert_cmpstr (reply->str, ==, "{\"return\":{}}");
      g_string_free (reply, TRUE);
    } else {
      g_assert_error (error, domain_of_error, code);
      g_assert_null (reply);
    }
    g_assert_cmpuint (libvirt->calls, ==, 0);
  }
}

static void
test_places (void)
{
  NegoLibvirt libvirt = { .connection = (gpointer) &connection };

  g_atomic_ref_count_init (&libvirt.refs);
  g_mutex_init (&libvirt.lock);
  g_cond_init (&libvirt.freed);
  check_calls (&libvirt, G_MAXINT64, 0, 0);
  threads_fail = TRUE;
  check_calls (&libvirt, G_MAXINT64, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN);
  threads_fail = FALSE;
  check_calls (&libvirt, g_get_monotonic_time (), NEGO_ERROR, NEGO_ERROR_TIMEOUT);
  g_mutex_clear (&libvirt.lock);
  g_cond_clear (&libvirt.freed);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/link-libvirt/places", test_places);
  return g_test_run ();
}
