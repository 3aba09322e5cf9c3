/* SPDX-License-Identifier: MIT */
/*
 * guest-set-user-password. A password is in the input of chpasswd(8) only: never among arguments,
 * and never in a log.
 */
#define G_LOG_DOMAIN "nego-user"

#include "config.h"

#include "agent/agent.h"
#include "agent/handlers.h"
#include "common/base64.h"
#include "common/error.h"
#include "common/names.h"

#include <string.h>

static void
nego_cmd_password_done (const NegoToolsResult *result, gpointer user_data)
{
  NegoCall *call = user_data;

  if (result->error != NULL)
    nego_call_fail (call, g_error_copy (result->error));
  else
    qapi_guest_set_user_password_return (call);
}

static gboolean
nego_cmd_refuse (GError **error, const char *text)
{
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, text);
  return FALSE;
}

/* Whether the line "NAME:PASSWORD" would be understood as that. qemu-ga lets NUL pass, at which the
 * password is cut. */
static gboolean
nego_cmd_check_password (const char *username, const guint8 *password, gsize len, GError **error)
{
  if (memchr (password, '\n', len) != NULL || memchr (password, '\0', len) != NULL)
    return nego_cmd_refuse (error, "forbidden characters in raw password");
  if (strpbrk (username, "\n:") != NULL)
    return nego_cmd_refuse (error, "forbidden characters in username");
  if (len > NEGO_PASSWORD_BYTES || strlen (username) > NEGO_PASSWORD_BYTES) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                 "username or password is too long (limit %u bytes)", NEGO_PASSWORD_BYTES);
    return FALSE;
  }
  return TRUE;
}

void
nego_cmd_guest_set_user_password (NegoCall *call, const QapiGuestSetUserPasswordArgs *args)
{
  static const char *const plain[] = { "chpasswd", NULL };
  static const char *const crypted[] = { "chpasswd", "-e", NULL };
  NegoToolsSpec spec = {
    .argv = args->crypted ? crypted : plain,
    .action = "set user password",
    .timeout_ms = NEGO_TOOL_S * 1000,
  };
  GError *error = NULL;
  gsize len = 0;
  guint8 *password = nego_base64_decode (args->password, &len, &error);
  g_autofree char *quoted = nego_error_quote (args->username);
  char *line;

  if (password == NULL || !nego_cmd_check_password (args->username, password, len, &error)) {
    nego_call_fail (call, error);
    g_free (password);
    return;
  }
  line = g_strconcat (args->username, ":", (const char *) password, "\n", NULL);
  spec.input = line;
  spec.input_len = strlen (line);
  g_message ("%s sets the password of '%s'", nego_call_get_origin (call), quoted);
  nego_tools_run (nego_agent_of (call)->tools, &spec, nego_cmd_password_done, nego_call_ref (call),
                  (GDestroyNotify) nego_call_unref);
  explicit_bzero (line, spec.input_len);
  explicit_bzero (password, len);
  g_free (line);
  g_free (password);
}
