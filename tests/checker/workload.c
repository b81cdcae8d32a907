/* SPDX-License-Identifier: ISC */
/*
 * workload.c - a seeded workload; see workload.h for the model.
 *
 * Invariants: a participant does something only while it is in the room (PLAYING); from then on its
 * writer number is its index here plus 1. The bytes that it has received stay in its client until
 * workload_free(), even after its connection is gone. participants[0] is the witness, [1] the
 * conductor.
 */
#include "config.h"

#include "tests/checker/workload.h"

#include "tests/checker/lives.h"
#include "tests/checker/message.h"
#include "tests/checker/random.h"
#include "tests/system/address.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WITNESS   0
#define CONDUCTOR 1

#define DEADLINE_MS   60000
#define BURST_MAX     20
#define UNSENT_MAX    ((size_t)64 * 1024)
#define PAUSE_MAX     200 /* turns */
#define ACTS_PER_TURN 3
/* SO_RCVBUF of one in four; the kernel makes it somewhat larger. */
#define TINY_BUFFER 2048

enum phase {
    PHASE_ARRIVING,  /* it has not received its welcome yet */
    PHASE_PLAYING,   /* it is in the room and does something */
    PHASE_FINISHING, /* it half-closes as soon as everything is sent */
    PHASE_FINISHED,  /* it does nothing more */
};

struct participant {
    struct client *client;
    enum phase phase;
    enum checker_wish wish;
    char address[64];
    unsigned long said;
    unsigned long asked;
    unsigned long heard; /* the number of its last message that the witness has received */
    unsigned renamed;
    unsigned pause; /* turns until it reads again; UINT_MAX: not before the end */
};

struct workload {
    const struct workload_plan *plan;
    struct random random;
    struct participant *participants;
    unsigned count;
    unsigned long messages;
    struct client **clients; /* of one turn */
    const char *spared[3];
};

#define FOREVER (~0u)

static struct participant *arrive(struct workload *workload, int receive_buffer)
{
    struct participant *participant = &workload->participants[workload->count++];

    participant->client = client_open(daemon_address(workload->plan->daemon, 0), receive_buffer);
    address_local(participant->client->input, participant->address, sizeof(participant->address));
    return participant;
}

/* Returns whether it is in the room and still connected. */
static bool is_here(const struct participant *participant)
{
    return participant->phase == PHASE_PLAYING && !participant->client->ended;
}

/* Once a new client has received its first line, it is in the room, or was refused. */
static void settle_newcomer(struct participant *participant)
{
    struct client *client = participant->client;
    const char *line = client_take(client);

    if (line == NULL)
        return;
    participant->phase = line[0] == '*' ? PHASE_PLAYING : PHASE_FINISHED;
    if (line[0] != '*')
        return;
    sscanf(line, "* Welcome to chatroomd; you are %32[^;]", client->name);
}

static void settle_pause(struct participant *participant)
{
    if (participant->pause == 0 || participant->pause == FOREVER)
        return;
    if (--participant->pause == 0)
        participant->client->reads = true;
}

/* Records what the witness has received since the last turn, by writer. */
static void settle_heard(struct workload *workload)
{
    const char *line, *text;
    unsigned long number;
    unsigned writer;

    while ((line = client_take(workload->participants[WITNESS].client)) != NULL) {
        text = line[0] == '[' ? strstr(line, "] ") : NULL;
        if (text != NULL && message_parse(text + 2, strlen(text + 2), &writer, &number) &&
            writer <= workload->count)
            workload->participants[writer - 1].heard = number;
    }
}

static void settle(struct workload *workload)
{
    for (unsigned at = 0; at < workload->count; at++) {
        struct participant *participant = &workload->participants[at];

        if (participant->phase == PHASE_ARRIVING)
            settle_newcomer(participant);
        if (participant->phase == PHASE_FINISHING && client_unsent(participant->client) == 0) {
            if (!participant->client->ended)
                client_half_close(participant->client);
            participant->phase = PHASE_FINISHED;
        }
        settle_pause(participant);
    }
    settle_heard(workload);
}

/* Sends and receives for all, for at most `milliseconds`. */
static void turn(struct workload *workload, int milliseconds)
{
    size_t count = 0;

    for (unsigned at = 0; at < workload->count; at++)
        if (!workload->participants[at].client->ended)
            workload->clients[count++] = workload->participants[at].client;
    client_turn(workload->clients, count, bounded_deadline(milliseconds));
    settle(workload);
}

static void say(struct workload *workload, struct participant *participant)
{
    unsigned writer = (unsigned)(participant - workload->participants) + 1;
    char payload[MESSAGE_PAYLOAD_MAX + 1], text[MESSAGE_ROOM];
    size_t length;

    random_text(
        &workload->random, payload, random_below(&workload->random, workload->plan->payload_max));
    length = message_compose(text, writer, ++participant->said, payload);
    text[length++] = '\n';
    client_queue(participant->client, text, length);
    workload->messages++;
}

