/* SPDX-License-Identifier: ISC */
/*
 * edit.c - changes a simulated run; see edit.h.
 */
#include "config.h"

#include "tests/checker/edit.h"

#include "tests/checker/message.h"

#include <stdio.h>
#include <string.h>

struct simulation_session *edit_pick_session(struct simulation *simulation, struct random *random)
{
    for (;;) {
        size_t number = 1 + random_below(random, (unsigned)simulation->session_count - 1);
        struct simulation_session *session = &simulation->session[number];

        if (session->given_count > 20 && !session->frozen)
            return session;
    }
}

struct simulation_session *edit_pick_whole(struct simulation *simulation, struct random *random)
{
    for (;;) {
        struct simulation_session *session = edit_pick_session(simulation, random);

        if (!session->ended || strcmp(session->drain, "done") == 0)
            return session;
    }
}

struct simulation_session *edit_pick_ended(struct simulation *simulation, const char *reason)
{
    for (size_t at = 1; at < simulation->session_count; at++)
        if (simulation->session[at].ended && strcmp(simulation->session[at].reason, reason) == 0 &&
            simulation->session[at].given_count > 10)
            return &simulation->session[at];
    return NULL;
}

struct simulation_session *edit_pick_drained(struct simulation *simulation)
{
    for (size_t at = 1; at < simulation->session_count; at++)
        if (simulation->session[at].ended && strcmp(simulation->session[at].drain, "done") == 0)
            return &simulation->session[at];
    return NULL;
}

size_t edit_pick_place(
    struct simulation *simulation, struct random *random, const struct simulation_session *session)
{
    for (;;) {
        size_t at = random_below(random, (unsigned)session->given_count - 1);

        if (simulation->record[session->given[at]].kind != SIMULATED_PRIVATE)
            return at;
    }
}

size_t edit_pick_message(
    struct simulation *simulation, struct random *random, const struct simulation_session *session)
{
    for (;;) {
        size_t at = edit_pick_place(simulation, random, session);

        if (simulation->record[session->given[at]].kind == SIMULATED_MESSAGE)
            return at;
    }
}

bool edit_is_by(struct simulation *simulation, size_t record, struct simulation_session *session)
{
    return simulation->record[record].kind == SIMULATED_MESSAGE &&
           &simulation->session[simulation->record[record].about] == session;
}

void edit_drop(struct simulation_session *session, size_t place)
{
    session->given_count--;
    memmove(&session->given[place], &session->given[place + 1],
        (session->given_count - place) * sizeof(size_t));
}

void edit_insert(struct simulation_session *session, size_t place, size_t record)
{
    memmove(&session->given[place + 1], &session->given[place],
        (session->given_count - place) * sizeof(size_t));
    session->given[place] = record;
    session->given_count++;
}

void edit_drop_everywhere(struct simulation *simulation, size_t record)
{
    for (size_t number = 0; number < simulation->session_count; number++)
        for (size_t at = simulation->session[number].given_count; at-- > 0;)
            if (simulation->session[number].given[at] == record)
                edit_drop(&simulation->session[number], at);
}

void edit_insert_everywhere(struct simulation *simulation, size_t record, size_t after)
{
    for (size_t number = 0; number < simulation->session_count; number++)
        for (size_t at = simulation->session[number].given_count; at-- > 0;)
            if (simulation->session[number].given[at] == after)
                edit_insert(&simulation->session[number], at + 1, record);
}

size_t edit_new_message(
    struct simulation *simulation, const char *name, unsigned writer, unsigned long count)
{
    size_t number = simulation->record_count++;
    char text[MESSAGE_ROOM];

    message_compose(text, writer, count, "who am I");
    snprintf(simulation->record[number].line, SIMULATION_LINE, "[%.40s] %.100s", name, text);
    simulation->record[number].kind = SIMULATED_MESSAGE;
    return number;
}
