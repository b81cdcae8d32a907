/* SPDX-License-Identifier: ISC */
/*
 * lives.h - what the server's log says of its clients: one life for each that has joined, with its
 * end if the log has it, and the sequence numbers of the renames. Pure: text in, lives out;
 * everything is copied.
 *
 * Only these lines of the log are used, whatever precedes "event=":
 *     event=join slot=N generation=N name=X address=X sequence=N
 *     event=leave slot=N generation=N name=X address=X reason=X drain=X ... first_missing=N|none
 *     event=rename ... sequence=N
 *     event=log-lost ...
 */
#ifndef CHATROOMD_TESTS_CHECKER_LIVES_H
#define CHATROOMD_TESTS_CHECKER_LIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIFE_TEXT 80

struct life {
    unsigned long slot;
    unsigned long generation;
    uint64_t joined;         /* sequence number of its `joined` */
    char name[LIFE_TEXT];    /* its name when it joined */
    char address[LIFE_TEXT]; /* as the log has it */
    bool ended;              /* the log has its end: */
    char reason[LIFE_TEXT];
    char drain[LIFE_TEXT];  /* "done", "none", or what cut it short */
    uint64_t first_missing; /* 0: none */

    /* What checker.c finds out. */
    bool claimed;             /* a session has been found to be this life */
    char name_now[LIFE_TEXT]; /* while the order is walked */
    size_t joined_at;         /* one beyond its `joined` in the order */
    size_t left_at;           /* its `left` in the order, or SIZE_MAX */
    unsigned long said;       /* the number of its last message in the order */
};

struct lives {
    struct life *life; /* in the order of `joined` */
    size_t count;
    uint64_t *renames; /* sequence numbers, rising */
    size_t rename_count;
    size_t unmatched;         /* leaves without a join */
    char unmatched_line[400]; /* the first of them */
    bool lost;                /* the server says that it could not log everything */
};

void lives_make(struct lives *lives, const char *log);
void lives_free(struct lives *lives);

#endif
