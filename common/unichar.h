/* SPDX-License-Identifier: MIT */
/*
 * unichar: which code points QEMU takes for characters (util/unicode.c).
 */
#pragma once

#include <glib.h>

/* Not surrogates, nor what Unicode calls noncharacters: U+FDD0 to U+FDEF and the last two of each
 * plane. */
static inline gboolean
nego_unichar_is_character (gunichar c)
{
  return c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) && (c < 0xfdd0 || c > 0xfdef)
         && (c & 0xfffe) != 0xfffe;
}
