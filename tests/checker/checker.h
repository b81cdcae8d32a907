/* SPDX-License-Identifier: ISC */
/*
 * checker.h - the delivery checker: whether a run of the server kept its promises, found from what
 * its clients have received and what its log says. A pure library: no sockets, no files, no
 * globals.
 *
 * What a run must be like:
 * 1. All clients of the run are its sessions. Each has a writer number of its own, and its messages
 *    are made by message_compose(), numbered from 1. No other client is on the server in that time,
 *    unless the run has `strangers` set: then others may join, say anything, and leave.
 * 2. One session, the witness, joins before all others, says nothing, reads everything, and is
 *    still there at the end. The order in which it received the records is the order of the run.
 * 3. All sessions but the witness and those that stay have been disconnected by the server before
 *    the final message is said. Nothing is said after it.
 * 4. A session may send unknown commands "/ask1", "/ask2", ...: their errors are private records,
 *    and are counted.
 *
 * What is checked (in the words of doc/promises.md):
 *  - each line has a known form and each message a correct checksum: the bytes are intact;
 *  - each session has received an unbroken part of the order from just behind its `joined`, without
 *    its own messages: no gap, no duplicate, nothing out of order, nothing that is not in the
 *    order;
 *  - that part ends with the final message if the session stays, with its `left` if it ended in
 *    order, and anywhere if it was disconnected or did not read; only then may its last line be cut
 *    off;
 *  - the numbers of each writer rise by one in the order, up to all that it said if it ended in
 *    order;
 *  - the name shown is the one that the writer has at that place, and a stranger has its own;
 *  - every record is clean text without control characters;
 *  - for a session that was disconnected, the log has a reason and a first missing sequence number
 *    that agree with what it received, and the room was told with the words for that reason; if the
 *    drain of a session that left in order was cut short, the log says why;
 *  - `joined` and renames are in the order as the log has them.
 */
#ifndef CHATROOMD_TESTS_CHECKER_CHECKER_H
#define CHATROOMD_TESTS_CHECKER_CHECKER_H

#include <stdbool.h>
#include <stddef.h>

/* What the client did to disconnect. */
enum checker_wish {
    CHECKER_STAYS,    /* nothing: it is there when the final message comes */
    CHECKER_FINISHES, /* a quit or a half-close, after all that it said */
    CHECKER_RESETS    /* it reset the connection, or closed it without reading */
};

/* How the client saw the connection end. */
enum checker_sight {
    CHECKER_SEES_OPEN, /* not at all, or it did not read that far */
    CHECKER_SEES_END,  /* an EOF */
    CHECKER_SEES_ERROR /* a reset */
};

struct checker_session {
    const char *received; /* all bytes that it has received */
    size_t length;
    const char *address; /* as the server's log has it: address=... */
    unsigned writer;     /* from 1, no other session's */
    unsigned long said; /* how many messages it sent; all of them to the last byte if it finishes */
    unsigned long asked; /* how many unknown commands it sent, likewise */
    enum checker_wish wish;
    enum checker_sight sight;
};

struct checker_run {
    const struct checker_session *sessions;
    size_t count;
    size_t witness;         /* its index in `sessions` */
    bool strangers;         /* clients in the log that are no sessions may send messages without
                             * a checksum */
    const char *server_log; /* of the time of the run */
};

/* Check accepts no message of more than 4096 bytes. */
#define CHECKER_TEXT_MAX 3500

struct checker_report {
    unsigned long faults;
    char text[CHECKER_TEXT_MAX]; /* a line for each of the first faults */
    unsigned long records;       /* in the order */
    unsigned long deliveries;    /* lines that sessions received */
    unsigned long ended;         /* sessions that were disconnected, with a reason */
};

/* Checks a run. Returns whether there is no fault. */
bool checker_check(const struct checker_run *run, struct checker_report *report);

#endif
