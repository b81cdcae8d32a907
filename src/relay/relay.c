/* SPDX-License-Identifier: ISC */
/*
 * relay.c - frames over a socket, with a bufferevent behind what it refuses.
 *
 * Model: both ways go straight to the socket, since the way through a bufferevent costs more than
 * the frames do. Writing hands it only what the socket refused: two epoll_ctl(2) and one more turn
 * of the loop for each frame otherwise. Reading leaves it out: it asks for what there is first
 * (FIONREAD) and takes 4 KiB of it at most, where one read(2) takes all of a turn.
 *
 * What is read lies in one buffer for all relays of the process: no relay is read while the frames
 * of another are handed on. Nobody else writes there, so a frame is looked at where it lies.
 *
 * Fairness: at most RELAY_TURN_FRAMES are read a turn, so one flooding worker gets no more of a
 * turn than any other. Overflow: an incoming piece of a frame waits in the relay for its rest;
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
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RELAY_TURN_FRAMES 256

struct relay {
    struct bufferevent *unsent;
    struct event *readable;
    const struct relay_handler *handler;
    void *context;
    int fd;
    size_t held;        /* bytes of a frame whose rest is still to come, */
    struct frame piece; /* which are here */
};

/* Reads behind the piece there is. Returns the bytes that the buffer has then; 0 where nothing has
 * come after all, -1 at the end. */
static ssize_t read_turn(struct relay *relay, struct frame *turn)
{
    char *bytes = (char *)turn;
    ssize_t got = read(relay->fd, bytes + relay->held, RELAY_TURN_FRAMES * sizeof *turn);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0)
        return -1;
    memcpy(bytes, &relay->piece, relay->held);
    return (ssize_t)relay->held + got;
}

static void read_frames(evutil_socket_t fd, short what, void *argument)
{
    static struct frame turn[RELAY_TURN_FRAMES + 1];
    struct relay *relay = argument;
    ssize_t length = read_turn(relay, turn);
    size_t whole = length > 0 ? (size_t)length / sizeof turn[0] : 0;

    (void)fd, (void)what;
    if (length < 0) {
        event_del(relay->readable);
        relay->handler->ended(relay->context);
        return;
    }
    if (length == 0)
        return;
    relay->held = (size_t)length % sizeof turn[0];
    memcpy(&relay->piece, &turn[whole], relay->held);
    for (size_t i = 0; i < whole; i++)
        if (!relay->handler->frame(relay->context, &turn[i]))
            return;
    if (relay->handler->settled != NULL)
        relay->handler->settled(relay->context);
}

static void drained(struct bufferevent *stream, void *argument)
{
    struct relay *relay = argument;

    (void)stream;
    relay->handler->writable(relay->context);
}

/* A failed write alone does not end it: frames that came before may still be unread. */
static void not_written(struct bufferevent *stream, short what, void *argument)
{
    struct evbuffer *output = bufferevent_get_output(stream);

    (void)what, (void)argument;
    evbuffer_drain(output, evbuffer_get_length(output));
}

struct relay *relay_open(
    struct event_base *base, int fd, const struct relay_handler *handler, void *context)
{
    struct relay *relay = alloc_zeroed(1, sizeof *relay);

    relay->handler = handler;
    relay->context = context;
    relay->fd = fd;
    relay->unsent = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (relay->unsent == NULL) {
        close(fd);
        free(relay);
        return NULL;
    }
    bufferevent_setcb(relay->unsent, NULL, drained, not_written, relay);
    relay->readable = event_new(base, fd, EV_READ | EV_PERSIST, read_frames, relay);
    if (relay->readable == NULL || event_add(relay->readable, NULL) != 0) {
        relay_close(relay);
        return NULL;
    }
    return relay;
}

void relay_close(struct relay *relay)
{
    if (relay->readable != NULL)
        event_free(relay->readable);
    bufferevent_free(relay->unsent);
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
        bufferevent_write(relay->unsent, (const char *)frames + sent, length - (size_t)sent);
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
    return evbuffer_get_length(bufferevent_get_output(relay->unsent)) > 0;
}

void frame_batch_add(struct frame_batch *batch, const struct frame *frame)
{
    if (batch->count == FRAME_BATCH_MAX)
        frame_batch_send(batch);
    batch->frames[batch->count++] = *frame;
}

void frame_batch_send(struct frame_batch *batch)
{
    if (batch->count > 0)
        relay_send(batch->relay, batch->frames, batch->count);
    batch->count = 0;
}
