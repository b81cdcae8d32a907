/* SPDX-License-Identifier: ISC */
/*
 * mutants.c - runs in which one promise is broken; see mutants.h. The name of each function says
 * which.
 */
#include "config.h"

#include "tests/checker/mutants.h"

#include "tests/checker/edit.h"

#include <stdio.h>
#include <string.h>

/* --- one reader's copy --- */

static bool one_dropped(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_session(simulation, random);

    edit_drop(session, edit_pick_place(simulation, random, session));
    return true;
}

static bool one_doubled(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_session(simulation, random);
    size_t place = edit_pick_place(simulation, random, session);

    edit_insert(session, place, session->given[place]);
    return true;
}

static bool one_comes_again_later(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_session(simulation, random);
    size_t record = session->given[edit_pick_place(simulation, random, session)];

    edit_insert(session, session->given_count, record);
    return true;
}

static bool two_swapped(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_session(simulation, random);
    size_t place, record;

    do
        place = edit_pick_place(simulation, random, session);
    while (simulation->record[session->given[place + 1]].kind == SIMULATED_PRIVATE);
    record = session->given[place];
    session->given[place] = session->given[place + 1];
    session->given[place + 1] = record;
    return true;
}

static bool two_of_the_witness_swapped(struct simulation *simulation, struct random *random)
{
    struct simulation_session *witness = &simulation->session[0];
    size_t place = edit_pick_message(simulation, random, witness), record = witness->given[place];

    if (simulation->record[witness->given[place + 1]].kind != SIMULATED_MESSAGE)
        return false;
    witness->given[place] = witness->given[place + 1];
    witness->given[place + 1] = record;
    return true;
}

static bool the_witness_misses_one(struct simulation *simulation, struct random *random)
{
    edit_drop(
        &simulation->session[0], edit_pick_place(simulation, random, &simulation->session[0]));
    return true;
}

static bool its_own_message_comes_back(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_session(simulation, random);

    for (size_t at = 1; at < session->given_count; at++)
        if (edit_is_by(simulation, session->given[at] - 1, session)) {
            edit_insert(session, at, session->given[at] - 1);
            return true;
        }
    return false;
}

static bool one_from_before_its_joined(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = &simulation->session[3];

    (void)random;
    if (simulation->session[3].given_count < 10)
        return false;
    edit_insert(session, 1, simulation->session[2].joined);
    return true;
}

static bool the_first_missed(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_session(simulation, random);

    for (size_t at = 1; at < session->given_count; at++)
        if (simulation->record[session->given[at]].kind != SIMULATED_PRIVATE) {
            edit_drop(session, at);
            return true;
        }
    return false;
}

static bool the_last_missed(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_whole(simulation, random);

    for (size_t at = session->given_count; at-- > 0;)
        if (simulation->record[session->given[at]].kind != SIMULATED_PRIVATE) {
            session->given_count = at;
            return true;
        }
    return false;
}

static bool one_from_after_its_left(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session;

    (void)random;
    for (size_t at = 1; at < simulation->session_count; at++) {
        session = &simulation->session[at];
        if (session->ended && !session->frozen) {
            edit_insert(session, session->given_count, simulation->record_count - 1);
            return true;
        }
    }
    return false;
}

static bool the_last_line_cut(struct simulation *simulation, struct random *random)
{
    edit_pick_whole(simulation, random)->piece = "[guest1] w";
    return true;
}

static bool ended_without_a_word(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = &simulation->session[1];

    session->given_count -= 1 + random_below(random, 5);
    session->sight = CHECKER_SEES_END;
    return true;
}

static bool ended_without_a_word_at_the_end(struct simulation *simulation, struct random *random)
{
    (void)random;
    simulation->session[1].sight = CHECKER_SEES_ERROR;
    return true;
}

static bool not_at_the_final_message(struct simulation *simulation, struct random *random)
{
    for (size_t at = 2; at < simulation->session_count; at++)
        if (!simulation->session[at].ended && simulation->session[at].given_count > 5) {
            simulation->session[at].given_count -= 1 + random_below(random, 3);
            return true;
        }
    return false;
}

static bool an_orderly_end_by_a_reset(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_drained(simulation);

    (void)random;
    if (session == NULL)
        return false;
    session->sight = CHECKER_SEES_ERROR;
    return true;
}

/* Returns the place of the answer to an unknown command in what a session received, or 0. */
static size_t find_answer(struct simulation *simulation, const struct simulation_session *session)
{
    for (size_t at = 1; at < session->given_count; at++)
        if (simulation->record[session->given[at]].line[0] == '!')
            return at;
    return 0;
}

