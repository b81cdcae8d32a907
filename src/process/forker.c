/* SPDX-License-Identifier: ISC */
/*
 * forker.c - the one place where processes are made.
 *
 * Model:
 * 1. The forker is made at the very start, before there are clients, an event loop or signal
 *    handlers. It has one socket to the supervisor and the region's two descriptors.
 * 2. For each worker it is sent the slot and its sockets, and makes a process by
 *    clone(CLONE_PARENT): the child is the supervisor's, which therefore reaps it and whose death
 *    kills it from worker/jail.c's step on. So the supervisor's loop never waits for a fork, what a
 *    fork costs does not grow with the clients, and a worker inherits no table of theirs.
 * 3. Workers ignore the signals that a terminal or an operator sends to the whole process group;
 *    only the supervisor acts on them and tells the workers over their relays. No process but the
 *    supervisor ever has a signal handler.
 * 4. A forker that dies is replaced by fork from the supervisor (see spawner.c): its replacement
 *    carries a copy of what the supervisor had on its heap at that moment, which costs memory and
 *    secrecy towards later workers, but not the service. The processes that it did not announce are
 *    known by `born`.
 *
 * Overflow: at most FORKER_PENDING_MAX requests are unanswered; beyond that nobody is accepted.
 */
#include "config.h"

#include "process/forker.h"

#include "base/descriptors.h"
#include "base/footprint.h"
#include "base/proctitle.h"
#include "relay/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WORKERS_KEEP_STDERR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WORKERS_KEEP_STDERR 1
#endif
#endif
#ifndef WORKERS_KEEP_STDERR
#define WORKERS_KEEP_STDERR 0
#endif

/* Of a request: the relay, and for a courier what its clients come by. */
#define REQUEST_DESCRIPTORS 2

/* How a worker ends. Nothing of it is worth a handler of exit(3), and to run those of all libraries
 * would bring it some twenty pages of them to copy; but some builds report from one. */
#if defined(CHATROOMD_SANITIZERS) || defined(CHATROOMD_COVERAGE)
#define END_WORKER exit
#else
#define END_WORKER _exit
#endif

/* Default actions everywhere, but the group's signals ignored. All signals are blocked on entry, so
 * that none runs a handler of the supervisor's here. */
static void reset_signals(void)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM,
        SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGPIPE};
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        signal(ignored[i], SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Standard input, output and (but for sanitizers' reports) error go nowhere. */
static void silence(void)
{
    int null = open("/dev/null", O_RDWR);

    if (null < 0)
        _exit(CHILD_EXIT_SETUP);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (!WORKERS_KEEP_STDERR)
        dup2(null, STDERR_FILENO);
    if (null > STDERR_FILENO)
        close(null);
}

/* Dies with the supervisor, also where that has died already. */
static void follow(pid_t supervisor)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != supervisor)
        _exit(CHILD_EXIT_NO_SUPERVISOR);
}

size_t forker_place(const struct forker_setup *setup, enum kind_number kind, uint32_t number)
{
    return kind == KIND_COURIER ? setup->max_clients + number : number;
}

static size_t born_size(const struct forker_setup *setup)
{
    return (setup->max_clients + setup->couriers) * sizeof(_Atomic pid_t);
}

static uid_t uid_of(const struct forker_setup *setup, const struct forker_request *request)
{
    if (setup->worker_uid_base == 0)
        return (uid_t)-1;
    return setup->worker_uid_base + (uid_t)forker_place(setup, request->kind, request->slot);
}

/* What the forker itself has: its workers are copies of it. */
struct self {
    int control;
    int reserve; /* a place for a descriptor: what a worker opens then fits in what it closes */
    pid_t supervisor;
    bool is_offered_to_oom;
    struct footprint footprint;
};

