/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/conf-file.h"
#include "agent/conf.h"
#include "common/error.h"
#include "common/names.h"

#include <glib/gstdio.h>

#include <string.h>

typedef struct {
  char *dir;
  char *path; /* of the file that write_file () makes */
  NegoConf *conf;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->dir = g_dir_make_tmp ("nego-conf-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->path = g_build_filename (fixture->dir, "agent.conf", NULL);
  fixture->conf = nego_conf_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_unlink (fixture->path);
  g_assert_cmpint (g_rmdir (fixture->dir), ==, 0);
  g_free (fixture->dir);
  g_free (fixture->path);
  nego_conf_free (fixture->conf);
}

static void
load (Fixture *fixture, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (fixture->path, text, -1, NULL));
  nego_conf_file_load (fixture->conf, fixture->path, TRUE, &error);
  g_assert_no_error (error);
}

/* Loading @text fails with @message behind the file's path. */
static void
load_fails (Fixture *fixture, const char *text, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = g_strconcat (fixture->path, ":", message, NULL);

  g_assert_true (g_file_set_contents (fixture->path, text, -1, NULL));
  g_assert_false (nego_conf_file_load (fixture->conf, fixture->path, TRUE, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG);
  g_assert_cmpstr (error->message, ==, expected);
}

static void
assert_rpcs (GPtrArray *names, const char *expected)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint i;

  for (i = 0; i < names->len; i++)
    g_string_append_printf (text, "%s|", (const char *) names->pdata[i]);
  g_assert_cmpstr (text->str, ==, expected);
}

/* The channels to serve, the QGA channel marked by a star. */
static void
assert_channels (NegoConf *conf, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) channels = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  guint i;

  nego_conf_check (conf, &error);
  g_assert_no_error (error);
  channels = nego_conf_list_channels (conf);
  for (i = 0; i < channels->len; i++) {
    const NegoConfChannel *channel = channels->pdata[i];
    g_autofree char *address = nego_address_to_string (channel->address);

    g_string_append_printf (text, "%s%s|", channel->qga ? "*" : "", address);
  }
  g_assert_cmpstr (text->str, ==, expected);
}

static void
assert_warning (NegoConf *conf, guint i, const char *end)
{
  g_assert_cmpuint (conf->warnings->len, >, i);
  if (!g_str_has_suffix (conf->warnings->pdata[i], end))
    g_assert_cmpstr (conf->warnings->pdata[i], ==, end);
}

#define DEFAULT_DUMP                                                                        \
  "[general]\n"                                                                             \
  "daemon=false\n"                                                                          \
  "method=virtio-serial\n"                                                                  \
  "path=/dev/virtio-ports/org.qemu.guest_agent.0\n"                                         \
  "pidfile=/var/run/qemu-ga.pid\n"                                                          \
  "statedir=/var/run\n"                                                                     \
  "verbose=false\n"                                                                         \
  "retry-path=false\n"                                                                      \
  "block-rpcs=\n"                                                                           \
  "allow-rpcs=\n"                                                                           \
  "\n"                                                                                      \
  "[negotiator]\n"                                                                          \
  "commands=all\n"                                                                          \
  "serve-qga=true\n"                                                                        \
  "guest-commands=/etc/negotiator/guest-commands;/usr/local/lib/negotiator/guest-commands;" \
  "/usr/lib/negotiator/guest-commands;/usr/lib/negotiator/commands\n"                       \
  "channels=\n"                                                                             \
  "vsock-peers=\n"                                                                          \
  "host-calls=true\n"                                                                       \
  "host-port=virtio-serial:/dev/virtio-ports/negotiator-guest-to-host.0\n"                  \
  "host-socket=/run/negotiator/host.sock\n"                                                 \
  "host-socket-mode=0660\n"                                                                 \
  "host-socket-group=negotiator\n"                                                          \
  "jobs=64\nqueued-jobs=64\nmax-output=8388608\n"                                           \
  "kept-jobs=256\n"                                                                         \
  "kept-output=67108864\n"                                                                  \
  "kept-seconds=600\n"                                                                      \
  "grace-seconds=5\n"                                                                       \
  "thaw-after-seconds=0\n"                                                                  \
  "hook-seconds=600\n"                                                                      \
  "exec-output=7340032\n"

