/* SPDX-License-Identifier: MIT */
/* trivial: the smallest command that an ordinary compiler makes, for the rows that start one. */
int
main (void)
{
  return 0;
}
