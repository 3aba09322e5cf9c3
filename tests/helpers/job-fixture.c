/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/job-fixture.h"

#include <string.h>
#include <sys/wait.h>

void
job_fixture_set_up (JobFixture *fixture, gconstpointer limits)
{
  fixture->table = nego_job_table_new ("guest", limits != NULL ? limits : &nego_job_limits_default);
  fixture->script = (NegoScript){
    .name = g_strdup ("sh"),
    .path = g_strdup ("/bin/sh"),
    .conf = nego_script_conf_new (),
  };
}

void
job_fixture_tear_down (JobFixture *fixture, gconstpointer limits)
{
  nego_job_table_free (fixture->table);
  /* What it killed, it leaves to init. */
  while (waitpid (-1, NULL, 0) > 0)
    ;
  g_free (fixture->script.name);
  g_free (fixture->script.path);
  nego_script_conf_free (fixture->script.conf);
}

void
job_fixture_set (char **text, const char *value)
{
  g_free (*text);
  *text = g_strdup (value);
}

/* The table takes the script that it starts. */
static NegoScript *
copy_script (const NegoScript *script)
{
  NegoScript *copy = g_memdup2 (script, sizeof *script);

  copy->name = g_strdup (script->name);
  copy->path = g_strdup (script->path);
  copy->refusal = g_strdup (script->refusal);
  copy->conf = g_memdup2 (script->conf, sizeof *script->conf);
  copy->conf->description = g_strdup (script->conf->description);
  copy->conf->user = g_strdup (script->conf->user);
  copy->conf->group = g_strdup (script->conf->group);
  copy->conf->directory = g_strdup (script->conf->directory);
  copy->conf->environment = g_strdupv (script->conf->environment);
  copy->conf->allow_environment = g_strdupv (script->conf->allow_environment);
  return copy;
}

NegoJob *
job_fixture_try_start (JobFixture *fixture, const NegoJobRequest *request, GError **error)
{
  guint8 *input
    = request->input != NULL ? g_memdup2 (request->input, request->input_len + 1) : NULL;

  return nego_job_table_start (fixture->table, request, input, copy_script (&fixture->script),
                               error);
}

NegoJob *
job_fixture_start_request (JobFixture *fixture, const NegoJobRequest *request)
{
  g_autoptr (GError) error = NULL;
  NegoJob *job = job_fixture_try_start (fixture, request, &error);

  g_assert_no_error (error);
  return job;
}

/* Starts `sh -c SCRIPT`. */
NegoJob *
job_fixture_start (JobFixture *fixture, const char *script)
{
  const char *const args[] = { "-c", script, NULL };
  NegoJobRequest request = { .command = "sh", .args = args };

  return job_fixture_start_request (fixture, &request);
}

void
job_fixture_assert_error (JobFixture *fixture,
                          const NegoJobRequest *request,
                          NegoErrorCode code,
                          const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (job_fixture_try_start (fixture, request, &error));
  g_assert_error (error, NEGO_ERROR, (int) code);
  g_assert_cmpstr (error->message, ==, text);
}

NegoJobStatus
job_fixture_wait_ended (NegoJob *job)
{
  NegoJobStatus status;

  while (!nego_job_is_ended (job))
    g_main_context_iteration (NULL, TRUE);
  nego_job_get_status (job, &status);
  return status;
}

void
job_fixture_wait_gone (NegoJob *job)
{
  g_autoptr (NegoJob) held = nego_job_ref (job);

  while (nego_job_is_live (held))
    g_main_context_iteration (NULL, TRUE);
}

/* Waits until the job has written something. */
void
job_fixture_wait_output (NegoJob *job)
{
  NegoCaptureView output;

  do {
    g_main_context_iteration (NULL, TRUE);
    nego_job_get_output (job, NEGO_JOB_OUT, &output);
  } while (output.len == 0 && !output.final);
}

void
job_fixture_wait_text (NegoJob *job, const char *text)
{
  NegoCaptureView output;

  do {
    g_main_context_iteration (NULL, TRUE);
    nego_job_get_output (job, NEGO_JOB_OUT, &output);
  } while (output.len < strlen (text) && !output.final);
  g_assert_cmpmem (output.data, output.len, text, strlen (text));
}

void
job_fixture_assert_output (NegoJob *job, NegoJobStream stream, const char *text, gboolean truncated)
{
  NegoCaptureView output;

  nego_job_get_output (job, stream, &output);
  g_assert_cmpmem (output.data, output.len, text, strlen (text));
  g_assert_cmpint (output.truncated, ==, truncated);
  g_assert_true (output.final);
}

guint
job_fixture_count_fds (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}
