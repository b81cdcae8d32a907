/* SPDX-License-Identifier: ISC */
/*
 * filter.c - builds seccomp filters with libseccomp.
 *
 * Model: a child process runs libseccomp and writes the program to a memory file, from which it is
 * read back. If libseccomp ran in the calling process, its allocations would fragment the heap that
 * all workers inherit and cost each of them 44 KiB. Loading a filter is a bare system call, so that
 * a worker needs neither a library nor a descriptor for it. Without libseccomp, building a filter
 * fails, and the caller decides what to do.
 *
 * libseccomp compares all 64 bits of an argument, but the kernel uses only 32 bits of a descriptor,
 * so 2^32 + 3 would count as a large descriptor. FILTER_ABOVE is therefore built from masked
 * equalities.
 */
#include "config.h"

#include "base/filter.h"

#include <errno.h>
#include <stdlib.h>

bool filter_holds(const struct filter_condition *condition, uint64_t argument)
{
    argument &= condition->mask;
    return condition->test == FILTER_ABOVE ? argument > condition->value
                                           : argument == condition->value;
}

#ifdef HAVE_SECCOMP

#include "base/alloc.h"

#include <assert.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* seccomp_attr_set(3): search the system calls by a binary tree, not one after the other. */
#define OPTIMIZE_TREE 2

bool filter_built_in(void)
{
    return true;
}

static uint32_t action_of(enum filter_verdict verdict, int failure)
{
    switch (verdict) {
    case FILTER_ALLOW:
        return SCMP_ACT_ALLOW;
    case FILTER_KILL:
        return SCMP_ACT_KILL_PROCESS;
    case FILTER_REFUSE:
        break;
    }
    return SCMP_ACT_ERRNO((unsigned)failure);
}

/* Adds a rule whose conditions are all equalities. Returns 0 or a negative errno, as libseccomp and
 * the next two functions do. */
static int add_equalities(scmp_filter_ctx context, const struct filter_rule *rule, int call)
{
    struct scmp_arg_cmp compare[FILTER_CONDITIONS_MAX];

    for (unsigned i = 0; i < rule->condition_count; i++) {
        const struct filter_condition *condition = &rule->conditions[i];
        compare[i] = (struct scmp_arg_cmp){
            .arg = condition->argument,
            .op = SCMP_CMP_MASKED_EQ,
            .datum_a = condition->mask,
            .datum_b = condition->value,
        };
    }
    return seccomp_rule_add_array(
        context, action_of(rule->verdict, rule->failure), call, rule->condition_count, compare);
}

/* An argument is above `value` if it has a 1 bit where `value` has a 0 bit, and the same bits above
 * that. Adds one rule for each such bit. */
static int add_above(
    scmp_filter_ctx context, const struct filter_rule *rule, int call, unsigned which)
{
    const struct filter_condition *above = &rule->conditions[which];
    struct filter_rule alternative = *rule;
    int failure = 0;

    for (uint64_t bit = 1; bit != 0 && (above->mask & bit) != 0 && failure == 0; bit <<= 1) {
        if ((above->value & bit) != 0)
            continue;
        alternative.conditions[which] = (struct filter_condition){
            .argument = above->argument,
            .mask = above->mask & ~(bit - 1),
            .value = (above->value & ~(bit - 1)) | bit,
        };
        failure = add_equalities(context, &alternative, call);
    }
    return failure;
}

static int add_rule(scmp_filter_ctx context, const struct filter_rule *rule)
{
    int call = seccomp_syscall_resolve_name(rule->call);

    if (call == __NR_SCMP_ERROR)
        return 0;
    assert(rule->condition_count <= FILTER_CONDITIONS_MAX);
    for (unsigned i = 0; i < rule->condition_count; i++)
        if (rule->conditions[i].test == FILTER_ABOVE)
            return add_above(context, rule, call, i);
    return add_equalities(context, rule, call);
}

/* Reads the program back from the memory file. Returns 0 or an errno. */
static int read_program(struct filter *filter, int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    size_t count = size < 0 ? 0 : (size_t)size / sizeof(struct sock_filter);

    if (count == 0 || count > BPF_MAXINSNS)
        return EIO;
    filter->instructions = alloc_zeroed(count, sizeof(struct sock_filter));
    filter->length = (unsigned short)count;
    return pread(fd, filter->instructions, (size_t)size, 0) == size ? 0 : EIO;
}

/* Runs in a child: builds the program and writes it to `fd`. Returns 0 or an errno. */
static int write_program(const struct filter_table *table, int fd)
{
    scmp_filter_ctx context = seccomp_init(action_of(table->otherwise, ENOSYS));
    int failure;

    if (context == NULL)
        return ENOMEM;
    failure = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (failure == 0)
        failure = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_TREE);
    for (size_t i = 0; i < table->count && failure == 0; i++)
        if (table->rules[i].verdict != FILTER_ALLOW || table->otherwise != FILTER_ALLOW)
            failure = add_rule(context, &table->rules[i]);
    return failure != 0 ? -failure : -seccomp_export_bpf(context, fd);
}

static int make(struct filter *filter, const struct filter_table *table, int fd)
{
    pid_t child = fork();
    int status;

    if (child < 0)
        return errno;
    if (child == 0)
        _exit(write_program(table, fd));
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return errno;
    if (!WIFEXITED(status))
        return EFAULT;
    return WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : read_program(filter, fd);
}

bool filter_make(struct filter *filter, const struct filter_table *table)
{
    int fd = memfd_create("filter", MFD_CLOEXEC);
    int failure;

    *filter = (struct filter){.length = 0};
    if (fd < 0)
        return false;
    failure = make(filter, table, fd);
    close(fd);
    if (failure == 0)
        return true;
    filter_free(filter);
    errno = failure;
    return false;
}

bool filter_load(const struct filter *filter)
{
    struct sock_fprog program = {.len = filter->length, .filter = filter->instructions};

    if (filter->length == 0) {
        errno = ENOSYS;
        return false;
    }
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0u, &program) == 0;
}

#else

bool filter_built_in(void)
{
    return false;
}

bool filter_make(struct filter *filter, const struct filter_table *table)
{
    (void)table;
    *filter = (struct filter){.length = 0};
    errno = ENOSYS;
    return false;
}

bool filter_load(const struct filter *filter)
{
    (void)filter;
    errno = ENOSYS;
    return false;
}

#endif

void filter_free(struct filter *filter)
{
    free(filter->instructions);
    filter->instructions = NULL;
    filter->length = 0;
}
