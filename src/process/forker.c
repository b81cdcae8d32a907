/* SPDX-License-Identifier: ISC */
/*
 * forker.c - the one place where children are created.
 *
 * Model:
 * 1. main() forks two forkers before it does anything else: one that works and a standby. Each has a
 *    control socket to the supervisor. A forker waits for its setup, enters its own jail, and then
 *    serves requests one by one.
 * 2. A request names the child and brings its sockets. The forker creates the child by
 *    clone(CLONE_PARENT): it is the supervisor's child, which reaps it and whose death kills it
 *    (jail.c). So the supervisor's loop never waits for a fork, a fork costs the same for any number
 *    of clients, and a child inherits nothing of the supervisor: no configuration, no table of
 *    clients, no filter.
 * 3. If the working forker dies, the supervisor asks the standby, which first creates the next
 *    standby in the same way, and then serves (supervisor/child/spawner.c).
 * 4. Children ignore the signals that a terminal or an operator sends to the process group; only the
 *    supervisor acts on them and informs children over their relays. No process but the supervisor
 *    ever has a signal handler.
 * 5. The forker's jail is: no capability but CAP_SETUID and CAP_SETGID, which children with uids of
 *    their own need, not dumpable, no_new_privs, and limits that all children have as well. It
 *    cannot have a seccomp filter: filters are inherited and only add up, so a child would be
 *    limited to what the filters of forker and child both allow. It reads nothing but messages of
 *    the supervisor.
 *
 * Descriptors of a forker: 0 to 2 are /dev/null; CHILD_RELAY_FD is free, so that the relay of the
 * next child arrives there; CONTROL_FD is CHILD_HANDOVER_FD, which a child needs only after the fork;
 * then the region's two; and RESERVE_FD. What a child opens fits in what it closes of these, also if
 * no other descriptor is free.
 */
#include "config.h"

#include "process/forker.h"

#include "base/descriptors.h"
#include "base/privilege.h"
#include "base/proctitle.h"
#include "process/jail.h"
#include "relay/handover.h"
#include "relay/loop.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define CHILDREN_KEEP_STDERR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHILDREN_KEEP_STDERR 1
#endif
#endif
#ifndef CHILDREN_KEEP_STDERR
#define CHILDREN_KEEP_STDERR 0
#endif

/* The descriptors of a request: the relay, or a standby's control socket; a handover socket. */
#define REQUEST_DESCRIPTORS 2

#define CONTROL_FD    CHILD_HANDOVER_FD
#define READ_ONLY_FD  5
#define READ_WRITE_FD 6
#define RESERVE_FD    7

/* How a child exits. It needs no handler of exit(3), and running those of all libraries would cost
 * it some twenty pages; but some builds report from one. */
#if defined(CHATROOMD_SANITIZERS) || defined(CHATROOMD_COVERAGE)
#define END_CHILD exit
#else
#define END_CHILD _exit
#endif

/* What a forker has: each child is a copy of it. */
struct self {
    const struct process_kinds *kinds;
    pid_t supervisor;
    bool is_offered_to_oom;
    struct filter filters[KINDS_MAX];
    struct forker_setup setup;
};

/* Sets all signals to their default, but ignores those of the process group. All signals are blocked
 * on entry, so that none runs a handler that was inherited. */
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

/* Points standard input, output and (except for sanitizers' reports) error at /dev/null. */
static void silence(void)
{
    int null = open("/dev/null", O_RDWR);

    if (null < 0)
        _exit(CHILD_EXIT_SETUP);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (!CHILDREN_KEEP_STDERR)
        dup2(null, STDERR_FILENO);
    if (null > STDERR_FILENO)
        close(null);
}

/* Gives a descriptor this number. */
static void move_to(int fd, int number)
{
    if (fd == number)
        return;
    if (dup2(fd, number) < 0)
        _exit(CHILD_EXIT_SETUP);
    close(fd);
}

/* --- a child */

