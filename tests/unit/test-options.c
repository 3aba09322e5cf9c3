/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/options.h"
#include "common/error.h"
#include "common/names.h"

#include <glib/gstdio.h>

/* Runs the parser on @line, words with blanks between, without any configuration file. */
static gboolean
parse (const char *line, NegoConf **conf, NegoOptionsAction *action, GError **error)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  g_autofree char **argv = g_memdup2 (words, (g_strv_length (words) + 1) * sizeof *words);

  *conf = nego_conf_new ();
  return nego_options_parse ((int) g_strv_length (words), argv, *conf, action, error);
}

static NegoConf *
parse_run (const char *line)
{
  g_autoptr (GError) error = NULL;
  NegoOptionsAction action;
  NegoConf *conf;

  parse (line, &conf, &action, &error);
  g_assert_no_error (error);
  g_assert_cmpint (action, ==, NEGO_OPTIONS_RUN);
  return conf;
}

static const char *const all_long
  = "nego-agent --method unix-listen --path=/p --logfile /l --pidfile /f --fsfreeze-hook=/h "
    "--statedir /t --verbose --daemonize --block-rpcs a,b --allow-rpcs c --retry-path --channel "
    "fd:3 --channel unix-listen:/q";
static const char *const all_short = "nego-agent -m unix-listen -p /p -l /l -f/f -F/h -t /t -vdr "
                                     "-b a,b -a c --channel fd:3 --channel unix-listen:/q";
static const char *const all_old
  = "nego-agent -s x --meth unix-listen --path /p --log /l --pid /f --fs=/h --state /t -v --daemon "
    "--blacklist a,b --allow c --retry --ch fd:3 --ch unix-listen:/q";

static void
test_forms (gconstpointer line)
{
  g_autoptr (NegoConf) conf = parse_run (line);
  g_autofree char *dump = nego_conf_dump (conf);

  g_assert_true (g_str_has_prefix (dump, "[general]\ndaemon=true\nmethod=unix-listen\npath=/p\n"
                                         "logfile=/l\npidfile=/f\nfsfreeze-hook=/h\nstatedir=/t\n"
                                         "verbose=true\nretry-path=true\nblock-rpcs=b,a\n"
                                         "allow-rpcs=c\n\n[negotiator]\n"));
  g_assert_cmpuint (conf->channels->len, ==, 2);
  g_assert_cmpuint (conf->warnings->len, ==, 0);
}

/* Each single list is reversed, as by qemu-ga. */
static void
test_lists (void)
{
  g_autoptr (NegoConf) conf = parse_run ("nego-agent -b a,b -b c -a x");

  g_assert_cmpuint (conf->block_rpcs->len, ==, 3);
  g_assert_cmpstr (conf->block_rpcs->pdata[0], ==, "b");
  g_assert_cmpstr (conf->block_rpcs->pdata[1], ==, "a");
  g_assert_cmpstr (conf->block_rpcs->pdata[2], ==, "c");
  g_assert_cmpuint (conf->allow_rpcs->len, ==, 1);
}

/* -F's argument is attached or absent; the next word is none. */
static void
test_hook (void)
{
  g_autoptr (NegoConf) bare = parse_run ("nego-agent -F /x");
  g_autoptr (NegoConf) long_bare = parse_run ("nego-agent --fsfreeze-hook");
  g_autoptr (NegoConf) none = parse_run ("nego-agent");

  g_assert_cmpstr (bare->fsfreeze_hook, ==, "/etc/qemu/fsfreeze-hook");
  g_assert_cmpstr (bare->warnings->pdata[0], ==, "the argument '/x' is ignored");
  g_assert_cmpstr (long_bare->fsfreeze_hook, ==, "/etc/qemu/fsfreeze-hook");
  g_assert_null (none->fsfreeze_hook);
}

static const struct {
  const char *line;
  NegoOptionsAction action;
} actions[] = {
  { "nego-agent -h", NEGO_OPTIONS_HELP },
  { "nego-agent --help", NEGO_OPTIONS_HELP },
  { "nego-agent -vV", NEGO_OPTIONS_VERSION },
  { "nego-agent --version -x", NEGO_OPTIONS_VERSION },
  { "nego-agent -b help", NEGO_OPTIONS_LIST_COMMANDS },
  { "nego-agent -b ?", NEGO_OPTIONS_LIST_COMMANDS },
  { "nego-agent --allow-rpcs=help", NEGO_OPTIONS_LIST_COMMANDS },
  { "nego-agent -a ?", NEGO_OPTIONS_LIST_COMMANDS },
  { "nego-agent -c /nonexistent -V", NEGO_OPTIONS_VERSION },
  { "nego-agent -D", NEGO_OPTIONS_DUMP },
  { "nego-agent --dump-conf -b x", NEGO_OPTIONS_DUMP },
  { "nego-agent word", NEGO_OPTIONS_RUN },
};

