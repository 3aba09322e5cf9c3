/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/script.h"

#include "common/error.h"
#include "common/names.h"
#include "common/pipe.h"
#include "common/trust.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CONF_SUFFIX ".conf"

gboolean
nego_script_name_is_valid (const char *name)
{
  gsize len = strlen (name);

  if (!g_ascii_isalnum (name[0]) || len > NEGO_SCRIPT_NAME_BYTES
      || g_str_has_suffix (name, CONF_SUFFIX))
    return FALSE;
  for (gsize i = 1; i < len; i++)
    if (!g_ascii_isalnum (name[i]) && strchr ("._-", name[i]) == NULL)
      return FALSE;
  return TRUE;
}

/* Reads up to @max bytes and tells in @len how many. */
static char *
nego_script_read (int path_fd, gsize max, gsize *len)
{
  g_autofree char *text = NULL;
  int fd = nego_trust_reopen (path_fd);
  ssize_t n = -1;

  *len = 0;
  if (fd < 0)
    return NULL;
  text = g_malloc (max);
  while (*len < max && ((n = read (fd, text + *len, max - *len)) > 0 || (n < 0 && errno == EINTR)))
    *len += n > 0 ? (gsize) n : 0;
  if (n < 0) {
    int errnum = errno;

    close (fd);
    errno = errnum;
    return NULL;
  }
  close (fd);
  return g_steal_pointer (&text);
}

/* Whether the kernel can run the file: it would say so only after the spawn, and not to a list. */
static gboolean
nego_script_is_runnable (int fd)
{
  gsize len;
  g_autofree char *magic = nego_script_read (fd, 4, &len);

  /* What cannot be read may still be executed (mode 0711): then the kernel says it. */
  return magic == NULL || (len >= 2 && memcmp (magic, "#!", 2) == 0)
         || (len == 4 && memcmp (magic, "\177ELF", 4) == 0);
}

static gboolean
nego_script_check (int dir_fd, const char *dir, const NegoScript *script, GError **error)
{
  struct stat st;
  const char *wrong = NULL;
  int fd = nego_trust_open_at (dir_fd, dir, script->name, &st, error);

  if (fd < 0)
    return FALSE;
  if (S_ISDIR (st.st_mode))
    wrong = "is a directory";
  else if (!S_ISREG (st.st_mode))
    wrong = "is not a regular file";
  else if ((st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
    wrong = "is not executable";
  else if (!nego_script_is_runnable (fd))
    wrong = "is no program and has no interpreter line (#!)";
  close (fd);
  if (wrong != NULL)
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED, "'%s' %s", script->path, wrong);
  return wrong == NULL;
}

/* Returns NULL without an error when there is no key file. */
static NegoScriptConf *
nego_script_load_conf (int dir_fd, const char *dir, const NegoScript *script, GError **error)
{
  g_autofree char *name = g_strconcat (script->name, CONF_SUFFIX, NULL);
  g_autofree char *path = g_strconcat (script->path, CONF_SUFFIX, NULL);
  g_autoptr (GError) failure = NULL;
  g_autofree char *text = NULL;
  struct stat st;
  gsize len;
  int fd = nego_trust_open_at (dir_fd, dir, name, &st, &failure);

  if (fd < 0) {
    if (!g_error_matches (failure, NEGO_ERROR, NEGO_ERROR_NOT_FOUND))
      g_propagate_error (error, g_steal_pointer (&failure));
    return NULL;
  }
  if (!S_ISREG (st.st_mode)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED, "'%s' is not a regular file", path);
    close (fd);
    return NULL;
  }
  text = nego_script_read (fd, NEGO_SCRIPT_CONF_BYTES + 1, &len);
  close (fd);
  if (text == NULL) {
    nego_error_set_errno (error, errno, "cannot read '%s'", path);
    return NULL;
  }
  if (len > NEGO_SCRIPT_CONF_BYTES) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "'%s' is longer than %u bytes", path,
                 NEGO_SCRIPT_CONF_BYTES);
    return NULL;
  }
  return nego_script_conf_parse (path, text, len, error);
}

static NegoScript *
nego_script_new (const char *dir, const char *name, NegoScriptSource source)
{
  NegoScript *script = g_new0 (NegoScript, 1);

  script->name = g_strdup (name);
  script->path = g_build_filename (dir, name, NULL);
  script->source = source;
  return script;
}

NegoScript *
nego_script_load (int dir_fd, const char *dir, const char *name, NegoScriptSource source)
{
  g_autoptr (NegoScript) script = nego_script_new (dir, name, source);
  g_autoptr (GError) error = NULL;

  if (!nego_script_check (dir_fd, dir, script, &error)) {
    if (g_error_matches (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND))
      return NULL;
  } else {
    script->conf = nego_script_load_conf (dir_fd, dir, script, &error);
  }
  if (script->conf == NULL)
    script->conf = nego_script_conf_new ();
  if (error != NULL)
    script->refusal = g_strdup (error->message);
  return g_steal_pointer (&script);
}

NegoScript *
nego_script_new_refused (const char *dir, const char *name, NegoScriptSource source, char *refusal)
{
  NegoScript *script = nego_script_new (dir, name, source);

  script->conf = nego_script_conf_new ();
  script->refusal = refusal;
  return script;
}

void
nego_script_free (NegoScript *script)
{
  if (script == NULL)
    return;
  g_free (script->name);
  g_free (script->path);
  nego_script_conf_free (script->conf);
  g_free (script->refusal);
  g_free (script);
}
