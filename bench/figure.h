/* SPDX-License-Identifier: ISC */
/*
 * The figures of the benchmark: what is measured, of whom. A figure is of a kind, which says what
 * is counted, and at a point: so many receivers, so much in flight, texts of such a size. Its name
 * is made of these: rate-100-256, cpu-1000, memory-10000; texts that are not of 64 bytes stand
 * behind: rate-100-256-4096.
 */
#ifndef CHATROOMD_BENCH_FIGURE_H
#define CHATROOMD_BENCH_FIGURE_H

#include "arm.h"

#include <stdbool.h>
#include <stddef.h>

enum { FIGURE_NAME_SIZE = 32, FIGURE_COUNT_MAX = 64 };

enum figure_kind {
    FIGURE_MEMORY, /* bytes of the machine's memory per idle client */
    FIGURE_CPU,    /* ns of CPU time of the server's processes per delivery, at a pace */
    FIGURE_P50,    /* latency in ns, at a pace */
    FIGURE_P99,
    FIGURE_P999,
    FIGURE_SUPERVISOR,  /* ns of CPU time of the server's first process per message, at a pace */
    FIGURE_RATE,        /* deliveries a second, with so many messages in flight */
    FIGURE_JOINS,       /* clients let in a second */
    FIGURE_WELCOME_P50, /* ns from the connect to the welcome, one client at a time */
    FIGURE_WELCOME_P99,
    FIGURE_STORM,          /* clients served of those that connect at once */
    FIGURE_STALLED,        /* latency p99 in ns, after stalled clients were ended */
    FIGURE_STALLED_MEMORY, /* the supervisor's own memory then, of what it was before */
    FIGURE_KINDS,
};

/* What the words and numbers of a kind are. */
struct figure_kind_words {
    const char *prefix;  /* of the names */
    const char *heading; /* of its rows */
    const char *unit;    /* of a value through SCALE, shown with so many DECIMALS */
    double scale;
    int decimals;
    bool more; /* is better */
};

struct figure {
    enum figure_kind kind;
    unsigned receivers, in_flight, pace;
    size_t size;   /* bytes of a message's text; 0: FIGURE_SIZE */
    unsigned arms; /* the set of those it is measured of */
};

enum { FIGURE_SIZE = 64, FIGURE_SENDERS = 4 /* with messages in flight; at a pace 1 */ };

extern const struct figure_kind_words figure_kinds[FIGURE_KINDS];
extern const struct figure figures[];
extern const unsigned figure_count;

/* Write the name of FIGURE to NAME (FIGURE_NAME_SIZE); returns it. */
const char *figure_name(const struct figure *figure, char *name);

/* The number of the figure called NAME; figure_count: there is none. */
unsigned figure_find(const char *name);

#endif
