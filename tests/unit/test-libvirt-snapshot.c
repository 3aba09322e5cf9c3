/* SPDX-License-Identifier: MIT */
/*
 * What is asked of libvirt for a snapshot. The calls defined here take the place of libvirt's.
 */
#include "config.h"

#include "common/error.h"
#include "host-client/libvirt-conn.h"

#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>
#include <string.h>

#define STATUS(status) "{\"return\":\"" status "\"}"

/* The guest, and what was called, in order. All calls are made on one thread at a time, and each is
 * waited for. */
static struct {
  const char *statuses[2]; /* the agent's replies, in order; NULL: it does not answer */
  guint n_statuses;
  gboolean snapshot_fails, thaw_fails;
  GString *calls;
} fake;

/* Distinct places in memory, for libvirt's opaque types. */
static char connection, domain, snapshot;

virDomainPtr
virDomainLookupByUUIDString (virConnectPtr conn, const char *uuid)
{
  g_assert_true ((gpointer) conn == &connection);
  g_assert_cmpstr (uuid, ==, "the-uuid");
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
  const char *status;

  g_assert_cmpstr (cmd, ==, "{\"execute\":\"guest-fsfreeze-status\"}");
  g_assert_cmpint (timeout, >, 0);
  g_assert_cmpuint (fake.n_statuses, <, G_N_ELEMENTS (fake.statuses));
  status = fake.statuses[fake.n_statuses++];
  g_string_append (fake.calls, "status ");
  return status != NULL ? strdup (status) : NULL;
}

virDomainSnapshotPtr
virDomainSnapshotCreateXML (virDomainPtr handle, const char *xml, unsigned int flags)
{
  const gboolean quiesce = (flags & VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE) != 0;

  g_assert_nonnull (strstr (xml, "<name>before</name>"));
  g_string_append (fake.calls, quiesce ? "frozen-snapshot " : "snapshot ");
  return fake.snapshot_fails ? NULL : (gpointer) &snapshot;
}

int
virDomainSnapshotFree (virDomainSnapshotPtr handle)
{
  return 0;
}

int
virDomainFSThaw (virDomainPtr handle,
                 const char **mountpoints,
                 unsigned int nmountpoints,
                 unsigned int flags)
{
  g_string_append (fake.calls, "thaw ");
  return fake.thaw_fails ? -1 : 1;
}

const char *
virGetLastErrorMessage (void)
{
  return "libvirt's words";
}

/* Makes a snapshot; returns what it ended with, or NULL. */
static GError *
make (gboolean quiesce)
{
  NegoLibvirt libvirt = { .connection = (gpointer) &connection };
  NegoDomain guest = { .uuid = (char *) "the-uuid" };
  const NegoSnapshot what = { .name = "before", .quiesce = quiesce };
  GError *error = NULL;
  gboolean done;

  g_atomic_ref_count_init (&libvirt.refs);
  done = nego_libvirt_snapshot (&libvirt, &guest, &what, G_MAXINT64, &error);
  g_assert_true (done == (error == NULL));
  return error;
}

static void
check (gboolean quiesce, const char *calls, int code, const char *message)
{
  g_autoptr (GError) error = NULL;

  fake.calls = g_string_new (NULL);
  fake.n_statuses = 0;
  error = make (quiesce);
  g_assert_cmpstr (fake.calls->str, ==, calls);
  if (message == NULL) {
    g_assert_no_error (error);
  } else {
    g_assert_error (error, NEGO_ERROR, code);
    g_assert_cmpstr (error->message, ==, message);
  }
  g_string_free (fake.calls, TRUE);
}

static void
set_up (const char *before, const char *after, gboolean snapshot_fails)
{
  fake.statuses[0] = before;
  fake.statuses[1] = after;
  fake.snapshot_fails = snapshot_fails;
  fake.thaw_fails = FALSE;
}

static void
test_made (void)
{
  set_up (STATUS ("thawed"), NULL, FALSE);
  check (TRUE, "status frozen-snapshot ", 0, NULL);
  check (FALSE, "snapshot ", 0, NULL);
}

static void
test_not_quiesced (void)
{
  set_up (NULL, NULL, TRUE);
  check (FALSE, "snapshot ", NEGO_ERROR_IO, "cannot make the snapshot: libvirt's words");
}

/* Another program's freeze is not ended. */
static void
test_frozen_before (void)
{
  set_up (STATUS ("frozen"), NULL, TRUE);
  check (TRUE, "status ", NEGO_ERROR_BUSY,
         "cannot make the snapshot: another program has frozen the guest");
}

static void
test_no_answer (void)
{
  set_up (NULL, NULL, TRUE);
  check (TRUE, "status ", NEGO_ERROR_IO,
         "cannot make the snapshot: cannot tell whether the guest is frozen: libvirt's words");
  set_up ("nonsense", NULL, TRUE);
  fake.calls = g_string_new (NULL);
  fake.n_statuses = 0;
  g_error_free (make (TRUE));
  g_assert_cmpstr (fake.calls->str, ==, "status ");
  g_string_free (fake.calls, TRUE);
}

/* The failure came before the freeze, or libvirt thawed. */
static void
test_failed_thawed (void)
{
  set_up (STATUS ("thawed"), STATUS ("thawed"), TRUE);
  check (TRUE, "status frozen-snapshot status ", NEGO_ERROR_IO,
         "cannot make the snapshot: libvirt's words");
}

static void
test_failed_frozen (void)
{
  set_up (STATUS ("thawed"), STATUS ("frozen"), TRUE);
  check (TRUE, "status frozen-snapshot status thaw ", NEGO_ERROR_IO,
         "cannot make the snapshot: libvirt's words");
}

/* What cannot be told is thawed. */
static void
test_failed_silent (void)
{
  set_up (STATUS ("thawed"), NULL, TRUE);
  check (TRUE, "status frozen-snapshot status thaw ", NEGO_ERROR_IO,
         "cannot make the snapshot: libvirt's words");
  fake.thaw_fails = TRUE;
  check (TRUE, "status frozen-snapshot status thaw ", NEGO_ERROR_IO,
         "cannot make the snapshot: libvirt's words; cannot tell whether the guest is thawed: "
         "libvirt's words");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/libvirt-snapshot/made", test_made);
  g_test_add_func ("/libvirt-snapshot/not-quiesced", test_not_quiesced);
  g_test_add_func ("/libvirt-snapshot/frozen-before", test_frozen_before);
  g_test_add_func ("/libvirt-snapshot/no-answer", test_no_answer);
  g_test_add_func ("/libvirt-snapshot/failed-thawed", test_failed_thawed);
  g_test_add_func ("/libvirt-snapshot/failed-frozen", test_failed_frozen);
  g_test_add_func ("/libvirt-snapshot/failed-silent", test_failed_silent);
  return g_test_run ();
}
