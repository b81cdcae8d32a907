/* SPDX-License-Identifier: ISC */
/*
 * record.h - records in the form in which line clients get them, put into the ring.
 *
 * Every function here that writes a record takes the reservation that space_reserve() made for it.
 * For a private record the caller has also asked slot_private_fits().
 */
#ifndef CHATROOMD_SUPERVISOR_ORDER_RECORD_H
#define CHATROOMD_SUPERVISOR_ORDER_RECORD_H

#include "supervisor/state.h"

#include <stddef.h>

/* Longest line of an event or a reply, in bytes: "* ", the text, a line feed. */
#define RECORD_LINE_MAX (FRAME_REPLY_MAX + 3)

/* What a line of an event or a reply begins with. */
#define RECORD_EVENT_PREFIX "* "
#define RECORD_ERROR_PREFIX "! "

/* A line in the making. */
struct record_line {
    size_t length;
    char bytes[RECORD_LINE_MAX];
};

/* Begins a line with `prefix`; adds to it, silently cut at FRAME_REPLY_MAX bytes; ends it. */
void record_line_begin(struct record_line *line, const char *prefix);
void record_line_add(struct record_line *line, const char *text, size_t length);
void record_line_print(struct record_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void record_line_end(struct record_line *line);

/* Bytes of a message's record: "[name] text" and a line feed. */
size_t record_message_length(size_t name_length, size_t text_length);

/*
 * Copies a message's text from where its worker may still write into the ring, judges the copy, and
 * makes it the room's next record under the name that the slot has. Returns false, with nothing
 * recorded, where the text breaks the rules.
 */
bool record_message(struct slot *slot, struct reservation *reservation, uint16_t room,
    const char *text, size_t length);

/* A line about `slot` to the room. Returns its sequence number. */
uint64_t record_room_event(struct slot *slot, struct reservation *reservation,
    enum record_kind kind, const struct record_line *line);

/* A line from nobody to the room. */
uint64_t record_notice(
    struct supervisor *supervisor, struct reservation *reservation, const struct record_line *line);

/* A line to `slot` alone, which owes it to it. Returns its sequence number. */
uint64_t record_private(struct slot *slot, struct reservation *reservation, enum record_kind kind,
    const struct record_line *line);

#endif
