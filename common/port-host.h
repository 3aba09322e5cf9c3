/* SPDX-License-Identifier: MIT */
/*
 * port-host: whether a host is at the other end of a virtio port, and whose words are whose: a
 * state machine without I/O.
 *
 * Data and the news of their host come by different queues of the device (virtio 1.2, 5.3.2), and
 * Linux hands out data in the interrupt, news some time later. So of a host that leaves and another
 * that comes at once, the guest can see: the new one's first words, then the old one's leaving,
 * then the new one's coming. Therefore
 *
 * - data behind which no host is present are the first words of one that is about to show
 *   (NEGO_PORT_EARLY_MS);
 * - a host that leaves shortly after data came is waited for (NEGO_PORT_LEAVING_MS): when a host
 *   shows again, nothing is forgotten, and a sync tells the two apart, as it does when the change
 *   is not visible at all.
 *
 * Times are g_get_monotonic_time(). Each take function returns whether what the former host said,
 * and what is meant for it, must be forgotten now.
 */
#pragma once

#include <glib.h>

typedef struct {
  gboolean present;
  gboolean
    leaving;       /* present, and not seen any more: call take_timeout() in NEGO_PORT_LEAVING_MS */
  gint64 data_us;  /* when data last came from a present host; 0: never */
  gint64 early_us; /* since when there are data of a host that is not present; 0: there are none */
} NegoPortHost;

/* Data came; @at_end: behind them a read says that no host is there. Before they are used. */
gboolean nego_port_host_take_data (NegoPortHost *host, gboolean at_end, gint64 now);
/* A host is there. */
gboolean nego_port_host_take_open (NegoPortHost *host, gint64 now);
/* A read says that no host is there. */
gboolean nego_port_host_take_end (NegoPortHost *host, gint64 now);
/* The time for leaving is over: the next end is one. */
void nego_port_host_take_timeout (NegoPortHost *host);
/* The host is gone, whatever came last. */
gboolean nego_port_host_take_hangup (NegoPortHost *host);
