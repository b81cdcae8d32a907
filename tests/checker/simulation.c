/* SPDX-License-Identifier: ISC */
/*
 * simulation.c - a server that keeps its promises; see simulation.h.
 *
 * Guest names follow the slots, and each session has a slot of its own, so that no name is used
 * twice.
 */
#include "config.h"

#include "tests/checker/simulation.h"

#include "tests/checker/message.h"
#include "tests/checker/random.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 900

static void *zeroed(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL)
        abort();
    return memory;
}

static void give(struct simulation_session *session, size_t record)
{
    if (!session->frozen)
        session->given[session->given_count++] = record;
    else if (session->first_missing == 0)
        session->first_missing = record;
}

/* Adds a record, and delivers it to its recipients. */
static size_t add(struct simulation *simulation, enum simulation_kind kind, size_t about,
    bool to_itself, const char *format, ...) __attribute__((format(printf, 5, 6)));

static size_t add(struct simulation *simulation, enum simulation_kind kind, size_t about,
    bool to_itself, const char *format, ...)
{
    size_t number = simulation->record_count++;
    struct simulation_record *record = &simulation->record[number];
    va_list arguments;

    assert(number < SIMULATION_RECORDS);
    record->kind = kind;
    record->about = about;
    va_start(arguments, format);
    vsnprintf(record->line, sizeof(record->line), format, arguments);
    va_end(arguments);
    for (size_t at = 0; at < simulation->session_count; at++)
        if (simulation->session[at].present &&
            (at == about ? to_itself : kind != SIMULATED_PRIVATE))
            give(&simulation->session[at], number);
    return number;
}

static void join(struct simulation *simulation)
{
    size_t number = simulation->session_count;
    struct simulation_session *session = &simulation->session[number];

    if (number == SIMULATION_SESSIONS)
        return;
    simulation->session_count++;
    session->given = zeroed(SIMULATION_RECORDS, sizeof(size_t));
    session->piece = "";
    session->present = true;
    snprintf(session->name, sizeof(session->name), "guest%zu", number + 1);
    snprintf(session->first_name, sizeof(session->first_name), "guest%zu", number + 1);
    snprintf(session->address, sizeof(session->address), "127.0.0.1:%zu", 40000 + number % 7);
    session->joined = add(simulation, SIMULATED_EVENT, number, false, "* %s joined", session->name);
    add(simulation, SIMULATED_PRIVATE, number, true,
        "* Welcome to chatroomd; you are %s; 5 here; /help lists the commands", session->name);
}

static void say(struct simulation *simulation, struct random *random, size_t number)
{
    struct simulation_session *session = &simulation->session[number];
    char text[MESSAGE_ROOM], payload[40];

    random_text(random, payload, random_below(random, sizeof(payload)));
    message_compose(text, (unsigned)number + 1, ++session->said, payload);
    add(simulation, SIMULATED_MESSAGE, number, false, "[%s] %s", session->name, text);
}

static void rename_to(struct simulation *simulation, struct random *random, size_t number)
{
    struct simulation_session *session = &simulation->session[number];
    char before[40];

    memcpy(before, session->name, sizeof(before));
    snprintf(session->name, sizeof(session->name), "n%zu]%u", number, random_below(random, 1000));
    add(simulation, SIMULATED_EVENT, number, true, "* %s is now %s", before, session->name);
}

static void leave(struct simulation *simulation, size_t number, const char *reason,
    const char *told, enum checker_wish wish, enum checker_sight sight)
{
    struct simulation_session *session = &simulation->session[number];

    session->present = false;
    session->ended = true;
    session->reason = reason;
    session->drain = "none";
    if (wish == CHECKER_FINISHES)
        session->drain = session->frozen ? "timeout" : "done";
    session->wish = wish;
    session->sight = sight;
    add(simulation, SIMULATED_EVENT, number, false, "* %s left%s", session->name, told);
}

/* A session that does not read, or whose worker dies, may have received a part of a line, or the
 * reason of its disconnection. One that does not read may also leave without having read. */
static void be_ended(struct simulation *simulation, struct random *random, size_t number)
{
    struct simulation_session *session = &simulation->session[number];

    if (session->frozen && random_percent(random, 50))
        session->piece = "[gue";
    if (session->frozen && random_percent(random, 40)) {
        leave(simulation, number, "closed", "", CHECKER_FINISHES, CHECKER_SEES_END);
        return;
    }
    if (session->piece[0] == '\0' && number % 2 == 0)
        session->piece = session->frozen ? SIMULATED_TOO_SLOW : SIMULATED_WORKER_DIED;
    if (session->frozen)
        leave(simulation, number, "stalled", " (too slow)", CHECKER_STAYS, CHECKER_SEES_ERROR);
    else
        leave(simulation, number, "worker-crash", " (connection lost)", CHECKER_STAYS,
            CHECKER_SEES_END);
}

