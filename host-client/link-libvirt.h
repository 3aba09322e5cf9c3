/* SPDX-License-Identifier: MIT */
/*
 * link-libvirt: a libvirt connection, its guests, and its agent call as a link.
 *
 * It is a module of its own, nego-link-libvirt.so, which libvirt-module.h loads when it is needed:
 * linking libvirt costs each start 7 ms. All calls have deadlines (link.h), and may be made from
 * several threads; at most NEGO_GUEST_CALLS agent calls are in flight, abandoned ones included.
 *
 * libvirt sends the sync itself and gives the error reply of an agent as a text: its class is
 * guessed from that.
 */
#pragma once

#include "common/client/link.h"

typedef struct NegoLibvirt NegoLibvirt;

typedef struct {
  char *name;
  char *uuid;
  const char *state; /* as virsh says it: "running", "shut off", … */
  gboolean running;  /* its agent can be called; not when it is paused */
  gboolean active;   /* running, or paused */
  char *xml;
} NegoDomain;

/* An external snapshot of a guest's disks (libvirt's "disk-only"). */
typedef struct {
  const char *name;   /* of the snapshot; ends the new disk files' names */
  gboolean quiesce;   /* the guest's filesystems are frozen meanwhile, by its agent */
  gboolean forgotten; /* libvirt keeps no record of it (--no-metadata) */
} NegoSnapshot;

/* Bumped when this header changes: a module of another build is refused. */
#define NEGO_LIBVIRT_MODULE_VERSION 2
#define NEGO_LIBVIRT_MODULE_SYMBOL  "nego_libvirt_module"

typedef struct {
  guint version;
  /* @uri: NULL is libvirt's default. Errors: NEGO_ERROR_CLOSED (it cannot be reached), TIMEOUT. */
  NegoLibvirt *(*open) (const char *uri, gint64 deadline, GError **error);
  void (*close) (NegoLibvirt *libvirt);
  /* Whether the guests run on this machine, so that the paths in their XML are ours. */
  gboolean (*is_local) (NegoLibvirt *libvirt);
  /* Returns: (transfer full) (element-type NegoDomain): sorted by name. */
  GPtrArray *(*list) (NegoLibvirt *libvirt, gint64 deadline, GError **error);
  /* The guest called @name, or with this UUID. Returns: (transfer full), or NULL without an error:
   * no such guest. */
  NegoDomain *(*find) (NegoLibvirt *libvirt, const char *name, gint64 deadline, GError **error);
  void (*free_domain) (NegoDomain *domain);
  NegoLink *(*link) (NegoLibvirt *libvirt, const NegoDomain *domain);
  /* All disks or none. After a failure with quiesce the guest is thawed, however libvirt left it.
   * Errors: NEGO_ERROR_IO with libvirt's message; BUSY: with quiesce, the guest is frozen already,
   * and stays so; TIMEOUT: libvirt still works at it, and thaws. */
  gboolean (*snapshot) (NegoLibvirt *libvirt,
                        const NegoDomain *domain,
                        const NegoSnapshot *snapshot,
                        gint64 deadline,
                        GError **error);
} NegoLibvirtModule;
