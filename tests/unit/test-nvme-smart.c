/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/nvme-smart.h"

static void
test_parse (void)
{
  NegoNvmeSmart answer = { .known = TRUE };
  g_autoptr (QapiGuestDiskSmart) smart = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (answer.page); i++)
    answer.page[i] = (guint8) (i / 8 + i % 8);
  smart = nego_nvme_smart_parse (&answer);
  g_assert_cmpint (smart->type, ==, QAPI_GUEST_DISK_BUS_TYPE_NVME);
  g_assert_cmpint (smart->critical_warning, ==, 0);
  g_assert_cmpint (smart->temperature, ==, 0x0201);
  g_assert_cmpint (smart->available_spare, ==, 3);
  g_assert_cmpint (smart->available_spare_threshold, ==, 4);
  g_assert_cmpint (smart->percentage_used, ==, 5);
  g_assert_cmphex (smart->data_units_read_lo, ==, 0x0b0a090807060504u);
  g_assert_cmphex (smart->data_units_read_hi, ==, 0x0c0b0a0908070605u);
  g_assert_cmphex (smart->data_units_written_lo, ==, 0x0d0c0b0a09080706u);
  g_assert_cmphex (smart->host_read_commands_lo, ==, 0x0f0e0d0c0b0a0908u);
  g_assert_cmphex (smart->host_write_commands_lo, ==, 0x11100f0e0d0c0b0au);
  g_assert_cmphex (smart->controller_busy_time_lo, ==, 0x131211100f0e0d0cu);
  g_assert_cmphex (smart->power_cycles_lo, ==, 0x1514131211100f0eu);
  g_assert_cmphex (smart->power_on_hours_lo, ==, 0x1716151413121110u);
  g_assert_cmphex (smart->unsafe_shutdowns_lo, ==, 0x1918171615141312u);
  g_assert_cmphex (smart->media_errors_lo, ==, 0x1b1a191817161514u);
  g_assert_cmphex (smart->number_of_error_log_entries_lo, ==, 0x1d1c1b1a19181716u);
  g_assert_cmphex (smart->number_of_error_log_entries_hi, ==, 0x1e1d1c1b1a191817u);
}

static void
test_no_disk (void)
{
  NegoNvmeSmart answer = { .known = FALSE };

  nego_nvme_smart_ask ("/nonexistent/nvme0n1", &answer);
  g_assert_false (answer.known);
  nego_nvme_smart_ask ("/dev/null", &answer);
  g_assert_false (answer.known);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nvme-smart/parse", test_parse);
  g_test_add_func ("/nvme-smart/no-disk", test_no_disk);
  return g_test_run ();
}
