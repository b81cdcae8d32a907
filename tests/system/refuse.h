/* SPDX-License-Identifier: ISC */
/*
 * refuse.h - refuses system calls as a kernel or a container profile does.
 */
#ifndef CHATROOMD_TESTS_SYSTEM_REFUSE_H
#define CHATROOMD_TESTS_SYSTEM_REFUSE_H

#include <stdbool.h>
#include <stddef.h>

/* From now on these system calls (SYS_..., at most 16) fail with `error` in this process and in
 * all that it starts. Returns false if the kernel has no seccomp filters. */
bool refuse_calls(const int *numbers, size_t count, int error);

#endif
