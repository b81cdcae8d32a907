/* SPDX-License-Identifier: ISC */
/*
 * System test: random bytes. Fifty clients send random bytes while other clients join, talk and
 * leave. The delivery checker (tests/checker) checks what these other clients receive; the fifty
 * are strangers to it. None of the other clients is disconnected, and no worker dies.
 *
 * CHATROOMD_NOISE_SEED in the environment replaces the seed; CHATROOMD_LONG=1 sends a million
 * lines.
 */
#include "config.h"

#include "tests/checker/random.h"
#include "tests/checker/workload.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/daemon.h"
#include "tests/system/modes.h"
#include "tests/system/workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOISY          50
#define LINES          20000
#define LINES_LONG     1000000
#define LINES_PER_TURN 500
#define UNSENT_MAX     4096
#define BYTES_MAX      32

struct noise {
    struct daemon *daemon;
    struct random random;
    struct client *clients[NOISY];
    bool finished[NOISY]; /* its output is ended */
    unsigned lines, sent;
    int64_t deadline; /* for the next thing that must happen */
};

static unsigned lines_in_all(void)
{
    const char *wish = getenv("CHATROOMD_LONG");

    return wish != NULL && strcmp(wish, "1") == 0 ? LINES_LONG : LINES;
}

static uint64_t seed(void)
{
    const char *wish = getenv("CHATROOMD_NOISE_SEED");

    return wish == NULL ? 1 : strtoull(wish, NULL, 10);
}

/* Random bytes and a line feed; there may be more line feeds among them. */
static void queue_noise(struct random *random, struct client *client)
{
    char bytes[BYTES_MAX + 1];
    size_t length = random_below(random, BYTES_MAX);

    for (size_t at = 0; at < length; at++)
        bytes[at] = (char)random_below(random, 256);
    bytes[length++] = '\n';
    client_queue(client, bytes, length);
}

static void make_noise(struct noise *noise)
{
    for (int times = 0; times < LINES_PER_TURN && noise->sent < noise->lines; times++) {
        struct client *client = noise->clients[random_below(&noise->random, NOISY)];

        if (client_unsent(client) >= UNSENT_MAX)
            continue;
        queue_noise(&noise->random, client);
        noise->sent++;
        noise->deadline = bounded_deadline(BOUND_MS);
    }
}

/* Half-closes the noisy clients that have sent everything. Returns whether any is still
 * connected. */
static bool finish(struct noise *noise)
{
    unsigned here = 0;

    for (unsigned at = 0; at < NOISY; at++) {
        struct client *client = noise->clients[at];

        if (client->ended)
            continue;
        here++;
        if (noise->finished[at] || client_unsent(client) > 0)
            continue;
        noise->finished[at] = true;
        noise->deadline = bounded_deadline(BOUND_MS);
        client_half_close(client);
    }
    return here > 0;
}

/* One turn of all noisy clients. */
static bool go_on(void *context)
{
    struct noise *noise = context;

    for (unsigned at = 0; at < NOISY && noise->clients[at] == NULL; at++)
        noise->clients[at] = client_open(daemon_address(noise->daemon, 0), 0);
    ck_assert_msg(bounded_now() < noise->deadline, "the noise is not taken");
    client_turn(noise->clients, NOISY, bounded_now());
    if (noise->sent < noise->lines) {
        make_noise(noise);
        return true;
    }
    return finish(noise);
}

START_TEST(random_bytes_of_fifty_clients_harm_nobody_else)
{
    struct noise noise = {
        .daemon = daemon_start(OPTIONS("-o", "max-clients=70")),
        .random = {seed()},
        .lines = lines_in_all(),
        .deadline = bounded_deadline(BOUND_MS),
    };
    struct workload_plan plan = {
        .seed = seed(),
        .at_once = 8,
        .newcomers = 24,
        .messages = 1000,
        .payload_max = 60,
        .quits = 6,
        .half_closes = 6,
        .pauses = 20,
        .disturb = go_on,
        .context = &noise,
        .daemon = noise.daemon,
    };
    struct checker_report report;
    struct workload *workload = workload_play(&plan);

    ck_assert_msg(workload_check(workload, &report), "seed %llu: %lu faults:\n%s",
        (unsigned long long)plan.seed, report.faults, report.text);
    ck_assert_msg(report.ended == 0, "seed %llu: %lu honest clients were ended",
        (unsigned long long)plan.seed, report.ended);
    ck_assert(!daemon_has_log(noise.daemon, "event=worker-crash", NULL));
    ck_assert(!daemon_has_log(noise.daemon, "event=worker-fault", NULL));
    printf("seed %llu, %u lines of noise: %lu records, %lu deliveries, no fault\n",
        (unsigned long long)plan.seed, noise.lines, report.records, report.deliveries);
    workload_free(workload);
    for (unsigned at = 0; at < NOISY; at++)
        client_close(noise.clients[at]);
    daemon_wait_workers(noise.daemon, 0);
    daemon_stop(noise.daemon);
}
END_TEST

static Suite *noise_suite(void)
{
    Suite *suite = suite_create("system: noise");
    TCase *noise = tcase_create("noise");

    tcase_set_timeout(noise, 20 * BOUND_CASE_SECONDS);
    tcase_add_test(noise, random_bytes_of_fifty_clients_harm_nobody_else);
    suite_add_tcase(suite, noise);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(noise_suite)
