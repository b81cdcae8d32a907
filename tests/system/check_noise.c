/*
 * System test: bytes without any grammar. Fifty clients send random bytes while honest ones talk;
 * the honest ones lose nothing, and no worker dies of it.
 *
 * CHATROOMD_NOISE_SEED in the environment replaces the seed; CHATROOMD_LONG=1 makes it a million
 * lines.
 */
#include "config.h"

#include "tests/checker/random.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/crowd.h"
#include "tests/system/daemon.h"
#include "tests/system/modes.h"
#include "tests/system/workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HONEST = 4, NOISY = 50, EVERYBODY = HONEST + NOISY };

#define LINES         20000
#define LINES_LONG    1000000
#define LINES_AT_ONCE 5
#define UNSENT_MAX    4096
#define BYTES_MAX     32
/* How many messages each honest speaker says in all. */
#define MESSAGES 100

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

/* Sends the noise, the honest speakers' words spread over it. */
static void make_noise(struct client *const *crowd, struct random *random)
{
    unsigned lines = lines_in_all(), sent = 0, said = 0;
    int64_t deadline = bounded_deadline(BOUND_MS);

    while (sent < lines) {
        struct client *client = crowd[HONEST + random_below(random, NOISY)];

        if (client_unsent(client) < UNSENT_MAX) {
            for (int times = 0; times < LINES_AT_ONCE; times++, sent++)
                queue_noise(random, client);
            deadline = bounded_deadline(BOUND_MS);
        }
        for (; said < (uint64_t)sent * MESSAGES / lines; said++)
            for (size_t at = 1; at < HONEST; at++)
                crowd_queue(crowd[at], said, 1);
        client_turn(crowd, EVERYBODY, bounded_now());
        ck_assert_msg(bounded_now() < deadline, "the noise is not taken");
    }
}

/* Ends a client's output once all is sent, and waits for its end. */
static void finish(struct client *const *crowd, struct client *client)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    while (client_unsent(client) > 0)
        ck_assert(client_turn(crowd, EVERYBODY, deadline));
    if (!client->ended)
        client_half_close(client);
    crowd_run_until_end(crowd, EVERYBODY, client);
}

START_TEST(random_bytes_from_fifty_clients)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "max-clients=60"));
    struct random random = {seed()};
    struct client *crowd[EVERYBODY], *next;
    char left[80];

    printf("seed %llu, %u lines\n", (unsigned long long)random.state, lines_in_all());
    client_join_room(daemon_address(daemon, 0), crowd, HONEST);
    for (size_t at = HONEST; at < EVERYBODY; at++)
        crowd[at] = client_join(daemon_address(daemon, 0));
    make_noise(crowd, &random);
    for (size_t at = HONEST; at < EVERYBODY; at++)
        finish(crowd, crowd[at]);
    for (size_t at = 1; at < HONEST; at++) {
        finish(crowd, crowd[at]);
        snprintf(left, sizeof(left), "* %s left", crowd[at]->name);
        crowd_run_until_line(crowd, EVERYBODY, crowd[0], left);
        crowd_expect_whole(crowd[at], crowd[0], left);
    }
    ck_assert_uint_ge(crowd_messages(crowd[0]), (HONEST - 1) * MESSAGES);
    ck_assert(!daemon_has_log(daemon, "event=worker-crash", NULL));
    daemon_wait_workers(daemon, 1);
    next = client_join(daemon_address(daemon, 0));
    client_close(next);
    for (size_t at = 0; at < EVERYBODY; at++)
        client_close(crowd[at]);
    daemon_stop(daemon);
}
END_TEST

static Suite *noise_suite(void)
{
    Suite *suite = suite_create("system: noise");
    TCase *noise = tcase_create("noise");

    tcase_set_timeout(noise, 20 * BOUND_CASE_SECONDS);
    tcase_add_test(noise, random_bytes_from_fifty_clients);
    suite_add_tcase(suite, noise);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(noise_suite)
