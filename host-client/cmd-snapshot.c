/* SPDX-License-Identifier: MIT */
/* nego-host snapshot: the disks of many guests, each frozen by its agent no longer than libvirt
 * needs to change to the new files. */
#include "config.h"

#include "common/client/output.h"
#include "common/error.h"
#include "common/json.h"
#include "common/names.h"
#include "host-client/fleet.h"
#include "host-client/verbs.h"

typedef struct {
  const NegoOptions *options;
  NegoSnapshot snapshot;
  gint64 deadline;
  GError **errors; /* one a guest; NULL: it succeeded */
} NegoSnapshots;

/* On a thread. */
static void
nego_snapshots_make (
  NegoFleet *fleet, const NegoFleetGuest *guest, guint index, guint worker, gpointer user_data)
{
  NegoSnapshots *self = user_data;
  GError **error = &self->errors[index];
  NegoLibvirt *libvirt;

  if (guest->domain == NULL) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_CLOSED, guest->reason);
    return;
  }
  libvirt = nego_fleet_open (fleet, guest, worker, self->deadline, error);
  if (libvirt != NULL)
    nego_fleet_get_module (fleet)->snapshot (libvirt, guest->domain, &self->snapshot,
                                             self->deadline, error);
}

static gboolean
nego_snapshots_print_json (const NegoSnapshots *self, const NegoFleetGuest *guest, guint index)
{
  g_autoptr (GString) text = g_string_new (NULL);
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, text);
  nego_json_writer_begin_object (&writer);
  nego_json_writer_key (&writer, "guest");
  nego_json_writer_string (&writer, guest->label);
  if (guest->domain != NULL) {
    nego_json_writer_key (&writer, "uuid");
    nego_json_writer_string (&writer, guest->domain->uuid);
  }
  nego_json_writer_key (&writer, self->errors[index] == NULL ? "snapshot" : "error");
  nego_json_writer_string (&writer, self->errors[index] == NULL ? self->snapshot.name
                                                                : self->errors[index]->message);
  nego_json_writer_end_object (&writer);
  return nego_output_json (text->str, text->len, NULL);
}

/* Says how each guest fared. Returns how many failed. */
static guint
nego_snapshots_report (const NegoSnapshots *self, const GPtrArray *guests)
{
  g_autoptr (GString) names = g_string_new (NULL);
  guint failed = 0;

  for (guint i = 0; i < guests->len; i++) {
    const NegoFleetGuest *guest = guests->pdata[i];

    if (self->options->json)
      nego_snapshots_print_json (self, guest, i);
    if (self->errors[i] == NULL)
      continue;
    g_string_append_printf (names, "%s%s", failed++ == 0 ? ": " : ", ", guest->label);
    if (!self->options->json && !self->options->quiet)
      nego_output_say ("guest '%s': %s", guest->label, self->errors[i]->message);
  }
  if (!self->options->quiet)
    nego_output_say ("snapshot '%s' of %u guests: %u succeeded, %u failed%s", self->snapshot.name,
                     guests->len, guests->len - failed, failed, names->str);
  return failed;
}

/* nego-host snapshot --all|--match PATTERN|GUEST[,GUEST…] [--name NAME] [--quiesce]
 * [--no-metadata] */
int
nego_cmd_snapshot (const NegoOptions *options)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *name = options->name != NULL ? g_strdup (options->name)
                                                : g_date_time_format (now, "nego-%Y%m%d-%H%M%S");
  NegoSnapshots self = {
    .options = options,
    .snapshot = { .name = name, .quiesce = options->quiesce, .forgotten = options->no_metadata },
    .deadline = nego_options_deadline (options, NEGO_SNAPSHOT_S),
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoFleet) fleet = nego_fleet_new (options, self.deadline, &error);
  const GPtrArray *guests;
  guint failed;

  if (fleet == NULL)
    return nego_verb_fail (options, error);
  guests = nego_fleet_get_guests (fleet);
  self.errors = g_new0 (GError *, guests->len);
  nego_fleet_each (fleet, nego_snapshots_make, &self);
  failed = nego_snapshots_report (&self, guests);
  for (guint i = 0; i < guests->len; i++)
    g_clear_error (&self.errors[i]);
  g_free (self.errors);
  return failed == 0 ? 0 : 1;
}
