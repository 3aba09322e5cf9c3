/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/survey.h"

#include "common/names.h"
#include "common/source.h"

#include <string.h>

/* The names that threads are asking now: shared with them, since they can outlive the survey. */
typedef struct {
  gatomicrefcount refs;
  GMutex lock;
  GHashTable *names;
} NegoSurveyBusy;

struct NegoSurvey {
  NegoOffload *offload;
  NegoSurveyFunc func;
  gsize answer_bytes;
  NegoSurveyBusy *busy;
  GList *rounds;
};

/* One nego_survey_ask(). */
typedef struct {
  NegoSurvey *survey;
  GPtrArray *names;   /* copies */
  GPtrArray *answers; /* or NULL each */
  guint next;         /* the first name that was not asked yet */
  GHashTable *tasks;  /* NegoSurveyTask: those that are asked */
  GSource *deadline;
  NegoSurveyDoneFunc done;
  gpointer user_data;
} NegoSurveyRound;

/* One question: the round's half, and the thread's. */
typedef struct {
  NegoSurveyRound *round;
  guint index;
  NegoOffloadTask *task;
} NegoSurveyTask;

typedef struct {
  NegoSurveyBusy *busy;
  NegoSurveyFunc func;
  char *name;
  gpointer answer;
} NegoSurveyQuestion;

static void
nego_survey_busy_unref (NegoSurveyBusy *busy)
{
  if (!g_atomic_ref_count_dec (&busy->refs))
    return;
  g_hash_table_unref (busy->names);
  g_mutex_clear (&busy->lock);
  g_free (busy);
}

/* FALSE: it is being asked already. */
static gboolean
nego_survey_busy_add (NegoSurveyBusy *busy, const char *name)
{
  gboolean added = FALSE;

  g_mutex_lock (&busy->lock);
  if (!g_hash_table_contains (busy->names, name))
    added = g_hash_table_add (busy->names, g_strdup (name));
  g_mutex_unlock (&busy->lock);
  return added;
}

static void
nego_survey_question_free (gpointer data)
{
  NegoSurveyQuestion *question = data;

  g_mutex_lock (&question->busy->lock);
  g_hash_table_remove (question->busy->names, question->name);
  g_mutex_unlock (&question->busy->lock);
  nego_survey_busy_unref (question->busy);
  g_free (question->name);
  g_free (question->answer);
  g_free (question);
}

static void
nego_survey_question_ask (gpointer data)
{
  NegoSurveyQuestion *question = data;

  question->func (question->name, question->answer);
}

NegoSurvey *
nego_survey_new (NegoOffload *offload, NegoSurveyFunc func, gsize answer_bytes)
{
  NegoSurvey *survey = g_new0 (NegoSurvey, 1);

  survey->offload = offload;
  survey->func = func;
  survey->answer_bytes = answer_bytes;
  survey->busy = g_new0 (NegoSurveyBusy, 1);
  g_atomic_ref_count_init (&survey->busy->refs);
  g_mutex_init (&survey->busy->lock);
  survey->busy->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return survey;
}

static void
nego_survey_round_free (NegoSurveyRound *round)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, round->tasks);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    nego_offload_cancel (((NegoSurveyTask *) key)->task);
  round->survey->rounds = g_list_remove (round->survey->rounds, round);
  nego_source_clear (&round->deadline);
  g_hash_table_unref (round->tasks);
  g_ptr_array_unref (round->names);
  g_ptr_array_unref (round->answers);
  g_free (round);
}

void
nego_survey_free (NegoSurvey *survey)
{
  if (survey == NULL)
    return;
  while (survey->rounds != NULL)
    nego_survey_round_free (survey->rounds->data);
  nego_survey_busy_unref (survey->busy);
  g_free (survey);
}

static void
nego_survey_round_end (NegoSurveyRound *round)
{
  round->done (round->answers, round->user_data);
  nego_survey_round_free (round);
}

static gboolean
nego_survey_late_cb (gpointer user_data)
{
  nego_survey_round_end (user_data);
  return G_SOURCE_REMOVE;
}

static void nego_survey_round_go_on (NegoSurveyRound *round);

static void
nego_survey_answered_cb (gpointer data, gpointer user_data)
{
  NegoSurveyQuestion *question = data;
  NegoSurveyTask *task = user_data;
  NegoSurveyRound *round = task->round;

  round->answers->pdata[task->index] = g_steal_pointer (&question->answer);
  g_hash_table_remove (round->tasks, task);
  nego_survey_round_go_on (round);
}

static void
nego_survey_round_start (NegoSurveyRound *round, guint index)
{
  NegoSurvey *survey = round->survey;
  const char *name = round->names->pdata[index];
  NegoSurveyQuestion *question;
  NegoSurveyTask *task;

  if (!nego_survey_busy_add (survey->busy, name))
    return;
  question = g_new0 (NegoSurveyQuestion, 1);
  question->busy = survey->busy;
  g_atomic_ref_count_inc (&survey->busy->refs);
  question->func = survey->func;
  question->name = g_strdup (name);
  question->answer = g_malloc0 (survey->answer_bytes);
  task = g_new0 (NegoSurveyTask, 1);
  task->round = round;
  task->index = index;
  task->task = nego_offload_run (survey->offload, nego_survey_question_ask, question,
                                 nego_survey_question_free, 0, nego_survey_answered_cb, task, NULL);
  if (task->task != NULL)
    g_hash_table_add (round->tasks, task);
  else
    g_free (task);
}

/* Asks on, and ends the round when all is answered. */
static void
nego_survey_round_go_on (NegoSurveyRound *round)
{
  while (round->next < round->names->len && g_hash_table_size (round->tasks) < NEGO_SURVEY_AT_ONCE)
    nego_survey_round_start (round, round->next++);
  if (g_hash_table_size (round->tasks) == 0)
    nego_survey_round_end (round);
}

void
nego_survey_ask (NegoSurvey *survey,
                 GPtrArray *names,
                 guint timeout_ms,
                 NegoSurveyDoneFunc done,
                 gpointer user_data)
{
  NegoSurveyRound *round = g_new0 (NegoSurveyRound, 1);

  round->survey = survey;
  survey->rounds = g_list_prepend (survey->rounds, round);
  round->names = g_ptr_array_new_with_free_func (g_free);
  round->answers = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < names->len; i++) {
    g_ptr_array_add (round->names, g_strdup (names->pdata[i]));
    g_ptr_array_add (round->answers, NULL);
  }
  round->tasks = g_hash_table_new_full (NULL, NULL, g_free, NULL);
  round->deadline = nego_source_add_timeout (timeout_ms, nego_survey_late_cb, round);
  round->done = done;
  round->user_data = user_data;
  nego_survey_round_go_on (round);
}
