/* SPDX-License-Identifier: ISC */
/*
 * What a line parser makes of its input, as one string that can be compared: per event a letter, a
 * blank, the text and LF ("M hi\n"). For the tests and the fuzz target of the line protocol.
 *
 * Every piece is given from memory of its own that is gone afterwards, so that a sanitizer sees a
 * parser that keeps a pointer to it. What must hold for every event is asserted here.
 */
#ifndef CHATROOMD_TESTS_PROTOCOL_LINE_RECORD_H
#define CHATROOMD_TESTS_PROTOCOL_LINE_RECORD_H

#include <stddef.h>

struct line_record;

struct line_record *line_record_new(size_t max_message);
void line_record_free(struct line_record *record);

/* Gives the parser LENGTH bytes, and calls it until they are consumed. */
void line_record_piece(struct line_record *record, const char *bytes, size_t length);

/* The half-close. */
void line_record_end(struct line_record *record);

/* The events so far. */
const char *line_record_text(const struct line_record *record);

#endif
