/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-broker"

#include "config.h"

#include "common/broker/calls.h"

#include "common/broker/handles.h"
#include "common/broker/owners.h"
#include "common/broker/subscription.h"
#include "common/broker/ticket.h"
#include "common/error.h"
#include "common/names.h"
#include "common/source.h"
#include "common/value.h"

#include <string.h>

struct NegoCalls {
  const char *lost, *silent;
  NegoUpstream *upstream;
  guint64 next_id;
  GQueue waiting;            /* NegoTicket */
  GHashTable *out;           /* id → NegoTicket; owns it */
  GHashTable *subscriptions; /* job → NegoSubscription; borrows it */
  NegoOwners *owners;
  NegoHandles *handles;
  GSource *patience; /* while calls wait for an upstream that is not ready */
  gboolean losing;   /* subscriptions end because the upstream does */
};

static void
nego_calls_free_ticket (gpointer data)
{
  NegoTicket *ticket = data;

  if (ticket->call != NULL)
    nego_call_set_abandon (ticket->call, NULL, NULL);
  nego_ticket_free (ticket);
}

NegoCalls *
nego_calls_new (const char *lost, const char *silent)
{
  NegoCalls *calls = g_new0 (NegoCalls, 1);

  calls->lost = lost;
  calls->silent = silent;
  calls->out = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, nego_calls_free_ticket);
  calls->subscriptions = g_hash_table_new (g_str_hash, g_str_equal);
  calls->owners = nego_owners_new ();
  calls->handles = nego_handles_new ();
  return calls;
}

void
nego_calls_free (NegoCalls *calls)
{
  if (calls == NULL)
    return;
  nego_source_clear (&calls->patience);
  g_queue_clear_full (&calls->waiting, nego_calls_free_ticket);
  g_hash_table_unref (calls->out);
  g_hash_table_unref (calls->subscriptions);
  nego_owners_free (calls->owners);
  nego_handles_free (calls->handles);
  g_free (calls);
}

static gboolean
nego_calls_are_ready (const NegoCalls *calls)
{
  return calls->upstream != NULL && nego_upstream_is_ready (calls->upstream);
}

static void
nego_calls_update_waiting (NegoCalls *calls)
{
  if (calls->upstream != NULL)
    nego_upstream_set_waiting (calls->upstream, g_hash_table_size (calls->out) > 0);
}

void
nego_calls_set_upstream (NegoCalls *calls, NegoUpstream *upstream)
{
  calls->upstream = upstream;
}

static void
nego_calls_fail (NegoTicket *ticket, const char *text)
{
  if (ticket->call != NULL)
    nego_call_fail (ticket->call, g_error_new_literal (NEGO_ERROR, NEGO_ERROR_GENERIC, text));
}

/* A request of the broker's own, whose reply nobody wants. Takes @arguments. */
static void
nego_calls_tell (NegoCalls *calls, const char *command, char *arguments)
{
  g_autofree char *owned = arguments;

  if (nego_calls_are_ready (calls))
    nego_upstream_send (calls->upstream, command, owned, strlen (owned), NULL, 0);
}

/* @job is a name that nego_calls_is_name () admits: it needs no escapes. */
static void
nego_calls_unsubscribe (NegoCalls *calls, const char *job)
{
  nego_calls_tell (calls, "negotiator-exec-status",
                   g_strdup_printf ("{\"job\":\"%s\",\"stream\":false}", job));
}

static void
nego_calls_subscription_ended_cb (NegoSubscription *subscription, gboolean last, gpointer user_data)
{
  NegoCalls *calls = user_data;
  const char *job = nego_subscription_get_job (subscription);

  if (g_hash_table_lookup (calls->subscriptions, job) != subscription)
    return;
  g_hash_table_remove (calls->subscriptions, job);
  if (!last && !calls->losing)
    nego_calls_unsubscribe (calls, job);
}

