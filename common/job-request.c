/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/job-request.h"

#include "common/error.h"
#include "common/names.h"
#include "common/script-env.h"

#include <string.h>

gboolean
nego_job_request_check_key (const NegoJobRequest *request, GError **error)
{
  gsize len;
  g_autofree char *quoted = NULL;

  if (request->key == NULL)
    return TRUE;
  len = strspn (request->key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
  if (len >= 1 && len <= NEGO_JOB_KEY_BYTES && request->key[len] == '\0')
    return TRUE;
  quoted = nego_error_quote (request->key);
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
               "key '%s' is not 1 to %u of A-Z a-z 0-9 . _ -", quoted, NEGO_JOB_KEY_BYTES);
  return FALSE;
}

static gboolean
nego_job_request_check_args (const NegoJobRequest *request,
                             const NegoScript *script,
                             GError **error)
{
  guint n = request->args != NULL ? g_strv_length ((char **) request->args) : 0;

  if (n > 0 && !script->conf->arguments) {
    g_set_error (
      error, NEGO_ERROR, NEGO_ERROR_REFUSED,
      "negotiator command '%s' is refused by 'Arguments' in '%s.conf': it takes no arguments",
      script->name, script->path);
    return FALSE;
  }
  if (n > NEGO_SCRIPT_ARGS) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED, "too many arguments (limit %u)",
                 NEGO_SCRIPT_ARGS);
    return FALSE;
  }
  for (guint i = 0; i < n; i++)
    if (strlen (request->args[i]) >= NEGO_SCRIPT_ARG_BYTES) {
      g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED,
                   "argument %u is too long (limit %u bytes)", i + 1, NEGO_SCRIPT_ARG_BYTES - 1);
      return FALSE;
    }
  return TRUE;
}

gboolean
nego_job_request_check (const NegoJobRequest *request, const NegoScript *script, GError **error)
{
  if (request->input_len > NEGO_SCRIPT_INPUT_BYTES) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED, "input-data is too long (limit %u bytes)",
                 NEGO_SCRIPT_INPUT_BYTES);
    return FALSE;
  }
  return nego_job_request_check_args (request, script, error)
         && nego_script_env_check (script, request->env, error);
}

static void
nego_job_request_add (GChecksum *sum, const void *data, gsize len)
{
  guint64 size = len;

  /* The length first, so that no two lists of texts look the same. */
  g_checksum_update (sum, (const guchar *) &size, sizeof size);
  if (len > 0)
    g_checksum_update (sum, data, (gssize) len);
}

static void
nego_job_request_add_list (GChecksum *sum, const char *const *list)
{
  guint64 n = list != NULL ? g_strv_length ((char **) list) : 0;

  nego_job_request_add (sum, &n, sizeof n);
  for (guint64 i = 0; i < n; i++)
    nego_job_request_add (sum, list[i], strlen (list[i]));
}

char *
nego_job_request_digest (const NegoJobRequest *request)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 has_input = request->input != NULL;

  nego_job_request_add (sum, request->command, strlen (request->command));
  nego_job_request_add_list (sum, request->args);
  nego_job_request_add_list (sum, request->env);
  nego_job_request_add (sum, &has_input, sizeof has_input);
  nego_job_request_add (sum, request->input, request->input_len);
  return g_strdup (g_checksum_get_string (sum));
}

guint
nego_job_request_timeout_ms (const NegoJobRequest *request, const NegoScript *script)
{
  guint own = script->conf->timeout_ms;

  if (request->timeout_ms == 0)
    return own;
  return own == 0 ? request->timeout_ms : MIN (own, request->timeout_ms);
}

NegoJobRequest *
nego_job_request_copy (const NegoJobRequest *request)
{
  NegoJobRequest *copy = g_memdup2 (request, sizeof *request);

  copy->command = g_strdup (request->command);
  copy->args = (const char *const *) g_strdupv ((char **) request->args);
  copy->env = (const char *const *) g_strdupv ((char **) request->env);
  copy->key = g_strdup (request->key);
  copy->origin = NULL;
  copy->input = NULL;
  return copy;
}

void
nego_job_request_free (NegoJobRequest *copy)
{
  if (copy == NULL)
    return;
  g_free ((char *) copy->command);
  g_strfreev ((char **) copy->args);
  g_strfreev ((char **) copy->env);
  g_free ((char *) copy->key);
  g_free (copy);
}
