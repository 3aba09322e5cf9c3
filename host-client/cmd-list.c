/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/json.h"
#include "common/names.h"
#include "host-client/discover.h"
#include "common/client/output.h"
#include "host-client/told.h"
#include "host-client/verbs.h"
#include "qapi/qapi-visit.h"

#include <string.h>

/* What the table says about a guest's agent. */
typedef enum {
  NEGO_CMD_AGENT_NONE, /* the guest is off or has no channel */
  NEGO_CMD_AGENT_ANSWERS,
  NEGO_CMD_AGENT_BUSY,    /* another program holds the way to it */
  NEGO_CMD_AGENT_SILENT,  /* it does not answer */
  NEGO_CMD_AGENT_UNKNOWN, /* the time was over before it could be asked */
} NegoCmdAgent;

static const char *const agent_names[] = { "none", "answers", "busy", "silent", "unknown" };

typedef struct {
  const NegoDomain *domain; /* borrowed */
  GPtrArray *channels;
  NegoCmdAgent agent;
  char *reason;                    /* why it does not answer; NULL: it does, or the guest is off */
  const QapiNegotiatorGuest *told; /* what nego-hostd knows of it; NULL: nothing */
} NegoCmdRow;

/* What the threads need. */
typedef struct {
  const NegoOptions *options;
  const NegoLibvirtModule *module;
  NegoLibvirt *libvirt;
  gint64 deadline;
  GPtrArray *told; /* nego-hostd's guests; NULL: it does not answer */
} NegoCmdList;

static void
nego_cmd_free_row (gpointer data)
{
  NegoCmdRow *row = data;

  g_clear_pointer (&row->channels, g_ptr_array_unref);
  g_free (row->reason);
  g_free (row);
}

/* Whether the agent of @row answers; on a thread. */
static void
nego_cmd_probe (gpointer data, gpointer user_data)
{
  const NegoCmdList *list = user_data;
  NegoCmdRow *row = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRoute) route
    = nego_route_new_for_domain (list->options, list->module, list->libvirt, row->domain, &error);
  const gint64 deadline
    = MIN (list->deadline, g_get_monotonic_time () + NEGO_GUEST_PROBE_S * G_USEC_PER_SEC);
  g_autoptr (NegoRemote) guest = NULL;
  g_autoptr (JsonNode) pong = NULL;

  if (nego_link_time_left (deadline) == 0) {
    row->agent = NEGO_CMD_AGENT_UNKNOWN;
    row->reason = g_strdup ("the time was over before its agent could be asked (--timeout)");
    return;
  }
  if (route != NULL)
    guest = nego_route_open (route, deadline, &error);
  if (guest != NULL)
    pong = nego_remote_ask (guest, "guest-ping", deadline, &error);
  if (pong != NULL) {
    row->agent = NEGO_CMD_AGENT_ANSWERS;
    return;
  }
  row->agent = g_error_matches (error, NEGO_ERROR, NEGO_ERROR_BUSY) ? NEGO_CMD_AGENT_BUSY
                                                                    : NEGO_CMD_AGENT_SILENT;
  row->reason = g_strdup (error->message);
}

static gboolean
nego_cmd_has_channel (const NegoCmdRow *row)
{
  return row->channels != NULL && nego_discover_has_agent (row->channels);
}

/* Fills in @rows, several at a time: one silent guest takes seconds. Each probe ends by the
 * deadline. */
static void
nego_cmd_probe_all (NegoCmdList *list, const GPtrArray *rows)
{
  GThreadPool *pool = NULL;

  for (guint i = 0; i < rows->len; i++) {
    NegoCmdRow *row = rows->pdata[i];

    if (!row->domain->running || !nego_cmd_has_channel (row))
      continue;
    if (pool == NULL)
      pool = g_thread_pool_new (nego_cmd_probe, list, NEGO_GUEST_CALLS, FALSE, NULL);
    g_thread_pool_push (pool, row, NULL);
  }
  if (pool != NULL)
    g_thread_pool_free (pool, FALSE, TRUE);
}

static GPtrArray *
nego_cmd_make_rows (const GPtrArray *domains)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (nego_cmd_free_row);

  for (guint i = 0; i < domains->len; i++) {
    NegoCmdRow *row = g_new0 (NegoCmdRow, 1);

    row->domain = domains->pdata[i];
    row->channels = nego_discover_channels (row->domain->xml, NULL);
    g_ptr_array_add (rows, row);
  }
  return g_steal_pointer (&rows);
}

/* Where there is a nego-hostd, it knows what the guests told it. */
static void
nego_cmd_ask_hostd (NegoCmdList *list, const GPtrArray *rows)
{
  const gint64 deadline
    = MIN (list->deadline, g_get_monotonic_time () + NEGO_GUEST_PROBE_S * G_USEC_PER_SEC);
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRemote) hostd = nego_told_open (list->options, &error);

  if (hostd != NULL)
    list->told = nego_told_list (hostd, deadline, &error);
  if (error != NULL && (list->options->verbose || list->options->hostd != NULL))
    nego_output_say ("%s", error->message);
  for (guint i = 0; i < rows->len; i++) {
    NegoCmdRow *row = rows->pdata[i];

    row->told = nego_told_find (list->told, row->domain->uuid);
  }
}

static char *
nego_cmd_note_names (const NegoCmdRow *row)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; row->told != NULL && i < row->told->notes->len; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? " " : "",
                            ((const QapiNegotiatorNote *) row->told->notes->pdata[i])->name);
  return g_string_free (g_steal_pointer (&names), FALSE);
}

