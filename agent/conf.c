/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/conf.h"

#include "agent/setting.h"
#include "common/error.h"
#include "common/names.h"

#include <stdarg.h>

#define NEGO_CONF_DEFAULT_PIDFILE  "/var/run/qemu-ga.pid"
#define NEGO_CONF_DEFAULT_STATEDIR "/var/run"
#define NEGO_CONF_DEFAULT_SERIAL   "/dev/ttyS0"

static const char *const nego_conf_default_commands[] = {
  NEGO_SYSCONFDIR "/guest-commands",
  "/usr/local/lib/negotiator/guest-commands",
  "/usr/lib/negotiator/guest-commands",
  "/usr/lib/negotiator/commands", /* of negotiator 0.12 */
  NULL,
};

NegoConf *
nego_conf_new (void)
{
  NegoConf *conf = g_new0 (NegoConf, 1);

  conf->pidfile = g_strdup (NEGO_CONF_DEFAULT_PIDFILE);
  conf->statedir = g_strdup (NEGO_CONF_DEFAULT_STATEDIR);
  conf->block_rpcs = g_ptr_array_new_with_free_func (g_free);
  conf->allow_rpcs = g_ptr_array_new_with_free_func (g_free);
  conf->serve_qga = TRUE;
  conf->guest_commands = g_strdupv ((char **) nego_conf_default_commands);
  conf->channels = g_ptr_array_new_with_free_func ((GDestroyNotify) nego_address_free);
  conf->vsock_peers = g_array_new (FALSE, FALSE, sizeof (guint32));
  conf->jobs = nego_job_limits_default;
  conf->host_calls = TRUE;
  conf->host_socket = g_strdup (NEGO_HOST_SOCKET);
  conf->host_socket_group = g_strdup (NEGO_SOCKET_GROUP);
  conf->host_socket_mode = 0660;
  conf->hook_ms = NEGO_HOOK_S * 1000;
  conf->activated = g_array_new (FALSE, FALSE, sizeof (int));
  conf->warnings = g_ptr_array_new_with_free_func (g_free);
  return conf;
}

void
nego_conf_free (NegoConf *conf)
{
  if (conf == NULL)
    return;
  g_free (conf->path);
  g_free (conf->logfile);
  g_free (conf->pidfile);
  g_free (conf->fsfreeze_hook);
  g_free (conf->statedir);
  g_ptr_array_unref (conf->block_rpcs);
  g_ptr_array_unref (conf->allow_rpcs);
  g_strfreev (conf->guest_commands);
  g_ptr_array_unref (conf->channels);
  g_array_unref (conf->vsock_peers);
  nego_address_free (conf->host_port);
  g_free (conf->host_socket);
  g_free (conf->host_socket_group);
  g_array_unref (conf->activated);
  g_ptr_array_unref (conf->warnings);
  g_free (conf);
}

void
nego_conf_warn (NegoConf *conf, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (conf->warnings, g_strdup_vprintf (format, args));
  va_end (args);
}

gboolean
nego_conf_set (
  NegoConf *conf, const char *group, const char *key, const char *value, GError **error)
{
  gsize i;

  for (i = 0; i < nego_n_settings; i++) {
    const NegoSetting *setting = &nego_settings[i];

    if (g_str_equal (setting->group, group) && g_str_equal (setting->key, key))
      return setting->set (conf, setting, value, error);
  }
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND, "unknown key");
  return FALSE;
}

static gboolean
nego_conf_check_path (NegoConf *conf, GError **error)
{
  g_autoptr (NegoAddress) address = NULL;

  if (conf->path == NULL && conf->method == NEGO_METHOD_VIRTIO_SERIAL)
    conf->path = g_strdup (NEGO_VIRTIO_DEV_DIR "/" NEGO_PORT_QGA);
  if (conf->path == NULL && conf->method == NEGO_METHOD_ISA_SERIAL)
    conf->path = g_strdup (NEGO_CONF_DEFAULT_SERIAL);
  if (conf->path == NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG,
                 "must specify a path for this channel (method '%s')",
                 nego_method_get_name (conf->method));
    return FALSE;
  }
  address = nego_address_new (conf->method, conf->path, error);
  return address != NULL;
}