static void ask(struct participant *participant)
{
    client_queue_text(participant->client, "/ask%lu\n", ++participant->asked);
}

static void pause_reading(struct participant *participant, unsigned turns)
{
    participant->pause = turns;
    participant->client->reads = false;
}

static void talk(struct workload *workload, struct participant *participant)
{
    unsigned burst = 1 + random_below(&workload->random, BURST_MAX);

    if (client_unsent(participant->client) > UNSENT_MAX)
        return;
    for (unsigned at = 0; at < burst; at++)
        say(workload, participant);
}

/* What a client does while it stays connected. */
static void chat(struct workload *workload, struct participant *participant)
{
    unsigned dice = random_below(&workload->random, 100);

    if (dice < 90)
        talk(workload, participant);
    else if (dice < 93)
        ask(participant);
    else if (dice < 95)
        client_queue_text(participant->client, "/who\n");
    else if (dice < 96)
        client_queue_text(participant->client, "/help\r\n\r\n");
    else
        client_queue_text(participant->client, "/nick u%u-%u\n",
            (unsigned)(participant - workload->participants), ++participant->renamed);
}

static void finish(struct participant *participant, bool by_quit)
{
    participant->wish = CHECKER_FINISHES;
    participant->phase = by_quit ? PHASE_FINISHED : PHASE_FINISHING;
    if (by_quit)
        client_queue_text(participant->client, "/quit that is all\n");
}

static void reset(struct participant *participant)
{
    participant->wish = CHECKER_RESETS;
    participant->phase = PHASE_FINISHED;
    client_break_off(participant->client);
}

/* Returns whether an event that happens `often` times in a thousand happens, and takes that
 * share off the dice. */
static bool falls(unsigned *dice, unsigned often)
{
    bool fallen = *dice < often;

    *dice -= fallen ? 0 : often;
    return fallen;
}

/* One of them does something; the conductor stays in any case. */
static void act(struct workload *workload)
{
    const struct workload_plan *plan = workload->plan;
    unsigned at = CONDUCTOR + random_below(&workload->random, workload->count - CONDUCTOR);
    unsigned dice = random_below(&workload->random, 1000);
    struct participant *participant = &workload->participants[at];

    if (!is_here(participant))
        return;
    if (at == CONDUCTOR)
        talk(workload, participant);
    else if (falls(&dice, plan->quits))
        finish(participant, true);
    else if (falls(&dice, plan->half_closes))
        finish(participant, false);
    else if (falls(&dice, plan->resets))
        reset(participant);
    else if (falls(&dice, plan->pauses))
        pause_reading(participant, 1 + random_below(&workload->random, PAUSE_MAX));
    else if (falls(&dice, plan->freezes))
        pause_reading(participant, FOREVER);
    else if (falls(&dice, plan->kills))
        plan->kill_worker(plan->context, workload->spared, random_below(&workload->random, 1000));
    else
        chat(workload, participant);
}

/* Returns how many take part, or will as soon as they receive their welcome. */
static unsigned count_here(const struct workload *workload)
{
    unsigned count = 0;

    for (unsigned at = CONDUCTOR + 1; at < workload->count; at++) {
        const struct participant *participant = &workload->participants[at];

        count += participant->phase == PHASE_ARRIVING ? !participant->client->ended
                                                      : is_here(participant);
    }
    return count;
}

static void play(struct workload *workload)
{
    const struct workload_plan *plan = workload->plan;
    int64_t deadline = bounded_deadline(DEADLINE_MS);
    bool disturbed = plan->disturb != NULL;

    while (disturbed || (bounded_now() < deadline && (workload->messages < plan->messages ||
                                                         workload->count < plan->newcomers + 2))) {
        if (workload->count < plan->newcomers + 2 && count_here(workload) < plan->at_once)
            arrive(workload, random_percent(&workload->random, 25) ? TINY_BUFFER : 0);
        for (int times = 0; times < ACTS_PER_TURN; times++)
            act(workload);
        disturbed = disturbed && plan->disturb(plan->context);
        turn(workload, 1);
    }
}

/* --- the end of a run --- */

/* Returns whether the server has `expected` clients, according to its workers and its log. The
 * workers alone do not show it: the `left` of a dead one may still wait for space. */
static bool serves_only(struct daemon *daemon, size_t expected)
{
    struct lives lives;
    size_t open = 0;

    if (daemon_count_workers(daemon) != expected)
        return false;
    lives_make(&lives, daemon_log(daemon));
    for (size_t at = 0; at < lives.count; at++)
        open += !lives.life[at].ended;
    lives_free(&lives);
    return open == expected;
}

