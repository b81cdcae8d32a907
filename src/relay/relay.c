/*
 * relay.c - frames over a bufferevent.
 *
 * Model: reading is the bufferevent's; writing tries the socket directly and hands the bufferevent
 * only what the socket refused, since a frame through a bufferevent costs three times as much as a
 * send(2) (two epoll_ctl and one more turn of the loop).
 *
 * Fairness: at most RELAY_TURN_BYTES are read a turn, so one flooding worker gets no more of a turn
 * than any other. Overflow: an incoming piece of a frame waits for its rest, at most 23 bytes;
 * going out, see relay_send().
 */
#include "config.h"

#include "relay/relay.h"

#include "base/alloc.h"
#include "relay/handover.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define RELAY_TURN_BYTES (256 * sizeof(struct frame))

struct relay {
    struct bufferevent *stream;
    const struct relay_handler *handler;
    void *context;
    int fd;
};

static void read_frames(struct bufferevent *stream, void *argument)
{
    struct relay *relay = argument;
    struct evbuffer *input = bufferevent_get_input(stream);
    struct frame frame;

    while (evbuffer_get_length(input) >= sizeof frame) {
        evbuffer_remove(input, &frame, sizeof frame);
        if (!relay->handler->frame(relay->context, &frame))
            return;
    }
    if (relay->handler->settled != NULL)
        relay->handler->settled(relay->context);
}

static void drained(struct bufferevent *stream, void *argument)
{
    struct relay *relay = argument;

    (void)stream;
    relay->handler->writable(relay->context);
}

static void ended(struct bufferevent *stream, short what, void *argument)
{
    struct relay *relay = argument;

    /* A failed write alone does not end it: frames that came before may still be unread. */
    if (what & BEV_EVENT_WRITING) {
        struct evbuffer *output = bufferevent_get_output(stream);
        evbuffer_drain(output, evbuffer_get_length(output));
        return;
    }
    relay->handler->ended(relay->context);
}

struct relay *relay_open(
    struct event_base *base, int fd, const struct relay_handler *handler, void *context)
{
    struct relay *relay = alloc_zeroed(1, sizeof *relay);

    relay->handler = handler;
    relay->context = context;
    relay->fd = fd;
    relay->stream = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (relay->stream == NULL) {
        close(fd);
        free(relay);
        return NULL;
    }
    bufferevent_setcb(relay->stream, read_frames, drained, ended, relay);
    bufferevent_set_max_single_read(relay->stream, RELAY_TURN_BYTES);
    if (bufferevent_enable(relay->stream, EV_READ) != 0) {
        relay_close(relay);
        return NULL;
    }
    return relay;
}

void relay_close(struct relay *relay)
{
    bufferevent_free(relay->stream);
    free(relay);
}

void relay_send(struct relay *relay, const struct frame *frames, size_t count)
{
    size_t length = count * sizeof *frames;
    ssize_t sent = 0;

    if (!relay_blocked(relay)) {
        sent = send(relay->fd, frames, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS) {
            /* The other end is gone, or must go: frames are missing from here on. Reading tells. */
            shutdown(relay->fd, SHUT_WR);
            return;
        }
        if (sent < 0)
            sent = 0;
    }
    if ((size_t)sent < length)
        bufferevent_write(relay->stream, (const char *)frames + sent, length - (size_t)sent);
}

bool relay_give(struct relay *relay, const void *bytes, size_t length, int descriptor)
{
    return handover_send(relay->fd, bytes, length, &descriptor, 1);
}

void relay_finish(struct relay *relay)
{
    shutdown(relay->fd, SHUT_WR);
}

bool relay_blocked(const struct relay *relay)
{
    return evbuffer_get_length(bufferevent_get_output(relay->stream)) > 0;
}