static void
test_defaults (Fixture *fixture, gconstpointer data)
{
  g_autofree char *dump = NULL;

  assert_channels (fixture->conf, "*virtio-serial:/dev/virtio-ports/org.qemu.guest_agent.0|"
                                  "virtio-serial:/dev/virtio-ports/negotiator-host-to-guest.0|"
                                  "virtio-serial:/dev/virtio-ports/negotiator-channel.0|");
  dump = nego_conf_dump (fixture->conf);
  g_assert_cmpstr (dump, ==, DEFAULT_DUMP);
  g_assert_cmpuint (fixture->conf->warnings->len, ==, 0);
}

/* libvirt's limit counts only where libvirt can be. */
static void
test_exec_output (Fixture *fixture, gconstpointer data)
{
  load (fixture, "[general]\nmethod=unix-listen\npath=/run/a\n");
  g_assert_true (nego_conf_check (fixture->conf, NULL));
  g_assert_cmpuint (fixture->conf->exec_output, ==, NEGO_PROCESS_REPLY_BYTES);
}

#define ALL_KEYS                                                    \
  "[general]\n"                                                     \
  "daemon=true\n"                                                   \
  "method=unix-listen\n"                                            \
  "path=/run/a socket\n"                                            \
  "logfile=/tmp/l\n"                                                \
  "pidfile=/tmp/p\n"                                                \
  "fsfreeze-hook=/tmp/h\n"                                          \
  "statedir=/tmp\n"                                                 \
  "verbose=true\n"                                                  \
  "retry-path=true\n"                                               \
  "block-rpcs=guest-exec\n"                                         \
  "allow-rpcs=guest-ping\n"                                         \
  "\n"                                                              \
  "[negotiator]\n"                                                  \
  "commands=read\n"                                                 \
  "serve-qga=false\n"                                               \
  "guest-commands=/a;/b\n"                                          \
  "channels=unix-listen:/run/b;vsock-listen:4294967295:1024;fd:3\n" \
  "vsock-peers=2;1\n"                                               \
  "host-calls=false\n"                                              \
  "host-port=fd:7\n"                                                \
  "host-socket=/run/h\n"                                            \
  "host-socket-mode=0700\n"                                         \
  "host-socket-group=games\n"                                       \
  "jobs=1\n"                                                        \
  "queued-jobs=5\n"                                                 \
  "max-output=6\n"                                                  \
  "kept-jobs=2\n"                                                   \
  "kept-output=1048576\n"                                           \
  "kept-seconds=3\n"                                                \
  "grace-seconds=4\n"                                               \
  "thaw-after-seconds=300\n"                                        \
  "hook-seconds=7\n"                                                \
  "exec-output=2048\n"

/* Each key is taken, and --dump-conf gives the file back. */
static void
test_all_keys (Fixture *fixture, gconstpointer data)
{
  g_autofree char *dump = NULL;

  load (fixture, ALL_KEYS);
  dump = nego_conf_dump (fixture->conf);
  g_assert_cmpstr (dump, ==, ALL_KEYS);
  g_assert_cmpuint (fixture->conf->jobs.grace_ms, ==, 4000);
  g_assert_cmpuint (fixture->conf->thaw_after_ms, ==, 300000);
  g_assert_cmpuint (fixture->conf->hook_ms, ==, 7000);
  g_assert_cmpuint (fixture->conf->jobs.expiry_ms, ==, 3000);
  assert_channels (fixture->conf, "unix-listen:/run/b|vsock-listen:4294967295:1024|fd:3|");
}

/* Lists accumulate over files, so that the second cannot unblock; single values are replaced. */
static void
test_two_files (Fixture *fixture, gconstpointer data)
{
  load (fixture, "[general]\nblock-rpcs=guest-exec,guest-exec-status\nverbose=true\n"
                 "statedir=/a\n[negotiator]\nchannels=unix-listen:/a\nguest-commands=/a\n");
  load (fixture, "[general]\nblock-rpcs=guest-ping\nverbose=0\n"
                 "statedir=/b\n[negotiator]\nchannels=unix-listen:/b\nguest-commands=/b;/c\n");
  assert_rpcs (fixture->conf->block_rpcs, "guest-exec-status|guest-exec|guest-ping|");
  g_assert_false (fixture->conf->verbose);
  g_assert_cmpstr (fixture->conf->statedir, ==, "/b");
  g_assert_cmpuint (fixture->conf->channels->len, ==, 2);
  g_assert_cmpuint (g_strv_length (fixture->conf->guest_commands), ==, 2);
}

