/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/survey.h"

#include "common/names.h"
#include "common/source.h"

#include <string.h>

/* The names that threads still ask for rounds that have ended without them: shared with the
 * threads, since they can outlive the survey. */
typedef struct {
  gatomicrefcount refs;
  GMutex lock;
  GHashTable *names; /* name → how many threads */
} NegoSurveyStuck;

struct NegoSurvey {
  NegoOffload *offload;
  NegoSurveyFunc func;
  gsize answer_bytes;
  NegoSurveyStuck *stuck;
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
  GDestroyNotify free_data;
} NegoSurveyRound;

/* One question: the round's half, and the thread's. */
typedef struct {
  NegoSurveyRound *round;
  guint index;
  NegoOffloadTask *task;
  struct NegoSurveyQuestion *question; /* the thread's, but valid as long as the task goes on */
} NegoSurveyTask;

typedef struct NegoSurveyQuestion {
  NegoSurveyStuck *stuck;
  gboolean is_stuck; /* under the lock: it counts there */
  NegoSurveyFunc func;
  char *name;
  gpointer answer;
} NegoSurveyQuestion;

static void
nego_survey_stuck_unref (NegoSurveyStuck *stuck)
{
  if (!g_atomic_ref_count_dec (&stuck->refs))
    return;
  g_hash_table_unref (stuck->names);
  g_mutex_clear (&stuck->lock);
  g_free (stuck);
}

static gboolean
nego_survey_is_stuck (NegoSurveyStuck *stuck, const char *name)
{
  gboolean is_stuck;

  g_mutex_lock (&stuck->lock);
  is_stuck = g_hash_table_contains (stuck->names, name);
  g_mutex_unlock (&stuck->lock);
  return is_stuck;
}

/* Counts one thread more, or less, that asks @name. Under the lock. */
static void
nego_survey_stuck_count (NegoSurveyStuck *stuck, const char *name, int change)
{
  const int count = GPOINTER_TO_INT (g_hash_table_lookup (stuck->names, name)) + change;

  if (count > 0)
    g_hash_table_replace (stuck->names, g_strdup (name), GINT_TO_POINTER (count));
  else
    g_hash_table_remove (stuck->names, name);
}

/* The round ends without an answer to @question. */
static void
nego_survey_question_set_stuck (NegoSurveyQuestion *question)
{
  g_mutex_lock (&question->stuck->lock);
  question->is_stuck = TRUE;
  nego_survey_stuck_count (question->stuck, question->name, 1);
  g_mutex_unlock (&question->stuck->lock);
}

static void
nego_survey_question_free (gpointer data)
{
  NegoSurveyQuestion *question = data;

  g_mutex_lock (&question->stuck->lock);
  if (question->is_stuck)
    nego_survey_stuck_count (question->stuck, question->name, -1);
  g_mutex_unlock (&question->stuck->lock);
  nego_survey_stuck_unref (question->stuck);
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
  survey->stuck = g_new0 (NegoSurveyStuck, 1);
  g_atomic_ref_count_init (&survey->stuck->refs);
  g_mutex_init (&survey->stuck->lock);
  survey->stuck->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return survey;
}

static void
nego_survey_round_free (NegoSurveyRound *round)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, round->tasks);
  while (g_hash_table_iter_next (&iter, &key, NULL)) {
    NegoSurveyTask *task = key;

    nego_survey_question_set_stuck (task->question);
    nego_offload_cancel (task->task);
  }
  round->survey->rounds = g_list_remove (round->survey->rounds, round);
  nego_source_clear (&round->deadline);
  g_hash_table_unref (round->tasks);
  g_ptr_array_unref (round->names);
  g_ptr_array_unref (round->answers);
  if (round->free_data != NULL)
    round->free_data (round->user_data);
  g_free (round);
}

void
nego_survey_free (NegoSurvey *survey)
{
  if (survey == NULL)
    return;
  while (survey->rounds != NULL)
    nego_survey_round_free (survey->rounds->data);
  nego_survey_stuck_unref (survey->stuck);
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

  if (nego_survey_is_stuck (survey->stuck, name))
    return;
  question = g_new0 (NegoSurveyQuestion, 1);
  question->stuck = survey->stuck;
  g_atomic_ref_count_inc (&survey->stuck->refs);
  question->func = survey->func;
  question->name = g_strdup (name);
  question->answer = g_malloc0 (survey->answer_bytes);
  task = g_new0 (NegoSurveyTask, 1);
  task->round = round;
  task->index = index;
  task->question = question;
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
                 gpointer user_data,
                 GDestroyNotify free_data)
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
  round->free_data = free_data;
  nego_survey_round_go_on (round);
}
