/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/setting.h"

#include "common/error.h"
#include "common/names.h"

#include <stdarg.h>
#include <stddef.h>

/* Of lists in our group, as in the key files of scripts. qemu-ga's lists have a comma. */
#define NEGO_SETTING_SEPARATOR ";"

static gboolean nego_setting_refuse (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
nego_setting_refuse (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error != NULL)
    *error = g_error_new_valist (NEGO_ERROR, NEGO_ERROR_CONFIG, format, args);
  va_end (args);
  return FALSE;
}

static gboolean
nego_setting_set_boolean (NegoConf *conf,
                          const NegoSetting *setting,
                          const char *value,
                          GError **error)
{
  gboolean *member = G_STRUCT_MEMBER_P (conf, setting->offset);

  if (g_str_equal (value, "true") || g_str_equal (value, "1"))
    *member = TRUE;
  else if (g_str_equal (value, "false") || g_str_equal (value, "0"))
    *member = FALSE;
  else
    return nego_setting_refuse (error, "wrong value '%s' (must be true or false)", value);
  return TRUE;
}

static char *
nego_setting_get_boolean (const NegoConf *conf, const NegoSetting *setting)
{
  return g_strdup (G_STRUCT_MEMBER (gboolean, conf, setting->offset) ? "true" : "false");
}

static gboolean
nego_setting_set_string (NegoConf *conf,
                         const NegoSetting *setting,
                         const char *value,
                         GError **error)
{
  char **member = G_STRUCT_MEMBER_P (conf, setting->offset);

  if (*value == '\0')
    return nego_setting_refuse (error, "the value is empty");
  g_free (*member);
  *member = g_strdup (value);
  return TRUE;
}

static char *
nego_setting_get_string (const NegoConf *conf, const NegoSetting *setting)
{
  return g_strdup (G_STRUCT_MEMBER (char *, conf, setting->offset));
}

static gboolean
nego_setting_set_method (NegoConf *conf,
                         const NegoSetting *setting,
                         const char *value,
                         GError **error)
{
  return nego_method_parse (value, &conf->method, error);
}

static char *
nego_setting_get_method (const NegoConf *conf, const NegoSetting *setting)
{
  return g_strdup (nego_method_get_name (conf->method));
}

/* Empty names stay: an allow list of "," allows nothing in qemu-ga, and must not allow all here. */
static gboolean
nego_setting_set_rpcs (NegoConf *conf,
                       const NegoSetting *setting,
                       const char *value,
                       GError **error)
{
  GPtrArray *names = G_STRUCT_MEMBER (GPtrArray *, conf, setting->offset);
  g_auto (GStrv) parts = g_strsplit (value, ",", -1);
  guint i;

  for (i = g_strv_length (parts); i > 0; i--)
    g_ptr_array_add (names, g_strdup (g_strstrip (parts[i - 1])));
  return TRUE;
}

static gboolean
nego_setting_set_blacklist (NegoConf *conf,
                            const NegoSetting *setting,
                            const char *value,
                            GError **error)
{
  nego_conf_warn (conf, "the name 'blacklist' is old: use 'block-rpcs'");
  return nego_setting_set_rpcs (conf, setting, value, error);
}