static void
test_rpcs (Fixture *fixture, gconstpointer data)
{
  load (fixture, "[general]\nblock-rpcs= a , b,\nallow-rpcs=,\n");
  assert_rpcs (fixture->conf->block_rpcs, "|b|a|");
  assert_rpcs (fixture->conf->allow_rpcs, "||"); /* nothing is allowed, not everything */
}

static void
test_empty_allow_list (Fixture *fixture, gconstpointer data)
{
  load (fixture, "[general]\nallow-rpcs=\n");
  assert_rpcs (fixture->conf->allow_rpcs, ""); /* no list, as in qemu-ga */
}

static void
test_blacklist (Fixture *fixture, gconstpointer data)
{
  load (fixture, "[general]\nblacklist=a\nblock-rpcs=b\n");
  assert_rpcs (fixture->conf->block_rpcs, "a|b|");
  g_assert_cmpuint (fixture->conf->warnings->len, ==, 1);
  assert_warning (fixture->conf, 0, "the name 'blacklist' is old: use 'block-rpcs'");
}

static void
test_unknown (Fixture *fixture, gconstpointer data)
{
  load (fixture, "[general]\ndaemonize = 0\n[other]\nx=y\n");
  g_assert_cmpuint (fixture->conf->warnings->len, ==, 2);
  assert_warning (fixture->conf, 0, "/agent.conf:2: the unknown key 'daemonize' is ignored");
  assert_warning (fixture->conf, 1, "/agent.conf: the unknown group 'other' is ignored");
  load_fails (fixture, "[negotiator]\n# job=1\njob=1\n", "3: 'job': unknown key");
}

static const struct {
  const char *text;
  const char *message;
} wrong[] = {
  { "[general]\n\nverbose=yes\n", "3: 'verbose': wrong value 'yes' (must be true or false)" },
  { "[general]\nmethod=tcp\n", "2: 'method': unknown method 'tcp' (virtio-serial, isa-serial, "
                               "unix-listen, vsock-listen, fd)" },
  { "[general]\npath=\n", "2: 'path': the value is empty" },
  { "[other]\nstatedir=\n[general]\n  statedir  =  \n", "4: 'statedir': the value is empty" },
  { "[general]\nlogfile=a\\q\n",
    "2: 'logfile': Key file contains key “logfile” which has a value that cannot be interpreted." },
  { "[general]\nlogfile=\xff\n",
    "2: 'logfile': Key file contains key “logfile” with value “\xef\xbf\xbd” "
    "which is not UTF-8" },
  { "verbose=1\n", "1: Key file does not start with a group" },
  { "[general]\nverbose=1\noops\npath=/x\n",
    "3: Key file contains line “oops” which is not a key-value pair, group, or comment" },
  { "[negotiator]\ncommands=some\n",
    "2: 'commands': wrong value 'some' (must be all, read or none)" },
  { "[negotiator]\nguest-commands=/a;b\n",
    "2: 'guest-commands': wrong directory 'b' (must be absolute)" },
  { "[negotiator]\nchannels=/run/a\n",
    "2: 'channels': wrong channel '/run/a' (must be METHOD:PATH)" },
  { "[negotiator]\nchannels=unix-listen:\n", "2: 'channels': the path of a channel is empty" },
  { "[negotiator]\nchannels=fd:2\n",
    "2: 'channels': wrong descriptor '2' (must be a number above 2)" },
  { "[negotiator]\nchannels=fd:2147483648\n",
    "2: 'channels': wrong descriptor '2147483648' (must be a number above 2)" },
  { "[negotiator]\nchannels=vsock-listen:1\n",
    "2: 'channels': wrong vsock address '1' (must be CID:PORT, two numbers)" },
  { "[negotiator]\nchannels=vsock-listen:-1:1\n",
    "2: 'channels': wrong vsock address '-1:1' (must be CID:PORT, two numbers)" },
  { "[negotiator]\nchannels=vsock-listen:4294967296:1\n",
    "2: 'channels': wrong vsock address '4294967296:1' (must be CID:PORT, two numbers)" },
  { "[negotiator]\nhost-port=unix-listen:/run/a\n",
    "2: 'host-port': wrong method 'unix-listen' (must be virtio-serial, isa-serial or fd)" },
  { "[negotiator]\nhost-socket-mode=0778\n",
    "2: 'host-socket-mode': wrong value '0778' (must be permissions from 0000 to 0777)" },
  { "[negotiator]\nhost-socket-mode=1000\n",
    "2: 'host-socket-mode': wrong value '1000' (must be permissions from 0000 to 0777)" },
  { "[negotiator]\nvsock-peers=2;host\n",
    "2: 'vsock-peers': wrong CID 'host' (must be a number up to 4294967295)" },
  { "[negotiator]\nvsock-peers=4294967296\n",
    "2: 'vsock-peers': wrong CID '4294967296' (must be a number up to 4294967295)" },
};