/* Returns whether everything is sent, clients that asked to leave have left, the witness has
 * received everything from those that stay, and the server has logged every end. */
static bool is_settled(const struct workload *workload)
{
    size_t staying = 0;

    for (unsigned at = 0; at < workload->count; at++) {
        const struct participant *participant = &workload->participants[at];

        if (participant->client->ended)
            continue;
        if (participant->phase != PHASE_PLAYING || client_unsent(participant->client) > 0 ||
            participant->heard != participant->said)
            return false;
        staying++;
    }
    return serves_only(workload->plan->daemon, staying);
}

/* From now on all clients read, and none does anything new. */
static void calm(struct workload *workload)
{
    for (unsigned at = 0; at < workload->count; at++) {
        struct participant *participant = &workload->participants[at];

        participant->client->reads = true;
        participant->pause = 0;
        if (at != WITNESS && is_here(participant))
            say(workload, participant);
    }
}

/* Returns whether a whole line with these words is among the last that have arrived. */
static bool has(const struct client *client, const char *words)
{
    size_t recent = client->in.length < 4096 ? client->in.length : 4096;
    const char *at = recent == 0 ? NULL
                                 : memmem(client->in.data + client->in.length - recent, recent,
                                       words, strlen(words));

    return at != NULL && strchr(at, '\n') != NULL;
}

/* Returns whether all clients that are left have received the final message, and the conductor,
 * which does not receive it, an answer that follows it in the order. */
static bool is_over(const struct workload *workload, const char *final, const char *answer)
{
    for (unsigned at = 0; at < workload->count; at++) {
        const struct participant *participant = &workload->participants[at];

        if (!participant->client->ended &&
            !has(participant->client, at == CONDUCTOR ? answer : final))
            return false;
    }
    return true;
}

static void conclude(struct workload *workload)
{
    struct participant *conductor = &workload->participants[CONDUCTOR];
    int64_t deadline = bounded_deadline(DEADLINE_MS);
    char final[64], answer[64];

    calm(workload);
    while (!is_settled(workload) && bounded_now() < deadline)
        turn(workload, 5);
    say(workload, conductor);
    ask(conductor);
    snprintf(final, sizeof(final), "] w%d n%lu c", CONDUCTOR + 1, conductor->said);
    snprintf(answer, sizeof(answer), "/ask%lu;", conductor->asked);
    while (!is_over(workload, final, answer) && bounded_now() < deadline)
        turn(workload, 5);
}

struct workload *workload_play(const struct workload_plan *plan)
{
    struct workload *workload = calloc(1, sizeof(*workload));

    if (workload == NULL)
        abort();
    workload->plan = plan;
    workload->random.state = plan->seed;
    workload->participants = calloc(plan->newcomers + 2, sizeof(*workload->participants));
    workload->clients = calloc(plan->newcomers + 2, sizeof(*workload->clients));
    if (workload->participants == NULL || workload->clients == NULL)
        abort();
    for (unsigned at = WITNESS; at <= CONDUCTOR; at++) {
        client_line(arrive(workload, 0)->client);
        workload->participants[at].client->cursor = 0;
        settle(workload);
        workload->spared[at] = workload->participants[at].client->name;
    }
    play(workload);
    conclude(workload);
    return workload;
}

static enum checker_sight sight_of(const struct participant *participant)
{
    const struct client *client = participant->client;

    if (!client->ended || participant->wish == CHECKER_RESETS)
        return CHECKER_SEES_OPEN;
    return client->error == 0 ? CHECKER_SEES_END : CHECKER_SEES_ERROR;
}

bool workload_check(struct workload *workload, struct checker_report *report)
{
    struct checker_session *sessions = calloc(workload->count, sizeof(*sessions));
    struct checker_run run = {
        .sessions = sessions,
        .count = workload->count,
        .witness = WITNESS,
        .strangers = workload->plan->disturb != NULL,
        .server_log = daemon_log(workload->plan->daemon),
    };
    bool sound;

    if (sessions == NULL)
        abort();
    for (unsigned at = 0; at < workload->count; at++) {
        const struct participant *participant = &workload->participants[at];

        sessions[at] = (struct checker_session){
            .received = participant->client->in.data,
            .length = participant->client->in.length,
            .address = participant->address,
            .writer = at + 1,
            .said = participant->said,
            .asked = participant->asked,
            .wish = participant->wish,
            .sight = sight_of(participant),
        };
    }
    sound = checker_check(&run, report);
    free(sessions);
    return sound;
}

void workload_free(struct workload *workload)
{
    for (unsigned at = 0; at < workload->count; at++)
        client_close(workload->participants[at].client);
    free(workload->participants);
    free(workload->clients);
    free(workload);
}