/* Whether @job may stand in a request of the broker's own: agents use hexadecimal digits. */
static gboolean
nego_calls_is_name (const char *job)
{
  const gsize len = strlen (job);

  return len > 0 && len <= NEGO_JOB_KEY_BYTES
         && strspn (job, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-")
              == len;
}

/* The reply @ret to @ticket, behind which events come, or do not. */
static void
nego_calls_subscribe (NegoCalls *calls, NegoTicket *ticket, const char *job, const NegoValue *ret)
{
  NegoFeeds *feeds = nego_call_get_feeds (ticket->call);
  NegoSubscription *former = g_hash_table_lookup (calls->subscriptions, job);
  NegoValue exited, out_eof, err_eof;
  gboolean complete;

  nego_value_find (ret, "exited", &exited);
  nego_value_find (ret, "out-eof", &out_eof);
  nego_value_find (ret, "err-eof", &err_eof);
  complete = nego_value_is_true (&exited) && nego_value_is_true (&out_eof)
             && nego_value_is_true (&err_eof);
  /* The other side's goes on: it has told of what is not in the reply, and will tell of the end. */
  if (former != NULL && nego_subscription_is_of (former, feeds))
    return;
  if (former != NULL) {
    g_hash_table_remove (calls->subscriptions, job);
    nego_subscription_end (former);
  }
  if (complete || !nego_feeds_have_room (feeds, NULL))
    return;
  former = nego_subscription_new (feeds, job, nego_broker_client_get_bytes (ticket->client),
                                  nego_calls_subscription_ended_cb, calls);
  g_hash_table_insert (calls->subscriptions, (gpointer) nego_subscription_get_job (former), former);
}

/* The subscription of @feeds to @job, which the other side has ended. */
static void
nego_calls_end_subscription (NegoCalls *calls, const char *job, const NegoFeeds *feeds)
{
  NegoSubscription *subscription = g_hash_table_lookup (calls->subscriptions, job);

  if (subscription == NULL || !nego_subscription_is_of (subscription, feeds))
    return;
  g_hash_table_remove (calls->subscriptions, job);
  nego_subscription_end (subscription);
}

static const char *
nego_calls_find_job (NegoCalls *calls, const NegoTicket *ticket)
{
  return ticket->job != NULL ? ticket->job : nego_owners_find_job (calls->owners, ticket->key);
}

/* Another client's events of the job stop before this one's begin: the other side has one
 * subscription for both. */
static void
nego_calls_take_over (NegoCalls *calls, const NegoTicket *ticket)
{
  const char *job = nego_calls_find_job (calls, ticket);
  NegoSubscription *former = job != NULL ? g_hash_table_lookup (calls->subscriptions, job) : NULL;

  if (former != NULL && !nego_subscription_is_of (former, nego_call_get_feeds (ticket->call)))
    nego_subscription_end (former);
}

/* Who has no events ends nobody else's: the other side would end the one subscription it has. */
static void
nego_calls_keep_others (NegoCalls *calls, NegoTicket *ticket)
{
  const char *job = nego_calls_find_job (calls, ticket);
  NegoSubscription *there = job != NULL ? g_hash_table_lookup (calls->subscriptions, job) : NULL;

  if (there != NULL && !nego_subscription_is_of (there, nego_call_get_feeds (ticket->call)))
    nego_ticket_drop_stream (ticket);
}

/* Whether the user may do to the job what @ticket asks. */
static gboolean
nego_calls_admit (NegoCalls *calls, const NegoTicket *ticket, GError **error)
{
  const char *name = ticket->job != NULL ? ticket->job : ticket->key;
  g_autofree char *quoted = NULL;
  NegoOwnersVerdict verdict;

  if (ticket->stream && !nego_feeds_have_room (nego_call_get_feeds (ticket->call), error))
    return FALSE;
  if (name == NULL || ticket->uid == 0)
    return TRUE;
  verdict = nego_owners_judge (calls->owners, ticket->job, ticket->key, ticket->uid);
  if (verdict == NEGO_OWNERS_THIS
      || (verdict == NEGO_OWNERS_UNKNOWN
          && (ticket->job != NULL || ticket->kind == NEGO_TICKET_EXEC)))
    return TRUE;
  quoted = nego_error_quote (name);
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND,
               ticket->kind == NEGO_TICKET_EXEC ? "key '%s' is in use" : "unknown job '%s'",
               quoted);
  return FALSE;
}

