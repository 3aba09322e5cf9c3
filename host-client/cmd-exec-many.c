/* SPDX-License-Identifier: MIT */
/* nego-host exec for several guests at once. The main thread listens for signals and tells how far
 * it is; -P threads have one guest at a time each. */
#include "config.h"

#include "common/client/output.h"
#include "common/client/result.h"
#include "common/error.h"
#include "common/json.h"
#include "common/names.h"
#include "common/random.h"
#include "host-client/errand.h"
#include "host-client/prefix.h"
#include "host-client/sweep.h"
#include "host-client/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

typedef struct NegoMany NegoMany;

/* One guest. */
typedef struct {
  NegoMany *many;
  const NegoFleetGuest *guest;
  int signal_fds[2]; /* signals for its run */
  NegoRoute *route;
  NegoPrefixLines lines;
  GByteArray *collected[2]; /* with --json */
} NegoManyItem;

struct NegoMany {
  const NegoOptions *options;
  NegoFleet *fleet;
  NegoPrefix *prefix;
  NegoSweep *sweep;
  NegoManyItem *items;
  guint n_items;
  GError *error; /* why there is no fleet */
};

/* After output that could not be @written no other guest is begun: nobody would see what it says.
 */
static gboolean
nego_many_check (NegoMany *many, gboolean written)
{
  if (!written)
    nego_sweep_stop (many->sweep);
  return written;
}

static gboolean
nego_many_put (guint stream, const guint8 *data, gsize len, gpointer user_data, GError **error)
{
  NegoManyItem *item = user_data;

  if (item->collected[stream] == NULL)
    return nego_many_check (item->many,
                            nego_prefix_lines_put (&item->lines, stream, data, len, error));
  g_byte_array_append (item->collected[stream], data, (guint) len);
  return TRUE;
}

static NegoRemote *
nego_many_reopen (gint64 deadline, gpointer user_data, GError **error)
{
  return nego_route_open (((NegoManyItem *) user_data)->route, deadline, error);
}

/* Runs the command in the item's guest. */
static QapiNegotiatorJobStatus *
nego_many_run (NegoManyItem *item, guint worker, GError **error)
{
  const NegoOptions *options = item->many->options;
  const gint64 deadline = nego_verb_open_deadline ();
  g_autofree char *key = nego_random_name ();
  NegoRemote *guest;
  NegoRun run = {
    .command = options->args[0],
    .args = (const char *const *) options->args + 1,
    .key = key,
    .flow = !options->json,
    .timeout = options->timeout,
    .silence = NEGO_GUEST_ANSWER_S,
    .input_fd = -1,
    .signal_fd = item->signal_fds[0],
    .put = nego_many_put,
    .reopen = nego_many_reopen,
    .user_data = item,
  };

  if (item->guest->domain == NULL) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_CLOSED, item->guest->reason);
    return NULL;
  }
  item->route = nego_fleet_new_route (item->many->fleet, item->guest, worker, deadline, error);
  guest = item->route != NULL ? nego_route_open (item->route, deadline, error) : NULL;
  return guest != NULL ? nego_run_do (&run, guest, error) : NULL;
}

static gboolean
nego_many_print_json (NegoManyItem *item,
                      QapiNegotiatorJobStatus *status,
                      int exit_status,
                      const char *message,
                      GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, text);
  nego_json_writer_begin_object (&writer);
  nego_fleet_write_guest (&writer, item->guest);
  nego_json_writer_key (&writer, "exit-status");
  nego_json_writer_int (&writer, exit_status);
  if (message != NULL) {
    nego_json_writer_key (&writer, "error");
    nego_json_writer_string (&writer, message);
  }
  if (status != NULL) {
    g_autoptr (GString) result = g_string_new (NULL);

    nego_result_append_json (result, status, item->collected);
    nego_json_writer_key (&writer, "result");
    nego_json_writer_raw (&writer, result->str, result->len);
  }
  nego_json_writer_end_object (&writer);
  g_string_append_c (text, '\n');
  return nego_prefix_print (item->many->prefix, text, error);
}

/* What a person is told of the item's end; NULL: nothing. */
static char *
nego_many_describe (const NegoManyItem *item,
                    const QapiNegotiatorJobStatus *status,
                    int exit_status,
                    const char *message)
{
  const char *label = item->guest->label;

  if (message != NULL)
    return g_strdup_printf ("guest '%s': %s", label, message);
  if (exit_status > NEGO_RESULT_SIGNAL && status->has_signal)
    return g_strdup_printf ("guest '%s': the command was ended by signal %" G_GINT64_FORMAT, label,
                            status->signal);
  if (exit_status != 0)
    return g_strdup_printf ("guest '%s': exit status %d", label, exit_status);
  return NULL;
}

/* Prints what is to be said of the item's end: its @status, or NULL and @error, or both when the
 * last of its output could not be written. Returns whether it succeeded. */
static gboolean
nego_many_finish (NegoManyItem *item, QapiNegotiatorJobStatus *status, const GError *error)
{
  const NegoOptions *options = item->many->options;
  NegoPrefix *prefix = item->many->prefix;
  g_autoptr (GError) failure = NULL, unwritten = NULL;
  g_autofree char *text = NULL;
  const char *message;
  int exit_status;

  if (error != NULL)
    exit_status = nego_result_exit_status_of_error (error);
  else
    exit_status = nego_result_exit_status (status, &failure);
  message = error != NULL ? error->message : failure != NULL ? failure->message : NULL;
  if (options->json
      && !nego_many_check (item->many,
                           nego_many_print_json (item, status, exit_status, message, &unwritten)))
    message = unwritten->message;
  text = nego_many_describe (item, status, exit_status, message);
  if (text != NULL && !options->quiet && (!options->json || unwritten != NULL)
      && nego_prefix_has_reader (prefix))
    nego_prefix_say (prefix, text);
  return exit_status == 0 && unwritten == NULL;
}

