/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/survey.h"
#include "common/names.h"
#include "common/offload.h"

#include <stdlib.h>
#include <string.h>

/* What the threads and the test share. A name that begins with "dead" is answered when the gate is
 * open; all others at once, with their number. */
static struct {
  GMutex lock;
  GCond changed;
  gboolean is_open;
  int asked; /* atomic */
} gate;

static void
gate_set (gboolean is_open)
{
  g_mutex_lock (&gate.lock);
  gate.is_open = is_open;
  g_cond_broadcast (&gate.changed);
  g_mutex_unlock (&gate.lock);
}

static void
ask (const char *name, gpointer answer)
{
  g_atomic_int_inc (&gate.asked);
  g_mutex_lock (&gate.lock);
  while (g_str_has_prefix (name, "dead") && !gate.is_open)
    g_cond_wait (&gate.changed, &gate.lock);
  g_mutex_unlock (&gate.lock);
  *(int *) answer = atoi (name + strcspn (name, "0123456789"));
}

typedef struct {
  NegoOffload *offload;
  NegoSurvey *survey;
  GString *said; /* "1 2 - 4 " */
  gboolean done;
  guint freed; /* how many rounds are over */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  gate_set (FALSE);
  g_atomic_int_set (&gate.asked, 0);
  fixture->offload = nego_offload_new ();
  fixture->survey = nego_survey_new (fixture->offload, ask, sizeof (int));
  fixture->said = g_string_new (NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  gate_set (TRUE);
  nego_survey_free (fixture->survey);
  nego_offload_free (fixture->offload);
  g_string_free (fixture->said, TRUE);
}

static void
freed_cb (gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->freed++;
}

static void
done_cb (GPtrArray *answers, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_assert_false (fixture->done);
  fixture->done = TRUE;
  for (guint i = 0; i < answers->len; i++)
    if (answers->pdata[i] != NULL)
      g_string_append_printf (fixture->said, "%d ", *(const int *) answers->pdata[i]);
    else
      g_string_append (fixture->said, "- ");
}

static void
start (Fixture *fixture, const char *names, guint timeout_ms)
{
  g_auto (GStrv) split = g_strsplit (names, " ", -1);
  g_autoptr (GPtrArray) list = g_ptr_array_new ();

  for (guint i = 0; split[i] != NULL; i++)
    g_ptr_array_add (list, split[i]);
  g_string_truncate (fixture->said, 0);
  fixture->done = FALSE;
  nego_survey_ask (fixture->survey, list, timeout_ms, done_cb, fixture, freed_cb);
}

static void
check (Fixture *fixture, const char *names, guint timeout_ms, const char *said)
{
  start (fixture, names, timeout_ms);
  while (!fixture->done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (fixture->said->str, ==, said);
}

static void
test_all_answer (Fixture *fixture, gconstpointer data)
{
  check (fixture, "a1 a2 a3", 60000, "1 2 3 ");
  check (fixture, "a4", 60000, "4 ");
}

static void
test_none (Fixture *fixture, gconstpointer data)
{
  start (fixture, "", 60000);
  g_assert_true (fixture->done);
}

/* More than are asked at once: the others have their turn. */
static void
test_many (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) names = g_string_new ("a0");
  g_autoptr (GString) said = g_string_new ("0 ");

  for (guint i = 1; i < 5 * NEGO_SURVEY_AT_ONCE; i++) {
    g_string_append_printf (names, " a%u", i);
    g_string_append_printf (said, "%u ", i);
  }
  check (fixture, names->str, 60000, said->str);
}

/* The deadline's round has the others' answers; the dead one is not asked again until it answered
 * after all. */
static void
test_dead (Fixture *fixture, gconstpointer data)
{
  start (fixture, "a1 dead2 a3", 60000);
  while (strlen (fixture->said->str) == 0 && g_atomic_int_get (&gate.asked) < 3)
    g_main_context_iteration (NULL, FALSE);
  gate_set (TRUE);
  while (!fixture->done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (fixture->said->str, ==, "1 2 3 ");

  gate_set (FALSE);
  g_atomic_int_set (&gate.asked, 0);
  /* What is late before a thread came to it was never asked. */
  while (g_atomic_int_get (&gate.asked) == 0)
    check (fixture, "dead2", 1, "- ");
  for (guint i = 0; i < 3 * NEGO_OFFLOAD_THREADS; i++)
    check (fixture, "dead2 a1", 60000, "- 1 ");
  gate_set (TRUE);
  /* The thread's end is seen by the main loop. */
  do {
    g_main_context_iteration (NULL, FALSE);
    start (fixture, "dead2", 60000);
    while (!fixture->done)
      g_main_context_iteration (NULL, TRUE);
  } while (!g_str_equal (fixture->said->str, "2 "));
}

/* Dead ones take all places of a round: its deadline ends it. */
static void
test_all_dead (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) names = g_string_new ("dead0");
  g_autoptr (GString) said = g_string_new ("- ");

  for (guint i = 1; i <= NEGO_SURVEY_AT_ONCE; i++) {
    g_string_append_printf (names, " dead%u", i);
    g_string_append (said, "- ");
  }
  check (fixture, names->str, 1, said->str);
  check (fixture, "a1", 60000, "1 ");
}

/* Two rounds at once: each has all of its own answers. */
static void
test_two_rounds (Fixture *fixture, gconstpointer data)
{
  Fixture other = { .survey = fixture->survey, .said = g_string_new (NULL) };

  start (fixture, "dead1 a2", 60000);
  check (&other, "a3", 60000, "3 ");
  start (&other, "dead1 a3", 60000);
  g_assert_false (fixture->done);
  g_assert_false (other.done);
  gate_set (TRUE);
  while (!fixture->done || !other.done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (fixture->said->str, ==, "1 2 ");
  g_assert_cmpstr (other.said->str, ==, "1 3 ");
  g_string_free (other.said, TRUE);
}

/* File systems that are mounted over each other have one path. */
static void
test_same_name (Fixture *fixture, gconstpointer data)
{
  check (fixture, "a1 a1 a2", 60000, "1 1 2 ");
}

static void
again_cb (GPtrArray *answers, gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  g_ptr_array_add (names, (gpointer) "a1");
  nego_survey_ask (fixture->survey, names, 60000, done_cb, fixture, freed_cb);
}

/* A request that waited for the reply of this round: its answers are as good. */
static void
test_again_from_done (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  g_ptr_array_add (names, (gpointer) "a1");
  nego_survey_ask (fixture->survey, names, 60000, again_cb, fixture, freed_cb);
  while (!fixture->done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (fixture->said->str, ==, "1 ");
}

/* Nobody is called, and the threads end by themselves. */
static void
test_free_while_asking (Fixture *fixture, gconstpointer data)
{
  start (fixture, "dead1 dead2", 60000);
  g_assert_cmpuint (fixture->freed, ==, 0);
  nego_survey_free (g_steal_pointer (&fixture->survey));
  g_assert_cmpuint (fixture->freed, ==, 1);
  gate_set (TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_false (fixture->done);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/survey/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("all-answer", test_all_answer);
  ADD ("none", test_none);
  ADD ("many", test_many);
  ADD ("dead", test_dead);
  ADD ("all-dead", test_all_dead);
  ADD ("two-rounds", test_two_rounds);
  ADD ("same-name", test_same_name);
  ADD ("again-from-done", test_again_from_done);
  ADD ("free-while-asking", test_free_while_asking);
  return g_test_run ();
}