/* The call of @ticket is over; @known: with a reply, or before it was sent. */
static void
nego_calls_release (NegoCalls *calls, NegoTicket *ticket, gboolean known)
{
  if (ticket->reserved)
    nego_owners_release (calls->owners, ticket->key, ticket->uid, known);
  ticket->reserved = FALSE;
}

static void
nego_calls_on_abandoned (NegoCall *call, gpointer user_data)
{
  NegoTicket *ticket = user_data;
  NegoCalls *calls = ticket->calls;
  g_autofree char *own_key = NULL;
  guint64 id = ticket->id;

  nego_calls_release (calls, ticket, id == 0);
  if (id == 0) {
    g_queue_remove (&calls->waiting, ticket);
    nego_ticket_free (ticket);
    return;
  }
  own_key = g_steal_pointer (&ticket->own_key);
  g_hash_table_remove (calls->out, &id);
  nego_calls_tell (calls, "negotiator-cancel",
                   g_strdup_printf ("{\"request\":%" G_GUINT64_FORMAT "}", id));
  if (own_key != NULL)
    nego_calls_tell (calls, "negotiator-exec-forget",
                     g_strdup_printf ("{\"key\":\"%s\"}", own_key));
  nego_calls_update_waiting (calls);
  nego_calls_pump (calls);
}

static gboolean
nego_calls_patience_cb (gpointer user_data)
{
  NegoCalls *calls = user_data;

  nego_source_clear (&calls->patience);
  nego_calls_refuse (calls, calls->silent);
  return G_SOURCE_REMOVE;
}

/* What waits for an upstream that is not ready does so for a while. */
static void
nego_calls_be_patient (NegoCalls *calls)
{
  if (calls->waiting.length > 0 && calls->upstream != NULL && calls->patience == NULL)
    calls->patience = nego_source_add_timeout (NEGO_BROKER_SYNC_MS, nego_calls_patience_cb, calls);
}

void
nego_calls_take (
  NegoCalls *calls, NegoCall *call, const char *arguments, gsize len, NegoBrokerClient *client)
{
  NegoTicket *ticket
    = nego_ticket_new (calls, call, arguments, len, client, nego_broker_client_get_uid (client));
  GError *error = NULL;

  if (!nego_calls_admit (calls, ticket, &error)) {
    nego_call_fail (call, error);
    nego_ticket_free (ticket);
    return;
  }
  if (ticket->kind == NEGO_TICKET_EXEC && ticket->key != NULL && nego_calls_is_name (ticket->key))
    ticket->reserved = nego_owners_reserve (calls->owners, ticket->key, ticket->uid);
  nego_call_set_abandon (call, nego_calls_on_abandoned, ticket);
  g_queue_push_tail (&calls->waiting, ticket);
  if (nego_calls_are_ready (calls)) {
    nego_calls_pump (calls);
  } else if (calls->patience == NULL) {
    nego_upstream_sync (calls->upstream, FALSE);
    nego_calls_be_patient (calls);
  }
}

static void
nego_calls_send (NegoCalls *calls, NegoTicket *ticket)
{
  if (ticket->stream)
    nego_calls_take_over (calls, ticket);
  if (ticket->unsubscribe)
    nego_calls_keep_others (calls, ticket);
  ticket->id = ++calls->next_id;
  g_hash_table_insert (calls->out, &ticket->id, ticket);
  nego_calls_update_waiting (calls);
  if (nego_upstream_send (calls->upstream, ticket->name, ticket->arguments, ticket->len,
                          ticket->own_key, ticket->id)) {
    g_clear_pointer (&ticket->arguments, g_free);
    return;
  }
  g_hash_table_steal (calls->out, &ticket->id);
  nego_call_set_abandon (ticket->call, NULL, NULL);
  nego_calls_release (calls, ticket, TRUE);
  nego_calls_fail (ticket, "the request is longer than the other side takes");
  nego_ticket_free (ticket);
}

