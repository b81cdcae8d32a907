/* SPDX-License-Identifier: ISC */
/*
 * line_record.h - the events of a line parser as one string that can be compared: for each
 * event a letter, a blank, the text and LF ("M hi\n"). For the tests and the fuzz target.
 *
 * Each piece of input is in memory of its own, which is freed afterwards, so that a sanitizer
 * detects a parser that keeps a pointer to it. Conditions that hold for all events are asserted.
 */
#ifndef CHATROOMD_TESTS_PROTOCOL_LINE_RECORD_H
#define CHATROOMD_TESTS_PROTOCOL_LINE_RECORD_H

#include <stddef.h>

struct line_record;

struct line_record *line_record_new(size_t max_message);
void line_record_free(struct line_record *record);

/* Passes `length` bytes to the parser until it has consumed them. */
void line_record_piece(struct line_record *record, const char *bytes, size_t length);

/* Ends the input. */
void line_record_end(struct line_record *record);

/* Returns the events so far. */
const char *line_record_text(const struct line_record *record);

#endif
