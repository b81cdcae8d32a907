/* SPDX-License-Identifier: ISC */
/*
 * descriptors.h - closes all file descriptors except a few.
 */
#ifndef CHATROOMD_BASE_DESCRIPTORS_H
#define CHATROOMD_BASE_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Closes all descriptors from `first` on, except the `count` numbers in `kept`, which are in
 * ascending order and not below `first`. Also works if close_range(2) is refused or /proc is
 * missing. Returns false and sets errno if the set of possible descriptors is unknown.
 */
bool descriptors_close_but(int first, const int *kept, size_t count);

#endif
