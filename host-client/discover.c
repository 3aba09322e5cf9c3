/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/discover.h"

#include "common/error.h"
#include "common/names.h"

#include <string.h>

typedef struct {
  GPtrArray *channels;
  guint depth;
  gboolean in_devices;
  gboolean in_channel;
  gboolean is_unix;
  char *path;
  char *name;
  gboolean connected;
} NegoDiscover;

static void
nego_discover_clear (NegoDiscover *discover)
{
  g_clear_pointer (&discover->path, g_free);
  g_clear_pointer (&discover->name, g_free);
  discover->connected = FALSE;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoDiscover, nego_discover_clear)

static void
nego_discover_free_channel (gpointer data)
{
  NegoChannel *channel = data;

  g_free (channel->name);
  g_free (channel->path);
  g_free (channel);
}

static const char *
nego_discover_attribute (const char **names, const char **values, const char *name)
{
  for (gsize i = 0; names[i] != NULL; i++)
    if (strcmp (names[i], name) == 0)
      return values[i];
  return NULL;
}

/* An element within /domain/devices/channel. */
static void
nego_discover_on_part (NegoDiscover *discover,
                       const char *element,
                       const char **names,
                       const char **values)
{
  if (strcmp (element, "source") == 0) {
    const char *mode = nego_discover_attribute (names, values, "mode");

    /* Of the other mode, QEMU is the client. */
    if (discover->is_unix && (mode == NULL || strcmp (mode, "bind") == 0)) {
      g_free (discover->path);
      discover->path = g_strdup (nego_discover_attribute (names, values, "path"));
    }
  } else if (strcmp (element, "target") == 0
             && g_strcmp0 (nego_discover_attribute (names, values, "type"), "virtio") == 0) {
    g_free (discover->name);
    discover->name = g_strdup (nego_discover_attribute (names, values, "name"));
    discover->connected
      = g_strcmp0 (nego_discover_attribute (names, values, "state"), "connected") == 0;
  }
}

static void
nego_discover_on_start (GMarkupParseContext *context,
                        const char *element,
                        const char **names,
                        const char **values,
                        gpointer user_data,
                        GError **error)
{
  NegoDiscover *discover = user_data;

  discover->depth++;
  if (discover->depth == 2) {
    discover->in_devices = strcmp (element, "devices") == 0;
  } else if (discover->depth == 3) {
    discover->in_channel = discover->in_devices && strcmp (element, "channel") == 0;
    discover->is_unix = g_strcmp0 (nego_discover_attribute (names, values, "type"), "unix") == 0;
  } else if (discover->depth == 4 && discover->in_channel) {
    nego_discover_on_part (discover, element, names, values);
  }
}

static void
nego_discover_on_end (GMarkupParseContext *context,
                      const char *element,
                      gpointer user_data,
                      GError **error)
{
  NegoDiscover *discover = user_data;

  if (discover->depth == 3 && discover->in_channel) {
    if (discover->name != NULL) {
      NegoChannel *channel = g_new0 (NegoChannel, 1);

      channel->name = g_steal_pointer (&discover->name);
      channel->path = g_steal_pointer (&discover->path);
      channel->connected = discover->connected;
      g_ptr_array_add (discover->channels, channel);
    }
    nego_discover_clear (discover);
    discover->in_channel = FALSE;
  }
  discover->depth--;
}

GPtrArray *
nego_discover_channels (const char *xml, GError **error)
{
  static const GMarkupParser parser = {
    .start_element = nego_discover_on_start,
    .end_element = nego_discover_on_end,
  };
  g_autoptr (GPtrArray) channels = g_ptr_array_new_with_free_func (nego_discover_free_channel);
  g_auto (NegoDiscover) discover = { .channels = channels };
  g_autoptr (GMarkupParseContext) context
    = g_markup_parse_context_new (&parser, 0, &discover, NULL);
  g_autoptr (GError) failure = NULL;

  if (!g_markup_parse_context_parse (context, xml, -1, &failure)
      || !g_markup_parse_context_end_parse (context, &failure)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_PARSE, "cannot read libvirt's XML of the guest: %s",
                 failure->message);
    return NULL;
  }
  return g_steal_pointer (&channels);
}

const NegoChannel *
nego_discover_find (const GPtrArray *channels, const char *name)
{
  for (guint i = 0; i < channels->len; i++) {
    const NegoChannel *channel = channels->pdata[i];

    if (strcmp (channel->name, name) == 0)
      return channel;
  }
  return NULL;
}

gboolean
nego_discover_has_agent (const GPtrArray *channels)
{
  return nego_discover_find (channels, NEGO_PORT_HOST_TO_GUEST) != NULL
         || nego_discover_find (channels, NEGO_PORT_QGA) != NULL;
}