static void
test_actions (void)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (actions); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (NegoConf) conf = NULL;
    NegoOptionsAction action;

    parse (actions[i].line, &conf, &action, &error);
    g_assert_no_error (error);
    g_assert_cmpint (action, ==, actions[i].action);
  }
}

static const struct {
  const char *line;
  const char *message;
} wrong[] = {
  { "nego-agent -x", "unknown option '-x', see --help" },
  { "nego-agent -vx", "unknown option '-x', see --help" },
  { "nego-agent --nonsense=1", "unknown option '--nonsense=1', see --help" },
  { "nego-agent --re --ver", "unknown option '--ver', see --help" }, /* verbose or version */
  { "nego-agent --verbose=1", "option '-v, --verbose' takes no argument" },
  { "nego-agent -m", "option '-m, --method' needs an argument" },
  { "nego-agent -s", "option '-s' needs an argument" },
  { "nego-agent --channel", "option '--channel' needs an argument" },
  { "nego-agent --channel x", "option '--channel': wrong channel 'x' (must be METHOD:PATH)" },
  { "nego-agent --channel tcp:x", "option '--channel': unknown method 'tcp' (virtio-serial, "
                                  "isa-serial, unix-listen, vsock-listen, fd)" },
  { "nego-agent -m tcp", "option '-m, --method': unknown method 'tcp' (virtio-serial, isa-serial, "
                         "unix-listen, vsock-listen, fd)" },
  { "nego-agent --path=", "option '-p, --path': the value is empty" },
  { "nego-agent -c /nonexistent",
    "failed to open the configuration file '/nonexistent': No such file or directory" },
};

static void
test_wrong (void)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (NegoConf) conf = NULL;
    NegoOptionsAction action;

    g_assert_false (parse (wrong[i].line, &conf, &action, &error));
    g_assert_cmpstr (error->message, ==, wrong[i].message);
    g_assert_cmpint (error->domain, ==, NEGO_ERROR);
  }
}

/* -c comes before QGA_CONF, the command line before both; lists accumulate. */
static void
test_files (void)
{
  g_autofree char *dir = g_dir_make_tmp ("nego-options-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "conf", NULL);
  g_autofree char *line
    = g_strdup_printf ("nego-agent -t /option -b option -c /nonexistent --config=%s", path);
  g_autoptr (NegoConf) by_option = NULL;
  g_autoptr (NegoConf) by_environment = NULL;

  g_assert_true (g_file_set_contents (
    path, "[general]\nstatedir=/file\npidfile=/file\nblock-rpcs=file\n", -1, NULL));
  by_option = parse_run (line);
  g_assert_cmpstr (by_option->statedir, ==, "/option");
  g_assert_cmpstr (by_option->pidfile, ==, "/file");
  g_assert_cmpstr (by_option->block_rpcs->pdata[0], ==, "file");
  g_assert_cmpstr (by_option->block_rpcs->pdata[1], ==, "option");
  g_setenv (NEGO_CONF_ENV_QGA, path, TRUE);
  by_environment = parse_run ("nego-agent");
  g_assert_cmpstr (by_environment->statedir, ==, "/file");
  g_setenv (NEGO_CONF_ENV_QGA, "/nonexistent", TRUE);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

/* What callers of qemu-ga --version look for, and what comes before our own version. */
static void
test_version (void)
{
  g_assert_cmpstr (nego_options_version (), ==,
                   "QEMU Guest Agent 10.2.2 (nego-agent " NEGO_VERSION ")\n");
}

static void
test_help (void)
{
  g_autofree char *help = nego_options_help ("nego-agent");
  const char *const options[] = {
    "-m, --method",     "-p, --path",       "--channel",       "-r, --retry-path",
    "-b, --block-rpcs", "-a, --allow-rpcs", "-F, --fsfreeze-", "-c, --config",
    "-d, --daemonize",  "-f, --pidfile",    "-t, --statedir",  "-l, --logfile",
    "-v, --verbose",    "-D, --dump-conf",  "-V, --version",   "-h, --help",
  };
  gsize i;

  g_assert_true (g_str_has_prefix (help, "Usage: nego-agent "));
  for (i = 0; i < G_N_ELEMENTS (options); i++)
    g_assert_nonnull (g_strstr_len (help, -1, options[i]));
}

int
main (int argc, char **argv)
{
  g_setenv (NEGO_CONF_ENV_QGA, "/nonexistent", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/options/long", all_long, test_forms);
  g_test_add_data_func ("/options/short", all_short, test_forms);
  g_test_add_data_func ("/options/old", all_old, test_forms);
  g_test_add_func ("/options/lists", test_lists);
  g_test_add_func ("/options/hook", test_hook);
  g_test_add_func ("/options/actions", test_actions);
  g_test_add_func ("/options/wrong", test_wrong);
  g_test_add_func ("/options/files", test_files);
  g_test_add_func ("/options/version", test_version);
  g_test_add_func ("/options/help", test_help);
  return g_test_run ();
}