static void run_child(const struct self *self, const struct forker_request *request,
    const int descriptors[REQUEST_DESCRIPTORS])
{
    const struct process_kind *kind = self->kinds->rows[request->kind];
    const struct forker_setup *setup = &self->setup;
    bool has_handover = (kind->passes & PASS_HANDOVER) != 0;
    struct heritage heritage = {
        .kind = kind,
        .slot = request->slot,
        .generation = request->generation,
        .place = setup->first_places[request->kind] + request->slot,
        .relay_fd = CHILD_RELAY_FD,
        .handover_fd = has_handover ? CHILD_HANDOVER_FD : -1,
        .region_read_only_fd = READ_ONLY_FD,
        .region_read_write_fd = READ_WRITE_FD,
        .supervisor = self->supervisor,
        .max_message = setup->max_message,
        .max_clients = setup->max_clients,
        .delivers = setup->couriers == 0,
        .drain_timeout_ms = setup->drain_timeout_ms,
        .jail = setup->jail,
        .filter = &self->filters[request->kind],
        .is_offered_to_oom = self->is_offered_to_oom,
        .places = setup->places,
        .uid = (uid_t)-1,
        .gid = setup->gid,
        .act = request->act,
    };

    if (setup->worker_uid_base != 0)
        heritage.uid = setup->worker_uid_base + heritage.place;
    close(CONTROL_FD);
    close(RESERVE_FD);
    move_to(descriptors[0], CHILD_RELAY_FD);
    if (has_handover)
        move_to(descriptors[1], CHILD_HANDOVER_FD);
    END_CHILD(kind->run(&heritage));
}

/* --- the forker */

/* Creates a child of the supervisor, not of this process. The flags come first on every
 * architecture but s390 and cris. */
static pid_t fork_sibling(void)
{
    return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
}

/* Receives one message with its descriptors; exits if the supervisor has closed the socket. */
static void receive(void *message, size_t size, int *descriptors)
{
    ssize_t length = handover_receive(CONTROL_FD, message, size, descriptors, REQUEST_DESCRIPTORS);

    if (length == 0)
        exit(EXIT_SUCCESS);
    if (length != (ssize_t)size)
        exit(EXIT_FAILURE);
}

static void send_answer(const struct forker_answer *answer)
{
    if (send(CONTROL_FD, answer, sizeof *answer, MSG_NOSIGNAL) != (ssize_t)sizeof *answer)
        exit(EXIT_FAILURE);
}

/* The kernel leaves out descriptors that exceed this process's limit. */
static bool has_all(const struct self *self, const struct forker_request *request,
    const int descriptors[REQUEST_DESCRIPTORS])
{
    bool needs_handover = request->kind != FORKER_STANDBY &&
                          (self->kinds->rows[request->kind]->passes & PASS_HANDOVER) != 0;

    return descriptors[0] >= 0 && (!needs_handover || descriptors[1] >= 0);
}

static void set_title(bool is_standby)
{
    proctitle_set(is_standby ? "chatroomd: standby forker" : "chatroomd: forker", NULL);
}

/* In the new standby forker, a copy of the one that works. */
static void become_standby(const struct self *self, int control)
{
    if (!jail_follow(self->supervisor))
        _exit(CHILD_EXIT_SETUP);
    move_to(control, CONTROL_FD);
    set_title(true);
}

static void serve(const struct self *self)
{
    struct forker_request request;
    int descriptors[REQUEST_DESCRIPTORS];

    for (;;) {
        struct forker_answer answer = {0};

        receive(&request, sizeof request, descriptors);
        assert(request.kind == FORKER_STANDBY || request.kind < self->kinds->count);
        if (request.kind == FORKER_STANDBY)
            set_title(false);
        answer.kind = request.kind;
        answer.slot = request.slot;
        answer.generation = request.generation;
        errno = EMFILE;
        answer.pid = has_all(self, &request, descriptors) ? fork_sibling() : -1;
        if (answer.pid == 0 && request.kind == FORKER_STANDBY) {
            become_standby(self, descriptors[0]);
            continue;
        }
        if (answer.pid == 0)
            run_child(self, &request, descriptors);
        if (answer.pid < 0) {
            answer.failure = errno;
            answer.pid = 0;
        }
        for (int i = 0; i < REQUEST_DESCRIPTORS; i++)
            if (descriptors[i] >= 0)
                close(descriptors[i]);
        send_answer(&answer);
    }
}

static bool set_limits(void)
{
    if (!jail_limit(RLIMIT_CORE, 0))
        return false;
#ifdef CHATROOMD_SANITIZERS
    return true;
#else
    return jail_limit(RLIMIT_MEMLOCK, 0) && jail_limit(RLIMIT_MSGQUEUE, 0);
#endif
}

