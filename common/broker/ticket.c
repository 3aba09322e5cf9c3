/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/broker/ticket.h"

#include "common/random.h"
#include "common/value.h"

#include <string.h>

static const struct {
  const char *name;
  NegoTicketKind kind;
} kinds[] = {
  { "negotiator-exec", NEGO_TICKET_EXEC },
  { "negotiator-exec-status", NEGO_TICKET_STATUS },
  { "negotiator-exec-input", NEGO_TICKET_JOB },
  { "negotiator-exec-signal", NEGO_TICKET_JOB },
  { "negotiator-exec-forget", NEGO_TICKET_FORGET },
  { "negotiator-jobs", NEGO_TICKET_JOBS },
  { "guest-file-open", NEGO_TICKET_OPEN },
  { "negotiator-file-create", NEGO_TICKET_OPEN },
  { "guest-file-close", NEGO_TICKET_CLOSE },
  { "negotiator-file-finish", NEGO_TICKET_CLOSE },
};

static NegoTicketKind
nego_ticket_find_kind (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i].name, name))
      return kinds[i].kind;
  return NEGO_TICKET_OTHER;
}

static char *
nego_ticket_read_text (const NegoValue *arguments, const char *name)
{
  NegoValue member;

  return nego_value_find (arguments, name, &member) ? nego_value_dup_string (&member) : NULL;
}

static void
nego_ticket_read (NegoTicket *ticket)
{
  const NegoValue arguments = { ticket->arguments, ticket->len };
  NegoValue member;

  if (ticket->kind == NEGO_TICKET_OTHER || ticket->kind == NEGO_TICKET_JOBS
      || ticket->kind == NEGO_TICKET_OPEN)
    return;
  if (ticket->kind == NEGO_TICKET_CLOSE) {
    if (!nego_value_find (&arguments, "handle", &member)
        || !nego_value_get_uint (&member, &ticket->handle))
      ticket->handle = 0;
    return;
  }
  ticket->key = nego_ticket_read_text (&arguments, "key");
  if (ticket->kind != NEGO_TICKET_EXEC)
    ticket->job = nego_ticket_read_text (&arguments, "job");
  else if (!nego_value_find (&arguments, "key", &member))
    ticket->own_key = nego_random_name ();
  if (ticket->kind != NEGO_TICKET_EXEC && ticket->kind != NEGO_TICKET_STATUS)
    return;
  ticket->stream = nego_value_find (&arguments, "stream", &member) && nego_value_is_true (&member);
  ticket->unsubscribe
    = ticket->kind == NEGO_TICKET_STATUS && member.text != NULL && !ticket->stream;
}

NegoTicket *
nego_ticket_new (
  gpointer calls, NegoCall *call, const char *arguments, gsize len, gpointer client, uid_t uid)
{
  NegoTicket *ticket = g_new0 (NegoTicket, 1);

  ticket->call = nego_call_ref (call);
  ticket->calls = calls;
  ticket->client = client;
  ticket->uid = uid;
  ticket->name = g_strdup (nego_call_get_name (call));
  ticket->arguments = arguments != NULL ? g_strndup (arguments, len) : NULL;
  ticket->len = arguments != NULL ? len : 0;
  ticket->kind = nego_ticket_find_kind (ticket->name);
  nego_ticket_read (ticket);
  return ticket;
}

void
nego_ticket_drop_stream (NegoTicket *ticket)
{
  static const char name[] = "\"stream\":";
  const NegoValue arguments = { ticket->arguments, ticket->len };
  NegoValue member;
  char *start, *end;

  if (!nego_value_find (&arguments, "stream", &member))
    return;
  /* Without blanks, as the framer passes it; and with one of the commas beside it. */
  start = ticket->arguments + (member.text - ticket->arguments) - strlen (name);
  end = ticket->arguments + (member.text - ticket->arguments) + member.len;
  if (*end == ',')
    end++;
  else if (start[-1] == ',')
    start--;
  memmove (start, end, (gsize) (ticket->arguments + ticket->len + 1 - end));
  ticket->len -= (gsize) (end - start);
}

void
nego_ticket_free (NegoTicket *ticket)
{
  if (ticket == NULL)
    return;
  nego_call_unref (ticket->call);
  g_free (ticket->name);
  g_free (ticket->arguments);
  g_free (ticket->job);
  g_free (ticket->key);
  g_free (ticket->own_key);
  g_free (ticket);
}
