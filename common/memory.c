/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/memory.h"

#include <sys/mman.h>

void
nego_memory_expect (gpointer block, gsize size)
{
  const guintptr page = NEGO_MEMORY_PAGE_BYTES;
  const guintptr from = ((guintptr) block + page - 1) / page * page;
  const guintptr to = ((guintptr) block + size) / page * page;

  if (size >= NEGO_MEMORY_LARGE_BYTES && to > from)
    madvise ((char *) block + (from - (guintptr) block), to - from, MADV_HUGEPAGE);
}

gsize
nego_memory_give_back (gpointer block, gsize from, gsize to)
{
  const guintptr page = NEGO_MEMORY_PAGE_BYTES, start = (guintptr) block;
  const guintptr first = (start + from + page - 1) / page * page;
  const guintptr last = (start + to) / page * page;

  if (last <= first)
    return from;
  madvise ((char *) block + (first - start), last - first, MADV_DONTNEED);
  return last - start;
}