void
nego_calls_pump (NegoCalls *calls)
{
  if (!nego_calls_are_ready (calls))
    return;
  nego_source_clear (&calls->patience);
  while (calls->waiting.length > 0 && g_hash_table_size (calls->out) < NEGO_BROKER_CALLS
         && nego_upstream_has_room (calls->upstream))
    nego_calls_send (calls, g_queue_pop_head (&calls->waiting));
  nego_calls_update_waiting (calls);
}

void
nego_calls_lose (NegoCalls *calls)
{
  g_autoptr (GHashTable) out = g_steal_pointer (&calls->out);
  GHashTableIter iter;
  gpointer value;

  calls->out = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, nego_calls_free_ticket);
  calls->losing = TRUE;
  g_hash_table_iter_init (&iter, calls->subscriptions);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    g_hash_table_iter_steal (&iter);
    nego_subscription_end (value);
  }
  calls->losing = FALSE;
  nego_calls_be_patient (calls);
  g_hash_table_iter_init (&iter, out);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    NegoTicket *ticket = value;

    nego_call_set_abandon (ticket->call, NULL, NULL);
    g_hash_table_iter_steal (&iter);
    nego_calls_release (calls, ticket, FALSE);
    nego_calls_fail (ticket, calls->lost);
    nego_ticket_free (ticket);
  }
  nego_calls_update_waiting (calls);
}

void
nego_calls_refuse (NegoCalls *calls, const char *reason)
{
  /* A client's next call may come meanwhile: it has its own turn. */
  GQueue waiting = calls->waiting;
  NegoTicket *ticket;

  g_queue_init (&calls->waiting);
  nego_source_clear (&calls->patience);
  while ((ticket = g_queue_pop_head (&waiting)) != NULL) {
    nego_call_set_abandon (ticket->call, NULL, NULL);
    nego_calls_release (calls, ticket, TRUE);
    nego_calls_fail (ticket, reason);
    nego_ticket_free (ticket);
  }
}

/* The list of jobs, without those of other users. */
static void
nego_calls_return_jobs (NegoCalls *calls, NegoTicket *ticket, const NegoValue *ret)
{
  g_autoptr (GString) list = g_string_new ("[");
  NegoValue element = { 0 };

  while (nego_value_next (ret, &element)) {
    NegoValue member;
    g_autofree char *job = NULL;

    nego_value_find (&element, "job", &member);
    job = nego_value_dup_string (&member);
    if (job == NULL
        || nego_owners_judge (calls->owners, job, NULL, ticket->uid) != NEGO_OWNERS_THIS)
      continue;
    if (list->len > 1)
      g_string_append_c (list, ',');
    g_string_append_len (list, element.text, (gssize) element.len);
  }
  g_string_append_c (list, ']');
  nego_call_return_text (ticket->call, list->str, list->len);
}

/* What the reply @ret to @ticket says about its file. */
static void
nego_calls_learn_file (NegoCalls *calls, const NegoTicket *ticket, const NegoValue *ret)
{
  NegoValue member;
  guint64 handle;

  if (ticket->kind == NEGO_TICKET_CLOSE)
    nego_handles_remove (calls->handles, ticket->handle);
  if (ticket->kind != NEGO_TICKET_OPEN)
    return;
  if (!nego_value_find (ret, "handle", &member))
    member = *ret;
  if (nego_value_get_uint (&member, &handle))
    nego_handles_add (calls->handles, handle, ticket->client);
}

void
nego_calls_forget_client (NegoCalls *calls, gconstpointer client)
{
  guint64 handle;

  while (nego_handles_take (calls->handles, client, &handle))
    nego_calls_tell (calls, "guest-file-close",
                     g_strdup_printf ("{\"handle\":%" G_GUINT64_FORMAT "}", handle));
}

