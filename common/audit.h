/* SPDX-License-Identifier: MIT */
/*
 * audit: a record of each run of a script: what, for whom, as whom, and how it ended, as messages
 * with structured fields (docs/nego-agent.rst, "LOGGING").
 *
 * Arguments, input, environment and output are no part of it. Of the arguments there is a hash, by
 * which equal ones are known again; its key is made anew with each audit, so that nobody can try
 * out what the arguments may have been.
 */
#pragma once

#include <glib.h>

typedef struct NegoAudit NegoAudit;

/* The MESSAGE_ID of each kind of record (systemd.journal-fields(7)). */
#define NEGO_AUDIT_STARTED_ID "6a9d1a3f1e6f4f0bb3b2a56e0f5c7d11"
#define NEGO_AUDIT_ENDED_ID   "f2c0a1d84b1c4f0e9a57a3b8d6e41c92"

/* What a record is about; the strings are borrowed. */
typedef struct {
  const char *job;
  const char *key; /* NULL: none */
  const char *command;
  const char *arguments; /* nego_audit_hash() */
  const char *user;      /* that it runs as; NULL: the program's own */
  const char *origin;    /* who asked, as far as known */
} NegoAuditRun;

/* How it ended. */
typedef struct {
  const char *state;  /* as in the schema */
  int exit_code;      /* -1: none */
  int signal;         /* 0: none */
  const char *reason; /* why it could not be started, or NULL */
  gint64 elapsed_ns;
} NegoAuditResult;

NegoAudit *nego_audit_new (void);
void nego_audit_free (NegoAudit *audit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoAudit, nego_audit_free)

/* Of the list @args (NULL: empty). Returns: (transfer full): 32 hexadecimal digits. */
char *nego_audit_hash (const NegoAudit *audit, const char *const *args);

void nego_audit_started (const NegoAuditRun *run);
void nego_audit_ended (const NegoAuditRun *run, const NegoAuditResult *result);
