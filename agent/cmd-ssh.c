/* SPDX-License-Identifier: MIT */
/*
 * guest-ssh-get-, -add- and -remove-authorized-keys. The file is the user's, and what reads and
 * writes it is a child that has become the user: so nobody gets at more than that user's files by
 * what is in that directory.
 */
#define G_LOG_DOMAIN "nego-ssh"

#include "config.h"

#include "agent/agent.h"
#include "agent/authorized-keys.h"
#include "agent/handlers.h"
#include "common/error.h"
#include "common/names.h"

#include <string.h>

typedef struct {
  NegoCall *call;
  char *username;
  void (*answer) (NegoCall *call, const NegoToolsResult *result);
} NegoCmdKeys;

static void
nego_cmd_keys_free (gpointer data)
{
  NegoCmdKeys *self = data;

  nego_call_unref (self->call);
  g_free (self->username);
  g_free (self);
}

/* Why the child could not become the user, in QGA's words. */
static GError *
nego_cmd_make_lookup_error (const char *username, const char *reason)
{
  g_autofree char *unknown = g_strdup_printf ("user '%s' does not exist", username);
  g_autofree char *failed = g_strdup_printf ("cannot look up user '%s': ", username);
  g_autofree char *quoted = nego_error_quote (username);
  const char *cause = reason;

  if (g_str_equal (reason, unknown))
    cause = "no such user";
  else if (g_str_has_prefix (reason, failed))
    cause = reason + strlen (failed);
  return g_error_new (NEGO_ERROR, NEGO_ERROR_GENERIC, "failed to lookup user '%s': %s", quoted,
                      cause);
}

static void
nego_cmd_keys_done (const NegoToolsResult *result, gpointer user_data)
{
  NegoCmdKeys *self = user_data;

  if (result->reason != NULL)
    nego_call_fail (self->call, nego_cmd_make_lookup_error (self->username, result->reason));
  else if (result->status == 1 && result->output[0] != '\0')
    nego_call_fail (self->call,
                    g_error_new_literal (NEGO_ERROR, NEGO_ERROR_GENERIC, result->output));
  else if (result->error != NULL)
    nego_call_fail (self->call, g_error_copy (result->error));
  else
    self->answer (self->call, result);
}

static void
nego_cmd_run_keys (NegoCall *call,
                   const char *username,
                   const char *what,
                   const char *const *keys,
                   void (*answer) (NegoCall *call, const NegoToolsResult *result))
{
  const NegoAgent *agent = nego_agent_of (call);
  const char *const argv[] = { NEGO_AUTHORIZED_KEYS_HELPER, what, NULL };
  g_autofree char *lines = keys != NULL ? g_strjoinv ("\n", (char **) keys) : NULL;
  const NegoToolsSpec spec = {
    .argv = argv,
    .self = TRUE,
    .user = username,
    .home = agent->home,
    .action = "handle the keys of the user",
    .input = lines,
    .input_len = lines != NULL ? strlen (lines) : 0,
    .max_output = NEGO_KEYS_FILE_BYTES,
    .timeout_ms = NEGO_TOOL_S * 1000,
  };
  NegoCmdKeys *self;

  if (*username == '\0' || strlen (username) > NEGO_USER_NAME_BYTES) {
    nego_call_fail (call, nego_cmd_make_lookup_error (username, "no such user"));
    return;
  }
  self = g_new0 (NegoCmdKeys, 1);
  self->call = nego_call_ref (call);
  self->username = g_strdup (username);
  self->answer = answer;
  nego_tools_run (agent->tools, &spec, nego_cmd_keys_done, self, nego_cmd_keys_free);
}

static void
nego_cmd_answer_get (NegoCall *call, const NegoToolsResult *result)
{
  g_autoptr (QapiGuestAuthorizedKeys) ret = qapi_guest_authorized_keys_new ();
  guint n;

  ret->keys = g_strsplit (result->output, "\n", -1);
  /* Behind the last LF there is none. */
  n = g_strv_length (ret->keys);
  if (n > 0)
    g_clear_pointer (&ret->keys[n - 1], g_free);
  qapi_guest_ssh_get_authorized_keys_return (call, ret);
}

void
nego_cmd_guest_ssh_get_authorized_keys (NegoCall *call,
                                        const QapiGuestSshGetAuthorizedKeysArgs *args)
{
  nego_cmd_run_keys (call, args->username, "list", NULL, nego_cmd_answer_get);
}

/* Whether each of @keys is one line that can be found again. */
static gboolean
nego_cmd_check_keys (char *const *keys, GError **error)
{
  guint n;

  for (n = 0; keys[n] != NULL; n++) {
    g_autofree char *quoted = nego_error_quote (keys[n]);

    if (keys[n][0] == '#' || strpbrk (keys[n], "\r\n") != NULL) {
      g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "invalid OpenSSH public key: '%s'",
                   quoted);
      return FALSE;
    }
    if (strlen (keys[n]) > NEGO_KEY_BYTES) {
      g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "a key is too long (limit %u bytes)",
                   NEGO_KEY_BYTES);
      return FALSE;
    }
  }
  if (n <= NEGO_KEYS)
    return TRUE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "too many keys (limit %u)", NEGO_KEYS);
  return FALSE;
}

static void
nego_cmd_answer_add (NegoCall *call, const NegoToolsResult *result)
{
  qapi_guest_ssh_add_authorized_keys_return (call);
}

void
nego_cmd_guest_ssh_add_authorized_keys (NegoCall *call,
                                        const QapiGuestSshAddAuthorizedKeysArgs *args)
{
  GError *error = NULL;

  if (!nego_cmd_check_keys (args->keys, &error)) {
    nego_call_fail (call, error);
    return;
  }
  g_message ("%s adds SSH keys", nego_call_get_origin (call));
  nego_cmd_run_keys (call, args->username, args->reset ? "reset" : "add",
                     (const char *const *) args->keys, nego_cmd_answer_add);
}

static void
nego_cmd_answer_remove (NegoCall *call, const NegoToolsResult *result)
{
  qapi_guest_ssh_remove_authorized_keys_return (call);
}

void
nego_cmd_guest_ssh_remove_authorized_keys (NegoCall *call,
                                           const QapiGuestSshRemoveAuthorizedKeysArgs *args)
{
  GError *error = NULL;

  if (!nego_cmd_check_keys (args->keys, &error)) {
    nego_call_fail (call, error);
    return;
  }
  g_message ("%s removes SSH keys", nego_call_get_origin (call));
  nego_cmd_run_keys (call, args->username, "remove", (const char *const *) args->keys,
                     nego_cmd_answer_remove);
}
