/* SPDX-License-Identifier: ISC */
/*
 * Soak test: messages without end, while clients join and leave all the time. CHATROOMD_SOAK in the
 * environment is the number of deliveries (make soak: 100 million); without it the test is short.
 *
 * Model: clients that are there from the beginning and only read receive the same bytes. One of
 * them, the witness, is read line by line: every message is whole, and the numbers of each writer
 * rise by one. The others are compared with the witness byte by byte, and only what one of them has
 * yet to receive is kept. The run has phases. At the end of each phase everything is delivered and
 * the clients that joined are gone; then the server's figures must be within 1 % of those at the
 * end of the first phase.
 */
#include "config.h"

#include "tests/checker/message.h"
#include "tests/checker/random.h"
#include "tests/faults/faults.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/daemon.h"
#include "tests/system/modes.h"
#include "tests/system/workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITERS   4
#define READERS   40
#define GUESTS    6 /* at a time */
#define PHASES    10
#define UNSENT    16384
#define CLIENTS   (WRITERS + READERS + GUESTS)
#define STEADY    (WRITERS + READERS)
#define BOUND_S   3600
#define SPARE_KIB 64 /* memory comes in larger pieces than 1 % */

struct soak {
    struct daemon *daemon;
    struct random random;
    /* The writers, the readers with the witness first, and then the present guests. */
    struct client *clients[CLIENTS];
    size_t guests;
    size_t ahead[READERS];        /* bytes of the witness's buffer that a reader has received too */
    unsigned long said[WRITERS];  /* numbers of their last messages ... */
    unsigned long heard[WRITERS]; /* ... that the witness has received */
    size_t parsed;                /* bytes of the witness's buffer that were checked */
    unsigned long lines;          /* of the witness */
    unsigned long deliveries;
    unsigned long came;
};

struct figures {
    size_t descriptors, memory, slots;
};

static struct client *witness_of(struct soak *soak)
{
    return soak->clients[WRITERS];
}

static void drop(struct client *client, size_t length)
{
    memmove(client->in.data, client->in.data + length, client->in.length - length + 1);
    client->in.length -= length;
}

/* --- what is said --- */

static void talk(struct soak *soak)
{
    char payload[64], text[MESSAGE_ROOM];

    for (unsigned at = 0; at < WRITERS; at++)
        while (client_unsent(soak->clients[at]) < UNSENT) {
            size_t length;

            random_text(&soak->random, payload, random_below(&soak->random, sizeof(payload)));
            length = message_compose(text, at + 1, ++soak->said[at], payload);
            text[length++] = '\n';
            client_queue(soak->clients[at], text, length);
        }
}

/* Guests join, read for a while, and leave, in order or not. */
static void let_guests_come_and_go(struct soak *soak)
{
    unsigned dice = random_below(&soak->random, 8);
    struct client *guest;

    if (dice < 2 && soak->guests < GUESTS) {
        guest = client_open(daemon_address(soak->daemon, 0), 0);
        soak->clients[STEADY + soak->guests++] = guest;
        soak->came++;
    } else if (dice >= 6 && soak->guests > 0) {
        guest = soak->clients[STEADY + --soak->guests];
        if (dice == 6)
            client_reset(guest);
        else
            client_close(guest);
    }
}

/* --- what is heard --- */

/* Checks a line of the witness. Guests only join and leave. */
static void look_at(struct soak *soak, const char *line, size_t length)
{
    const char *text = line[0] == '[' ? memmem(line, length, "] ", 2) : NULL;
    unsigned long number;
    unsigned writer;

    soak->lines++;
    if (line[0] == '*')
        return;
    ck_assert_msg(text != NULL &&
                      message_parse(text + 2, length - (size_t)(text + 2 - line), &writer, &number),
        "the witness got: %.*s", (int)length, line);
    ck_assert_msg(writer >= 1 && writer <= WRITERS && number == soak->heard[writer - 1] + 1,
        "number %lu of writer %u comes after number %lu", number, writer, soak->heard[writer - 1]);
    soak->heard[writer - 1] = number;
}

static void read_witness(struct soak *soak)
{
    const struct client *witness = witness_of(soak);
    const char *end;

    while (soak->parsed < witness->in.length) {
        const char *start = witness->in.data + soak->parsed;

        end = memchr(start, '\n', witness->in.length - soak->parsed);
        if (end == NULL)
            return;
        look_at(soak, start, (size_t)(end - start));
        soak->parsed += (size_t)(end + 1 - start);
    }
}

/* Compares a reader with the witness; returns how far it is in the witness's buffer. */
static size_t compare(struct soak *soak, size_t at)
{
    struct client *reader = soak->clients[WRITERS + at], *witness = witness_of(soak);
    size_t length = witness->in.length - soak->ahead[at];

    ck_assert_msg(!reader->ended, "%s is ended", reader->name);
    if (length > reader->in.length)
        length = reader->in.length;
    if (length > 0) {
        ck_assert_msg(memcmp(reader->in.data, witness->in.data + soak->ahead[at], length) == 0,
            "%s got something else than the witness, after line %lu", reader->name, soak->lines);
        drop(reader, length);
        soak->ahead[at] += length;
    }
    return soak->ahead[at];
}

