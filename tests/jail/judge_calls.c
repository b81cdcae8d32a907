/* SPDX-License-Identifier: ISC */
/*
 * judge_calls.c - compares traces of chatroomd with the filter tables of workers and couriers:
 *
 *     judge_calls TRACE...       each written by `strace -f -e raw=!seccomp -o TRACE`
 *     judge_calls                prints the length of the workers' filter
 *
 * Model: a worker or a courier is a process that makes an event loop and then loads a filter of its
 * table's length (selftests make no loop, and the supervisor's filter is longer). That filter is
 * its only one, since the forker has none. From then on each of its calls must be listed: in a row
 * of that name that allows it and whose conditions hold for the arguments, or in one that refuses
 * it with an errno of its own. The check fails if a call is in no row, if a listed call was refused
 * as unknown, or if the filter killed a worker.
 *
 * The call in which a worker was killed with SIGKILL is not checked. strace may come too late to
 * read it, and then shows what another process called last (observed with strace 6.1: a courier's
 * epoll_wait was shown as the kill that ended it).
 *
 * Rows that no worker has used are printed, and are no failure: some are for other machines and
 * library versions.
 *
 * Not a test by itself: compare_calls runs it.
 */
#include "config.h"

#include "courier/courier.h"
#include "worker/worker.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LENGTH 64
#define ARGUMENTS_MAX   6
#define LINE_MAX_LENGTH 1024
/* Of one trace, rows of the table, and names in a report. */
#define PROCESSES_MAX 4096
#define ROWS_MAX      256
#define WRONG_MAX     20

struct call {
    char name[NAME_MAX_LENGTH];
    uint64_t arguments[ARGUMENTS_MAX];
};

struct process {
    long pid;
    bool has_loop;
    struct kind *kind;          /* once it is in its jail */
    char last[NAME_MAX_LENGTH]; /* the call that it is in */
    char *unlisted;             /* the line of that call if no row lists it, until the next line */
};

/* A kind of worker, and the use that was made of its table. */
struct kind {
    const struct filter_table *table;
    unsigned short length; /* of the filter */
    unsigned long made[ROWS_MAX];
    unsigned long processes;
};

static struct kind kinds[2];

static struct process processes[PROCESSES_MAX];
static size_t process_count;

static unsigned long calls, wrong;

static struct process *process_of(long pid)
{
    for (size_t at = process_count; at-- > 0;)
        if (processes[at].pid == pid)
            return &processes[at];
    if (process_count == PROCESSES_MAX) {
        fputs("judge_calls: too many processes\n", stderr);
        exit(2);
    }
    processes[process_count] = (struct process){.pid = pid};
    return &processes[process_count++];
}

/* Reads "name(1, 0x2, ..."; false where that is no call. */
static bool read_call(const char *text, struct call *call)
{
    size_t length = strcspn(text, "(");
    char *end;

    memset(call, 0, sizeof *call);
    if (!islower((unsigned char)*text) || text[length] != '(' || length >= sizeof call->name)
        return false;
    memcpy(call->name, text, length);
    text += length + 1;
    for (unsigned i = 0; i < ARGUMENTS_MAX; i++, text = end + 2) {
        call->arguments[i] = strtoull(text, &end, 0);
        if (end == text || strncmp(end, ", ", 2) != 0)
            break;
    }
    return true;
}

static bool holds(const struct filter_rule *row, const struct call *call)
{
    for (unsigned i = 0; i < row->condition_count; i++) {
        const struct filter_condition *condition = &row->conditions[i];
        if (!filter_holds(condition, call->arguments[condition->argument]))
            return false;
    }
    return true;
}

/* The row that lists the call, or -1. */
static int row_of(const struct filter_table *table, const struct call *call)
{
    for (size_t row = 0; row < table->count; row++) {
        const struct filter_rule *rule = &table->rules[row];
        if (rule->verdict != FILTER_KILL && strcmp(rule->call, call->name) == 0 &&
            holds(rule, call))
            return (int)row;
    }
    return -1;
}

static void complain(const char *what, const char *line)
{
    if (wrong++ < WRONG_MAX)
        printf("%s: %s\n", what, line);
}

/* Whose jail the process enters with this call, or NULL. */
static struct kind *jail_of(const struct process *process, const char *text)
{
    const char *length = strstr(text, "{len=");

