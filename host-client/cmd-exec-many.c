/* SPDX-License-Identifier: MIT */
/* nego-host exec for several guests at once: as many threads as -P says, each with one guest at a
 * time. */
#include "config.h"

#include "common/error.h"
#include "common/json.h"
#include "common/names.h"
#include "common/random.h"
#include "host-client/fleet.h"
#include "common/client/output.h"
#include "host-client/prefix.h"
#include "common/client/result.h"
#include "host-client/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Names of guests that are still waited for, in the progress line. */
#define NAMES_SHOWN 3u

typedef enum {
  NEGO_MANY_WAITS,
  NEGO_MANY_RUNS,
  NEGO_MANY_SUCCEEDED,
  NEGO_MANY_FAILED,
} NegoManyState;

typedef struct NegoMany NegoMany;

/* One guest. */
typedef struct {
  NegoMany *many;
  const NegoFleetGuest *guest;
  NegoManyState state; /* under the lock */
  int signal_fds[2];   /* signals for its run */
  NegoRoute *route;
  NegoPrefixLines lines;
  GByteArray *collected[2]; /* with --json */
} NegoManyItem;

struct NegoMany {
  const NegoOptions *options;
  NegoFleet *fleet;
  NegoPrefix *prefix;
  GMutex lock;
  NegoManyItem *items;
  guint n_items;
  guint next;        /* the first item that nobody works at; under the lock */
  guint n_workers;   /* that are not at their end; under the lock */
  gboolean stopping; /* no more guest is begun */
  int done_fd;       /* an eventfd: the last worker has ended */
};

typedef struct {
  NegoMany *many;
  guint number;
} NegoManyWorker;

static gboolean
nego_many_put (guint stream, const guint8 *data, gsize len, gpointer user_data, GError **error)
{
  NegoManyItem *item = user_data;

  if (item->collected[stream] == NULL)
    return nego_prefix_lines_put (&item->lines, stream, data, len, error);
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
  const gint64 deadline = nego_options_deadline (options, NEGO_GUEST_ANSWER_S);
  g_autofree char *key = nego_random_name ();
  NegoRemote *guest;
  NegoRun run = {
    .command = options->args[0],
    .args = (const char *const *) options->args + 1,
    .key = key,
    .flow = !options->json,
    .timeout = options->timeout,
    .silence = options->has_timeout && options->timeout > 0
                 ? MIN (options->timeout, NEGO_GUEST_ANSWER_S)
                 : NEGO_GUEST_ANSWER_S,
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

static void
nego_many_print_json (NegoManyItem *item,
                      QapiNegotiatorJobStatus *status,
                      int exit_status,
                      const char *message)
{
  g_autoptr (GString) text = g_string_new (NULL);
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, text);
  nego_json_writer_begin_object (&writer);
  nego_json_writer_key (&writer, "guest");
  nego_json_writer_string (&writer, item->guest->label);
  if (item->guest->domain != NULL) {
    nego_json_writer_key (&writer, "uuid");
    nego_json_writer_string (&writer, item->guest->domain->uuid);
  }
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
  nego_prefix_print (item->many->prefix, text, NULL);
}

/* Prints what is to be said of the item's end. Returns whether it succeeded. */
static gboolean
nego_many_finish (NegoManyItem *item, QapiNegotiatorJobStatus *status, const GError *error)
{
  const NegoOptions *options = item->many->options;
  g_autoptr (GError) failure = NULL;
  g_autofree char *text = NULL;
  const int exit_status = status != NULL ? nego_result_exit_status (status, &failure)
                                         : nego_result_exit_status_of_error (error);
  const char *message = status == NULL ? error->message : failure != NULL ? failure->message : NULL;

  if (options->json)
    nego_many_print_json (item, status, exit_status, message);
  if (message != NULL)
    text = g_strdup_printf ("guest '%s': %s", item->guest->label, message);
  else if (exit_status > NEGO_RESULT_SIGNAL && status->has_signal)
    text = g_strdup_printf ("guest '%s': the command was ended by signal %" G_GINT64_FORMAT,
                            item->guest->label, status->signal);
  else if (exit_status != 0)
    text = g_strdup_printf ("guest '%s': exit status %d", item->guest->label, exit_status);
  if (text != NULL && !options->quiet && !options->json)
    nego_prefix_say (item->many->prefix, text);
  return exit_status == 0;
}

static void
nego_many_work (NegoManyItem *item, guint worker)
{
  const gboolean json = item->many->options->json;
  g_autoptr (GError) error = NULL;
  g_autoptr (QapiNegotiatorJobStatus) status = NULL;
  gboolean succeeded;

  nego_prefix_lines_init (&item->lines, item->many->prefix, item->guest->label);
  for (guint i = 0; json && i < G_N_ELEMENTS (item->collected); i++)
    item->collected[i] = g_byte_array_new ();
  status = nego_many_run (item, worker, &error);
  nego_prefix_lines_clear (&item->lines);
  succeeded = nego_many_finish (item, status, error);
  for (guint i = 0; i < G_N_ELEMENTS (item->collected); i++)
    g_clear_pointer (&item->collected[i], g_byte_array_unref);
  g_clear_pointer (&item->route, nego_route_free);
  g_mutex_lock (&item->many->lock);
  item->state = succeeded ? NEGO_MANY_SUCCEEDED : NEGO_MANY_FAILED;
  g_mutex_unlock (&item->many->lock);
}

/* The next guest that nobody works at, or NULL. */
static NegoManyItem *
nego_many_take (NegoMany *many)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&many->lock);
  NegoManyItem *item = NULL;

  if (!many->stopping && many->next < many->n_items)
    item = &many->items[many->next++];
  if (item != NULL)
    item->state = NEGO_MANY_RUNS;
  else
    many->n_workers--;
  if (many->n_workers == 0)
    eventfd_write (many->done_fd, 1);
  return item;
}

