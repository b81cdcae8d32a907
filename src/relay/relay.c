/* SPDX-License-Identifier: ISC */
/*
 * relay.c - frames over a socket, and a bufferevent for what the socket does not take.
 *
 * Model: frames are read from and written to the socket directly, because a bufferevent costs more
 * than the frames themselves. For writing it would add two epoll_ctl(2) and a turn of the loop to
 * each frame, so it gets only what the socket did not take. For reading it would call
 * ioctl(FIONREAD) first and then read 4 KiB at most, while one read(2) reads all of a turn.
 *
 * All relays of a process read into one buffer: no relay is read while the frames of another are
 * handled. No other process can write to this buffer, so handlers get pointers into it.
 *
 * Fairness: at most RELAY_TURN_FRAMES frames are read in a turn, so a child that floods its relay
 * gets no larger share of the turn than any other. Overflow: an incomplete frame waits in the relay
 * for its remaining bytes; see relay_send() for outgoing frames.
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
    size_t piece_length; /* bytes of an incomplete frame */
    struct frame piece;  /* these bytes */
};

/* Reads into the buffer `turn`, after the piece. Returns how many bytes the buffer has; 0 if there
 * is nothing to read after all, -1 at the end. */
static ssize_t read_turn(struct relay *relay, struct frame *turn)
{
    char *bytes = (char *)turn;
    ssize_t got = read(relay->fd, bytes + relay->piece_length, RELAY_TURN_FRAMES * sizeof *turn);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0)
        return -1;
    memcpy(bytes, &relay->piece, relay->piece_length);
    return (ssize_t)relay->piece_length + got;
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
    relay->piece_length = (size_t)length % sizeof turn[0];
    memcpy(&relay->piece, &turn[whole], relay->piece_length);
    for (size_t i = 0; i < whole; i++)
        if (!relay->handler->frame(relay->context, &turn[i]))
            return;
    if (relay->handler->settled != NULL)
        relay->handler->settled(relay->context);
}

static void relay_drained(struct bufferevent *stream, void *argument)
{
    struct relay *relay = argument;

    (void)stream;
    relay->handler->writable(relay->context);
}

/* Discards what cannot be written. Only reading ends the relay: frames that arrived before may
 * still be unread. */
static void relay_write_failed(struct bufferevent *stream, short what, void *argument)
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
    bufferevent_setcb(relay->unsent, NULL, relay_drained, relay_write_failed, relay);
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
            /* Frames will be missing from here on, so the other end must close if it has not done
             * so already. Reading will report that. */
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
