/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/number.h"

NegoNumberState
nego_number_begin (guint8 byte)
{
  if (byte == '-')
    return NEGO_NUMBER_MINUS;
  return byte == '0' ? NEGO_NUMBER_ZERO : NEGO_NUMBER_DIGITS;
}

NegoNumberState
nego_number_next (NegoNumberState state, guint8 byte)
{
  gboolean digit = g_ascii_isdigit (byte), exponent = byte == 'e' || byte == 'E';

  switch (state) {
  case NEGO_NUMBER_MINUS:
    return digit ? nego_number_begin (byte) : NEGO_NUMBER_WRONG;
  case NEGO_NUMBER_ZERO:
  case NEGO_NUMBER_DIGITS:
    if (digit)
      return state == NEGO_NUMBER_ZERO ? NEGO_NUMBER_WRONG : NEGO_NUMBER_DIGITS;
    return byte == '.' ? NEGO_NUMBER_DOT : exponent ? NEGO_NUMBER_EXPONENT : NEGO_NUMBER_NONE;
  case NEGO_NUMBER_DOT:
    return digit ? NEGO_NUMBER_FRACTION : NEGO_NUMBER_WRONG;
  case NEGO_NUMBER_FRACTION:
    return digit ? NEGO_NUMBER_FRACTION : exponent ? NEGO_NUMBER_EXPONENT : NEGO_NUMBER_NONE;
  case NEGO_NUMBER_EXPONENT:
    if (byte == '+' || byte == '-')
      return NEGO_NUMBER_EXPONENT_SIGN;
    return digit ? NEGO_NUMBER_EXPONENT_DIGITS : NEGO_NUMBER_WRONG;
  case NEGO_NUMBER_EXPONENT_SIGN:
    return digit ? NEGO_NUMBER_EXPONENT_DIGITS : NEGO_NUMBER_WRONG;
  default:
    return digit ? NEGO_NUMBER_EXPONENT_DIGITS : NEGO_NUMBER_NONE;
  }
}
