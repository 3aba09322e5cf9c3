/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/service/service.h"

#include "common/error.h"
#include "common/random.h"
#include "common/service/script-policy.h"

#define NEGO_SERVICE_BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

static char *
nego_service_read_boot_id (void)
{
  char *text = NULL;

  if (!g_file_get_contents (NEGO_SERVICE_BOOT_ID_FILE, &text, NULL, NULL))
    return NULL;
  return g_strstrip (text);
}

void
nego_service_init (NegoService *service,
                   const QapiHandlers *handlers,
                   NegoPolicy *policy,
                   NegoRegistry *registry,
                   NegoJobTable *jobs)
{
  service->policy = policy;
  service->registry = registry;
  service->jobs = jobs;
  service->instance = nego_random_name ();
  service->boot_id = nego_service_read_boot_id ();
  service->dispatcher = nego_dispatcher_new (handlers, policy, service);
}

void
nego_service_clear (NegoService *service)
{
  nego_dispatcher_free (service->dispatcher);
  nego_job_table_free (service->jobs);
  nego_registry_free (service->registry);
  nego_policy_free (service->policy);
  g_free (service->instance);
  g_free (service->boot_id);
}

gboolean
nego_service_check_job_name (const char *job, const char *key, GError **error)
{
  if ((job == NULL) != (key == NULL))
    return TRUE;
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "one of job and key must be given");
  return FALSE;
}

/* A limit that cannot be set is not dropped silently: its owner relies on it. */
static char *
nego_service_own_refusal (const NegoService *service, const NegoScript *script)
{
  char *refusal = nego_script_policy_refusal (service->policy, script);

  if (refusal == NULL && script->conf->memory_max > 0
      && !nego_job_table_limits_memory (service->jobs))
    refusal = g_strdup_printf ("MemoryMax in '%s.conf', which cannot be kept: no control group "
                               "with a memory controller is delegated to this program",
                               script->path);
  return refusal;
}

char *
nego_service_refusal (const NegoService *service, const NegoScript *script)
{
  char *refusal = nego_service_own_refusal (service, script);

  if (refusal == NULL && service->rules != NULL)
    refusal = service->rules->refusal (service, script);
  return refusal;
}

gboolean
nego_service_admit (const NegoService *service,
                    NegoScript *script,
                    NegoJobRequest *request,
                    GError **error)
{
  g_autofree char *refusal = nego_service_own_refusal (service, script);

  if (refusal == NULL)
    return service->rules == NULL || service->rules->admit (service, script, request, error);
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED, "negotiator command '%s' is refused by %s",
               script->name, refusal);
  return FALSE;
}

NegoService *
nego_service_of (NegoCall *call)
{
  return nego_call_get_context (call);
}
