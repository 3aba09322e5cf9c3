/* SPDX-License-Identifier: MIT */
/*
 * event: a QMP event as a line: what happened, its data, and when by the wall clock (QEMU's
 * docs/interop/qmp-spec.rst, "Asynchronous events").
 */
#pragma once

#include "common/json.h"
#include "qapi/type.h"

/* Begins the event @name at the end of @out; its data is written with @writer, then it is ended. */
void qapi_event_begin (NegoJsonWriter *writer, GString *out, const char *name);
void qapi_event_end (NegoJsonWriter *writer);

/* Appends the event @name with @data, a struct of @type. */
void qapi_event_write (GString *out, const char *name, const QapiType *type, gconstpointer data);
