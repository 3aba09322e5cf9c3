/* SPDX-License-Identifier: MIT */
/*
 * memory: what the kernel is told of large blocks.
 *
 * A page that a process touches for the first time costs a fault, in a virtual machine some 20 us:
 * for a reply of 16 MiB ten times what reading, encoding and sending it takes. In pages of 2 MiB it
 * is nothing. It is advice: where the kernel has no such pages, all works as before.
 */
#pragma once

#include <glib.h>

/* Shorter blocks are left alone: they come from a heap that stays. */
#define NEGO_MEMORY_LARGE_BYTES (4u << 20)
/* A large page; Linux has others on some machines, where the advice is worth less. */
#define NEGO_MEMORY_PAGE_BYTES (2u << 20)

/* The @size bytes at @block will be filled from their start. */
void nego_memory_expect (gpointer block, gsize size);

/* What was in the bytes of @block from @from to @to is not needed any more: gives those back that
 * are whole large pages. Returns up to where. */
gsize nego_memory_give_back (gpointer block, gsize from, gsize to);
