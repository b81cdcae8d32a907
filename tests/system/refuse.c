/* SPDX-License-Identifier: ISC */
/*
 * refuse.c - a seccomp filter: one comparison for each number, then "allow", then "fail with
 * ERROR".
 */
#include "config.h"

#include "tests/system/refuse.h"

#include <assert.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>

#define CALLS_MAX 16

bool refuse_calls(const int *numbers, size_t count, int error)
{
    struct sock_filter steps[CALLS_MAX + 3];
    struct sock_fprog program = {.len = (unsigned short)(count + 3), .filter = steps};
    const unsigned failure = SECCOMP_RET_ERRNO | ((unsigned)error & SECCOMP_RET_DATA);

    assert(count <= CALLS_MAX);
    steps[0] = (struct sock_filter)BPF_STMT(
        BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count; i++)
        steps[1 + i] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)numbers[i], (uint8_t)(count - i), 0);
    steps[count + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    steps[count + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, failure);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
