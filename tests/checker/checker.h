/* SPDX-License-Identifier: ISC */
/*
 * The delivery checker: whether a run of the server kept its promises, judged by what its clients
 * were given and what its log says. A pure library: no sockets, no files, no globals.
 *
 * What a run must be like for this to judge it:
 * 1. All clients of the run are its sessions, each with a writer number of its own and messages
 * made by message_compose(), numbered from 1. There are no others on the server in that time,
 * unless the run says so: then strangers may come, say what they like, and go.
 * 2. One session, the witness, joins before all others, says nothing, reads everything, and is
 * still there at the end. What it was given, in its order, is the order of the run.
 * 3. All sessions but the witness and those that stay have ended, as far as the server is
 * concerned, before the final message is said, after which nobody says anything.
 * 4. A session may send unknown commands "/ask1", "/ask2", ...: their errors are private records,
 * and are counted.
 *
 * What is judged (the words in design.md, "Promises"):
 *  - each line has a known form, each message its checksum: the bytes are intact;
 *  - each session got an unbroken run of the order from just behind its `joined`, but for its own
 *    messages: no gap, no duplicate, nothing out of order, nothing foreign;
 *  - that run goes to the final message for who stays, to its `left` for who ended in order; for
 * who was ended, or would not read, anywhere; only then may a last line be cut;
 *  - the numbers of each writer rise by one in the order, up to all that it said where it ended in
 * order;
 *  - the name shown is the one that its writer has at that place, and a stranger's its own;
 *  - every record is clean text, with no control character in it;
 *  - who was ended has a reason and a first missing sequence number in the log that agree with what
 * it got, and the room was told in the words for that reason; where the drain of who left in order
 * was cut short, the log has a word for what did it;
 *  - `joined` and renames stand in the order as the log has them.
 */
#ifndef CHATROOMD_TESTS_CHECKER_CHECKER_H
#define CHATROOMD_TESTS_CHECKER_CHECKER_H

#include <stdbool.h>
#include <stddef.h>

/* What the client did to end. */
enum checker_wish {
    CHECKER_STAYS,    /* nothing: it is there when the final message comes */
    CHECKER_FINISHES, /* a quit or a half-close, after all that it said */
    CHECKER_RESETS    /* it broke the connection off, or closed it without reading */
};

/* What the client saw of the end. */
enum checker_sight {
    CHECKER_SEES_OPEN, /* none, or it did not read that far */
    CHECKER_SEES_END,  /* an EOF */
    CHECKER_SEES_ERROR /* a reset */
};

struct checker_session {
    const char *received; /* all bytes that it was given */
    size_t length;
    const char *address; /* as the server's log has it: address=... */
    unsigned writer;     /* from 1, nobody else's */
    unsigned long said; /* how many messages it sent; all of them to the last byte if it finishes */
    unsigned long asked; /* how many unknown commands, likewise */
    enum checker_wish wish;
    enum checker_sight sight;
};

struct checker_run {
    const struct checker_session *sessions;
    size_t count;
    size_t witness;         /* its place in `sessions` */
    bool strangers;         /* who is in the log but no session may say what has no checksum */
    const char *server_log; /* of the time of the run */
};

/* Check takes no message of more than 4096 bytes. */
#define CHECKER_TEXT_MAX 3500

struct checker_report {
    unsigned long faults;
    char text[CHECKER_TEXT_MAX]; /* a line for each of the first faults */
    unsigned long records;       /* in the order */
    unsigned long deliveries;    /* lines given to sessions */
    unsigned long ended;         /* sessions that were ended, with a named reason */
};

/* Judges a run. Returns whether there is no fault. */
bool checker_check(const struct checker_run *run, struct checker_report *report);

#endif
