/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/script-dir.h"
#include "tests/qtest-like/libnegotest-private.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *
nego_test_add_script_mode (NegoTest *test, const char *name, mode_t mode, const char *text)
{
  return script_dir_add (nego_test_get_script_dir (test), name, mode, text);
}

void
nego_test_add_script (NegoTest *test, const char *name, const char *text)
{
  g_free (nego_test_add_script_mode (test, name, 0755, text));
}

void
nego_test_add_script_conf (NegoTest *test, const char *name, const char *lines)
{
  g_autofree char *conf = g_strconcat (name, ".conf", NULL);
  g_autofree char *text = g_strdup_printf ("[Command]\n%s\n", lines);

  g_free (nego_test_add_script_mode (test, conf, 0644, text));
}

static char *
gate_path (NegoTest *test, const char *name)
{
  g_autofree char *base = g_strconcat (name, ".gate", NULL);

  return g_build_filename (nego_test_get_dir (test), base, NULL);
}

void
nego_test_add_gate (NegoTest *test, const char *name)
{
  g_autofree char *path = gate_path (test, name);
  g_autofree char *text = g_strdup_printf ("#!/bin/sh\nread -r line <'%s'\necho \"$line\"\n", path);

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  nego_test_add_script (test, name, text);
  nego_test_add_script_conf (test, name, "Timeout=0");
}

int
nego_test_open_gate (NegoTest *test, const char *name)
{
  g_autofree char *path = gate_path (test, name);
  /* Blocks until the script opens the other end. */
  int fd = open (path, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

void
nego_test_pass_gate (int gate, const char *line)
{
  g_autofree char *text = g_strconcat (line, "\n", NULL);

  g_assert_cmpint (write (gate, text, strlen (text)), ==, (ssize_t) strlen (text));
  close (gate);
}

static char *
make_request (const char *command, const char *arguments)
{
  return g_strdup_printf ("{\"execute\":\"%s\",\"arguments\":{%s}}", command, arguments);
}

JsonObject *
nego_test_exec (NegoTestClient *client, const char *arguments)
{
  g_autofree char *request = make_request ("negotiator-exec", arguments);

  return nego_test_call_object (client, request);
}

JsonObject *
nego_test_status (NegoTestClient *client, const char *arguments)
{
  g_autofree char *request = make_request ("negotiator-exec-status", arguments);

  return nego_test_call_object (client, request);
}

void
nego_test_exec_fails (NegoTestClient *client, const char *arguments, const char *desc)
{
  g_autofree char *request = make_request ("negotiator-exec", arguments);

  nego_test_expect_error (client, request, desc);
}