static char *
nego_setting_get_rpcs (const NegoConf *conf, const NegoSetting *setting)
{
  GPtrArray *names = G_STRUCT_MEMBER (GPtrArray *, conf, setting->offset);
  g_autoptr (GString) text = g_string_new (NULL);
  guint i;

  for (i = 0; i < names->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? "," : "", (const char *) names->pdata[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static const char *const nego_setting_commands[] = {
  [NEGO_POLICY_COMMANDS_ALL] = "all",
  [NEGO_POLICY_COMMANDS_READ] = "read",
  [NEGO_POLICY_COMMANDS_NONE] = "none",
};

static gboolean
nego_setting_set_commands (NegoConf *conf,
                           const NegoSetting *setting,
                           const char *value,
                           GError **error)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (nego_setting_commands); i++) {
    if (g_str_equal (value, nego_setting_commands[i])) {
      conf->commands = (NegoPolicyCommands) i;
      return TRUE;
    }
  }
  return nego_setting_refuse (error, "wrong value '%s' (must be all, read or none)", value);
}

static char *
nego_setting_get_commands (const NegoConf *conf, const NegoSetting *setting)
{
  return g_strdup (nego_setting_commands[conf->commands]);
}

/* The parts of a list, without blanks around them and without empty ones. */
static GPtrArray *
nego_setting_split (const char *value)
{
  g_auto (GStrv) parts = g_strsplit (value, NEGO_SETTING_SEPARATOR, -1);
  GPtrArray *list = g_ptr_array_new_with_free_func (g_free);
  guint i;

  for (i = 0; parts[i] != NULL; i++)
    if (*g_strstrip (parts[i]) != '\0')
      g_ptr_array_add (list, g_strdup (parts[i]));
  return list;
}

static gboolean
nego_setting_set_directories (NegoConf *conf,
                              const NegoSetting *setting,
                              const char *value,
                              GError **error)
{
  g_autoptr (GPtrArray) list = nego_setting_split (value);
  guint i;

  for (i = 0; i < list->len; i++)
    if (!g_path_is_absolute (list->pdata[i]))
      return nego_setting_refuse (error, "wrong directory '%s' (must be absolute)",
                                  (const char *) list->pdata[i]);
  g_ptr_array_add (list, NULL);
  g_strfreev (conf->guest_commands);
  conf->guest_commands = (char **) g_ptr_array_steal (list, NULL);
  return TRUE;
}

static char *
nego_setting_get_directories (const NegoConf *conf, const NegoSetting *setting)
{
  return g_strjoinv (NEGO_SETTING_SEPARATOR, conf->guest_commands);
}

static gboolean
nego_setting_set_channels (NegoConf *conf,
                           const NegoSetting *setting,
                           const char *value,
                           GError **error)
{
  g_autoptr (GPtrArray) list = nego_setting_split (value);
  guint i;

  for (i = 0; i < list->len; i++) {
    NegoAddress *address = nego_address_parse (list->pdata[i], error);

    if (address == NULL)
      return FALSE;
    g_ptr_array_add (conf->channels, address);
  }
  return TRUE;
}

static char *
nego_setting_get_channels (const NegoConf *conf, const NegoSetting *setting)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  guint i;

  for (i = 0; i < conf->channels->len; i++)
    g_ptr_array_add (texts, nego_address_to_string (conf->channels->pdata[i]));
  g_ptr_array_add (texts, NULL);
  return g_strjoinv (NEGO_SETTING_SEPARATOR, (char **) texts->pdata);
}

static gboolean
nego_setting_set_peers (NegoConf *conf,
                        const NegoSetting *setting,
                        const char *value,
                        GError **error)
{
  g_autoptr (GPtrArray) list = nego_setting_split (value);
  guint i;

  for (i = 0; i < list->len; i++) {
    guint64 number;
    guint32 cid;

    if (!g_ascii_string_to_unsigned (list->pdata[i], 10, 0, G_MAXUINT32, &number, NULL))
      return nego_setting_refuse (error, "wrong CID '%s' (must be a number up to 4294967295)",
                                  (const char *) list->pdata[i]);
    cid = (guint32) number;
    g_array_append_val (conf->vsock_peers, cid);
  }
  return TRUE;
}

static char *
nego_setting_get_peers (const NegoConf *conf, const NegoSetting *setting)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint i;

  for (i = 0; i < conf->vsock_peers->len; i++)
    g_string_append_printf (text, "%s%u", i > 0 ? NEGO_SETTING_SEPARATOR : "",
                            g_array_index (conf->vsock_peers, guint32, i));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