    if (!process->has_loop || strncmp(text, "seccomp(", 8) != 0 || length == NULL)
        return NULL;
    for (size_t at = 0; at < sizeof kinds / sizeof kinds[0]; at++)
        if (strtoul(length + 5, NULL, 10) == kinds[at].length)
            return &kinds[at];
    return NULL;
}

static void judge_begin(struct process *process, const char *text)
{
    struct call call;
    int row;

    if (!read_call(text, &call))
        return;
    memcpy(process->last, call.name, sizeof process->last);
    if (strncmp(call.name, "epoll_create", 12) == 0)
        process->has_loop = true;
    if (process->kind == NULL) {
        process->kind = jail_of(process, text);
        if (process->kind != NULL)
            process->kind->processes++;
        return;
    }
    calls++;
    row = row_of(process->kind->table, &call);
    if (row < 0)
        process->unlisted = strdup(text);
    else
        process->kind->made[row]++;
}

/* Complains of the call before, unless that was not the process's own. */
static void judge_end(struct process *process, bool is_own)
{
    if (process->unlisted != NULL && is_own)
        complain("not listed", process->unlisted);
    free(process->unlisted);
    process->unlisted = NULL;
}

static void judge_line(const char *line)
{
    char *text;
    struct process *process = process_of(strtol(line, &text, 10));

    text += strspn(text, " ");
    judge_end(process, strncmp(text, "+++ killed by SIGKILL", 21) != 0);
    judge_begin(process, text);
    if (process->kind == NULL)
        return;
    if (strstr(text, " = -1 ENOSYS ") != NULL && strcmp(process->last, "seccomp") != 0)
        complain("refused as unknown", text);
    if (strncmp(text, "+++ killed by SIGSYS", 20) == 0)
        complain("killed by its filter in", process->last);
}

static void judge_trace(const char *path)
{
    FILE *trace = fopen(path, "re");
    char line[LINE_MAX_LENGTH];

    if (trace == NULL) {
        perror(path);
        exit(2);
    }
    process_count = 0;
    while (fgets(line, sizeof line, trace) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        judge_line(line);
    }
    for (size_t at = 0; at < process_count; at++)
        judge_end(&processes[at], true);
    fclose(trace);
}

static void print_row(const struct filter_rule *rule)
{
    printf(" %s", rule->call);
    for (unsigned i = 0; i < rule->condition_count; i++)
        printf("[%u]=%#" PRIx64, rule->conditions[i].argument, rule->conditions[i].value);
}

static void report(const struct kind *kind)
{
    const struct filter_table *table = kind->table;

    printf("%s: %lu processes\n", table == &worker_filter ? "worker" : "courier", kind->processes);
    for (size_t row = 0; row < table->count; row++)
        if (kind->made[row] > 0) {
            printf("%8lu", kind->made[row]);
            print_row(&table->rules[row]);
            putchar('\n');
        }
    printf("listed, but made by none here:");
    for (size_t row = 0; row < table->count; row++)
        if (kind->made[row] == 0 && table->rules[row].verdict != FILTER_KILL)
            print_row(&table->rules[row]);
    putchar('\n');
}

static bool make_kind(struct kind *kind, const struct filter_table *table)
{
    struct filter filter;

    kind->table = table;
    if (kind->table->count > ROWS_MAX || !filter_make(&filter, kind->table))
        return false;
    kind->length = filter.length;
    filter_free(&filter);
    return true;
}

int main(int argc, char **argv)
{
    bool all_seen = true;

    if (!make_kind(&kinds[0], &worker_filter) || !make_kind(&kinds[1], &courier_filter) ||
        kinds[0].length == kinds[1].length) {
        fputs("judge_calls: this build has no filter, or two of one length\n", stderr);
        return 2;
    }
    if (argc == 1) {
        printf("%u\n", kinds[0].length);
        return EXIT_SUCCESS;
    }
    for (int at = 1; at < argc; at++)
        judge_trace(argv[at]);
    for (size_t at = 0; at < sizeof kinds / sizeof kinds[0]; at++) {
        report(&kinds[at]);
        all_seen = all_seen && (kinds[at].processes > 0 || argc == 2); /* a sample has one kind */
    }
    printf("%lu calls, %lu not as the tables say\n", calls, wrong);
    return wrong > 0 || !all_seen || calls == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