static bool an_answer_lost(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_whole(simulation, random);
    size_t place = find_answer(simulation, session);

    if (place != 0)
        edit_drop(session, place);
    return place != 0;
}

static bool an_answer_doubled(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_session(simulation, random);
    size_t place = find_answer(simulation, session);

    if (place != 0)
        edit_insert(session, place, session->given[place]);
    return place != 0;
}

static bool welcomed_twice(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_session(simulation, random);

    edit_insert(session, 5, session->given[0]);
    return true;
}

static bool never_welcomed(struct simulation *simulation, struct random *random)
{
    edit_drop(edit_pick_session(simulation, random), 0);
    return true;
}

/* --- the same wrong for all --- */

static size_t message_of_witness(struct simulation *simulation, struct random *random)
{
    struct simulation_session *witness = &simulation->session[0];

    return witness->given[edit_pick_message(simulation, random, witness)];
}

/* Only if a writer was disconnected may its last messages be missing, and never one before
 * others. */
static bool an_accepted_one_lost(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_whole(simulation, random);

    for (size_t record = 1; record < simulation->record_count; record++)
        if (edit_is_by(simulation, record, session)) {
            edit_drop_everywhere(simulation, record);
            return true;
        }
    return false;
}

static bool the_last_accepted_one_lost(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_whole(simulation, random);

    for (size_t record = simulation->record_count; record-- > 1;)
        if (edit_is_by(simulation, record, session)) {
            edit_drop_everywhere(simulation, record);
            return true;
        }
    return false;
}

static bool one_doubled_for_all(struct simulation *simulation, struct random *random)
{
    size_t record = message_of_witness(simulation, random);

    edit_insert_everywhere(simulation, record, record);
    return true;
}

static bool a_writer_reordered(struct simulation *simulation, struct random *random)
{
    size_t first = message_of_witness(simulation, random);
    char line[SIMULATION_LINE];

    for (size_t record = first + 1; record < simulation->record_count; record++)
        if (simulation->record[record].kind == SIMULATED_MESSAGE &&
            simulation->record[record].about == simulation->record[first].about) {
            memcpy(line, simulation->record[first].line, sizeof(line));
            memcpy(simulation->record[first].line, simulation->record[record].line, sizeof(line));
            memcpy(simulation->record[record].line, line, sizeof(line));
            return true;
        }
    return false;
}

static bool a_name_of_another_for_all(struct simulation *simulation, struct random *random)
{
    size_t record = message_of_witness(simulation, random);
    char rest[SIMULATION_LINE];

    snprintf(rest, sizeof(rest), "%s", strstr(simulation->record[record].line, "] ") + 2);
    snprintf(simulation->record[record].line, SIMULATION_LINE, "[guest1] %.140s", rest);
    return true;
}

static bool a_byte_flipped_for_all(struct simulation *simulation, struct random *random)
{
    size_t record = message_of_witness(simulation, random);
    char *line = simulation->record[record].line;

    line[strlen(line) - 1] ^= 1;
    return true;
}

static bool a_message_from_nobody(struct simulation *simulation, struct random *random)
{
    size_t after = message_of_witness(simulation, random);

    edit_insert_everywhere(simulation, edit_new_message(simulation, "guest4000", 4000, 1), after);
    return true;
}

static bool a_message_after_its_writer_left(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_ended(simulation, "worker-crash");
    unsigned writer;

    (void)random;
    if (session == NULL)
        return false;
    writer = (unsigned)(session - simulation->session) + 1;
    edit_insert_everywhere(simulation,
        edit_new_message(simulation, session->name, writer, ++session->said),
        simulation->record_count - 2);
    return true;
}

static bool an_event_lost(struct simulation *simulation, const char *words)
{
    for (size_t at = 10; at < simulation->session[0].given_count; at++) {
        size_t record = simulation->session[0].given[at];

        if (strstr(simulation->record[record].line, words) != NULL &&
            simulation->record[record].kind == SIMULATED_EVENT) {
            edit_drop_everywhere(simulation, record);
            return true;
        }
    }
    return false;
}

static bool the_room_not_told_of_a_join(struct simulation *simulation, struct random *random)
{
    (void)random;
    return an_event_lost(simulation, " joined");
}

static bool the_room_not_told_of_a_leave(struct simulation *simulation, struct random *random)
{
    (void)random;
    return an_event_lost(simulation, " left");
}

static bool the_room_not_told_of_an_eviction(struct simulation *simulation, struct random *random)
{
    (void)random;
    return an_event_lost(simulation, " (too slow)");
}

