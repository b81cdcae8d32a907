/* SPDX-License-Identifier: ISC */
/*
 * simulation.h - a model of a server that keeps its promises: it makes runs for the tests of the
 * checker, without a process or a socket. A test then breaks one promise in a run, and the checker
 * must find it.
 *
 * Model: the order is a list of records, and each session has a list of the records that it
 * receives. simulation_render() makes the bytes and the log for the checker from these, so that a
 * test can change the lists before it, or the bytes after it.
 */
#ifndef CHATROOMD_TESTS_CHECKER_SIMULATION_H
#define CHATROOMD_TESTS_CHECKER_SIMULATION_H

#include "tests/checker/checker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIMULATION_SESSIONS 40
#define SIMULATION_RECORDS  4000
#define SIMULATION_LINE     160

/* Returns the last line of a session that is disconnected for this reason. */
#define SIMULATED_TOO_SLOW "! You are disconnected: too slow to read its messages\n"
#define SIMULATED_WORKER_DIED                                                                      \
    "! You are disconnected: internal error (the process for this connection crashed)\n"

enum simulation_kind { SIMULATED_MESSAGE, SIMULATED_EVENT, SIMULATED_PRIVATE };

struct simulation_record {
    enum simulation_kind kind;
    size_t about; /* the session that it is from, about or for */
    char line[SIMULATION_LINE];
};

struct simulation_session {
    char first_name[40];
    char name[40];
    char address[40];
    bool present; /* in the room */
    bool frozen;  /* it has stopped reading */
    bool ended;
    const char *reason;
    const char *drain;
    size_t joined;        /* its `joined` record */
    size_t first_missing; /* a record, or 0 */
    const char *piece;    /* what follows its last whole line */
    enum checker_wish wish;
    enum checker_sight sight;
    unsigned long said;
    unsigned long asked;
    size_t *given; /* records, in order */
    size_t given_count;
    char *bytes; /* of the last rendering */
};

/* Record 0 is none, so that record numbers are sequence numbers. Session 0 is the witness. */
struct simulation {
    struct simulation_record record[SIMULATION_RECORDS];
    size_t record_count;
    struct simulation_session session[SIMULATION_SESSIONS];
    size_t session_count;
    char *log;

    struct checker_session seen[SIMULATION_SESSIONS];
    struct checker_run run;
};

/* Makes a run from a seed. Free with simulation_free. */
struct simulation *simulation_make(uint64_t seed);
void simulation_free(struct simulation *simulation);

/* Makes the bytes of all sessions, the log, and `run` again. */
void simulation_render(struct simulation *simulation);

#endif