/* Returns false with errno set. */
static bool enter_jail(struct self *self)
{
    const struct forker_setup *setup = &self->setup;
    bool is_jailed = setup->jail != JAIL_OFF, is_whole = true;
    uint64_t kept = setup->worker_uid_base != 0 ? PRIVILEGE(CAP_SETUID) | PRIVILEGE(CAP_SETGID) : 0;

    if (setrlimit(RLIMIT_NOFILE, &setup->files) != 0 || !loop_prepare())
        return false;
    if (is_jailed) {
        self->is_offered_to_oom = jail_offer_to_oom();
        is_whole = jail_make_filters(self->kinds, self->filters);
    }
    if (setup->changes_user && !privilege_become(setup->uid, setup->gid, kept))
        return false;
    if (!jail_follow(self->supervisor)) /* a change of uid cancels it */
        return false;
    if (is_jailed)
        is_whole = privilege_keep(kept) && prctl(PR_SET_DUMPABLE, 0L) == 0 && privilege_no_more() &&
                   set_limits() && is_whole;
    return is_whole || setup->jail != JAIL_REQUIRED;
}

static void receive_setup(struct self *self)
{
    int region[REQUEST_DESCRIPTORS];

    receive(&self->setup, sizeof self->setup, region);
    move_to(region[1], READ_WRITE_FD);
    move_to(region[0], READ_ONLY_FD);
    if (fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, RESERVE_FD) != RESERVE_FD)
        _exit(CHILD_EXIT_SETUP);
}

/* In a forker that main() has forked. */
static void become_forker(
    const struct process_kinds *kinds, bool is_standby, int control, pid_t supervisor)
{
    static struct self self;
    struct forker_answer answer = {0};

    self.kinds = kinds;
    self.supervisor = supervisor;
    reset_signals();
    if (!jail_follow(supervisor))
        _exit(CHILD_EXIT_SETUP);
    silence();
    move_to(control, CONTROL_FD);
    if (!descriptors_close_but(STDERR_FILENO + 1, (const int[]){CONTROL_FD}, 1))
        _exit(CHILD_EXIT_SETUP);
    set_title(is_standby);
    receive_setup(&self);
    if (!enter_jail(&self))
        answer.failure = errno;
    send_answer(&answer);
    serve(&self);
}

/* --- the supervisor's end */

bool forker_start(struct forker *forker, const struct process_kinds *kinds, bool is_standby)
{
    pid_t supervisor = getpid();
    sigset_t all, before;
    int ends[2], failure;

    *forker = (struct forker){.control = -1};
    if (!handover_pair(&ends[0], &ends[1]))
        return false;
    fflush(NULL); /* or a forker that exits would print it again */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    forker->pid = fork();
    if (forker->pid == 0)
        become_forker(kinds, is_standby, ends[1], supervisor);
    failure = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (forker->pid < 0) {
        close(ends[0]);
        forker->pid = 0;
        errno = failure;
        return false;
    }
    forker->control = ends[0];
    return true;
}

bool forker_set_up(
    struct forker *forker, const struct forker_setup *setup, int read_only_fd, int read_write_fd)
{
    int region[REQUEST_DESCRIPTORS] = {read_only_fd, read_write_fd};
    struct pollfd control = {.fd = forker->control, .events = POLLIN};
    struct forker_answer answer;
    int ready;

    if (!handover_send(forker->control, setup, sizeof *setup, region, REQUEST_DESCRIPTORS))
        return false;
    do
        ready = poll(&control, 1, FORKER_TIMEOUT_MS);
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        errno = ETIMEDOUT;
    if (ready <= 0)
        return false;
    errno = ECHILD; /* unless there is an answer */
    if (recv(forker->control, &answer, sizeof answer, 0) != (ssize_t)sizeof answer)
        return false;
    errno = answer.failure;
    return answer.failure == 0;
}

bool forker_ask(
    struct forker *forker, const struct forker_request *request, int relay_fd, int handover_fd)
{
    int descriptors[REQUEST_DESCRIPTORS] = {relay_fd, handover_fd};
    size_t count = handover_fd < 0 ? 1 : 2;

    if (forker->pending == FORKER_PENDING_MAX) {
        errno = EAGAIN;
        return false;
    }
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

bool forker_take_unanswered(struct forker *forker, struct forker_answer *answer)
{
    const struct forker_request *request = &forker->asked[forker->oldest];

    if (forker->pending == 0)
        return false;
    *answer = (struct forker_answer){
        .kind = request->kind,
        .slot = request->slot,
        .generation = request->generation,
        .failure = ECHILD,
    };
    forget_oldest(forker);
    return true;
}
