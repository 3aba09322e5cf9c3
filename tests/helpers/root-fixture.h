/* SPDX-License-Identifier: MIT */
/*
 * root-fixture: the real agent, which finds /proc, /sys and what else it reads below a directory
 * that the test fills.
 */
#pragma once

#include "tests/helpers/agent-fixture.h"

typedef struct {
  AgentFixture agent; /* dir is NULL: the test is skipped */
  char *root;         /* empty at first */
} RootFixture;

#define ROOT_TEST_ADD(path, func) \
  g_test_add (path, RootFixture, NULL, root_fixture_set_up, func, root_fixture_tear_down)

void root_fixture_set_up (RootFixture *fixture, gconstpointer data);
void root_fixture_tear_down (RootFixture *fixture, gconstpointer data);
/* Writes the file @path ("/proc/stat"), and the directories above it. */
void root_fixture_add (RootFixture *fixture, const char *path, const char *text);
void root_fixture_add_len (RootFixture *fixture, const char *path, const char *data, gsize len);
void root_fixture_add_dir (RootFixture *fixture, const char *path);
/* Removes the file @path. */
void root_fixture_remove (RootFixture *fixture, const char *path);
/* What is in the file @path now. */
void root_fixture_assert_file (RootFixture *fixture, const char *path, const char *text);
/* The command's reply is "return" with the JSON @value, as the agent spells it. */
void root_fixture_assert_return (RootFixture *fixture,
                                 const char *command,
                                 const char *arguments,
                                 const char *value);
/* Its error is @desc. */
void root_fixture_assert_error (RootFixture *fixture,
                                const char *command,
                                const char *arguments,
                                const char *desc);
/* How many elements the list has that it returns. */
guint root_fixture_count (RootFixture *fixture, const char *command);