static void
test_wrong (Fixture *fixture, gconstpointer data)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (wrong); i++)
    load_fails (fixture, wrong[i].text, wrong[i].message);
}

static const struct {
  const char *key;
  const char *min, *max, *below, *above;
} numbers[] = {
  { "jobs", "1", "4096", "0", "4097" },
  { "queued-jobs", "0", "4096", "-1", "4097" },
  { "max-output", "1", "33554432", "0", "33554433" },
  { "kept-jobs", "1", "65536", "0", "65537" },
  { "kept-output", "1048576", "1073741824", "1048575", "1073741825" },
  { "kept-seconds", "1", "86400", "0", "86401" },
  { "grace-seconds", "1", "300", "0", "301" },
  { "thaw-after-seconds", "0", "86400", "-1", "86401" },
  { "hook-seconds", "0", "86400", "-1", "86401" },
  { "exec-output", "1024", "33554432", "1023", "33554433" },
};

static void
test_numbers (Fixture *fixture, gconstpointer data)
{
  gsize i, j;

  for (i = 0; i < G_N_ELEMENTS (numbers); i++) {
    const char *const right[] = { numbers[i].min, numbers[i].max };
    const char *const outside[] = { numbers[i].below, numbers[i].above, "-1", "1s", "" };

    for (j = 0; j < G_N_ELEMENTS (right); j++) {
      g_autofree char *text = g_strdup_printf ("[negotiator]\n%s=%s\n", numbers[i].key, right[j]);
      g_autofree char *dump = NULL;

      load (fixture, text);
      dump = nego_conf_dump (fixture->conf);
      g_assert_nonnull (strstr (dump, strchr (text, '\n')));
    }
    for (j = 0; j < G_N_ELEMENTS (outside); j++) {
      g_autofree char *text = g_strdup_printf ("[negotiator]\n%s=%s\n", numbers[i].key, outside[j]);
      g_autofree char *message
        = g_strdup_printf ("2: '%s': wrong value '%s' (must be a number from %s to %s)",
                           numbers[i].key, outside[j], numbers[i].min, numbers[i].max);

      load_fails (fixture, text, message);
    }
  }
}

