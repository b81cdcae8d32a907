/* SPDX-License-Identifier: ISC */
/*
 * state.h - what the files of the checker share: order.c walks the order of a run, checker.c
 * compares the sessions with it, report.c counts the faults.
 */
#ifndef CHATROOMD_TESTS_CHECKER_STATE_H
#define CHATROOMD_TESTS_CHECKER_STATE_H

#include "tests/checker/checker.h"
#include "tests/checker/lines.h"
#include "tests/checker/lives.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One record of the order. */
struct record {
    const struct line *line;
    const struct life *life; /* that it is from or about; NULL for the server's own */
    uint64_t sequence;       /* 0: not in the log */
};

/* A session and what is known about it. */
struct reader {
    const struct checker_session *session;
    struct lines lines;
    struct life *life; /* NULL: it never joined */
    size_t reached;    /* one beyond the last record of the order that it received */
};

struct checker {
    const struct checker_run *run;
    struct checker_report *report;
    struct lives lives;
    struct reader *readers;
    struct record *order;
    size_t order_count;
};

/* A reason of the server's log, what the room is told, and whether the client asked for it. */
struct reason {
    const char *word;
    const char *told; /* after "NAME left"; a quit may have more in its brackets */
    bool asked_for;
    const char *why; /* what the client itself may be told at its end; NULL: nothing */
};

/* Returns NULL if there is no such reason. */
const struct reason *order_reason(const char *word);

/* Returns whether this is a word of the log for something that cuts a drain short. */
bool order_is_cut(const char *drain);

/* Makes the order of the witness's lines. */
void order_make(struct checker *checker);

/* Walks the order from its beginning to its end, and finds the life of each record. */
void order_walk(struct checker *checker);

/* Counts a fault. The text is kept if it fits in the report. */
void report_fault(struct checker *checker, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line as it is shown in a fault. */
#define SHOWN(span) (int)((span).length < 60 ? (span).length : 60), (span).text

#endif
