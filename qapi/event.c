/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "qapi/event.h"

#include "qapi/encode.h"

void
qapi_event_begin (NegoJsonWriter *writer, GString *out, const char *name)
{
  nego_json_writer_init (writer, out);
  nego_json_writer_begin_object (writer);
  nego_json_writer_key (writer, "event");
  nego_json_writer_string (writer, name);
  nego_json_writer_key (writer, "data");
}

void
qapi_event_end (NegoJsonWriter *writer)
{
  const gint64 now_us = g_get_real_time ();

  nego_json_writer_key (writer, "timestamp");
  nego_json_writer_begin_object (writer);
  nego_json_writer_key (writer, "seconds");
  nego_json_writer_int (writer, now_us / G_USEC_PER_SEC);
  nego_json_writer_key (writer, "microseconds");
  nego_json_writer_int (writer, now_us % G_USEC_PER_SEC);
  nego_json_writer_end_object (writer);
  nego_json_writer_end_object (writer);
  g_string_append_c (writer->out, '\n');
}

void
qapi_event_write (GString *out, const char *name, const QapiType *type, gconstpointer data)
{
  NegoJsonWriter writer;

  qapi_event_begin (&writer, out, name);
  qapi_encode (&writer, type, data);
  qapi_event_end (&writer);
}
