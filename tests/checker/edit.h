/* SPDX-License-Identifier: ISC */
/*
 * edit.h - changes the lists of a simulated run, for mutants.c. A place is an index into what a
 * session has received, a record is an index into the order.
 */
#ifndef CHATROOMD_TESTS_CHECKER_EDIT_H
#define CHATROOMD_TESTS_CHECKER_EDIT_H

#include "tests/checker/random.h"
#include "tests/checker/simulation.h"

#include <stdbool.h>
#include <stddef.h>

/* Returns a session that received something, is not the witness, and did not freeze. */
struct simulation_session *edit_pick_session(struct simulation *simulation, struct random *random);

/* Returns a session that stays or ends in order, so that it must have received everything. */
struct simulation_session *edit_pick_whole(struct simulation *simulation, struct random *random);

/* Returns one that left in order and received everything, or NULL. */
struct simulation_session *edit_pick_drained(struct simulation *simulation);

/* Returns one that was disconnected for this reason, or NULL. */
struct simulation_session *edit_pick_ended(struct simulation *simulation, const char *reason);

/* Returns the place of a public record, or of a message, in what a session received, but not the
 * last place. */
size_t edit_pick_place(
    struct simulation *simulation, struct random *random, const struct simulation_session *session);
size_t edit_pick_message(
    struct simulation *simulation, struct random *random, const struct simulation_session *session);

/* Returns whether a record is a message of this session. */
bool edit_is_by(struct simulation *simulation, size_t record, struct simulation_session *session);

void edit_drop(struct simulation_session *session, size_t place);
void edit_insert(struct simulation_session *session, size_t place, size_t record);

/* The same for all sessions that received the record, or the record `after`. */
void edit_drop_everywhere(struct simulation *simulation, size_t record);
void edit_insert_everywhere(struct simulation *simulation, size_t record, size_t after);

/* Adds a message that no session receives until edit_insert() gives it to one. Returns its
 * record. */
size_t edit_new_message(
    struct simulation *simulation, const char *name, unsigned writer, unsigned long count);

#endif
