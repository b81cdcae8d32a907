/* SPDX-License-Identifier: ISC */
/*
 * filter.c - seccomp filters by libseccomp.
 *
 * Model: in a process of its own libseccomp makes the program and writes it to a memory file, from
 * which it is read back: the pieces that it leaves of the heap would cost each worker 44 KiB, since
 * their own allocations would be scattered over them. Loading is the bare system call, so that a
 * worker needs no library and no descriptor for it. Without libseccomp nothing can be made, and
 * callers decide what that means.
 *
 * Its own comparison of sizes is of all 64 bits, where the kernel looks at 32 of a descriptor, so
 * that 2^32 + 3 would pass for a large one. FILTER_ABOVE is therefore made of masked equalities.
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

/* seccomp_attr_set(3): a binary tree of the numbers of the calls, not a chain. */
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

/* Adds the rule, all of whose conditions are equalities. Returns 0, or a negative errno as
 * libseccomp does; so do the next two. */
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

/* Above a value is what has a bit more at some place, and the same bits before that. */
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
static int take_program(struct filter *filter, int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    size_t count = size < 0 ? 0 : (size_t)size / sizeof(struct sock_filter);

    if (count == 0 || count > BPF_MAXINSNS)
        return EIO;
    filter->instructions = alloc_zeroed(count, sizeof(struct sock_filter));
    filter->length = (unsigned short)count;
    return pread(fd, filter->instructions, (size_t)size, 0) == size ? 0 : EIO;
}

/* In a child: libseccomp makes the program. Returns 0 or an errno. */
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
    return WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : take_program(filter, fd);
}

bool filter_make(struct filter *filter, const struct filter_table *table)
{
    int fd = memfd_create("filter", MFD_CLOEXEC);
    int failure;

    *filter = (struct filter){.name = table->name};
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
    *filter = (struct filter){.name = table->name};
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