/* In the new worker. */
static void run_worker(const struct self *self, const struct forker_setup *setup,
    const struct forker_request *request, const int descriptors[REQUEST_DESCRIPTORS])
{
    struct heritage heritage = {
        .kind = request->kind,
        .slot = request->slot,
        .generation = request->generation,
        .relay_fd = descriptors[0],
        .handover_fd = descriptors[1],
        .region_read_only_fd = setup->region_read_only_fd,
        .region_read_write_fd = setup->region_read_write_fd,
        .supervisor = self->supervisor,
        .max_message = setup->max_message,
        .max_clients = setup->max_clients,
        .delivers = setup->couriers == 0,
        .drain_timeout_ms = setup->drain_timeout_ms,
        .jail = setup->jail,
        .is_offered_to_oom = self->is_offered_to_oom,
        .footprint = self->footprint,
        .places = setup->places,
        .uid = uid_of(setup, request),
        .gid = setup->worker_gid,
        .act = request->act,
    };

    close(self->control);
    close(self->reserve);
    END_WORKER(setup->kinds[request->kind].run(&heritage));
}

/* Makes a child of the supervisor, not of the caller, whose pid the kernel writes to *BORN, in the
 * caller's name, before the child runs. Flags and BORN are where every architecture but s390 and
 * cris has them. */
static pid_t fork_sibling(_Atomic pid_t *born)
{
    return (pid_t)syscall(
        SYS_clone, CLONE_PARENT | CLONE_PARENT_SETTID | SIGCHLD, NULL, born, NULL, NULL);
}

/* Receives one request with its descriptors; ends the forker where the supervisor has gone. */
static void receive(int control, struct forker_request *request, int *descriptors)
{
    ssize_t length =
        handover_receive(control, request, sizeof *request, descriptors, REQUEST_DESCRIPTORS);

    if (length == 0)
        exit(EXIT_SUCCESS);
    if (length != (ssize_t)sizeof *request)
        exit(EXIT_FAILURE);
}

/* The kernel leaves descriptors out where this process may have no more. */
static bool has_all(
    const struct forker_request *request, const int descriptors[REQUEST_DESCRIPTORS])
{
    return descriptors[0] >= 0 && (request->kind != KIND_COURIER || descriptors[1] >= 0);
}

static void forker_main(
    const struct forker *forker, const struct forker_setup *setup, const struct self *self)
{
    struct forker_request request;
    int descriptors[REQUEST_DESCRIPTORS];
    _Atomic pid_t *born;

    for (;;) {
        struct forker_answer answer = {0};

        receive(self->control, &request, descriptors);
        answer.kind = request.kind;
        answer.slot = request.slot;
        answer.generation = request.generation;
        born = &forker->born[forker_place(setup, request.kind, request.slot)];
        bool is_whole = has_all(&request, descriptors);
        answer.pid = is_whole ? fork_sibling(born) : -1;
        if (answer.pid == 0)
            run_worker(self, setup, &request, descriptors);
        if (answer.pid < 0) {
            answer.failure = is_whole ? errno : EMFILE;
            answer.pid = 0;
        }
        for (int i = 0; i < REQUEST_DESCRIPTORS; i++)
            if (descriptors[i] >= 0)
                close(descriptors[i]);
        if (send(self->control, &answer, sizeof answer, MSG_NOSIGNAL) != (ssize_t)sizeof answer)
            exit(EXIT_FAILURE);
    }
}

/* The descriptor under the lowest number there is, so that no limit on numbers leaves a place above
 * it and none below. */
static int lower(int fd)
{
    int low = dup(fd);

    if (low < 0)
        _exit(CHILD_EXIT_SETUP);
    close(low < fd ? fd : low);
    return low < fd ? low : fd;
}

/* Workers must not write where the others' pids stand, so they do not have it. And the pages are
 * there before they are needed: who is killed in clone(2) is not given any more. */
static void keep_born(const struct forker *forker, const struct forker_setup *setup)
{
    if (madvise(forker->born, born_size(setup), MADV_DONTFORK) != 0)
        _exit(CHILD_EXIT_SETUP);
    madvise(forker->born, born_size(setup), MADV_POPULATE_WRITE); /* from Linux 5.14 on */
}

