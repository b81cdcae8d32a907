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
    char *text; /* the lines point into it */
    char **lines;
    size_t count;
    bool cut;      /* a piece of another line follows the last one */
    char name[40]; /* the client's name, for the message of a failure */
};

/* Copies the whole lines that the client has received from the offset `start` of its input on. */
struct transcript *transcript_of(const struct client *client, size_t start);
void transcript_free(struct transcript *transcript);

/* Keeps only the messages ("[name] text") of one sender, or of all. */
void transcript_keep_messages(struct transcript *transcript);
void transcript_keep_sender(struct transcript *transcript, const char *name);

/* Removes the messages of one sender. */
void transcript_drop_sender(struct transcript *transcript, const char *name);

/* Removes the first `count` lines. */
void transcript_drop_first(struct transcript *transcript, size_t count);

/* Ends the transcript before the first such line, or after it. If there is none, the test fails. */
void transcript_end_before(struct transcript *transcript, const char *line);
void transcript_end_after(struct transcript *transcript, const char *line);

/* If the last line says why the client was disconnected, removes it and returns the reason;
 * otherwise returns NULL. */
const char *transcript_take_goodbye(struct transcript *transcript);

/* Returns the index of the first such line, or `count` if there is none. */
size_t transcript_find(const struct transcript *transcript, const char *line);

/* Fails the test with the first difference unless both are the same. */
void transcript_expect_same(const struct transcript *one, const struct transcript *other);

#endif