/* libvirt is behind a port only. */
static void
nego_conf_fill_exec_output (NegoConf *conf)
{
  gboolean port
    = conf->method == NEGO_METHOD_VIRTIO_SERIAL || conf->method == NEGO_METHOD_ISA_SERIAL;

  if (conf->exec_output == 0)
    conf->exec_output = port && conf->activated->len == 0 ? NEGO_PROCESS_REPLY_BYTES_LIBVIRT
                                                          : NEGO_PROCESS_REPLY_BYTES;
}

gboolean
nego_conf_check (NegoConf *conf, GError **error)
{
  nego_conf_fill_exec_output (conf);
  if (conf->activated->len > 0)
    return TRUE;
  if (conf->serve_qga && !nego_conf_check_path (conf, error)) {
    g_prefix_error (error, "wrong 'path' (option -p): ");
    return FALSE;
  }
  if (!conf->serve_qga && conf->method != NEGO_METHOD_VIRTIO_SERIAL && conf->channels->len == 0) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG,
                 "'serve-qga' is false, and no other channel is named");
    return FALSE;
  }
  return TRUE;
}

static void
nego_conf_channel_free (NegoConfChannel *channel)
{
  nego_address_free (channel->address);
  g_free (channel);
}

/* A channel that is named twice is one. */
static void
nego_conf_add_channel (GPtrArray *list, NegoMethod method, const char *path, gboolean qga)
{
  NegoConfChannel *channel = g_new0 (NegoConfChannel, 1);
  guint i;

  channel->qga = qga;
  channel->address = g_new0 (NegoAddress, 1);
  channel->address->method = method;
  channel->address->path = g_strdup (path);
  for (i = 0; i < list->len; i++) {
    const NegoConfChannel *other = list->pdata[i];

    if (nego_address_equal (other->address, channel->address)) {
      nego_conf_channel_free (channel);
      return;
    }
  }
  g_ptr_array_add (list, channel);
}

GPtrArray *
nego_conf_list_channels (const NegoConf *conf)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) nego_conf_channel_free);
  guint i;

  for (i = 0; i < conf->activated->len; i++) {
    g_autofree char *fd = g_strdup_printf ("%d", g_array_index (conf->activated, int, i));

    nego_conf_add_channel (list, NEGO_METHOD_FD, fd, i == 0);
  }
  if (i == 0 && conf->serve_qga)
    nego_conf_add_channel (list, conf->method, conf->path, TRUE);
  if (i == 0 && conf->method == NEGO_METHOD_VIRTIO_SERIAL) {
    nego_conf_add_channel (list, NEGO_METHOD_VIRTIO_SERIAL,
                           NEGO_VIRTIO_DEV_DIR "/" NEGO_PORT_HOST_TO_GUEST, FALSE);
    nego_conf_add_channel (list, NEGO_METHOD_VIRTIO_SERIAL, NEGO_VIRTIO_DEV_DIR "/" NEGO_PORT_OLD,
                           FALSE);
  }
  for (i = 0; i < conf->channels->len; i++) {
    const NegoAddress *address = conf->channels->pdata[i];

    nego_conf_add_channel (list, address->method, address->path, FALSE);
  }
  return list;
}

/* As with the other port, only what is named is served where the QGA channel is none. */
NegoAddress *
nego_conf_get_host_port (const NegoConf *conf)
{
  if (conf->host_port != NULL)
    return nego_address_new (conf->host_port->method, conf->host_port->path, NULL);
  if (conf->method != NEGO_METHOD_VIRTIO_SERIAL || conf->activated->len > 0)
    return NULL;
  return nego_address_new (NEGO_METHOD_VIRTIO_SERIAL,
                           NEGO_VIRTIO_DEV_DIR "/" NEGO_PORT_GUEST_TO_HOST, NULL);
}

char *
nego_conf_dump (const NegoConf *conf)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  gsize i;

  for (i = 0; i < nego_n_settings; i++) {
    const NegoSetting *setting = &nego_settings[i];
    g_autofree char *value = setting->get != NULL ? setting->get (conf, setting) : NULL;

    if (value != NULL)
      g_key_file_set_string (keys, setting->group, setting->key, value);
  }
  return g_key_file_to_data (keys, NULL, NULL);
}