/* In the forker, just made: keeps three descriptors, and nothing else that could be used. */
static void become_forker(
    const struct forker *forker, const struct forker_setup *setup, int control, pid_t supervisor)
{
    struct self self = {.supervisor = supervisor};
    int kept[] = {setup->region_read_only_fd, setup->region_read_write_fd, control};
    int first;

    for (int i = 1; i < 3; i++)
        for (int k = i; k > 0 && kept[k] < kept[k - 1]; k--) {
            int other = kept[k];
            kept[k] = kept[k - 1];
            kept[k - 1] = other;
        }
    reset_signals();
    follow(supervisor);
    silence();
    if (!descriptors_close_but(STDERR_FILENO + 1, kept, 3))
        _exit(CHILD_EXIT_SETUP);
    first = dup(STDIN_FILENO); /* left to the relays that come: a worker's jail knows that number */
    self.control = lower(control);
    self.reserve = dup(STDIN_FILENO);
    close(first);
    proctitle_set("chatroomd: forker", NULL);
    keep_born(forker, setup);
    if (setup->jail != JAIL_OFF)
        self.is_offered_to_oom = footprint_offer_to_oom();
    self.footprint = footprint_now();
    forker_main(forker, setup, &self);
}

/* Once, for all forkers that there will be. */
static bool share_born(struct forker *forker, const struct forker_setup *setup)
{
    if (forker->born != NULL)
        return true;
    void *shared =
        mmap(NULL, born_size(setup), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return false;
    forker->born = shared;
    return true;
}

bool forker_start(struct forker *forker, const struct forker_setup *setup)
{
    pid_t supervisor = getpid();
    sigset_t all, before;
    int ends[2];

    if (!share_born(forker, setup) || !handover_pair(&ends[0], &ends[1]))
        return false;
    fflush(NULL); /* or children that exit would print it again */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    forker->pid = fork();
    if (forker->pid == 0)
        become_forker(forker, setup, ends[1], supervisor);
    int failure = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (forker->pid < 0) {
        close(ends[0]);
        forker->pid = 0;
        errno = failure;
        return false;
    }
    forker->control = ends[0];
    forker->oldest = forker->pending = 0;
    return true;
}

bool forker_ask(struct forker *forker, const struct forker_setup *setup,
    const struct forker_request *request, int relay_fd, int handover_fd)
{
    int descriptors[REQUEST_DESCRIPTORS] = {relay_fd, handover_fd};
    size_t count = handover_fd < 0 ? 1 : 2;

    if (forker->pending == FORKER_PENDING_MAX) {
        errno = EAGAIN;
        return false;
    }
    atomic_store(&forker->born[forker_place(setup, request->kind, request->slot)], 0);
    if (!handover_send(forker->control, request, sizeof *request, descriptors, count))
        return false;
    forker->asked[(forker->oldest + forker->pending) % FORKER_PENDING_MAX] = *request;
    forker->pending++;
    return true;
}

static void forget_oldest(struct forker *forker)
{
    forker->oldest = (forker->oldest + 1) % FORKER_PENDING_MAX;
    forker->pending--;
}

int forker_take(struct forker *forker, struct forker_answer *answer)
{
    ssize_t length = recv(forker->control, answer, sizeof *answer, 0);

    if (length == (ssize_t)sizeof *answer) {
        forget_oldest(forker);
        return 1;
    }
    return length < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

void forker_stop(struct forker *forker)
{
    if (forker->pid == 0)
        return;
    close(forker->control);
    forker->control = -1;
    kill(forker->pid, SIGKILL); /* it holds nothing that must be put in order */
    while (waitpid(forker->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    forker->pid = 0;
}

bool forker_is_dead(const struct forker *forker)
{
    siginfo_t ended = {.si_pid = 0};

    return waitid(P_PID, (id_t)forker->pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid != 0;
}

bool forker_take_unanswered(
    struct forker *forker, const struct forker_setup *setup, struct forker_answer *answer)
{
    const struct forker_request *request = &forker->asked[forker->oldest];

    if (forker->pending == 0)
        return false;
    *answer = (struct forker_answer){
        .kind = request->kind,
        .slot = request->slot,
        .generation = request->generation,
        .pid = atomic_load(&forker->born[forker_place(setup, request->kind, request->slot)]),
        .failure = ECHILD,
    };
    forget_oldest(forker);
    return true;
}
