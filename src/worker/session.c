/* SPDX-License-Identifier: ISC */
/*
 * session.c - the event loop of a worker.
 *
 * Model:
 * 1. Input: a turn is one read(2) of at most INPUT_TURN bytes (relay.c explains why there is no
 *    bufferevent). The protocol parses them into events, and each event goes to the supervisor as a
 *    frame, with its text in the outbox. If the credit is used up, the worker keeps the event and
 *    stops reading, so TCP slows the client down. A CREDIT frame lets it continue.
 * 2. Output: only the delivery writes to the client's socket, so a client sees everything in one
 *    order. The delivery is the worker's own (own_delivery.c) or belongs to a courier, which the
 *    worker does not know.
 * 3. The end of the input (half-close, /quit) becomes GOODBYE, after everything before it. The
 *    supervisor records that the client left and sends CLOSE. Records up to that point are still
 *    delivered, then the socket is closed as described in graceful_close.c, all within
 *    drain-timeout. If a courier delivers, the supervisor shuts the socket down when the courier
 *    has finished, and sends a second CLOSE.
 * 4. A worker starts before its client connects: it enters the jail, prepares everything else, and
 *    waits for the client's socket.
 *
 * End: the loop ends with an exit status, and the process exits with it; the kernel closes the
 * descriptors. The supervisor reads in the outbox how far the delivery got.
 *
 * Overflow: input waits in the kernel; at most INPUT_TURN bytes and one line are kept here.
 */
#include "config.h"

#include "worker/session.h"

#include "base/proctitle.h"
#include "delivery/graceful_close.h"
#include "process/jail.h"
#include "protocol/line/line_parse.h"
#include "region/outbox.h"
#include "relay/handover.h"
#include "relay/loop.h"
#include "relay/relay.h"
#include "worker/own_delivery.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_TURN 16384

enum input_state {
    INPUT_OPEN,     /* the client may send more */
    INPUT_ENDED,    /* it has closed its side; its last line is not parsed yet */
    INPUT_COMPLETE, /* everything is parsed; GOODBYE is not sent yet */
    INPUT_FINISHED  /* GOODBYE is sent, or the supervisor disconnects the client */
};

struct session {
    const struct heritage *heritage;
    const struct region_view *view; /* NULL if a courier delivers */
    struct event_base *base;
    struct relay *relay;
    struct event *readable; /* of the client's socket; not pending while an event is kept */
    int client_fd;
    struct own_delivery *own_delivery; /* NULL if a courier delivers */
    struct outbox_writer writer;
    struct line_parser *parser;

    enum input_state input;
    bool peer_closed;        /* the client's EOF has been read */
    struct line_event event; /* kept until it can be submitted; LINE_NONE: there is none */
    size_t event_bytes;      /* its length in `bytes`, where it begins at `parsed` */
    size_t parsed, length;   /* of `bytes`: what has become submitted events, and what was read */
    size_t help_next;        /* the next line of the help text */
    struct frame goodbye;    /* why the client leaves: closed, or quit with a reason */
    char goodbye_reason[FRAME_REASON_MAX];

    bool draining;  /* CLOSE came: no further record will be announced */
    bool shut_down; /* everything is written, and the socket is shut down for writing */
    struct graceful_close *closing;
    int status;

    /* At the end, because a client that sends little does not touch all of their pages. */
    struct frame_batch batch;
    char bytes[INPUT_TURN];
};

/* Ends the loop. If it is called more than once, the first status counts. */
static void session_end(struct session *session, enum child_exit status)
{
    if (session->status < 0)
        session->status = (int)status;
    event_base_loopbreak(session->base);
}

/* Puts a text into the outbox and its frame into the batch. Returns false if no credit is left. */
static bool submit(
    struct session *session, enum frame_kind kind, unsigned detail, const char *text, size_t length)
{
    int64_t offset = outbox_put(&session->writer, text, length);

    if (offset < 0)
        return false;
    frame_batch_add(&session->batch, &(struct frame){
                                         .kind = (uint8_t)kind,
                                         .detail = (uint8_t)detail,
                                         .length = (uint32_t)length,
                                         .offset = (uint64_t)offset,
                                     });
    return true;
}

static size_t at_most(size_t length, size_t limit)
{
    return length < limit ? length : limit;
}

static bool submit_help(struct session *session)
{
    const char *line;

    while ((line = line_help(session->help_next)) != NULL) {
        if (!submit(session, FRAME_REPLY, FRAME_REPLY_EVENT, line, strlen(line)))
            return false;
        session->help_next++;
    }
    session->help_next = 0;
    return true;
}

/* The client quits; what it may still send is discarded. */
static void note_quit(struct session *session, const struct line_event *event)
{
    size_t length = at_most(event->length, FRAME_REASON_MAX);

    memcpy(session->goodbye_reason, event->text, length);
    session->goodbye.length = (uint32_t)length;
    session->goodbye.detail = FRAME_GOODBYE_QUIT;
    session->input = INPUT_COMPLETE;
}

