/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/job-queue.h"

void
nego_job_order_free (NegoJobOrder *order)
{
  if (order == NULL)
    return;
  nego_job_unref (order->job);
  nego_job_request_free (order->request);
  g_free (order->input);
  nego_script_free (order->script);
  g_free (order);
}

void
nego_job_queue_push (NegoJobQueue *queue,
                     NegoJob *job,
                     const NegoJobRequest *request,
                     guint8 *input,
                     NegoScript *script)
{
  NegoJobOrder *order = g_new0 (NegoJobOrder, 1);

  order->job = nego_job_ref (job);
  order->request = nego_job_request_copy (request);
  order->input = input;
  order->script = script;
  g_queue_push_tail (&queue->orders, order);
}

static NegoJobOrder *
nego_job_queue_unlink (NegoJobQueue *queue, GList *link)
{
  NegoJobOrder *order = link->data;

  g_queue_delete_link (&queue->orders, link);
  return order;
}

NegoJobOrder *
nego_job_queue_take (NegoJobQueue *queue, NegoJobQueueFunc may_start, gpointer data)
{
  for (GList *link = queue->orders.head; link != NULL; link = link->next)
    if (may_start (((const NegoJobOrder *) link->data)->script, data))
      return nego_job_queue_unlink (queue, link);
  return NULL;
}

NegoJobOrder *
nego_job_queue_remove (NegoJobQueue *queue, const NegoJob *job)
{
  for (GList *link = queue->orders.head; link != NULL; link = link->next)
    if (job == NULL || ((const NegoJobOrder *) link->data)->job == job)
      return nego_job_queue_unlink (queue, link);
  return NULL;
}

NegoJob *
nego_job_queue_peek (const NegoJobQueue *queue)
{
  const NegoJobOrder *first = queue->orders.head != NULL ? queue->orders.head->data : NULL;

  return first != NULL ? first->job : NULL;
}

guint
nego_job_queue_count (const NegoJobQueue *queue)
{
  return queue->orders.length;
}

gsize
nego_job_queue_get_size (const NegoJobQueue *queue)
{
  gsize size = 0;

  for (const GList *link = queue->orders.head; link != NULL; link = link->next)
    size += ((const NegoJobOrder *) link->data)->request->input_len;
  return size;
}

void
nego_job_queue_clear (NegoJobQueue *queue)
{
  NegoJobOrder *order;

  while ((order = nego_job_queue_remove (queue, NULL)) != NULL)
    nego_job_order_free (order);
}
