/* SPDX-License-Identifier: MIT */
/*
 * event: a QMP event as a line: what happened, its data, and when by the wall clock (QEMU's
 * docs/interop/qmp-spec.rst, "Asynchronous events").
 */
#pragma once

#include "qapi/type.h"

/* Appends the event @name with @data, a struct of @type. */
void qapi_event_write (GString *out, const char *name, const QapiType *type, gconstpointer data);
