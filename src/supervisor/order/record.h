/* SPDX-License-Identifier: ISC */
/*
 * record.h - writes records into the ring, in the form in which line clients receive them.
 *
 * Every function here that writes a record takes a reservation that space_reserve() has made for
 * it. Before a private record the caller has also asked slot_private_fits().
 */
#ifndef CHATROOMD_SUPERVISOR_ORDER_RECORD_H
#define CHATROOMD_SUPERVISOR_ORDER_RECORD_H

#include "supervisor/state.h"

#include <stddef.h>

/* Longest line of an event or a reply, in bytes: "* ", the text, a line feed. */
#define RECORD_LINE_MAX (FRAME_REPLY_MAX + 3)

/* Longest line that has nothing but names and fixed words. */
#define NAME_LINE_MAX 128u

/* The beginning of an event or a reply, and of an error. */
#define RECORD_EVENT_PREFIX "* "
#define RECORD_ERROR_PREFIX "! "

/* A line that is being composed. */
struct record_line {
    size_t length;
    char bytes[RECORD_LINE_MAX];
};

/* Begin a line with `prefix`, add to it (what does not fit is cut off silently), and end it. */
void record_line_begin(struct record_line *line, const char *prefix);
void record_line_add(struct record_line *line, const char *text, size_t length);
void record_line_print(struct record_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void record_line_end(struct record_line *line);

/* Returns the bytes of a message's record: "[name] text" and a line feed. */
size_t record_message_length(size_t name_length, size_t text_length);

/*
 * Copies a message's text, which its worker may still be writing, into the ring, checks the copy,
 * and makes it the room's next record under the slot's name. Returns false, with nothing recorded,
 * if the text breaks the rules.
 */
bool record_message(struct slot *slot, struct reservation *reservation, uint16_t room,
    const char *text, size_t length);

/* Records a line about `slot` for the room. Returns its sequence number. */
uint64_t record_room_event(struct slot *slot, struct reservation *reservation,
    enum record_kind kind, const struct record_line *line);

/* The same for a line that is about no client. */
uint64_t record_notice(
    struct supervisor *supervisor, struct reservation *reservation, const struct record_line *line);

/* Records a line for `slot` alone, for which it is pending then. Returns its sequence number. */
uint64_t record_private(struct slot *slot, struct reservation *reservation, enum record_kind kind,
    const struct record_line *line);

/* Records "* NAME left" with `announcement` (disconnect.h) and, before its closing bracket, a reason
 * of `length` bytes (0: none). The name is free afterwards. The record has at most NAME_LINE_MAX +
 * `length` bytes. */
void record_left(struct slot *slot, struct reservation *reservation, const char *announcement,
    const char *reason, size_t length);

#endif
