/* SPDX-License-Identifier: ISC */
/*
 * graceful_close.c - waits before the close until the peer has acknowledged what was sent.
 *
 * Model: close(2) with unread input resets the connection and destroys what the peer has not yet
 * acknowledged. So after shutdown(SHUT_WR) the session continues to read and discard until the peer
 * closes (which the session notices), the kernel's send queue is empty, or drain-timeout has
 * passed. The kernel sends no event when the queue becomes empty, so SIOCOUTQ is called every
 * QUEUE_POLL_MS.
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

#define QUEUE_POLL_MS 10

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

static void poll_send_queue(evutil_socket_t fd, short what, void *argument)
{
    struct graceful_close *closing = argument;
    struct timeval delay = {.tv_usec = QUEUE_POLL_MS * 1000};
    int queued = 0;

    (void)fd, (void)what;
    if (ioctl(closing->fd, SIOCOUTQ, &queued) != 0 || queued == 0)
        closing->over(closing->context, true);
    else
        event_add(closing->poll, &delay);
}

static void free_closing(struct graceful_close *closing)
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
    closing->poll = evtimer_new(base, poll_send_queue, closing);
    if (closing->deadline == NULL || closing->poll == NULL ||
        event_add(closing->deadline, &timeout) != 0) {
        free_closing(closing);
        return NULL;
    }
    return closing;
}

void graceful_close_when_read(struct graceful_close *closing)
{
    if (!event_pending(closing->poll, EV_TIMEOUT, NULL))
        poll_send_queue(closing->fd, 0, closing);
}

void last_line_send(int fd, enum disconnect_reason reason)
{
    const char *line = disconnect_last_line(reason);

    if (line != NULL)
        send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
}
