/* SPDX-License-Identifier: ISC */
/*
 * chatroomd.c - main(): options, then the supervisor with its table of worker kinds.
 *
 * The supervisor and the workers do not know of each other; they meet here.
 */
#include "config.h"

#include "base/log.h"
#include "base/options.h"
#include "base/proctitle.h"
#include "courier/courier.h"
#include "process/jail.h"
#include "region/region.h"
#include "selftest/selftest.h"
#include "supervisor/supervisor.h"
#include "worker/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct process_kind process_kinds[KIND_COUNT] = {
    [KIND_WORKER] = {"client", worker_run_client, jail_prepare},
    [KIND_COURIER] = {"courier", courier_run, jail_prepare},
    [KIND_SELFTEST] = {"selftest", selftest_run, NULL},
};

/* Before any output, since output alone can raise SIGPIPE (the reader of the log has gone), SIGXFSZ
 * (the log file or the shared memory may not grow) and SIGTTOU (the terminal is not to be written
 * to from the background). The others are ignored until the event loop has its handlers. What a
 * parent has blocked is unblocked, and SIGCHLD has its default, without which the status of a child
 * is not kept. */
static void set_signals(void)
{
    static const int ignored[] = {SIGPIPE, SIGXFSZ, SIGTTOU, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM,
        SIGVTALRM, SIGPROF, SIGIO, SIGPWR};
    sigset_t none;

    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        signal(ignored[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Descriptors 0 to 2 are open, so that no socket of ours ever becomes one of them. */
static void fill_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

static void print_region(const struct options *options)
{
    struct region_geometry geometry = {
        .slot_count = options->max_clients,
        .courier_count = options->couriers,
        .ring_size = options->ring_size,
        .outbox_size = options->outbox_size,
    };
    struct region_header layout;

    printf("# shared memory (/dev/shm) needed: %llu KiB\n",
        (unsigned long long)region_layout(&geometry, &layout) / 1024);
}

int main(int argc, char **argv)
{
    struct options options;
    int status = EXIT_SUCCESS;

    set_signals();
    fill_standard_descriptors();
    proctitle_init(argc, argv);
    if (options_read(&options, argc, argv, &status) == OPTIONS_EXIT)
        return status;
    if (options.print) {
        options_print(&options, stdout);
        print_region(&options);
    } else if (options.check) {
        printf("chatroomd: configuration OK\n");
    } else {
        log_open(options.log_level);
        status = supervisor_run(&options, process_kinds);
    }
    options_free(&options);
    return status;
}
