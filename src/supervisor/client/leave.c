/* SPDX-License-Identifier: ISC */
/*
 * leave.c - why and how a client left, for its last line, for penalties and for the log.
 */
#include "config.h"

#include "supervisor/client/leave.h"

#include "base/log.h"
#include "supervisor/clock.h"
#include "supervisor/state.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

/* The worker crashed or was at fault: if that goes on, the address of its client is refused. */
static void add_penalty(const struct slot *slot)
{
    struct supervisor *supervisor = slot->supervisor;
    uint64_t time =
        penalty_crashed(supervisor->penalties, &slot->penalty_key, clock_ms(supervisor));

    if (time > 0)
        log_event(LOG_LEVEL_WARNING, "penalty", "address=%s refused_s=%" PRIu64, slot->address,
            time / 1000);
}

/* A name as log_quote() makes it: each byte may need another before it. */
#define SHOWN_NAME_MAX (2 * (NAME_LENGTH_MAX + 1))

/* The slot's last name for the log, "-" where it never had one. */
static const char *shown_name(const struct slot *slot, char buffer[SHOWN_NAME_MAX])
{
    return slot->name[0] != '\0' ? log_quote(buffer, SHOWN_NAME_MAX, slot->name) : "-";
}

void leave_log_fault(const struct slot *slot, const char *what)
{
    char name[SHOWN_NAME_MAX], quoted[128];

    log_event(LOG_LEVEL_ERROR, "worker-fault",
        "slot=%" PRIu32 " generation=%" PRIu32 " name=%s address=%s pid=%ld what=%s", slot->number,
        slot->generation, shown_name(slot, name), slot->address, (long)slot->child.pid,
        log_quote(quoted, sizeof quoted, what));
    add_penalty(slot);
}

enum disconnect_reason leave_reason(const struct slot *slot)
{
    int status = slot->child.wait_status;

    if (slot->state == SLOT_SPARE)
        return DISCONNECT_UNUSED;
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_EXIT_CONNECTION_LOST)
        return DISCONNECT_CONNECTION_LOST;
    return DISCONNECT_WORKER_CRASH;
}

/* Whether the exit status of the worker is one that it may have, after what it was sent. */
static bool is_orderly(const struct slot *slot)
{
    int status = slot->child.wait_status;

    if (WIFSIGNALED(status))
        return slot->child.killed && WTERMSIG(status) == SIGKILL;
    return WEXITSTATUS(status) == CHILD_EXIT_CONNECTION_LOST ||
           (slot->end != DISCONNECT_NONE && WEXITSTATUS(status) <= CHILD_EXIT_EVICTED);
}

void leave_log_crash(const struct slot *slot)
{
    char name[SHOWN_NAME_MAX];
    int status = slot->child.wait_status;

    if (is_orderly(slot))
        return;
    log_event(LOG_LEVEL_ERROR, "worker-crash",
        "slot=%" PRIu32 " generation=%" PRIu32 " name=%s address=%s pid=%ld %s=%d", slot->number,
        slot->generation, shown_name(slot, name), slot->address, (long)slot->child.pid,
        WIFSIGNALED(status) ? "signal" : "exit",
        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    /* SIGKILL comes from an operator, or from a kernel that is out of memory. */
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
        add_penalty(slot);
}

enum frame_close leave_how(enum disconnect_reason reason)
{
    return disconnect_last_line(reason) != NULL ? FRAME_CLOSE_EVICT : FRAME_CLOSE_DROP;
}

/* A client that was refused a worker (there may be very many), and a worker that never had a client,
 * are no event for administrators. */
static enum log_level leave_level(const struct slot *slot)
{
    return slot->end == DISCONNECT_NO_WORKER || slot->end == DISCONNECT_UNUSED ? LOG_LEVEL_DEBUG
                                                                               : LOG_LEVEL_INFO;
}

/* How the drain of a client that left in order ended: it was done, or something cut it short. That it
 * was done is claimed by the worker; what is missing is seen by the supervisor. */
static const char *drain_word(const struct slot *slot, uint64_t missing)
{
    int status = slot->child.wait_status;

    if (!disconnect_drains(slot->end))
        return "none";
    if (missing == 0 && WIFEXITED(status) && WEXITSTATUS(status) == CHILD_EXIT_DONE)
        return "done";
    if (slot->stall.evicted)
        return disconnect_word(DISCONNECT_STALLED);
    if (slot->child.faulted)
        return disconnect_word(DISCONNECT_WORKER_FAULT);
    if (slot->cut_by != DISCONNECT_NONE)
        return disconnect_word(slot->cut_by);
    if (WIFSIGNALED(status))
        return is_orderly(slot) ? "killed" : disconnect_word(DISCONNECT_WORKER_CRASH);
    switch (WEXITSTATUS(status)) {
    case CHILD_EXIT_DONE:
        return disconnect_word(DISCONNECT_WORKER_FAULT); /* it was not done */
    case CHILD_EXIT_CONNECTION_LOST:
        return disconnect_word(DISCONNECT_CONNECTION_LOST);
    case CHILD_EXIT_DRAIN_TIMEOUT:
        return "timeout";
    default:
        return disconnect_word(DISCONNECT_WORKER_CRASH);
    }
}

void leave_log(struct slot *slot)
{
    char name[SHOWN_NAME_MAX], missing[32] = "none";
    uint64_t first = slot->first_missing != 0 ? slot->first_missing : slot->cursor.unnotified_from;

    if (first != 0)
        snprintf(missing, sizeof missing, "%" PRIu64, first);
    log_event(leave_level(slot), "leave",
        "slot=%" PRIu32 " generation=%" PRIu32
        " name=%s address=%s reason=%s drain=%s joined=%" PRIu64 " owed_to=%" PRIu64
        " first_missing=%s",
        slot->number, slot->generation, shown_name(slot, name), slot->address,
        disconnect_word(slot->end), drain_word(slot, first), slot->joined, slot->cursor.pending_to,
        missing);
}
