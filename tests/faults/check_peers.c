/* SPDX-License-Identifier: ISC */
/*
 * Fault test: hosts that vanish, and hosts that are alive while their client does not read.
 *
 * Model: the test and the daemon are in a network namespace of their own, whose loopback interface
 * is the network: taken down, it loses every packet, and nobody is told. A witness on a local socket
 * sees who is taken for gone. A case that may not have a namespace prints "skipped: WHY".
 */
#include "config.h"

#include "tests/faults/faults.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/daemon.h"
#include "tests/system/folder.h"
#include "tests/system/modes.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEER_TIMEOUT_MS 5000
#define LATE_MS         (2000 * bounded_multiplier()) /* for a busy machine */
#define BLOCK           "%01000d\n"
#define BLOCKS          400 /* more than the windows of a small socket, and less than the ring */

static void set_loopback(bool is_up)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(ioctl(fd, SIOCGIFFLAGS, &request), 0);
    request.ifr_flags = (short)(is_up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
    ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    close(fd);
}

struct scene {
    struct daemon *daemon;
    struct client *witness, *far;
};

/* One on the network, which has a small window, and one that is not. */
static bool open_scene(struct scene *scene)
{
    char address[200];

    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        fault_skip("there can be no network namespace (%s)", strerror(errno));
        return false;
    }
    set_loopback(true);
    folder_name(address, sizeof(address), "unix:", "socket");
    scene->daemon = daemon_start(OPTIONS("-l", "127.0.0.1:0", "-l", address, "-o",
        "peer-timeout=5 s", "-o", "stall-grace=1 h", "-o", "ring-size=4 MiB"));
    scene->far = client_join_small(daemon_address(scene->daemon, 0), 4096);
    scene->witness = client_join(address);
    client_expect(scene->far, "* guest2 joined");
    return true;
}

static void close_scene(struct scene *scene)
{
    client_close(scene->far);
    client_close(scene->witness);
    daemon_stop(scene->daemon);
}

/* The network is lost. The other one must be taken for gone in time, and not much sooner than when
 * it has not been heard of for `least_ms`. */
static void expect_gone(struct scene *scene, int least_ms)
{
    int64_t start = bounded_now(), took;

    set_loopback(false);
    while (strstr(client_line(scene->witness), "guest1 left") == NULL)
        continue;
    took = bounded_now() - start;
    printf("noticed after %lld ms\n", (long long)took);
    ck_assert_msg(took <= PEER_TIMEOUT_MS + LATE_MS, "noticed after %lld ms", (long long)took);
    ck_assert_msg(took >= least_ms, "noticed after %lld ms already", (long long)took);
    daemon_wait_log(scene->daemon, "event=leave", "name=guest1", "reason=connection-lost", NULL);
}

START_TEST(a_host_that_vanishes_from_a_quiet_room)
{
    struct scene scene;

    if (!open_scene(&scene))
        return;
    expect_gone(&scene, PEER_TIMEOUT_MS / 2);
    close_scene(&scene);
}
END_TEST

START_TEST(a_host_that_vanishes_while_somebody_speaks)
{
    struct scene scene;

    if (mode_is_workers() || !open_scene(&scene))
        return;
    set_loopback(false);
    client_send(scene.witness, "anybody there?\n");
    expect_gone(&scene, PEER_TIMEOUT_MS / 2);
    close_scene(&scene);
}
END_TEST

/* The window of the one on the network is shut: it does not read. */
static void suspend(struct scene *scene)
{
    scene->far->reads = false;
    for (int i = 0; i < BLOCKS; i++)
        client_queue_text(scene->witness, BLOCK, i);
    client_send(scene->witness, "the last\n");
}

static void pass(struct scene *scene, int milliseconds)
{
    int64_t end = bounded_deadline(milliseconds);

    while (client_turn(&scene->witness, 1, end))
        ck_assert_msg(!scene->witness->ended, "the witness is gone");
}

START_TEST(a_suspended_client_stays)
{
    struct scene scene;

    if (!open_scene(&scene))
        return;
    suspend(&scene);
    pass(&scene, 3 * PEER_TIMEOUT_MS);
    ck_assert(!daemon_has_log(scene.daemon, "event=leave", NULL));
    scene.far->reads = true;
    client_expect_later(scene.far, "[guest2] the last");
    client_expect_silence(scene.far, &scene.witness, 1);
    client_expect_silence(scene.witness, &scene.far, 1);
    close_scene(&scene);
}
END_TEST

START_TEST(a_host_that_vanishes_behind_a_shut_window)
{
    struct scene scene;

    if (mode_is_workers() || !open_scene(&scene))
        return;
    suspend(&scene);
    pass(&scene, 3 * PEER_TIMEOUT_MS / 2 + (_i * PEER_TIMEOUT_MS) / 4);
    expect_gone(&scene, 0);
    close_scene(&scene);
}
END_TEST

static Suite *peers_suite(void)
{
    Suite *suite = suite_create("faults: peers");
    TCase *peers = tcase_create("peers");

    tcase_set_timeout(peers, FAULT_CASE_SECONDS);
    tcase_add_test(peers, a_host_that_vanishes_from_a_quiet_room);
    tcase_add_test(peers, a_host_that_vanishes_while_somebody_speaks);
    tcase_add_test(peers, a_suspended_client_stays);
    tcase_add_loop_test(peers, a_host_that_vanishes_behind_a_shut_window, 0, fault_times(1, 8));
    suite_add_tcase(suite, peers);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(peers_suite)