/* Submits one event. Returns false if there is no credit for it now. */
static bool submit_event(struct session *session, const struct line_event *event)
{
    switch (event->kind) {
    case LINE_MESSAGE:
        return submit(session, FRAME_PUBLISH, 0, event->text, event->length);
    case LINE_ERROR:
        return submit(session, FRAME_REPLY, FRAME_REPLY_ERROR, event->text,
            at_most(event->length, FRAME_REPLY_MAX));
    case LINE_NICK:
        return submit(
            session, FRAME_RENAME, 0, event->text, at_most(event->length, FRAME_NAME_MAX));
    case LINE_WHO:
        return submit(session, FRAME_WHO, 0, NULL, 0);
    case LINE_HELP:
        return submit_help(session);
    case LINE_QUIT:
        note_quit(session, event);
        return true;
    case LINE_NONE:
        return true;
    }
    return true;
}

/* Submits the kept event and releases its input. Returns false if it must still be kept. */
static bool submit_kept(struct session *session)
{
    if (session->event.kind != LINE_NONE && !submit_event(session, &session->event))
        return false;
    session->event.kind = LINE_NONE;
    session->parsed += session->event_bytes;
    session->event_bytes = 0;
    return true;
}

/* Parses the next event. Returns false if there is no more input. */
static bool parse_event(struct session *session)
{
    if (session->input == INPUT_OPEN || session->input == INPUT_ENDED) {
        if (session->parsed < session->length) {
            session->event_bytes = line_parse(session->parser, session->bytes + session->parsed,
                session->length - session->parsed, &session->event);
            return true;
        }
        if (session->input == INPUT_ENDED) {
            session->input = INPUT_COMPLETE;
            line_parse_end(session->parser, &session->event);
            return true;
        }
        return false;
    }
    session->parsed = session->length;
    return false;
}

/* Sends the supervisor everything that the client has sent, as far as the credit allows. */
static void process_input(struct session *session)
{
    bool has_credit;

    do
        has_credit = submit_kept(session);
    while (has_credit && parse_event(session));
    if (has_credit && session->input == INPUT_COMPLETE &&
        submit(session, FRAME_GOODBYE, session->goodbye.detail, session->goodbye_reason,
            session->goodbye.length))
        session->input = INPUT_FINISHED;
    frame_batch_send(&session->batch);
    if (session->peer_closed)
        return;
    /* A kept event points into the buffer, so nothing may be read into that. */
    if (session->event.kind != LINE_NONE)
        event_del(session->readable);
    else if (event_add(session->readable, NULL) != 0)
        session_end(session, CHILD_EXIT_SETUP);
}

static void handle_eof(struct session *session)
{
    event_del(session->readable);
    session->peer_closed = true;
    if (session->shut_down) {
        session_end(session, CHILD_EXIT_DONE);
        return;
    }
    if (session->input == INPUT_OPEN)
        session->input = INPUT_ENDED;
    process_input(session);
}

static void client_readable(evutil_socket_t fd, short what, void *argument)
{
    struct session *session = argument;
    ssize_t length = read(fd, session->bytes, sizeof session->bytes);

    (void)what;
    if (length < 0) {
        if (errno != EAGAIN && errno != EINTR)
            session_end(session, CHILD_EXIT_CONNECTION_LOST);
        return;
    }
    if (length == 0) {
        handle_eof(session);
        return;
    }
    session->parsed = 0;
    session->length = (size_t)length;
    process_input(session);
}

static void graceful_close_over(void *context, bool in_time)
{
    session_end(context, in_time ? CHILD_EXIT_DONE : CHILD_EXIT_DRAIN_TIMEOUT);
}

/* Everything is written, and the socket is shut down for writing: exits when the client has read
 * it. */
static void exit_when_read(struct session *session)
{
    session->shut_down = true;
    if (session->peer_closed)
        session_end(session, CHILD_EXIT_DONE);
    else
        graceful_close_when_read(session->closing);
}

static void worker_delivery_done(void *context)
{
    struct session *session = context;

    if (!session->draining)
        return;
    shutdown(session->client_fd, SHUT_WR);
    exit_when_read(session);
}

static void worker_client_lost(void *context)
{
    session_end(context, CHILD_EXIT_CONNECTION_LOST);
}

static const struct own_delivery_handler delivery_handler = {
    .done = worker_delivery_done,
    .lost = worker_client_lost,
};

/* Writes the last line if this worker delivers; otherwise the courier has done that. */
static void send_last_line(struct session *session, enum disconnect_reason reason)
{
    if (session->own_delivery != NULL && own_delivery_at_line_boundary(session->own_delivery))
        last_line_send(session->client_fd, reason);
}

/* Handles CLOSE: discards what the client still sends, and lets pending records be delivered. */
static void begin_close(
    struct session *session, enum frame_close how, enum disconnect_reason reason)
{
    if (how == FRAME_CLOSE_WHEN_READ && session->draining) {
        exit_when_read(session);
        return;
    }
    session->input = INPUT_FINISHED;
    session->event.kind = LINE_NONE;
    process_input(session);
    if (how != FRAME_CLOSE_DRAIN) {
        send_last_line(session, reason);
        session_end(session, CHILD_EXIT_EVICTED);
        return;
    }
    session->draining = true;
    session->closing = graceful_close_start(session->base, session->client_fd,
        session->heritage->drain_timeout_ms, graceful_close_over, session);
    if (session->closing == NULL)
        session_end(session, CHILD_EXIT_DRAIN_TIMEOUT);
}

