/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/libvirt-module.h"

#include "common/error.h"

#include <dlfcn.h>
#include <unistd.h>

#define FILE_NAME "nego-link-libvirt.so"

/* Returns: (transfer full): the module's path. */
static char *
nego_libvirt_module_find (void)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);

  if (program != NULL) {
    g_autofree char *directory = g_path_get_dirname (program);
    g_autofree char *path = g_build_filename (directory, FILE_NAME, NULL);

    if (access (path, F_OK) == 0)
      return g_steal_pointer (&path);
  }
  return g_build_filename (NEGO_PKGLIBDIR, FILE_NAME, NULL);
}

const NegoLibvirtModule *
nego_libvirt_module_load (GError **error)
{
  g_autofree char *path = nego_libvirt_module_find ();
  const NegoLibvirtModule *module;
  void *handle = dlopen (path, RTLD_NOW | RTLD_LOCAL);

  if (handle == NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CLOSED,
                 "cannot load the libvirt module '%s': %s (--socket PATH needs none)", path,
                 dlerror ());
    return NULL;
  }
  module = dlsym (handle, NEGO_LIBVIRT_MODULE_SYMBOL);
  if (module != NULL && module->version == NEGO_LIBVIRT_MODULE_VERSION)
    return module;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_CLOSED,
               "the libvirt module '%s' is of another version of nego-host", path);
  dlclose (handle);
  return NULL;
}
