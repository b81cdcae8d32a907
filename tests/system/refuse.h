/* SPDX-License-Identifier: ISC */
/*
 * refuse.h - refuses system calls as a kernel or a container profile does.
 */
#ifndef CHATROOMD_TESTS_SYSTEM_REFUSE_H
#define CHATROOMD_TESTS_SYSTEM_REFUSE_H

#include <stdbool.h>
#include <stddef.h>

/* From now on these system calls (SYS_...) of this process and of all that it starts fail with
 * ERROR, for good. Returns false if the kernel has no seccomp filters. At most 16. */
bool refuse_calls(const int *numbers, size_t count, int error);

#endif
