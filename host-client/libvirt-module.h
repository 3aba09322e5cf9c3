/* SPDX-License-Identifier: MIT */
/*
 * libvirt-module: loads nego-link-libvirt.so, when libvirt is needed at all.
 *
 * It is taken from beside the program, where a build puts it, else from the directory of the
 * installed one.
 */
#pragma once

#include "host-client/link-libvirt.h"

/* It stays loaded: abandoned workers may run in it. Errors: NEGO_ERROR_CLOSED. */
const NegoLibvirtModule *nego_libvirt_module_load (GError **error);
