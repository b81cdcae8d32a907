/* SPDX-License-Identifier: ISC */
/*
 * transcript.h - what a client has received, as a list of lines, to compare order and content of
 * several clients.
 *
 * A transcript is a copy: the client may receive more. Lines are in the order in which they came.
 */
#ifndef CHATROOMD_TESTS_SYSTEM_TRANSCRIPT_H
#define CHATROOMD_TESTS_SYSTEM_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>

struct client;

struct transcript {
    char *text; /* what the lines point into */
    char **lines;
    size_t count;
    bool cut;      /* after the last line came a piece of another */
    char name[40]; /* whose it is, for the words of a failure */
};

/* The whole lines that the client got since the offset `start` of all it ever got. */
struct transcript *transcript_of(const struct client *client, size_t start);
void transcript_free(struct transcript *transcript);

/* Keeps only the messages ("[name] text"), of all or of one sender. */
void transcript_keep_messages(struct transcript *transcript);
void transcript_keep_sender(struct transcript *transcript, const char *name);

/* Takes the messages of one sender out. */
void transcript_drop_sender(struct transcript *transcript, const char *name);

/* Drops the first `count` lines. */
void transcript_drop_first(struct transcript *transcript, size_t count);

/* Ends the transcript before the first such line, or after it. A line that is not there fails the
 * test. */
void transcript_end_before(struct transcript *transcript, const char *line);
void transcript_end_after(struct transcript *transcript, const char *line);

/* Takes the last line off where that is the one that says why its client is ended, and returns why,
 * else NULL. */
const char *transcript_take_goodbye(struct transcript *transcript);

/* The position of the first such line, or `count` where there is none. */
size_t transcript_find(const struct transcript *transcript, const char *line);

/* Fails the test in words that hold the first difference, unless both are the same. */
void transcript_expect_same(const struct transcript *one, const struct transcript *other);

#endif
