/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/vcpus.h"

#include "agent/kernel-file.h"
#include "common/error.h"
#include "common/names.h"

#include <errno.h>
#include <unistd.h>

#define CPU_DIR "/sys/devices/system/cpu"

/* The directory as QGA's errors name it, without the root. */
static char *
nego_vcpus_dir (gint64 id)
{
  return g_strdup_printf (CPU_DIR "/cpu%" G_GINT64_FORMAT "/", id);
}

/* What is known of a processor whose directory is @dir_fd. */
static gboolean
nego_vcpus_read (int dir_fd, const char *dir, QapiGuestLogicalProcessor *cpu, GError **error)
{
  char value[8];
  gboolean opened;
  gssize n = nego_kernel_file_read_at (dir_fd, "online", value, sizeof value, &opened);

  cpu->has_can_offline = TRUE;
  if (n < 0 && !opened && errno == ENOENT) {
    cpu->online = TRUE;
    return TRUE;
  }
  if (n < 0)
    return nego_error_set_errno (error, errno,
                                 opened ? "pread(\"%s/online\")" : "open(\"%s/online\")", dir);
  if (n == 0) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO, "pread(\"%s/online\"): unexpected EOF", dir);
    return FALSE;
  }
  cpu->online = value[0] != '0';
  cpu->can_offline = TRUE;
  return TRUE;
}

/* The processor @id; *@dir_fd, unless it is NULL, is its directory. */
static QapiGuestLogicalProcessor *
nego_vcpus_open (const char *root, gint64 id, int *dir_fd, GError **error)
{
  g_autoptr (QapiGuestLogicalProcessor) cpu = qapi_guest_logical_processor_new ();
  g_autofree char *dir = nego_vcpus_dir (id);
  int fd = nego_kernel_file_open_dir (root, dir);

  if (fd < 0) {
    nego_error_set_errno (error, errno, "open(\"%s\")", dir);
    return NULL;
  }
  cpu->logical_id = id;
  if (!nego_vcpus_read (fd, dir, cpu, error)) {
    close (fd);
    return NULL;
  }
  if (dir_fd != NULL)
    *dir_fd = fd;
  else
    close (fd);
  return g_steal_pointer (&cpu);
}

GPtrArray *
nego_vcpus_list (const char *root, GError **error)
{
  g_autoptr (GArray) ids = nego_kernel_file_list (root, CPU_DIR, "cpu", NEGO_VCPUS);
  g_autoptr (GPtrArray) cpus
    = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_guest_logical_processor_free);

  if (ids == NULL) {
    nego_error_set_errno (error, errno, "failed to list entries: /sys/devices/system/cpu");
    return NULL;
  }
  for (guint i = 0; i < ids->len; i++) {
    g_autoptr (GError) cause = NULL;
    gint64 id = (gint64) g_array_index (ids, guint64, i);
    QapiGuestLogicalProcessor *cpu = nego_vcpus_open (root, id, NULL, &cause);

    if (cpu != NULL)
      g_ptr_array_add (cpus, cpu);
    else if (!g_error_matches (cause, NEGO_ERROR, NEGO_ERROR_NOT_FOUND)) {
      g_propagate_error (error, g_steal_pointer (&cause));
      return NULL;
    } /* else it was unplugged meanwhile */
  }
  return g_steal_pointer (&cpus);
}

gboolean
nego_vcpus_switch (const char *root, gint64 id, gboolean online, GError **error)
{
  g_autofree char *dir = nego_vcpus_dir (id);
  int dir_fd;
  g_autoptr (QapiGuestLogicalProcessor) cpu = nego_vcpus_open (root, id, &dir_fd, error);
  gboolean done = TRUE;

  if (cpu == NULL)
    return FALSE;
  if (cpu->online != online && !cpu->can_offline) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                 "logical processor #%" G_GINT64_FORMAT " can't be offlined", id);
    done = FALSE;
  } else if (cpu->online != online
             && !nego_kernel_file_write_at (dir_fd, "online", online ? "1" : "0"))
    done = nego_error_set_errno (error, errno, "pwrite(\"%s/online\")", dir);
  close (dir_fd);
  return done;
}