static gpointer
nego_many_worker (gpointer data)
{
  g_autofree NegoManyWorker *worker = data;
  NegoManyItem *item;

  while ((item = nego_many_take (worker->many)) != NULL)
    nego_many_work (item, worker->number);
  return NULL;
}

/* Tells all runs of the signal that came. */
static void
nego_many_pass_signal (NegoMany *many, int signal_fd)
{
  struct signalfd_siginfo info;

  if (read (signal_fd, &info, sizeof info) != sizeof info)
    return;
  g_mutex_lock (&many->lock);
  many->stopping = TRUE;
  g_mutex_unlock (&many->lock);
  /* A pipe holds some thirty of these, and two are looked at. */
  for (guint i = 0; i < many->n_items; i++)
    if (write (many->items[i].signal_fds[1], &info, sizeof info) < 0)
      continue;
}

static guint
nego_many_count (NegoMany *many, NegoManyState state)
{
  guint n = 0;

  for (guint i = 0; i < many->n_items; i++)
    n += many->items[i].state == state;
  return n;
}

static void
nego_many_show_progress (NegoMany *many)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint shown = 0;

  g_mutex_lock (&many->lock);
  g_string_printf (text, "%u of %u guests done",
                   nego_many_count (many, NEGO_MANY_SUCCEEDED)
                     + nego_many_count (many, NEGO_MANY_FAILED),
                   many->n_items);
  if (nego_many_count (many, NEGO_MANY_FAILED) > 0)
    g_string_append_printf (text, ", %u failed", nego_many_count (many, NEGO_MANY_FAILED));
  for (guint i = 0; i < many->n_items && shown <= NAMES_SHOWN; i++) {
    if (many->items[i].state != NEGO_MANY_RUNS)
      continue;
    g_string_append (text, shown == 0 ? "; waiting for " : ", ");
    g_string_append (text, shown < NAMES_SHOWN ? many->items[i].guest->label : "…");
    shown++;
  }
  g_mutex_unlock (&many->lock);
  nego_prefix_show_progress (many->prefix, text->str);
}

