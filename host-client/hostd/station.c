/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-station"

#include "config.h"

#include "host-client/hostd/station.h"

#include "host-client/hostd/outlet.h"
#include "host-client/hostd/port.h"

struct NegoStation {
  NegoGuests *guests;
  NegoArrivals *arrivals;
  NegoGuest *guest;
  NegoPort *port;     /* NULL: the guest has none */
  NegoOutlet *outlet; /* NULL: likewise, or nobody is offered it */
};

static void
nego_station_set_port (NegoStation *station, const char *path)
{
  const char *old = station->port != NULL ? nego_port_get_path (station->port) : NULL;

  if (g_strcmp0 (old, path) == 0)
    return;
  g_clear_pointer (&station->port, nego_port_free);
  nego_guest_forget_notes (station->guest);
  nego_guest_set_state (station->guest, NEGO_GUEST_WAITING);
  if (path != NULL)
    station->port = nego_port_new (station->guest, path, station->arrivals);
}

static void
nego_station_set_outlet (NegoStation *station, const char *name, const char *path)
{
  const NegoOutletPlace *place = nego_guests_get_outlets (station->guests);

  if (station->outlet != NULL && g_strcmp0 (nego_outlet_get_port (station->outlet), path) == 0
      && g_str_equal (nego_outlet_get_name (station->outlet), name))
    return;
  g_clear_pointer (&station->outlet, nego_outlet_free);
  if (path != NULL && place->dir != NULL)
    station->outlet = nego_outlet_new (place, name, path, station->arrivals);
}

NegoStation *
nego_station_new (NegoGuests *guests, NegoArrivals *arrivals, const NegoStationSpec *spec)
{
  NegoStation *station = g_new0 (NegoStation, 1);

  station->guests = guests;
  station->arrivals = arrivals;
  nego_station_update (station, spec);
  return station;
}

void
nego_station_update (NegoStation *station, const NegoStationSpec *spec)
{
  station->guest = nego_guests_take (station->guests, spec->name, spec->uuid, spec->connection);
  nego_station_set_port (station, spec->port);
  nego_station_set_outlet (station, spec->name, spec->agent);
}

void
nego_station_reboot (NegoStation *station)
{
  nego_guest_forget_notes (station->guest);
  if (station->outlet != NULL)
    nego_outlet_resync (station->outlet);
}

void
nego_station_free (NegoStation *station)
{
  if (station == NULL)
    return;
  nego_outlet_free (station->outlet);
  nego_port_free (station->port);
  nego_guests_drop (station->guests, station->guest);
  g_free (station);
}
