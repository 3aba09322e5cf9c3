/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/random.h"

#include <sys/random.h>

char *
nego_random_name (void)
{
  guint32 bits[4];

  /* GRND_INSECURE (Linux 5.6) does not wait for entropy early at boot: a name need only differ, not
   * be secret. 16 bytes come whole or not at all (getrandom (2)). */
  if (getrandom (bits, sizeof bits, GRND_INSECURE) != sizeof bits
      && getrandom (bits, sizeof bits, GRND_NONBLOCK) != sizeof bits)
    for (guint i = 0; i < G_N_ELEMENTS (bits); i++)
      bits[i] = g_random_int ();
  return g_strdup_printf ("%08x%08x%08x%08x", bits[0], bits[1], bits[2], bits[3]);
}
