/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/memory-blocks.h"

#include "agent/kernel-file.h"
#include "common/error.h"

#include <errno.h>
#include <unistd.h>

#define MEMORY_DIR "/sys/devices/system/memory/"

/* The text of "state" and other files: a word and a LF. */
#define VALUE_BYTES 32

static int
nego_memory_blocks_open (const char *root, guint64 index, char **path)
{
  *path = g_strdup_printf (MEMORY_DIR "memory%" G_GUINT64_FORMAT "/", index);
  return nego_kernel_file_open_dir (root, *path);
}

/* Reads @name; returns FALSE with errno, and @error in QGA's words if it is not NULL. */
static gboolean
nego_memory_blocks_read (int dir_fd, const char *name, char value[VALUE_BYTES], GError **error)
{
  gboolean opened;
  gssize n = nego_kernel_file_read_at (dir_fd, name, value, VALUE_BYTES, &opened);
  int errnum = n == 0 ? EIO : errno;

  if (n > 0)
    return TRUE;
  if (n == 0)
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO, "pread sysfs file \"%s\": unexpected EOF", name);
  else
    nego_error_set_errno (error, errnum,
                          opened ? "pread sysfs file \"%s\"" : "open sysfs file \"%s\"", name);
  errno = errnum;
  return FALSE;
}

static gboolean
nego_memory_blocks_is_online (const char *state)
{
  return g_str_has_prefix (state, "online");
}

/* @block gets what the files in its directory say. One that is not there is of an old kernel. */
static gboolean
nego_memory_blocks_describe (int dir_fd, QapiGuestMemoryBlock *block, GError **error)
{
  g_autoptr (GError) cause = NULL;
  char value[VALUE_BYTES];

  block->has_can_offline = TRUE;
  if (nego_memory_blocks_read (dir_fd, "state", value, &cause))
    block->online = nego_memory_blocks_is_online (value);
  else if (errno == ENOENT) {
    block->online = TRUE;
    return TRUE;
  } else {
    g_propagate_error (error, g_steal_pointer (&cause));
    return FALSE;
  }
  if (nego_memory_blocks_read (dir_fd, "removable", value, &cause))
    block->can_offline = value[0] != '0';
  else if (errno != ENOENT) {
    g_propagate_error (error, g_steal_pointer (&cause));
    return FALSE;
  }
  return TRUE;
}

/* Adds the block @index, unless it was unplugged meanwhile. */
static gboolean
nego_memory_blocks_add (GPtrArray *blocks, const char *root, guint64 index, GError **error)
{
  g_autoptr (QapiGuestMemoryBlock) block = qapi_guest_memory_block_new ();
  g_autofree char *path = NULL;
  int dir_fd = nego_memory_blocks_open (root, index, &path);
  gboolean done;

  if (dir_fd < 0 && errno == ENOENT)
    return TRUE;
  if (dir_fd < 0)
    return nego_error_set_errno (error, errno, "open(\"%s\")", path);
  block->phys_index = index;
  done = nego_memory_blocks_describe (dir_fd, block, error);
  close (dir_fd);
  if (done)
    g_ptr_array_add (blocks, g_steal_pointer (&block));
  return done;
}

GPtrArray *
nego_memory_blocks_list (const char *root, guint limit, GError **error)
{
  g_autoptr (GPtrArray) blocks
    = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_guest_memory_block_free);
  g_autoptr (GArray) indices = nego_kernel_file_list (root, MEMORY_DIR, "memory", limit);

  if (indices == NULL && errno == ENOENT)
    return g_steal_pointer (&blocks); /* a kernel without such things */
  if (indices == NULL) {
    nego_error_set_errno (error, errno, "Can't open directory\"/sys/devices/system/memory/\"");
    return NULL;
  }
  if (indices->len > limit) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "too many memory blocks (limit %u)", limit);
    return NULL;
  }
  for (guint i = 0; i < indices->len; i++)
    if (!nego_memory_blocks_add (blocks, root, g_array_index (indices, guint64, i), error))
      return NULL;
  if (blocks->len == 0) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                         "guest reported zero memory blocks!");
    return NULL;
  }
  return g_steal_pointer (&blocks);
}

static void
nego_memory_blocks_respond (QapiGuestMemoryBlockResponse *response,
                            QapiGuestMemoryBlockResponseType type,
                            int errnum)
{
  response->response = type;
  response->has_error_code = errnum != 0;
  response->error_code = errnum;
}

static void
nego_memory_blocks_change (int dir_fd, gboolean online, QapiGuestMemoryBlockResponse *response)
{
  char state[VALUE_BYTES];

  if (!nego_memory_blocks_read (dir_fd, "state", state, NULL)) {
    int errnum = errno;

    /* As qemu-ga, which tells of the missing file even where nothing had to be done. */
    nego_memory_blocks_respond (response,
                                errnum != ENOENT
                                  ? QAPI_GUEST_MEMORY_BLOCK_RESPONSE_TYPE_OPERATION_FAILED
                                : online
                                  ? QAPI_GUEST_MEMORY_BLOCK_RESPONSE_TYPE_SUCCESS
                                  : QAPI_GUEST_MEMORY_BLOCK_RESPONSE_TYPE_OPERATION_NOT_SUPPORTED,
                                errnum);
    return;
  }
  if (nego_memory_blocks_is_online (state) != online
      && !nego_kernel_file_write_at (dir_fd, "state", online ? "online" : "offline"))
    nego_memory_blocks_respond (response, QAPI_GUEST_MEMORY_BLOCK_RESPONSE_TYPE_OPERATION_FAILED,
                                errno);
}

QapiGuestMemoryBlockResponse *
nego_memory_blocks_switch (const char *root, guint64 index, gboolean online)
{
  QapiGuestMemoryBlockResponse *response = qapi_guest_memory_block_response_new ();
  g_autofree char *path = NULL;
  int dir_fd = nego_memory_blocks_open (root, index, &path);

  response->phys_index = index;
  response->response = QAPI_GUEST_MEMORY_BLOCK_RESPONSE_TYPE_SUCCESS;
  if (dir_fd < 0) {
    nego_memory_blocks_respond (response,
                                errno == ENOENT
                                  ? QAPI_GUEST_MEMORY_BLOCK_RESPONSE_TYPE_NOT_FOUND
                                  : QAPI_GUEST_MEMORY_BLOCK_RESPONSE_TYPE_OPERATION_FAILED,
                                errno);
    return response;
  }
  nego_memory_blocks_change (dir_fd, online, response);
  close (dir_fd);
  return response;
}

gboolean
nego_memory_blocks_get_size (const char *root, guint64 *size, GError **error)
{
  char value[VALUE_BYTES];
  int dir_fd = nego_kernel_file_open_dir (root, MEMORY_DIR);
  gboolean done;

  if (dir_fd < 0)
    return nego_error_set_errno (error, errno, "open(\"/sys/devices/system/memory/\")");
  done = nego_memory_blocks_read (dir_fd, "block_size_bytes", value, error);
  close (dir_fd);
  if (done)
    *size = g_ascii_strtoull (value, NULL, 16);
  return done;
}