static void
test_file_size (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *comment = g_strnfill (NEGO_CONF_FILE_BYTES + 1, '#');
  g_autofree char *message
    = g_strdup_printf ("failed to read the configuration file '%s': it is larger than 262144 bytes",
                       fixture->path);

  g_assert_true (g_file_set_contents (fixture->path, comment, NEGO_CONF_FILE_BYTES, NULL));
  g_assert_true (nego_conf_file_load (fixture->conf, fixture->path, TRUE, &error));
  g_assert_true (g_file_set_contents (fixture->path, comment, NEGO_CONF_FILE_BYTES + 1, NULL));
  g_assert_false (nego_conf_file_load (fixture->conf, fixture->path, TRUE, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_no_file (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *message
    = g_strdup_printf ("failed to open the configuration file '%s': No such file or directory",
                       fixture->path);

  g_assert_true (nego_conf_file_load (fixture->conf, fixture->path, FALSE, &error));
  g_assert_no_error (error);
  g_assert_false (nego_conf_file_load (fixture->conf, fixture->path, TRUE, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_directory (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *message
    = g_strdup_printf ("failed to read the configuration file '%s': Is a directory", fixture->dir);

  g_assert_false (nego_conf_file_load (fixture->conf, fixture->dir, FALSE, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_IO);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_path_needed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  load (fixture, "[general]\nmethod=vsock-listen\n");
  g_assert_false (nego_conf_check (fixture->conf, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG);
  g_assert_cmpstr (error->message, ==,
                   "wrong 'path' (option -p): must specify a path for this channel (method "
                   "'vsock-listen')");
  g_clear_error (&error);
  load (fixture, "[general]\npath=/run/x\n");
  g_assert_false (nego_conf_check (fixture->conf, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG);
  g_assert_cmpstr (error->message, ==,
                   "wrong 'path' (option -p): wrong vsock address '/run/x' (must be CID:PORT, two "
                   "numbers)");
}

static void
test_channels (Fixture *fixture, gconstpointer data)
{
  load (fixture, "[general]\nmethod=isa-serial\n[negotiator]\n"
                 "channels=virtio-serial:/dev/virtio-ports/x;isa-serial:/dev/ttyS0;unix-listen:/a;"
                 "unix-listen:/a\n");
  assert_channels (fixture->conf,
                   "*isa-serial:/dev/ttyS0|virtio-serial:/dev/virtio-ports/x|unix-listen:/a|");
}

/* The QGA channel left to qemu-ga, which needs no path then; something must be served. */
static void
test_without_qga (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  load (fixture, "[negotiator]\nserve-qga=false\n");
  assert_channels (fixture->conf, "virtio-serial:/dev/virtio-ports/negotiator-host-to-guest.0|"
                                  "virtio-serial:/dev/virtio-ports/negotiator-channel.0|");
  load (fixture, "[general]\nmethod=unix-listen\n");
  g_assert_false (nego_conf_check (fixture->conf, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG);
  g_assert_cmpstr (error->message, ==, "'serve-qga' is false, and no other channel is named");
  load (fixture, "[negotiator]\nchannels=unix-listen:/a\n");
  assert_channels (fixture->conf, "unix-listen:/a|");
}

/* Descriptors of socket activation take the place of method and path. */
static void
test_activated (Fixture *fixture, gconstpointer data)
{
  int fds[] = { 3, 4 };

  load (fixture, "[general]\nmethod=unix-listen\n[negotiator]\nchannels=unix-listen:/a\n");
  g_array_append_vals (fixture->conf->activated, fds, G_N_ELEMENTS (fds));
  assert_channels (fixture->conf, "*fd:3|fd:4|unix-listen:/a|");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/conf/defaults", Fixture, NULL, set_up, test_defaults, tear_down);
  g_test_add ("/conf/exec-output", Fixture, NULL, set_up, test_exec_output, tear_down);
  g_test_add ("/conf/all-keys", Fixture, NULL, set_up, test_all_keys, tear_down);
  g_test_add ("/conf/two-files", Fixture, NULL, set_up, test_two_files, tear_down);
  g_test_add ("/conf/rpcs", Fixture, NULL, set_up, test_rpcs, tear_down);
  g_test_add ("/conf/empty-allow-list", Fixture, NULL, set_up, test_empty_allow_list, tear_down);
  g_test_add ("/conf/blacklist", Fixture, NULL, set_up, test_blacklist, tear_down);
  g_test_add ("/conf/unknown", Fixture, NULL, set_up, test_unknown, tear_down);
  g_test_add ("/conf/wrong", Fixture, NULL, set_up, test_wrong, tear_down);
  g_test_add ("/conf/numbers", Fixture, NULL, set_up, test_numbers, tear_down);
  g_test_add ("/conf/file-size", Fixture, NULL, set_up, test_file_size, tear_down);
  g_test_add ("/conf/no-file", Fixture, NULL, set_up, test_no_file, tear_down);
  g_test_add ("/conf/directory", Fixture, NULL, set_up, test_directory, tear_down);
  g_test_add ("/conf/path-needed", Fixture, NULL, set_up, test_path_needed, tear_down);
  g_test_add ("/conf/channels", Fixture, NULL, set_up, test_channels, tear_down);
  g_test_add ("/conf/without-qga", Fixture, NULL, set_up, test_without_qga, tear_down);
  g_test_add ("/conf/activated", Fixture, NULL, set_up, test_activated, tear_down);
  return g_test_run ();
}
