/* SPDX-License-Identifier: ISC */
/*
 * courier_process.c - the process behind a courier's number: its handover socket, starting it, and
 * what it does in the life of a child (child/child.c).
 *
 * Model: its relay and its handover socket exist before its process: what there is to send waits in
 * them. A courier that breaks a rule is at fault: nothing that it sends counts any more, and it is
 * killed. When it is gone, courier_recovery.c starts the next one.
 */
#include "config.h"

#include "supervisor/courier/courier_state.h"

#include "base/log.h"
#include "relay/handover.h"
#include "relay/relay.h"
#include "supervisor/clock.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct courier *courier_of(struct child *child)
{
    return (struct courier *)child;
}

void courier_close_handover(struct courier *courier)
{
    if (courier->handover_writable != NULL)
        event_free(courier->handover_writable);
    courier->handover_writable = NULL;
    if (courier->handover_fd >= 0)
        close(courier->handover_fd);
    courier->handover_fd = -1;
}

/* Opens the handover socket; `theirs` is the courier's end. */
static bool open_handover(struct courier *courier, int *theirs)
{
    if (!handover_pair(&courier->handover_fd, theirs))
        return false;
    courier->handover_writable = event_new(courier->child.supervisor->base, courier->handover_fd,
        EV_WRITE, courier_handover_writable, courier);
    if (courier->handover_writable != NULL)
        return true;
    close(*theirs);
    return false;
}

static void log_missing(struct courier *courier, const char *what, int failure)
{
    char quoted[128];

    if (!courier->is_missed)
        log_event(LOG_LEVEL_ERROR, "courier-missing", "courier=%u what=%s error=%s",
            courier->number, what, log_quote(quoted, sizeof quoted, strerror(failure)));
    courier->is_missed = true;
}

void courier_start(struct courier *courier)
{
    struct supervisor *supervisor = courier->child.supervisor;
    const char *failed = "handover";
    int theirs, failure;

    courier->retry_at = 0;
    courier->stuck_ms = 0;
    courier->is_dirty = true;
    if (open_handover(courier, &theirs)) {
        failed = child_ask(&courier->child, ++courier->generation, theirs);
        failure = errno;
        close(theirs);
        errno = failure;
    }
    if (failed == NULL)
        return;
    log_missing(courier, failed, errno);
    child_destroy(&courier->child);
    courier_close_handover(courier);
    courier->retry_at = clock_ms(supervisor) + COURIER_RETRY_MS;
}

void courier_created(struct child *child)
{
    struct courier *courier = courier_of(child);

    courier->is_missed = false;
    log_event(LOG_LEVEL_INFO, "courier", "courier=%u pid=%ld", courier->number, (long)child->pid);
}

void courier_failed(struct child *child, int failure)
{
    log_missing(courier_of(child), "fork", failure);
}

void courier_writable(struct child *child)
{
    courier_of(child)->is_dirty = true;
}

void courier_log_fault(struct child *child, const char *what)
{
    char quoted[128];

    log_event(LOG_LEVEL_ERROR, "courier-fault", "courier=%u pid=%ld what=%s",
        courier_of(child)->number, (long)child->pid, log_quote(quoted, sizeof quoted, what));
}

void courier_exited(struct child *child)
{
    int status = child->wait_status;

    log_event(LOG_LEVEL_ERROR, "courier-crash", "courier=%u pid=%ld %s=%d clients=%u",
        courier_of(child)->number, (long)child->pid, WIFSIGNALED(status) ? "signal" : "exit",
        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), courier_of(child)->clients);
}

bool courier_has_work(struct child *child)
{
    struct courier *courier = courier_of(child);

    return child->supervisor->space.waited || courier->ending > 0 ||
           cursor_position(&courier->cursor) < courier->cursor.notified_to;
}

uint64_t courier_last_answer(const struct child *child)
{
    const struct courier *courier = (const struct courier *)child;

    return atomic_load_explicit(&courier->part.state->answered, memory_order_acquire);
}
