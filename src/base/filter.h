/* SPDX-License-Identifier: ISC */
/*
 * filter.h - a table of system calls, made into a seccomp filter once and loaded by many.
 *
 * Making one costs half a millisecond, loading it a tenth; so a process that makes many others
 * makes the program before, and each of them loads it.
 */
#ifndef CHATROOMD_BASE_FILTER_H
#define CHATROOMD_BASE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum filter_verdict {
    FILTER_ALLOW,
    FILTER_REFUSE, /* with the row's errno */
    FILTER_KILL    /* the whole process, with SIGSYS */
};

enum filter_test { FILTER_EQUAL, FILTER_ABOVE };

/* An argument, masked, must have this value, or be above it. One condition of a rule may be of the
 * second kind; its mask is the argument's lowest bits. */
struct filter_condition {
    unsigned argument; /* from 0 */
    uint64_t mask;
    uint64_t value;
    enum filter_test test;
};

#define FILTER_CONDITIONS_MAX 2

/* A system call with its verdict. Several rows of one call are alternatives; a call of which no
 * row's conditions hold gets the table's `otherwise`. Names that this machine does not have are
 * passed over. */
struct filter_rule {
    const char *call;
    enum filter_verdict verdict;
    int failure; /* errno of FILTER_REFUSE */
    unsigned condition_count;
    struct filter_condition conditions[FILTER_CONDITIONS_MAX];
};

struct filter_table {
    const char *name; /* for the log */
    const struct filter_rule *rules;
    size_t count;
    enum filter_verdict otherwise; /* a refusal is with ENOSYS */
};

/* A filter, ready to be loaded: what seccomp(2) calls a struct sock_fprog. */
struct filter {
    const char *name;
    unsigned short length; /* 0: none */
    void *instructions;
};

/* Whether this program was built with libseccomp. */
bool filter_built_in(void);

/* Whether an argument is as the condition says. */
bool filter_holds(const struct filter_condition *condition, uint64_t argument);

/* Makes the filter; calls of a foreign architecture kill. False, with errno set, where that cannot
 * be done: ENOSYS without libseccomp. */
bool filter_make(struct filter *filter, const struct filter_table *table);

void filter_free(struct filter *filter);

/* The calling process is under the filter from here on, and so is all that it forks. It must have
 * no_new_privs. False, with errno set, where the kernel refuses. */
bool filter_load(const struct filter *filter);

#endif
