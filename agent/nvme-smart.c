/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/nvme-smart.h"

#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NEGO_NVME_GET_LOG_PAGE   0x02
#define NEGO_NVME_LOG_SMART      0x02
#define NEGO_NVME_ALL_NAMESPACES 0xffffffffu

void
nego_nvme_smart_ask (const char *node, gpointer answer)
{
  NegoNvmeSmart *smart = answer;
  struct nvme_admin_cmd command = {
    .opcode = NEGO_NVME_GET_LOG_PAGE,
    .nsid = NEGO_NVME_ALL_NAMESPACES,
    .addr = (guintptr) smart->page,
    .data_len = NEGO_NVME_SMART_BYTES,
    /* The length in words, less one, above the page's number. */
    .cdw10 = NEGO_NVME_LOG_SMART | (NEGO_NVME_SMART_BYTES / 4 - 1) << 16,
  };
  int fd = open (node, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0)
    return;
  smart->known = ioctl (fd, NVME_IOCTL_ADMIN_CMD, &command) == 0;
  close (fd);
}

static guint64
nego_nvme_smart_get_u64 (const guint8 *data)
{
  guint64 value;

  memcpy (&value, data, sizeof value);
  return GUINT64_FROM_LE (value);
}

QapiGuestDiskSmart *
nego_nvme_smart_parse (const NegoNvmeSmart *answer)
{
  const guint8 *page = answer->page;
  QapiGuestDiskSmart *smart = qapi_guest_disk_smart_new ();
  /* From byte 32 on there are ten numbers of 128 bits. */
  guint64 *const numbers[][2] = {
    { &smart->data_units_read_lo, &smart->data_units_read_hi },
    { &smart->data_units_written_lo, &smart->data_units_written_hi },
    { &smart->host_read_commands_lo, &smart->host_read_commands_hi },
    { &smart->host_write_commands_lo, &smart->host_write_commands_hi },
    { &smart->controller_busy_time_lo, &smart->controller_busy_time_hi },
    { &smart->power_cycles_lo, &smart->power_cycles_hi },
    { &smart->power_on_hours_lo, &smart->power_on_hours_hi },
    { &smart->unsafe_shutdowns_lo, &smart->unsafe_shutdowns_hi },
    { &smart->media_errors_lo, &smart->media_errors_hi },
    { &smart->number_of_error_log_entries_lo, &smart->number_of_error_log_entries_hi },
  };

  smart->type = QAPI_GUEST_DISK_BUS_TYPE_NVME;
  smart->critical_warning = page[0];
  smart->temperature = page[1] | page[2] << 8;
  smart->available_spare = page[3];
  smart->available_spare_threshold = page[4];
  smart->percentage_used = page[5];
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++) {
    *numbers[i][0] = nego_nvme_smart_get_u64 (page + 32 + 16 * i);
    *numbers[i][1] = nego_nvme_smart_get_u64 (page + 40 + 16 * i);
  }
  return smart;
}