/* --- the log --- */

static bool told_otherwise_than_logged(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_ended(simulation, "stalled");

    (void)random;
    if (session == NULL)
        return false;
    session->reason = "worker-crash";
    return true;
}

static bool its_client_told_another_reason(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_ended(simulation, "worker-crash");

    (void)random;
    if (session == NULL)
        return false;
    session->piece = SIMULATED_TOO_SLOW;
    return true;
}

static bool something_after_the_last_line(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_ended(simulation, "worker-crash");

    (void)random;
    if (session == NULL)
        return false;
    session->piece = SIMULATED_WORKER_DIED "[gue";
    return true;
}

static bool an_end_for_no_known_reason(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_ended(simulation, "worker-crash");

    (void)random;
    if (session == NULL)
        return false;
    session->reason = "none";
    return true;
}

static bool a_reason_that_is_not_its_own(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_drained(simulation);

    (void)random;
    if (session == NULL)
        return false;
    session->wish = CHECKER_STAYS;
    return true;
}

/* Cut off, and logged as if it had left by itself. */
static bool ended_as_if_it_had_asked(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_drained(simulation);

    (void)random;
    if (session == NULL || session->given_count < 2)
        return false;
    session->wish = CHECKER_STAYS;
    session->first_missing = session->given[--session->given_count];
    return true;
}

static bool a_cut_drain_without_a_word(struct simulation *simulation, struct random *random)
{
    (void)random;
    for (size_t at = 0; at < simulation->session_count; at++) {
        struct simulation_session *session = &simulation->session[at];

        if (session->ended && session->frozen && strcmp(session->reason, "closed") == 0 &&
            session->first_missing != 0) {
            session->drain = "done";
            return true;
        }
    }
    return false;
}

static bool a_drain_cut_by_nothing_known(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_drained(simulation);

    (void)random;
    if (session == NULL)
        return false;
    session->drain = "none";
    return true;
}

static bool a_drain_of_who_was_ended(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_ended(simulation, "stalled");

    (void)random;
    if (session == NULL)
        return false;
    session->drain = "done";
    return true;
}

static bool a_wrong_first_missing(struct simulation *simulation, struct random *random)
{
    struct simulation_session *session = edit_pick_ended(simulation, "stalled");

    (void)random;
    for (size_t at = 1; session != NULL && at < session->given_count; at++)
        if (simulation->record[session->given[at]].kind == SIMULATED_EVENT) {
            session->first_missing = session->given[at];
            return true;
        }
    return false;
}

#define MUTANT(name)                                                                               \
    {                                                                                              \
#name, name                                                                                \
    }

const struct mutant mutants[] = {MUTANT(one_dropped), MUTANT(one_doubled),
    MUTANT(one_comes_again_later), MUTANT(two_swapped), MUTANT(two_of_the_witness_swapped),
    MUTANT(the_witness_misses_one), MUTANT(its_own_message_comes_back),
    MUTANT(one_from_before_its_joined), MUTANT(the_first_missed), MUTANT(the_last_missed),
    MUTANT(one_from_after_its_left), MUTANT(the_last_line_cut), MUTANT(ended_without_a_word),
    MUTANT(ended_without_a_word_at_the_end), MUTANT(not_at_the_final_message),
    MUTANT(an_orderly_end_by_a_reset), MUTANT(an_answer_lost), MUTANT(an_answer_doubled),
    MUTANT(welcomed_twice), MUTANT(never_welcomed), MUTANT(an_accepted_one_lost),
    MUTANT(the_last_accepted_one_lost), MUTANT(one_doubled_for_all), MUTANT(a_writer_reordered),
    MUTANT(a_name_of_another_for_all), MUTANT(a_byte_flipped_for_all),
    MUTANT(a_message_from_nobody), MUTANT(a_message_after_its_writer_left),
    MUTANT(the_room_not_told_of_a_join), MUTANT(the_room_not_told_of_a_leave),
    MUTANT(the_room_not_told_of_an_eviction), MUTANT(told_otherwise_than_logged),
    MUTANT(its_client_told_another_reason), MUTANT(something_after_the_last_line),
    MUTANT(an_end_for_no_known_reason), MUTANT(a_reason_that_is_not_its_own),
    MUTANT(ended_as_if_it_had_asked), MUTANT(a_cut_drain_without_a_word),
    MUTANT(a_drain_cut_by_nothing_known), MUTANT(a_drain_of_who_was_ended),
    MUTANT(a_wrong_first_missing)};

const int mutant_count = (int)(sizeof(mutants) / sizeof(mutants[0]));