static gboolean
nego_many_work (const NegoFleetGuest *guest, guint index, guint worker, gpointer user_data)
{
  NegoMany *many = user_data;
  NegoManyItem *item = &many->items[index];
  g_autoptr (GError) error = NULL;
  g_autoptr (QapiNegotiatorJobStatus) status = NULL;
  gboolean succeeded;

  nego_prefix_lines_init (&item->lines, many->prefix, guest->label);
  for (guint i = 0; many->options->json && i < G_N_ELEMENTS (item->collected); i++)
    item->collected[i] = g_byte_array_new ();
  status = nego_many_run (item, worker, &error);
  nego_many_check (many, nego_prefix_lines_end (&item->lines, error == NULL ? &error : NULL));
  succeeded = nego_many_finish (item, status, error);
  for (guint i = 0; i < G_N_ELEMENTS (item->collected); i++)
    g_clear_pointer (&item->collected[i], g_byte_array_unref);
  g_clear_pointer (&item->route, nego_route_free);
  return succeeded;
}

/* Tells all runs of the signal that came. */
static void
nego_many_pass_signal (NegoMany *many, int number)
{
  const struct signalfd_siginfo info = { .ssi_signo = (guint32) number };

  nego_sweep_stop (many->sweep);
  /* A pipe holds some thirty of these, and two are looked at. */
  for (guint i = 0; i < many->n_items; i++)
    if (write (many->items[i].signal_fds[1], &info, sizeof info) < 0)
      continue;
}

static void
nego_many_sweep (gpointer data)
{
  nego_sweep_run (((NegoMany *) data)->sweep);
}

/* Does all the work, passes signals on, and shows how far it is. */
static gboolean
nego_many_do (NegoMany *many, int signal_fd, GError **error)
{
  g_autoptr (NegoErrand) errand = nego_errand_new (nego_many_sweep, many, error);
  int number;

  if (errand == NULL)
    return FALSE;
  while ((number = nego_errand_wait (errand, signal_fd, NEGO_MANY_PROGRESS_MS)) != 0) {
    g_autoptr (GString) text = g_string_new (NULL);

    if (number > 0) {
      nego_many_pass_signal (many, number);
    } else {
      nego_sweep_append_progress (many->sweep, text);
      nego_prefix_show_progress (many->prefix, text->str);
    }
  }
  return TRUE;
}

static void
nego_many_find (gpointer data)
{
  NegoMany *many = data;

  many->fleet = nego_fleet_new (many->options, nego_verb_open_deadline (), &many->error);
}

static gboolean
nego_many_set_up (NegoMany *many, GError **error)
{
  const GPtrArray *guests = nego_fleet_get_guests (many->fleet);

  many->sweep = nego_sweep_new (many->fleet, many->options->parallel, nego_many_work, many);
  many->items = g_new0 (NegoManyItem, guests->len);
  for (; many->n_items < guests->len; many->n_items++) {
    NegoManyItem *item = &many->items[many->n_items];

    if (pipe2 (item->signal_fds, O_CLOEXEC | O_NONBLOCK) != 0)
      return nego_error_set_errno (error, errno, "cannot make a pipe for each of %u guests",
                                   guests->len);
    item->many = many;
    item->guest = guests->pdata[many->n_items];
  }
  return TRUE;
}

static void
nego_many_tear_down (NegoMany *many)
{
  for (guint i = 0; i < many->n_items; i++) {
    close (many->items[i].signal_fds[0]);
    close (many->items[i].signal_fds[1]);
  }
  g_free (many->items);
  nego_prefix_free (many->prefix);
  g_clear_pointer (&many->sweep, nego_sweep_free);
  g_clear_pointer (&many->fleet, nego_fleet_free);
  g_clear_error (&many->error);
}

/* nego-host exec --all|--match PATTERN|GUEST,GUEST… COMMAND [ARG…] */
int
nego_cmd_exec_many (const NegoOptions *options)
{
  NegoMany many = { .options = options, .prefix = nego_prefix_new (!options->quiet) };
  g_auto (NegoResult) result = { .signal_fd = -1 };
  int exit_status = NEGO_RESULT_FAILED;
  gboolean has_reader;

  nego_result_init (&result, FALSE, options->quiet, options->guest);
  nego_errand_run (nego_many_find, &many, result.signal_fd);
  if (many.fleet == NULL || !nego_many_set_up (&many, &many.error)
      || !nego_many_do (&many, result.signal_fd, &many.error)) {
    nego_verb_fail (options, many.error);
  } else {
    g_autoptr (GString) summary = g_string_new (NULL);

    nego_sweep_append_summary (many.sweep, summary);
    if (!options->quiet && nego_prefix_has_reader (many.prefix))
      nego_prefix_say (many.prefix, summary->str);
    exit_status = nego_sweep_count (many.sweep, NEGO_SWEEP_SUCCEEDED) == many.n_items ? 0 : 1;
  }
  has_reader = nego_prefix_has_reader (many.prefix);
  nego_many_tear_down (&many);
  /* As any program at the end of whose pipe nobody is. */
  if (!has_reader)
    nego_errand_die (SIGPIPE);
  return exit_status;
}