/* Waits for all workers, passes signals on, and shows how far they are. */
static void
nego_many_wait (NegoMany *many, int signal_fd)
{
  struct pollfd fds[]
    = { { .fd = many->done_fd, .events = POLLIN }, { .fd = signal_fd, .events = POLLIN } };

  do {
    if (poll (fds, G_N_ELEMENTS (fds), NEGO_MANY_PROGRESS_MS) == 0)
      nego_many_show_progress (many);
    else if (fds[1].revents != 0)
      nego_many_pass_signal (many, signal_fd);
  } while (fds[0].revents == 0);
}

static void
nego_many_say_summary (NegoMany *many)
{
  const guint failed = nego_many_count (many, NEGO_MANY_FAILED);
  const guint waits = nego_many_count (many, NEGO_MANY_WAITS);
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_printf (text, "%u guests: %u succeeded, %u failed", many->n_items,
                   nego_many_count (many, NEGO_MANY_SUCCEEDED), failed);
  for (guint i = 0, shown = 0; i < many->n_items && failed > 0; i++)
    if (many->items[i].state == NEGO_MANY_FAILED)
      g_string_append_printf (text, "%s%s", shown++ == 0 ? ": " : ", ",
                              many->items[i].guest->label);
  if (waits > 0)
    g_string_append_printf (text, "; %u were not begun", waits);
  nego_prefix_say (many->prefix, text->str);
}

/* Does all the work. FALSE: there is no more memory for threads or descriptors. */
static gboolean
nego_many_do (NegoMany *many, int signal_fd, GError **error)
{
  const guint n_workers = MIN (many->options->parallel, many->n_items);
  g_autofree GThread **threads = g_new0 (GThread *, n_workers);

  many->done_fd = eventfd (0, EFD_CLOEXEC);
  if (many->done_fd < 0)
    return nego_error_set_errno (error, errno, "cannot wait for threads");
  many->n_workers = n_workers;
  for (guint i = 0; i < n_workers; i++) {
    NegoManyWorker *worker = g_new (NegoManyWorker, 1);

    *worker = (NegoManyWorker){ many, i };
    threads[i] = g_thread_new ("guest", nego_many_worker, worker);
  }
  nego_many_wait (many, signal_fd);
  for (guint i = 0; i < n_workers; i++)
    g_thread_join (threads[i]);
  return TRUE;
}

static gboolean
nego_many_set_up (NegoMany *many, GError **error)
{
  const GPtrArray *guests = nego_fleet_get_guests (many->fleet);

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
  if (many->done_fd >= 0)
    close (many->done_fd);
  nego_prefix_free (many->prefix);
  g_clear_pointer (&many->fleet, nego_fleet_free);
  g_mutex_clear (&many->lock);
}

/* nego-host exec --all|--match PATTERN|GUEST,GUEST… COMMAND [ARG…] */
int
nego_cmd_exec_many (const NegoOptions *options)
{
  NegoMany many = {
    .options = options,
    .prefix = nego_prefix_new (!options->quiet),
    .done_fd = -1,
  };
  g_auto (NegoResult) result = { .signal_fd = -1 };
  g_autoptr (GError) error = NULL;
  int exit_status = NEGO_RESULT_FAILED;

  g_mutex_init (&many.lock);
  many.fleet
    = nego_fleet_new (options, nego_options_deadline (options, NEGO_GUEST_ANSWER_S), &error);
  nego_result_init (&result, options->json, options->quiet, options->guest);
  result.owner = (gpointer) options;
  if (many.fleet == NULL || !nego_many_set_up (&many, &error)
      || !nego_many_do (&many, result.signal_fd, &error)) {
    nego_verb_fail (options, error);
  } else {
    if (!options->quiet)
      nego_many_say_summary (&many);
    exit_status = nego_many_count (&many, NEGO_MANY_SUCCEEDED) == many.n_items ? 0 : 1;
  }
  nego_many_tear_down (&many);
  return exit_status;
}
