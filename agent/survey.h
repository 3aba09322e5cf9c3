/* SPDX-License-Identifier: MIT */
/*
 * survey: one question that may block, asked of many things at once on threads (offload.h), with a
 * deadline for all answers.
 *
 * What did not answer in time is not asked again before it has: so a dead disk holds a thread for
 * each request that came before its first deadline, and not one more with each later one.
 */
#pragma once

#include "common/offload.h"

typedef struct NegoSurvey NegoSurvey;

/* On a thread: asks @name; the answer goes to @answer, which is zeroed. */
typedef void (*NegoSurveyFunc) (const char *name, gpointer answer);
/* In the main context, once: @answers has one for each name, in the same order, borrowed for the
 * call; NULL: there is none. */
typedef void (*NegoSurveyDoneFunc) (GPtrArray *answers, gpointer user_data);

/* @func writes @answer_bytes. @offload must outlive the survey. */
NegoSurvey *nego_survey_new (NegoOffload *offload, NegoSurveyFunc func, gsize answer_bytes);
/* Rounds that go on are forgotten: their @done is not called, only their @free_data. */
void nego_survey_free (NegoSurvey *survey);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoSurvey, nego_survey_free)

/* Asks all @names (strings, borrowed), each time that one is there. @done may be called at once;
 * @free_data (NULL: nothing is to be freed) frees @user_data afterwards. */
void nego_survey_ask (NegoSurvey *survey,
                      GPtrArray *names,
                      guint timeout_ms,
                      NegoSurveyDoneFunc done,
                      gpointer user_data,
                      GDestroyNotify free_data);