static gboolean
nego_cmd_print_rows (const GPtrArray *rows, GError **error)
{
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) text = g_string_new (NULL);

  g_ptr_array_add (cells, g_strdup ("NAME"));
  g_ptr_array_add (cells, g_strdup ("STATE"));
  g_ptr_array_add (cells, g_strdup ("AGENT"));
  g_ptr_array_add (cells, g_strdup ("TOLD"));
  g_ptr_array_add (cells, g_strdup ("CHANNELS"));
  for (guint i = 0; i < rows->len; i++) {
    const NegoCmdRow *row = rows->pdata[i];
    g_autoptr (GString) channels = g_string_new (NULL);

    for (guint j = 0; row->channels != NULL && j < row->channels->len; j++) {
      const NegoChannel *channel = row->channels->pdata[j];

      g_string_append_printf (channels, "%s%s", j > 0 ? " " : "", channel->name);
    }
    g_ptr_array_add (cells, g_strdup (row->domain->name));
    g_ptr_array_add (cells, g_strdup (row->domain->state));
    g_ptr_array_add (cells,
                     g_strdup (row->agent == NEGO_CMD_AGENT_NONE ? "" : agent_names[row->agent]));
    g_ptr_array_add (cells, nego_cmd_note_names (row));
    g_ptr_array_add (cells, g_strdup (channels->str));
  }
  nego_output_table (text, cells, 5);
  return nego_output_text (text, error);
}

static void
nego_cmd_write_row (NegoJsonWriter *writer, const NegoCmdRow *row)
{
  nego_json_writer_begin_object (writer);
  nego_json_writer_key (writer, "name");
  nego_json_writer_string (writer, row->domain->name);
  nego_json_writer_key (writer, "uuid");
  nego_json_writer_string (writer, row->domain->uuid);
  nego_json_writer_key (writer, "state");
  nego_json_writer_string (writer, row->domain->state);
  nego_json_writer_key (writer, "agent");
  nego_json_writer_string (writer, agent_names[row->agent]);
  if (row->reason != NULL) {
    nego_json_writer_key (writer, "reason");
    nego_json_writer_string (writer, row->reason);
  }
  nego_json_writer_key (writer, "channels");
  nego_json_writer_begin_array (writer);
  for (guint i = 0; row->channels != NULL && i < row->channels->len; i++) {
    const NegoChannel *channel = row->channels->pdata[i];

    nego_json_writer_begin_object (writer);
    nego_json_writer_key (writer, "name");
    nego_json_writer_string (writer, channel->name);
    if (channel->path != NULL) {
      nego_json_writer_key (writer, "path");
      nego_json_writer_string (writer, channel->path);
    }
    nego_json_writer_key (writer, "connected");
    nego_json_writer_boolean (writer, channel->connected);
    nego_json_writer_end_object (writer);
  }
  nego_json_writer_end_array (writer);
  if (row->told != NULL) {
    nego_json_writer_key (writer, "notes");
    nego_json_writer_begin_array (writer);
    for (guint i = 0; i < row->told->notes->len; i++)
      qapi_negotiator_note_encode (writer, row->told->notes->pdata[i]);
    nego_json_writer_end_array (writer);
  }
  nego_json_writer_end_object (writer);
}

static gboolean
nego_cmd_print_rows_json (const GPtrArray *rows, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, text);
  nego_json_writer_begin_array (&writer);
  for (guint i = 0; i < rows->len; i++)
    nego_cmd_write_row (&writer, rows->pdata[i]);
  nego_json_writer_end_array (&writer);
  g_string_append_c (text, '\n');
  return nego_output_text (text, error);
}

/* Why the agents that do not answer do not. */
static void
nego_cmd_say_reasons (const GPtrArray *rows)
{
  for (guint i = 0; i < rows->len; i++) {
    const NegoCmdRow *row = rows->pdata[i];

    if (row->reason != NULL)
      nego_output_say ("guest '%s': %s", row->domain->name, row->reason);
  }
}

static gboolean
nego_cmd_list_all (NegoCmdList *list, GError **error)
{
  g_autoptr (GPtrArray) domains = list->module->list (list->libvirt, list->deadline, error);
  g_autoptr (GPtrArray) rows = NULL;

  if (domains == NULL)
    return FALSE;
  rows = nego_cmd_make_rows (domains);
  nego_cmd_probe_all (list, rows);
  nego_cmd_ask_hostd (list, rows);
  if (list->options->verbose)
    nego_cmd_say_reasons (rows);
  return list->options->json ? nego_cmd_print_rows_json (rows, error)
                             : nego_cmd_print_rows (rows, error);
}

/* nego-host list */
int
nego_cmd_list (const NegoOptions *options)
{
  NegoCmdList list = {
    .options = options,
    .deadline = nego_options_deadline (options, NEGO_GUEST_ANSWER_S),
  };
  g_autoptr (GError) error = NULL;
  gboolean done;

  list.module = nego_libvirt_module_load (&error);
  if (list.module != NULL)
    list.libvirt = list.module->open (options->connect, list.deadline, &error);
  if (list.libvirt == NULL)
    return nego_verb_fail (options, error);
  done = nego_cmd_list_all (&list, &error);
  g_clear_pointer (&list.told, g_ptr_array_unref);
  list.module->close (list.libvirt);
  return done ? 0 : nego_verb_fail (options, error);
}
