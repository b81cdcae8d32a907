/* SPDX-License-Identifier: ISC */
/*
 * descriptors.h - closing all descriptors but a few.
 */
#ifndef CHATROOMD_BASE_DESCRIPTORS_H
#define CHATROOMD_BASE_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Closes all descriptors from FIRST on but KEPT, COUNT numbers in rising order, none below FIRST.
 * Works also if close_range(2) is refused and if /proc is missing. Returns false and sets errno if
 * the kernel does not tell which descriptors there may be.
 */
bool descriptors_close_but(int first, const int *kept, size_t count);

#endif
