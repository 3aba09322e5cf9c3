/* SPDX-License-Identifier: MIT */
/*
 * job-feed: a channel's subscription to a job: its output as NEGOTIATOR_OUTPUT, its end as
 * NEGOTIATOR_EXITED. The feed's topic is the job.
 */
#pragma once

#include "common/feed.h"
#include "common/job.h"

/* Tells @feeds of @job from the @offsets on, until its end; nego_job_feed_begin() says when.
 * @instance: borrowed. */
void nego_job_feed_add (NegoFeeds *feeds,
                        NegoJob *job,
                        const guint64 offsets[NEGO_JOB_STREAMS],
                        gboolean base64,
                        const char *instance);

/* The reply that the events come behind is written. Nothing, if the subscription is gone. */
void nego_job_feed_begin (NegoFeeds *feeds, NegoJob *job);

/* The offsets behind the output that the subscription of @feeds to @job was told of; FALSE: there
 * is none. */
gboolean
nego_job_feed_get_offsets (NegoFeeds *feeds, NegoJob *job, guint64 offsets[NEGO_JOB_STREAMS]);
