/* SPDX-License-Identifier: MIT */
/*
 * The calls of libvirt (look.h) are the test's own: each look takes the next of the answers.
 */
#include "config.h"

#include "common/error.h"
#include "host-client/hostd/domains.h"

#define URI "test:///default"
#define WEB "11111111-2222-3333-4444-555555555555"
#define DB  "11111111-2222-3333-4444-666666666666"

typedef enum {
  FAILS,
  RUNS,
  STOPPED,
} Answer;

/* Of threads: what the looks that are to come say. */
static GAsyncQueue *answers;

static NegoLookDomain *
new_domain (const char *uuid, Answer answer)
{
  NegoLookDomain *domain = g_new0 (NegoLookDomain, 1);

  domain->name = g_strdup (g_str_equal (uuid, WEB) ? "web" : "db");
  domain->uuid = g_strdup (uuid);
  domain->unknown = answer == FAILS;
  domain->active = answer == RUNS;
  if (answer == RUNS)
    domain->port = g_strdup ("/nonexistent/port");
  return domain;
}

void
nego_look_domain_free (NegoLookDomain *domain)
{
  if (domain == NULL)
    return;
  g_free (domain->name);
  g_free (domain->uuid);
  g_free (domain->port);
  g_free (domain);
}

void
nego_look_hang_up (gpointer connection)
{
}

void
nego_look_connection_free (gpointer connection)
{
  g_free (connection);
}

NegoLookQuestion *
nego_look_question_new (virConnectPtr connection, const char *uuid)
{
  NegoLookQuestion *question = g_new0 (NegoLookQuestion, 1);

  question->uuid = g_strdup (uuid);
  return question;
}

void
nego_look_ask (gpointer data)
{
  NegoLookQuestion *question = data;
  const Answer answer = GPOINTER_TO_INT (g_async_queue_pop (answers)) - 1;

  if (answer == FAILS)
    g_set_error_literal (&question->error, NEGO_ERROR, NEGO_ERROR_IO, "libvirt is busy");
  else
    question->domain = new_domain (question->uuid, answer);
}

void
nego_look_question_free (gpointer data)
{
  NegoLookQuestion *question = data;

  nego_look_domain_free (question->domain);
  g_clear_error (&question->error);
  g_free (question->uuid);
  g_free (question);
}

static void
will_answer (Answer answer)
{
  g_async_queue_push (answers, GINT_TO_POINTER (answer + 1));
}

typedef struct {
  NegoGuests *guests;
  NegoArrivals *arrivals;
  NegoOffload *offload;
  NegoDomains *domains;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  static const char *const commands[] = { "/nonexistent", NULL };
  const NegoGuestsRunAs run_as = { 0 };
  g_autoptr (GError) error = NULL;

  f->guests = nego_guests_new (commands, NULL, &run_as, nego_rules_new ());
  f->arrivals = nego_arrivals_new (&error);
  g_assert_no_error (error);
  f->offload = nego_offload_new ();
  f->domains = nego_domains_new (f->guests, f->arrivals, f->offload, URI);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (g_async_queue_length (answers), ==, 0);
  nego_domains_free (f->domains);
  nego_offload_free (f->offload);
  nego_guests_free (f->guests);
  nego_arrivals_free (f->arrivals);
}

/* libvirt is there, and lists these. */
static void
connect_to (Fixture *f, Answer web, Answer db)
{
  g_autoptr (GPtrArray) list
    = g_ptr_array_new_with_free_func ((GDestroyNotify) nego_look_domain_free);

  g_ptr_array_add (list, new_domain (WEB, web));
  g_ptr_array_add (list, new_domain (DB, db));
  nego_domains_set_connection (f->domains, g_new0 (NegoLookConnection, 1), list);
}

static void
wait_for_count (Fixture *f, guint count)
{
  while (nego_guests_count (f->guests) != count)
    g_main_context_iteration (NULL, TRUE);
}

/* A guest that could not be described when libvirt listed it is served once it can be. */
static void
test_unknown (Fixture *f, gconstpointer data)
{
  connect_to (f, RUNS, FAILS);
  g_assert_cmpuint (nego_guests_count (f->guests), ==, 1);
  will_answer (FAILS);
  will_answer (RUNS);
  wait_for_count (f, 2);
}

/* One that is served stays so. */
static void
test_stays (Fixture *f, gconstpointer data)
{
  connect_to (f, RUNS, RUNS);
  g_assert_cmpuint (nego_guests_count (f->guests), ==, 2);
  connect_to (f, RUNS, FAILS);
  g_assert_cmpuint (nego_guests_count (f->guests), ==, 2);
  will_answer (STOPPED);
  wait_for_count (f, 1);
}

/* A look that failed is not the last one. */
static void
test_failed_look (Fixture *f, gconstpointer data)
{
  connect_to (f, RUNS, STOPPED);
  will_answer (FAILS);
  nego_domains_touch (f->domains, WEB, FALSE);
  will_answer (STOPPED);
  wait_for_count (f, 0);
}

/* One fails while another succeeds; nothing is looked at twice. */
static void
test_two (Fixture *f, gconstpointer data)
{
  connect_to (f, FAILS, FAILS);
  will_answer (RUNS);
  will_answer (RUNS);
  wait_for_count (f, 2);
  nego_domains_unset_connection (f->domains);
  nego_domains_touch (f->domains, DB, FALSE);
  connect_to (f, STOPPED, STOPPED);
  g_assert_cmpuint (nego_guests_count (f->guests), ==, 0);
  will_answer (RUNS);
  wait_for_count (f, 1);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  answers = g_async_queue_new ();
#define ADD(name, func) g_test_add ("/domains/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("failed-look", test_failed_look);
  ADD ("stays", test_stays);
  ADD ("two", test_two);
  ADD ("unknown", test_unknown);
  status = g_test_run ();
  g_async_queue_unref (answers);
  return status;
}
