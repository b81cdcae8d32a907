/* SPDX-License-Identifier: ISC */
/*
 * chatroomd.c - main(): the forkers, the options, then the supervisor.
 *
 * The forkers are forked before anything else, so that no child has the configuration in its memory.
 * The table of process kinds is made here, because the kinds' folders do not know of each other, nor
 * the supervisor of them.
 */
#include "config.h"

#include "base/log.h"
#include "base/options.h"
#include "base/proctitle.h"
#include "process/forker.h"
#include "region/region.h"
#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORKERS 2

static const struct process_kind *const rows[KIND_COUNT] = {
#define KIND(symbol, row) [KIND_##symbol] = &row,
    KINDS(KIND)
#undef KIND
};

static const struct process_kinds kinds = {.rows = rows, .count = KIND_COUNT};

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

/* Opens descriptors 0 to 2, so that no socket ever becomes one of them. */
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

/* Does what the options say. Returns the exit status. */
static int run(const struct options *options, struct forker *forkers)
{
    if (options->print) {
        options_print(options, stdout);
        print_region(options);
        return EXIT_SUCCESS;
    }
    if (options->check) {
        printf("chatroomd: configuration OK\n");
        return EXIT_SUCCESS;
    }
    log_open(options->log_level);
    return supervisor_run(options, &kinds, forkers);
}

/* Closes stdout. Returns whether everything that was printed has been written: a full disk shows only
 * now. If the reader has gone, no error is printed. */
static bool close_output(void)
{
    bool failed = ferror(stdout) != 0;

    errno = 0;
    if (fclose(stdout) == 0 && !failed)
        return true;
    if (errno != EPIPE)
        fprintf(stderr, "chatroomd: cannot write to standard output: %s\n",
            errno == 0 ? "write error" : strerror(errno));
    return false;
}

int main(int argc, char **argv)
{
    struct options options;
    struct forker forkers[FORKERS];
    int status = EXIT_SUCCESS;

    set_signals();
    fill_standard_descriptors();
    proctitle_init(argc, argv);
    for (int i = 0; i < FORKERS; i++)
        if (!forker_start(&forkers[i], &kinds, i > 0))
            perror("chatroomd: cannot create a process"); /* spawner_prepare() fails then */
    if (options_read(&options, argc, argv, &status) != OPTIONS_EXIT) {
        status = run(&options, forkers);
        options_free(&options);
    }
    for (int i = 0; i < FORKERS; i++)
        forker_stop(&forkers[i]);
    return close_output() ? status : EXIT_FAILURE;
}
