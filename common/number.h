/* SPDX-License-Identifier: MIT */
/*
 * number: the grammar of a JSON number (RFC 8259, section 6), byte by byte.
 */
#pragma once

#include <glib.h>

typedef enum {
  NEGO_NUMBER_NONE, /* the number ends before the byte */
  NEGO_NUMBER_WRONG,
  NEGO_NUMBER_MINUS,
  NEGO_NUMBER_ZERO,
  NEGO_NUMBER_DIGITS,
  NEGO_NUMBER_DOT, /* from here on it has a fraction or an exponent */
  NEGO_NUMBER_FRACTION,
  NEGO_NUMBER_EXPONENT,
  NEGO_NUMBER_EXPONENT_SIGN,
  NEGO_NUMBER_EXPONENT_DIGITS,
} NegoNumberState;

/* The state behind @byte, a minus or a digit that begins a number. */
NegoNumberState nego_number_begin (guint8 byte);
NegoNumberState nego_number_next (NegoNumberState state, guint8 byte);
