/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-server"

#include "config.h"

#include "agent/server.h"

#include "agent/agent.h"
#include "agent/channel.h"
#include "agent/gateway.h"
#include "agent/pidfile.h"
#include "agent/rpc-lists.h"

struct NegoServer {
  NegoAgent *agent;
  GPtrArray *channels;
  NegoGateway *gateway; /* NULL: none */
  GMainLoop *loop;
  gboolean stopping;
  NegoLog *log;
  /* To be opened when nothing is frozen any more, or NULL. */
  const char *logfile, *pidfile_path;
  NegoPidfile *pidfile; /* or NULL */
};

static void
nego_server_ended_cb (NegoChannel *channel, gpointer user_data)
{
  NegoServer *server = user_data;

  g_ptr_array_remove (server->channels, channel);
  if (server->channels->len == 0)
    nego_server_stop (server);
}

static gboolean
nego_server_open (NegoServer *server, const NegoConf *conf, GError **error)
{
  g_autoptr (GPtrArray) list = nego_conf_list_channels (conf);
  guint i;

  for (i = 0; i < list->len; i++) {
    const NegoConfChannel *channel_conf = list->pdata[i];
    NegoChannel *channel
      = nego_channel_new (channel_conf, conf->vsock_peers, server->agent->service.dispatcher,
                          nego_server_ended_cb, server, error);

    if (channel == NULL)
      return FALSE;
    g_ptr_array_add (server->channels, channel);
  }
  return TRUE;
}

/* What the host asks is served in any case. */
static void
nego_server_open_gateway (NegoServer *server, const NegoConf *conf)
{
  g_autoptr (GError) error = NULL;

  server->gateway = nego_gateway_new (conf, &error);
  if (error != NULL)
    g_warning ("programs here cannot call the host: %s", error->message);
}

static const char *const nego_server_commands_texts[] = {
  [NEGO_POLICY_COMMANDS_ALL] = "all negotiator commands are served",
  [NEGO_POLICY_COMMANDS_READ] = "negotiator commands are served as far as they only read",
  [NEGO_POLICY_COMMANDS_NONE] = "no negotiator commands are served",
};

static void
nego_server_make_pidfile (NegoServer *server)
{
  const char *path = server->pidfile_path;
  g_autoptr (GError) error = NULL;

  server->pidfile_path = NULL;
  if (path == NULL)
    return;
  server->pidfile = nego_pidfile_new (path, &error);
  if (error != NULL)
    g_warning ("%s", error->message);
}

static void
nego_server_frozen_cb (gboolean frozen, gpointer user_data)
{
  NegoServer *server = user_data;
  const char *logfile = server->logfile;
  g_autoptr (GError) error = NULL;

  nego_job_table_hold (server->agent->service.jobs, frozen);
  if (frozen) {
    nego_log_hold (server->log);
    return;
  }
  server->logfile = NULL;
  if (logfile != NULL)
    nego_log_move (server->log, logfile, &error);
  nego_log_release (server->log);
  if (error != NULL)
    g_warning ("%s", error->message);
  nego_server_make_pidfile (server);
}

static void
nego_server_set_freeze (NegoServer *server, const NegoConf *conf)
{
  const NegoFreezeSettings settings = {
    .statedir = conf->statedir,
    .hook = conf->fsfreeze_hook,
    .hook_ms = conf->hook_ms,
    .thaw_after_ms = conf->thaw_after_ms,
  };

  nego_agent_set_freeze (server->agent, &settings, nego_server_frozen_cb, server);
}

/* The table of runs, each in a control group of its own where that can be. */
static NegoJobTable *
nego_server_make_jobs (const NegoConf *conf)
{
  NegoJobTable *jobs = nego_job_table_new ("guest", &conf->jobs);
  g_autoptr (GError) error = NULL;
  NegoCgroupTree *cgroups = nego_cgroup_tree_open (&error);

  if (cgroups == NULL)
    g_debug ("scripts have no control groups: %s", error->message);
  nego_job_table_set_cgroups (jobs, cgroups);
  return jobs;
}

NegoServer *
nego_server_new (NegoConf *conf, NegoLog *log, gboolean frozen, GError **error)
{
  g_autoptr (NegoServer) server = g_new0 (NegoServer, 1);
  NegoPolicy *policy = nego_policy_new ();

  nego_rpc_lists_apply (conf, policy);
  server->agent = nego_agent_new (
    policy, nego_registry_new ((const char *const *) conf->guest_commands, NEGO_BUILTIN_DIR),
    nego_server_make_jobs (conf));
  nego_process_table_set_reply_bytes (server->agent->processes, conf->exec_output);
  server->log = log;
  server->logfile = frozen ? conf->logfile : NULL;
  server->pidfile_path = frozen && conf->daemonize ? conf->pidfile : NULL;
  nego_server_set_freeze (server, conf);
  server->channels = g_ptr_array_new_with_free_func ((GDestroyNotify) nego_channel_free);
  server->loop = g_main_loop_new (NULL, FALSE);
  if (!nego_server_open (server, conf, error))
    return NULL;
  g_message ("%s ([negotiator] commands)", nego_server_commands_texts[conf->commands]);
  nego_server_open_gateway (server, conf);
  return g_steal_pointer (&server);
}

void
nego_server_free (NegoServer *server)
{
  if (server == NULL)
    return;
  /* First those who wait for jobs, then the jobs. */
  g_ptr_array_unref (server->channels);
  nego_gateway_free (server->gateway);
  nego_agent_free (server->agent);
  g_main_loop_unref (server->loop);
  nego_pidfile_free (server->pidfile);
  g_free (server);
}

void
nego_server_run (NegoServer *server)
{
  g_main_loop_run (server->loop);
}

static void
nego_server_stopped_cb (gpointer user_data)
{
  NegoServer *server = user_data;

  g_main_loop_quit (server->loop);
}

static void
nego_server_thawed_cb (gpointer user_data)
{
  NegoServer *server = user_data;

  nego_job_table_stop (server->agent->service.jobs, nego_server_stopped_cb, server);
}

void
nego_server_stop (NegoServer *server)
{
  if (server->stopping && nego_freeze_is_idle (server->agent->freeze)) {
    g_main_loop_quit (server->loop);
    return;
  }
  if (server->stopping) {
    g_message ("file systems are being thawed before the end");
    return;
  }
  server->stopping = TRUE;
  nego_freeze_end (server->agent->freeze, nego_server_thawed_cb, server);
}

static void
nego_server_list_command (const QapiCommand *command, gboolean enabled, gpointer user_data)
{
  g_string_append_printf (user_data, "%s\n", command->name);
}

char *
nego_server_list_commands (void)
{
  static const char *const no_dirs[] = { NULL };
  g_autoptr (NegoAgent) agent
    = nego_agent_new (nego_policy_new (), nego_registry_new (no_dirs, NULL),
                      nego_job_table_new ("guest", &nego_job_limits_default));
  GString *names = g_string_new (NULL);

  nego_dispatcher_each (agent->service.dispatcher, nego_server_list_command, names);
  return g_string_free (names, FALSE);
}
