/* SPDX-License-Identifier: ISC */
/*
 * filter.h - builds a seccomp filter from a table of system calls, to be loaded by many processes.
 *
 * Building a filter takes half a millisecond and loading it a tenth of that, so a process that
 * forks many others builds the filter once and each of them loads it.
 */
#ifndef CHATROOMD_BASE_FILTER_H
#define CHATROOMD_BASE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum filter_verdict {
    FILTER_ALLOW,
    FILTER_REFUSE, /* the call fails with the row's errno */
    FILTER_KILL    /* the process is killed by SIGSYS */
};

enum filter_test { FILTER_EQUAL, FILTER_ABOVE };

/* Holds if the masked argument equals `value` or is above it. A rule may have one condition of the
 * second kind, whose mask must be the lowest bits. */
struct filter_condition {
    unsigned argument; /* from 0 */
    uint64_t mask;
    uint64_t value;
    enum filter_test test;
};

#define FILTER_CONDITIONS_MAX 2

/* A system call and its verdict. Several rows for one call are alternatives. A call without a row
 * whose conditions all hold gets the table's `otherwise`. Calls that this machine does not have are
 * ignored. */
struct filter_rule {
    const char *call;
    enum filter_verdict verdict;
    int failure; /* errno of FILTER_REFUSE */
    unsigned condition_count;
    struct filter_condition conditions[FILTER_CONDITIONS_MAX];
};

struct filter_table {
    const struct filter_rule *rules;
    size_t count;
    /* FILTER_REFUSE fails with ENOSYS. If this is FILTER_ALLOW, rows that allow a call have no
     * effect. */
    enum filter_verdict otherwise;
};

/* A filter that is ready to be loaded, as struct sock_fprog of seccomp(2). */
struct filter {
    unsigned short length; /* 0: none */
    void *instructions;
};

/* Returns whether this program was built with libseccomp. */
bool filter_built_in(void);

/* Returns whether the condition holds for `argument`. */
bool filter_holds(const struct filter_condition *condition, uint64_t argument);

/* Builds a filter; system calls of another architecture kill the process. Returns false and sets
 * errno on failure: ENOSYS without libseccomp. */
bool filter_make(struct filter *filter, const struct filter_table *table);

void filter_free(struct filter *filter);

/* Applies the filter to the calling process and all its later children. Requires no_new_privs.
 * Returns false and sets errno if the kernel refuses. */
bool filter_load(const struct filter *filter);

#endif
