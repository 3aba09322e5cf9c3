/* SPDX-License-Identifier: MIT */
/* nego-host snapshot: the disks of many guests, each frozen by its agent no longer than libvirt
 * needs to change to the new files. */
#include "config.h"

#include "common/client/output.h"
#include "common/error.h"
#include "common/json.h"
#include "common/names.h"
#include "host-client/sweep.h"
#include "host-client/verbs.h"

typedef struct {
  const NegoOptions *options;
  NegoSnapshot snapshot;
  NegoFleet *fleet;
  gint64 deadline;
  GError **errors; /* one a guest; NULL: it succeeded */
} NegoSnapshots;

/* On a thread. */
static gboolean
nego_snapshots_make (const NegoFleetGuest *guest, guint index, guint worker, gpointer user_data)
{
  NegoSnapshots *self = user_data;
  GError **error = &self->errors[index];
  NegoLibvirt *libvirt;

  if (guest->domain == NULL) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_CLOSED, guest->reason);
    return FALSE;
  }
  libvirt = nego_fleet_open (self->fleet, guest, worker, self->deadline, error);
  return libvirt != NULL
         && nego_fleet_get_module (self->fleet)
              ->snapshot (libvirt, guest->domain, &self->snapshot, self->deadline, error);
}

static gboolean
nego_snapshots_print_json (const NegoSnapshots *self,
                           const NegoFleetGuest *guest,
                           guint index,
                           GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, text);
  nego_json_writer_begin_object (&writer);
  nego_fleet_write_guest (&writer, guest);
  nego_json_writer_key (&writer, self->errors[index] == NULL ? "snapshot" : "error");
  nego_json_writer_string (&writer, self->errors[index] == NULL ? self->snapshot.name
                                                                : self->errors[index]->message);
  nego_json_writer_end_object (&writer);
  return nego_output_json (text->str, text->len, error);
}

/* Says how each guest fared. FALSE: it could not be printed. */
static gboolean
nego_snapshots_report (const NegoSnapshots *self, NegoSweep *sweep, GError **error)
{
  const GPtrArray *guests = nego_fleet_get_guests (self->fleet);
  g_autoptr (GString) summary = g_string_new (NULL);
  gboolean printed = TRUE;

  for (guint i = 0; i < guests->len; i++) {
    const NegoFleetGuest *guest = guests->pdata[i];

    if (self->options->json)
      printed = printed && nego_snapshots_print_json (self, guest, i, error);
    else if (self->errors[i] != NULL && !self->options->quiet)
      nego_output_say ("guest '%s': %s", guest->label, self->errors[i]->message);
  }
  nego_sweep_append_summary (sweep, summary);
  if (!self->options->quiet)
    nego_output_say ("snapshot '%s' of %s", self->snapshot.name, summary->str);
  return printed;
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
  g_autoptr (NegoSweep) sweep = NULL;
  const guint n = fleet != NULL ? nego_fleet_get_guests (fleet)->len : 0;
  int status = 1;

  if (fleet == NULL)
    return nego_verb_fail (options, error);
  self.fleet = fleet;
  self.errors = g_new0 (GError *, n);
  sweep = nego_sweep_new (fleet, options->parallel, nego_snapshots_make, &self);
  nego_sweep_run (sweep);
  if (!nego_snapshots_report (&self, sweep, &error))
    nego_verb_fail (options, error);
  else if (nego_sweep_count (sweep, NEGO_SWEEP_SUCCEEDED) == n)
    status = 0;
  for (guint i = 0; i < n; i++)
    g_clear_error (&self.errors[i]);
  g_free (self.errors);
  return status;
}
