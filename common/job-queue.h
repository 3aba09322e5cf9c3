/* SPDX-License-Identifier: MIT */
/*
 * job-queue: the jobs that wait for their start, with all that it takes, in the order in which they
 * were asked for. Whether one may start is the table's to say (job-table.h).
 */
#pragma once

#include "common/job.h"

typedef struct {
  NegoJob *job;
  NegoJobRequest *request;
  guint8 *input;
  NegoScript *script;
} NegoJobOrder;

void nego_job_order_free (NegoJobOrder *order);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoJobOrder, nego_job_order_free)

/* A zeroed NegoJobQueue is empty. */
typedef struct {
  GQueue orders; /* NegoJobOrder */
} NegoJobQueue;

/* @request is copied, @job gets a reference, @input and @script are taken. */
void nego_job_queue_push (NegoJobQueue *queue,
                          NegoJob *job,
                          const NegoJobRequest *request,
                          guint8 *input,
                          NegoScript *script);

/* The first whose script @may_start says yes to: one that has to wait holds up no other script.
 * Returns: (transfer full), or NULL. */
typedef gboolean (*NegoJobQueueFunc) (const NegoScript *script, gpointer user_data);
NegoJobOrder *nego_job_queue_take (NegoJobQueue *queue, NegoJobQueueFunc may_start, gpointer data);

/* Takes the order of @job, or any if that is NULL. Returns: (transfer full), or NULL. */
NegoJobOrder *nego_job_queue_remove (NegoJobQueue *queue, const NegoJob *job);
/* The first that waits, or NULL. */
NegoJob *nego_job_queue_peek (const NegoJobQueue *queue);
guint nego_job_queue_count (const NegoJobQueue *queue);
/* Bytes of input that wait with them. */
gsize nego_job_queue_get_size (const NegoJobQueue *queue);
void nego_job_queue_clear (NegoJobQueue *queue);