static void hear(struct soak *soak)
{
    size_t least;

    read_witness(soak);
    least = soak->parsed;
    for (size_t at = 1; at < READERS; at++) {
        size_t reached = compare(soak, at);

        least = reached < least ? reached : least;
    }
    for (size_t at = 1; at < READERS; at++)
        soak->ahead[at] -= least;
    soak->parsed -= least;
    if (least > 0)
        drop(witness_of(soak), least);
    for (size_t at = 0; at < WRITERS; at++)
        fault_forget(soak->clients[at]);
    for (size_t at = STEADY; at < STEADY + soak->guests; at++)
        fault_forget(soak->clients[at]);
}

/* --- phases --- */

static bool is_all_heard(struct soak *soak)
{
    for (size_t at = 0; at < WRITERS; at++)
        if (soak->heard[at] != soak->said[at])
            return false;
    for (size_t at = 1; at < READERS; at++)
        if (soak->ahead[at] != witness_of(soak)->in.length)
            return false;
    return true;
}

static void turn(struct soak *soak)
{
    ck_assert_msg(client_turn(soak->clients, STEADY + soak->guests, bounded_deadline(BOUND_MS)) ||
                      is_all_heard(soak),
        "nothing moves any more");
    hear(soak);
}

static struct figures figures_of(struct soak *soak)
{
    fault_wait_slots(soak->daemon, STEADY);
    return (struct figures){
        .descriptors = fault_descriptors(daemon_pid(soak->daemon)),
        .memory = fault_private_kib(daemon_pid(soak->daemon)) +
                  fault_private_kib(daemon_forker(soak->daemon)),
        .slots = (size_t)fault_counter(soak->daemon, "slots"),
    };
}

/* All talk until so many deliveries are made; then the guests leave, and everything is received. */
static struct figures play_phase(struct soak *soak, unsigned long deliveries)
{
    unsigned long end = soak->deliveries + deliveries, before = soak->lines;

    while (soak->deliveries < end) {
        talk(soak);
        let_guests_come_and_go(soak);
        turn(soak);
        soak->deliveries += (soak->lines - before) * READERS;
        before = soak->lines;
    }
    while (soak->guests > 0)
        client_close(soak->clients[STEADY + --soak->guests]);
    while (!is_all_heard(soak))
        turn(soak);
    soak->deliveries += (soak->lines - before) * READERS;
    return figures_of(soak);
}

static bool is_flat(size_t before, size_t now, size_t spare)
{
    return now <= before + before / 100 + spare;
}

static unsigned long wanted_deliveries(void)
{
    const char *wish = getenv("CHATROOMD_SOAK");

    return wish == NULL ? (unsigned long)fault_times(2000000, 20000000) : strtoul(wish, NULL, 10);
}

static void soak_open(struct soak *soak)
{
    *soak = (struct soak){.random = {.state = 8}, .daemon = daemon_start(NULL)};
    fault_join_many(daemon_address(soak->daemon, 0), soak->clients, STEADY, 0);
    fault_align(soak->clients[0], soak->clients, STEADY, "here we go");
    for (size_t at = 0; at < STEADY; at++) {
        drop(soak->clients[at], soak->clients[at]->cursor);
        soak->clients[at]->cursor = 0;
    }
}

START_TEST(the_server_s_figures_do_not_grow)
{
    unsigned long wanted = wanted_deliveries();
    struct figures first = {0}, now = {0};
    struct soak soak;

    soak_open(&soak);
    for (int phase = 0; phase < PHASES; phase++) {
        now = play_phase(&soak, wanted / PHASES);
        if (phase == 0)
            first = now;
        ck_assert_uint_eq(now.descriptors, first.descriptors);
        ck_assert_uint_eq(now.slots, first.slots);
        ck_assert_msg(fault_sanitizers() || is_flat(first.memory, now.memory, SPARE_KIB),
            "%zu KiB after the first phase, %zu KiB after phase %d", first.memory, now.memory,
            phase + 1);
    }
    printf("%lu deliveries of %lu records to %d readers, %lu guests came and went; descriptors "
           "%zu to %zu, slots %zu to %zu, memory %zu to %zu KiB\n",
        soak.deliveries, soak.lines, READERS, soak.came, first.descriptors, now.descriptors,
        first.slots, now.slots, first.memory, now.memory);
    fault_close_all(soak.clients, STEADY);
    daemon_wait_workers(soak.daemon, 0);
    daemon_stop(soak.daemon);
}
END_TEST

static Suite *soak_suite(void)
{
    Suite *suite = suite_create("faults: soak");
    TCase *soak = tcase_create("soak");

    tcase_set_timeout(soak, getenv("CHATROOMD_SOAK") != NULL ? BOUND_S : FAULT_CASE_SECONDS);
    tcase_add_test(soak, the_server_s_figures_do_not_grow);
    suite_add_tcase(suite, soak);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(soak_suite)