static bool worker_relay_frame(void *context, const struct frame *frame)
{
    struct session *session = context;
    bool fine = true;

    switch (frame->kind) {
    case FRAME_DELIVER:
    case FRAME_MEMBERSHIP:
        fine = session->own_delivery != NULL && own_delivery_frame(session->own_delivery, frame);
        break;
    case FRAME_CREDIT:
        fine = outbox_answered(&session->writer, frame->length);
        break;
    case FRAME_CLOSE:
        begin_close(session, frame->detail, frame->length);
        break;
    default:
        fine = false;
    }
    if (!fine)
        session_end(session, CHILD_EXIT_SETUP);
    return true;
}

/* After the frames of one read there may be records to write, and credit for a kept event. */
static void worker_relay_settled(void *context)
{
    struct session *session = context;

    if (session->status >= 0)
        return;
    if (session->own_delivery != NULL)
        own_delivery_write(session->own_delivery);
    if (session->event.kind != LINE_NONE || session->input == INPUT_COMPLETE)
        process_input(session);
}

static void worker_relay_writable(void *context)
{
    (void)context; /* the worker always sends; credit bounds what the relay keeps */
}

static void worker_relay_ended(void *context)
{
    session_end(context, CHILD_EXIT_NO_SUPERVISOR);
}

static const struct relay_handler supervisor_handler = {
    .frame = worker_relay_frame,
    .settled = worker_relay_settled,
    .writable = worker_relay_writable,
    .ended = worker_relay_ended,
};

static bool open_relay(struct session *session)
{
    session->base = loop_new();
    if (session->base == NULL)
        return false;
    session->relay =
        relay_open(session->base, session->heritage->relay_fd, &supervisor_handler, session);
    session->batch.relay = session->relay;
    return session->relay != NULL;
}

static bool open_client(struct session *session, const struct outbox *outbox)
{
    const struct heritage *heritage = session->heritage;

    session->readable = event_new(
        session->base, session->client_fd, EV_READ | EV_PERSIST, client_readable, session);
    if (session->readable == NULL || event_add(session->readable, NULL) != 0)
        return false;
    if (!heritage->delivers)
        return true;
    session->own_delivery = own_delivery_new(
        &(struct own_delivery_setup){
            .base = session->base,
            .relay = session->relay,
            .view = session->view,
            .state = &outbox->state->delivery,
            .slot = heritage->slot,
            .generation = heritage->generation,
            .fd = session->client_fd,
        },
        &delivery_handler, session);
    return session->own_delivery != NULL;
}

/* Shows the slot and the client's address in the process title. The digits are written here because
 * printf(3) would cost each worker several pages (proctitle.c). */
static void set_worker_title(uint32_t slot, const char *address)
{
    char digits[11], *first = &digits[sizeof digits - 1];

    *first = '\0';
    do
        *--first = (char)('0' + slot % 10);
    while ((slot /= 10) > 0);
    proctitle_set("chatroomd: worker ", first, " ", address, NULL);
}

/* Waits for the client's socket. Returns false if the supervisor has no client for this worker. */
static bool receive_client(struct session *session)
{
    const struct heritage *heritage = session->heritage;
    struct handover_client about;
    ssize_t length;

    handover_await(heritage->relay_fd);
    length = handover_receive(heritage->relay_fd, &about, sizeof about, &session->client_fd, 1);
    if (length != (ssize_t)sizeof about || session->client_fd < 0)
        return false;
    about.address[sizeof about.address - 1] = '\0';
    set_worker_title(heritage->slot, about.address);
    return true;
}

/* Prepares everything, waits for the client and sends HELLO. Returns -1, or an exit status if the
 * session cannot begin. */
static int begin_session(struct session *session, const struct outbox *outbox)
{
    const struct heritage *heritage = session->heritage;

    if (!open_relay(session))
        return CHILD_EXIT_SETUP;
    if (jail_enter(heritage) != JAIL_WHOLE && heritage->jail == JAIL_REQUIRED)
        return CHILD_EXIT_JAIL;
    if (!receive_client(session))
        return CHILD_EXIT_DONE;
    if (!open_client(session, outbox))
        return CHILD_EXIT_SETUP;
    submit(session, FRAME_HELLO, 0, NULL, 0);
    frame_batch_send(&session->batch);
    return -1;
}

int session_run(
    const struct heritage *heritage, const struct region_view *view, const struct outbox *outbox)
{
    static struct session session; /* exists until the process exits, with all that it refers to */

    session.heritage = heritage;
    session.view = view;
    session.client_fd = -1;
    session.parser = line_parser_new(heritage->max_message);
    session.status = -1;
    outbox_writer_init(&session.writer, *outbox);
    session.status = begin_session(&session, outbox);
    while (session.status < 0)
        if (event_base_dispatch(session.base) != 0)
            session_end(&session, CHILD_EXIT_SETUP);
    return session.status;
}