nego_setting_parse_number (const NegoSetting *setting,
                           const char *value,
                           guint64 *number,
                           GError **error)
{
  if (g_ascii_string_to_unsigned (value, 10, setting->min, setting->max, number, NULL))
    return TRUE;
  return nego_setting_refuse (error,
                              "wrong value '%s' (must be a number from %" G_GUINT64_FORMAT
                              " to %" G_GUINT64_FORMAT ")",
                              value, setting->min, setting->max);
}

static gboolean
nego_setting_set_number (NegoConf *conf,
                         const NegoSetting *setting,
                         const char *value,
                         GError **error)
{
  guint64 number;

  if (!nego_setting_parse_number (setting, value, &number, error))
    return FALSE;
  G_STRUCT_MEMBER (guint, conf, setting->offset) = (guint) number * setting->scale;
  return TRUE;
}

static char *
nego_setting_get_number (const NegoConf *conf, const NegoSetting *setting)
{
  return g_strdup_printf ("%u", G_STRUCT_MEMBER (guint, conf, setting->offset) / setting->scale);
}

static gboolean
nego_setting_set_size (NegoConf *conf,
                       const NegoSetting *setting,
                       const char *value,
                       GError **error)
{
  guint64 number;

  if (!nego_setting_parse_number (setting, value, &number, error))
    return FALSE;
  G_STRUCT_MEMBER (gsize, conf, setting->offset) = (gsize) number;
  return TRUE;
}

static char *
nego_setting_get_size (const NegoConf *conf, const NegoSetting *setting)
{
  return g_strdup_printf ("%" G_GSIZE_FORMAT, G_STRUCT_MEMBER (gsize, conf, setting->offset));
}

static gboolean
nego_setting_set_host_port (NegoConf *conf,
                            const NegoSetting *setting,
                            const char *value,
                            GError **error)
{
  g_autoptr (NegoAddress) address = nego_address_parse (value, error);

  if (address == NULL)
    return FALSE;
  if (address->method == NEGO_METHOD_UNIX_LISTEN || address->method == NEGO_METHOD_VSOCK_LISTEN)
    return nego_setting_refuse (error,
                                "wrong method '%s' (must be virtio-serial, isa-serial or fd)",
                                nego_method_get_name (address->method));
  nego_address_free (conf->host_port);
  conf->host_port = g_steal_pointer (&address);
  return TRUE;
}

static char *
nego_setting_get_host_port (const NegoConf *conf, const NegoSetting *setting)
{
  g_autoptr (NegoAddress) address = nego_conf_get_host_port (conf);

  return address != NULL ? nego_address_to_string (address) : NULL;
}

static gboolean
nego_setting_set_mode (NegoConf *conf,
                       const NegoSetting *setting,
                       const char *value,
                       GError **error)
{
  guint64 mode;

  if (!g_ascii_string_to_unsigned (value, 8, 0, 0777, &mode, NULL))
    return nego_setting_refuse (error, "wrong value '%s' (must be permissions from 0000 to 0777)",
                                value);
  G_STRUCT_MEMBER (guint, conf, setting->offset) = (guint) mode;
  return TRUE;
}

static char *
nego_setting_get_mode (const NegoConf *conf, const NegoSetting *setting)
{
  return g_strdup_printf ("%04o", G_STRUCT_MEMBER (guint, conf, setting->offset));
}

#define AT(member) offsetof (NegoConf, member)
#define BOOLEAN    nego_setting_set_boolean, nego_setting_get_boolean
#define STRING     nego_setting_set_string, nego_setting_get_string
#define RPCS       nego_setting_set_rpcs, nego_setting_get_rpcs
#define NUMBER     nego_setting_set_number, nego_setting_get_number
#define SIZE       nego_setting_set_size, nego_setting_get_size

/* In the order of --dump-conf. Ranges: what a guest of any size can want; a limit can be large, but
 * not absent. */