/* What the reply @ret to @ticket says about its job. */
static void
nego_calls_learn (NegoCalls *calls, NegoTicket *ticket, const NegoValue *ret)
{
  NegoValue job_value, exited;
  g_autofree char *job = NULL;

  if (ticket->kind == NEGO_TICKET_FORGET)
    nego_owners_forget (calls->owners, ticket->job, ticket->key);
  if (ticket->kind != NEGO_TICKET_EXEC && ticket->kind != NEGO_TICKET_STATUS)
    return;
  nego_value_find (ret, "job", &job_value);
  job = nego_value_dup_string (&job_value);
  if (job == NULL || !nego_calls_is_name (job))
    return;
  /* The broker's own key comes back in the job's status. */
  if (ticket->kind == NEGO_TICKET_EXEC)
    nego_owners_record (calls->owners, job, ticket->key != NULL ? ticket->key : ticket->own_key,
                        ticket->uid);
  if (ticket->stream)
    nego_calls_subscribe (calls, ticket, job, ret);
  else if (ticket->unsubscribe)
    nego_calls_end_subscription (calls, job, nego_call_get_feeds (ticket->call));
  nego_value_find (ret, "exited", &exited);
  if (nego_value_is_true (&exited))
    nego_owners_set_ended (calls->owners, job);
}

static void
nego_calls_take_reply (NegoCalls *calls, NegoTicket *ticket, const NegoFramerMessage *message)
{
  const NegoFramerMember *ret = nego_framer_message_find (message, "return");
  const NegoFramerMember *error = nego_framer_message_find (message, "error");

  nego_call_set_abandon (ticket->call, NULL, NULL);
  if (ret != NULL) {
    const NegoValue value = { message->text + ret->value, ret->value_len };

    nego_calls_learn (calls, ticket, &value);
    nego_calls_learn_file (calls, ticket, &value);
    nego_calls_release (calls, ticket, TRUE);
    if (ticket->kind == NEGO_TICKET_JOBS && ticket->uid != 0)
      nego_calls_return_jobs (calls, ticket, &value);
    else
      nego_call_return_text (ticket->call, value.text, value.len);
    return;
  }
  nego_calls_release (calls, ticket, TRUE);
  if (error != NULL && error->kind == NEGO_JSON_OBJECT)
    nego_call_fail_text (ticket->call, message->text + error->value, error->value_len);
  else
    nego_calls_fail (ticket, "the reply of the other side makes no sense");
}

static void
nego_calls_take_event (NegoCalls *calls, const NegoFramerMessage *message)
{
  const NegoFramerMember *name = nego_framer_message_find (message, "event");
  const NegoFramerMember *data = nego_framer_message_find (message, "data");
  const NegoValue kind = { message->text + name->value, name->value_len };
  g_autofree char *job = NULL;
  NegoSubscription *subscription;
  NegoValue member;
  gboolean last = nego_value_is_string (&kind, "NEGOTIATOR_EXITED");

  if (data == NULL)
    return;
  nego_value_find (&(NegoValue){ message->text + data->value, data->value_len }, "job", &member);
  job = nego_value_dup_string (&member);
  subscription = job != NULL ? g_hash_table_lookup (calls->subscriptions, job) : NULL;
  if (last && job != NULL)
    nego_owners_set_ended (calls->owners, job);
  if (subscription == NULL)
    return;
  if (!nego_subscription_add (subscription, message->text, message->len, last)) {
    g_debug ("a client does not take its events: its subscription ends");
    nego_subscription_end (subscription);
  } else if (last) {
    g_hash_table_remove (calls->subscriptions, job);
  }
}

void
nego_calls_hear (NegoCalls *calls, const NegoFramerMessage *message)
{
  const NegoFramerMember *member = nego_framer_message_find (message, "id");
  gpointer ticket = NULL;
  guint64 id;

  if (nego_framer_message_find (message, "event") != NULL) {
    nego_calls_take_event (calls, message);
    return;
  }
  if (member == NULL
      || !nego_value_get_uint (&(NegoValue){ message->text + member->value, member->value_len },
                               &id)
      || !g_hash_table_steal_extended (calls->out, &id, NULL, &ticket))
    return;
  nego_calls_take_reply (calls, ticket, message);
  nego_ticket_free (ticket);
  nego_calls_pump (calls);
}
