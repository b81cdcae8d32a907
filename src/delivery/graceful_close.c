/* SPDX-License-Identifier: ISC */
/*
 * graceful_close.c - waiting until what was sent is taken, before the close.
 *
 * Model: a close with unread input resets the connection and destroys what the peer has not yet
 * acknowledged. So after shutdown(SHUT_WR) the session goes on reading and discarding, until the
 * peer closes (the session sees that) or the kernel's send queue is empty (SIOCOUTQ, looked at
 * every TAKEN_POLL_MS, since nothing tells it), or until drain-timeout is over.
 */
#include "config.h"

#include "delivery/graceful_close.h"

#include "base/alloc.h"

#include <event2/event.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define TAKEN_POLL_MS 10

struct graceful_close {
    int fd;
    struct event *deadline;
    struct event *poll;
    void (*over)(void *context, bool in_time);
    void *context;
};

static void deadline_passed(evutil_socket_t fd, short what, void *argument)
{
    struct graceful_close *closing = argument;

    (void)fd, (void)what;
    closing->over(closing->context, false);
}

static void look(evutil_socket_t fd, short what, void *argument)
{
    struct graceful_close *closing = argument;
    struct timeval delay = {.tv_usec = TAKEN_POLL_MS * 1000};
    int queued = 0;

    (void)fd, (void)what;
    if (ioctl(closing->fd, SIOCOUTQ, &queued) != 0 || queued == 0)
        closing->over(closing->context, true);
    else
        event_add(closing->poll, &delay);
}

static void discard(struct graceful_close *closing)
{
    if (closing->deadline != NULL)
        event_free(closing->deadline);
    if (closing->poll != NULL)
        event_free(closing->poll);
    free(closing);
}

struct graceful_close *graceful_close_start(struct event_base *base, int fd, unsigned timeout_ms,
    void (*over)(void *context, bool in_time), void *context)
{
    struct graceful_close *closing = alloc_zeroed(1, sizeof *closing);
    struct timeval timeout = {
        .tv_sec = (time_t)(timeout_ms / 1000),
        .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000,
    };

    closing->fd = fd;
    closing->over = over;
    closing->context = context;
    closing->deadline = evtimer_new(base, deadline_passed, closing);
    closing->poll = evtimer_new(base, look, closing);
    if (closing->deadline == NULL || closing->poll == NULL ||
        event_add(closing->deadline, &timeout) != 0) {
        discard(closing);
        return NULL;
    }
    return closing;
}

void graceful_close_when_read(struct graceful_close *closing)
{
    if (!event_pending(closing->poll, EV_TIMEOUT, NULL))
        look(closing->fd, 0, closing);
}

void last_line_send(int fd, enum disconnect_reason reason)
{
    const char *line = disconnect_last_line(reason);

    if (line != NULL)
        send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
}