const NegoSetting nego_settings[] = {
  { NEGO_CONF_GROUP_QGA, "daemon", BOOLEAN, AT (daemonize) },
  { NEGO_CONF_GROUP_QGA, "method", nego_setting_set_method, nego_setting_get_method },
  { NEGO_CONF_GROUP_QGA, "path", STRING, AT (path) },
  { NEGO_CONF_GROUP_QGA, "logfile", STRING, AT (logfile) },
  { NEGO_CONF_GROUP_QGA, "pidfile", STRING, AT (pidfile) },
  { NEGO_CONF_GROUP_QGA, "fsfreeze-hook", STRING, AT (fsfreeze_hook) },
  { NEGO_CONF_GROUP_QGA, "statedir", STRING, AT (statedir) },
  { NEGO_CONF_GROUP_QGA, "verbose", BOOLEAN, AT (verbose) },
  { NEGO_CONF_GROUP_QGA, "retry-path", BOOLEAN, AT (retry_path) },
  { NEGO_CONF_GROUP_QGA, "block-rpcs", RPCS, AT (block_rpcs) },
  { NEGO_CONF_GROUP_QGA, "allow-rpcs", RPCS, AT (allow_rpcs) },
  { NEGO_CONF_GROUP_QGA, "blacklist", nego_setting_set_blacklist, NULL, AT (block_rpcs) },
  { NEGO_CONF_GROUP, "commands", nego_setting_set_commands, nego_setting_get_commands },
  { NEGO_CONF_GROUP, "serve-qga", BOOLEAN, AT (serve_qga) },
  { NEGO_CONF_GROUP, "guest-commands", nego_setting_set_directories, nego_setting_get_directories },
  { NEGO_CONF_GROUP, "channels", nego_setting_set_channels, nego_setting_get_channels },
  { NEGO_CONF_GROUP, "vsock-peers", nego_setting_set_peers, nego_setting_get_peers },
  { NEGO_CONF_GROUP, "host-calls", BOOLEAN, AT (host_calls) },
  { NEGO_CONF_GROUP, "host-port", nego_setting_set_host_port, nego_setting_get_host_port },
  { NEGO_CONF_GROUP, "host-socket", STRING, AT (host_socket) },
  { NEGO_CONF_GROUP, "host-socket-mode", nego_setting_set_mode, nego_setting_get_mode,
    AT (host_socket_mode) },
  { NEGO_CONF_GROUP, "host-socket-group", STRING, AT (host_socket_group) },
  { NEGO_CONF_GROUP, "jobs", NUMBER, AT (jobs.running), 1, 4096, 1 },
  { NEGO_CONF_GROUP, "queued-jobs", NUMBER, AT (jobs.queued), 0, 4096, 1 },
  { NEGO_CONF_GROUP, "max-output", SIZE, AT (jobs.output_bytes), 1, NEGO_SCRIPT_OUTPUT_MAX, 1 },
  { NEGO_CONF_GROUP, "kept-jobs", NUMBER, AT (jobs.retained), 1, 65536, 1 },
  { NEGO_CONF_GROUP, "kept-output", SIZE, AT (jobs.retained_bytes), 1 << 20, 1 << 30, 1 },
  { NEGO_CONF_GROUP, "kept-seconds", NUMBER, AT (jobs.expiry_ms), 1, 86400, 1000 },
  { NEGO_CONF_GROUP, "grace-seconds", NUMBER, AT (jobs.grace_ms), 1, 300, 1000 },
  { NEGO_CONF_GROUP, "thaw-after-seconds", NUMBER, AT (thaw_after_ms), 0, 86400, 1000 },
  { NEGO_CONF_GROUP, "hook-seconds", NUMBER, AT (hook_ms), 0, 86400, 1000 },
  { NEGO_CONF_GROUP, "exec-output", SIZE, AT (exec_output), 1024, NEGO_PROCESS_REPLY_BYTES, 1 },
};

const gsize nego_n_settings = G_N_ELEMENTS (nego_settings);