static void end(struct simulation *simulation, struct random *random, size_t number)
{
    struct simulation_session *session = &simulation->session[number];

    if (session->frozen)
        be_ended(simulation, random, number);
    else if (random_percent(random, 30))
        leave(simulation, number, "closed", "", CHECKER_FINISHES, CHECKER_SEES_END);
    else if (random_percent(random, 40))
        leave(simulation, number, "quit", " (quit: bye)", CHECKER_FINISHES, CHECKER_SEES_END);
    else if (random_percent(random, 50))
        leave(simulation, number, "connection-lost", " (connection lost)", CHECKER_RESETS,
            CHECKER_SEES_OPEN);
    else
        be_ended(simulation, random, number);
}

/* One of the sessions does something. Session 0 only reads, and session 1 never leaves. */
static void step(struct simulation *simulation, struct random *random)
{
    size_t number = 1 + random_below(random, (unsigned)simulation->session_count - 1);
    struct simulation_session *session = &simulation->session[number];
    unsigned dice = random_below(random, 100);

    if (dice < 4)
        join(simulation);
    else if (!session->present)
        return;
    else if (dice < 80)
        say(simulation, random, number);
    else if (dice < 86)
        rename_to(simulation, random, number);
    else if (dice < 92)
        add(simulation, SIMULATED_PRIVATE, number, true,
            "! Unknown command /ask%lu; /help lists the commands", ++session->asked);
    else if (dice < 95)
        add(simulation, SIMULATED_PRIVATE, number, true, "* 3 here: a b c");
    else if (number > 1 && dice < 97)
        session->frozen = true;
    else if (number > 1 && dice < 99)
        end(simulation, random, number);
}

/* Disconnects sessions that are still frozen, so that all that stay receive the final message. */
static void finish(struct simulation *simulation, struct random *random)
{
    for (size_t at = 2; at < simulation->session_count; at++)
        if (simulation->session[at].frozen && simulation->session[at].present)
            be_ended(simulation, random, at);
    say(simulation, random, 1);
}

struct simulation *simulation_make(uint64_t seed)
{
    struct simulation *simulation = zeroed(1, sizeof(*simulation));
    struct random random = {seed};

    simulation->record_count = 1;
    for (int at = 0; at < 4; at++)
        join(simulation);
    for (int at = 0; at < STEPS; at++)
        step(simulation, &random);
    finish(simulation, &random);
    simulation_render(simulation);
    return simulation;
}

static void render_session(struct simulation *simulation, size_t number)
{
    struct simulation_session *session = &simulation->session[number];
    size_t length = 0;

    free(session->bytes);
    session->bytes = zeroed(session->given_count + 2, SIMULATION_LINE);
    for (size_t at = 0; at < session->given_count; at++)
        length += (size_t)sprintf(
            session->bytes + length, "%s\n", simulation->record[session->given[at]].line);
    length += (size_t)sprintf(session->bytes + length, "%s", session->piece);
    simulation->seen[number] = (struct checker_session){
        .received = session->bytes,
        .length = length,
        .address = session->address,
        .writer = (unsigned)number + 1,
        .said = session->said,
        .asked = session->asked,
        .wish = session->wish,
        .sight = session->sight,
    };
}

static void render_leave(
    const struct simulation_session *session, size_t number, char *text, size_t size)
{
    char missing[24] = "none";

    if (session->first_missing != 0)
        snprintf(missing, sizeof(missing), "%zu", session->first_missing);
    snprintf(text, size,
        "2026-11-22T22:00:00.000Z level=info event=leave slot=%zu generation=1 name=%s address=%s "
        "reason=%s drain=%s joined=%zu owed_to=0 first_missing=%s\n",
        number, session->name, session->address, session->reason, session->drain, session->joined,
        missing);
}

static void render_log(struct simulation *simulation)
{
    size_t room = (SIMULATION_SESSIONS * 2 + simulation->record_count) * 300;
    char *end;

    free(simulation->log);
    end = simulation->log = zeroed(room, 1);
    for (size_t at = 0; at < simulation->session_count; at++) {
        const struct simulation_session *session = &simulation->session[at];

        end += sprintf(end,
            "2026-11-22T22:00:00.000Z level=info event=join slot=%zu generation=1 name=%s "
            "address=%s sequence=%zu\n",
            at, session->first_name, session->address, session->joined);
    }
    for (size_t at = 1; at < simulation->record_count; at++)
        if (simulation->record[at].kind == SIMULATED_EVENT &&
            strstr(simulation->record[at].line, " is now ") != NULL)
            end += sprintf(end, "level=info event=rename slot=%zu generation=1 sequence=%zu\n",
                simulation->record[at].about, at);
    for (size_t at = 0; at < simulation->session_count; at++)
        if (simulation->session[at].ended) {
            render_leave(&simulation->session[at], at, end, 300);
            end += strlen(end);
        }
}

void simulation_render(struct simulation *simulation)
{
    for (size_t at = 0; at < simulation->session_count; at++)
        render_session(simulation, at);
    render_log(simulation);
    simulation->run = (struct checker_run){
        .sessions = simulation->seen,
        .count = simulation->session_count,
        .witness = 0,
        .server_log = simulation->log,
    };
}

void simulation_free(struct simulation *simulation)
{
    for (size_t at = 0; at < simulation->session_count; at++) {
        free(simulation->session[at].given);
        free(simulation->session[at].bytes);
    }
    free(simulation->log);
    free(simulation);
}
