/* SPDX-License-Identifier: ISC */
/*
 * session.c - a client worker's event loop.
 *
 * Model:
 * 1. In: a turn is one read(2) of at most INPUT_TURN bytes (relay.c says why there is no
 *    bufferevent), the protocol makes events of them, and each event goes to the supervisor as a
 *    frame with its text in the outbox. Where credit is used up, the event is held, nothing more is
 *    read, and the client feels that as TCP does it; CREDIT goes on.
 * 2. Out: only the delivery writes to the client's socket, so all that a client sees is in one
 *    order: the worker's own (deliverer.c), or that of a courier, of which the worker knows
 * nothing.
 * 3. The end of input (half-close, /quit) becomes FINISH after everything before it. The supervisor
 *    answers with END after the client's `left` is recorded; what is owed until then is delivered,
 *    and the socket is closed as closing.c says, all within drain-timeout. Where a courier
 *    delivers, the supervisor shuts the socket down when that is done, and says CLOSE.
 * 4. A worker is made before its client is there: jailed and with all else ready it waits for the
 *    socket.
 *
 * Ends: the loop ends with an exit status, and the process with it; the kernel closes the rest. The
 * position in the outbox tells the supervisor how far delivery got.
 *
 * Overflow: input waits in the kernel; at most INPUT_TURN bytes and one line are held here.
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
    INPUT_OPEN,     /* the client may say more */
    INPUT_ENDED,    /* it has closed its side; its last line is still to be judged */
    INPUT_COMPLETE, /* nothing more to judge, FINISH is still to be sent */
    INPUT_FINISHED  /* FINISH is sent, or the supervisor has ended the session */
};

struct session {
    const struct heritage *heritage;
    const struct region_view *view; /* NULL where a courier delivers */
    struct event_base *base;
    struct relay *relay;
    struct event *readable; /* the client's socket, while nothing is held */
    int client_fd;
    struct own_delivery *own_delivery; /* NULL where a courier delivers */
    struct outbox_writer writer;
    struct line_parser *parser;

    enum input_state input;
    bool peer_closed;        /* the client's EOF has been read */
    struct line_event event; /* not yet handed over, unless its kind is LINE_NONE */
    size_t event_bytes;      /* of the input that it is made of: let go when it is handed over */
    size_t unjudged, length; /* where in `bytes` that is, and what has been read */
    size_t help_next;        /* line of the help text that comes next */
    struct frame finish;     /* how to finish: closed, or quit with a reason */
    char finish_reason[FRAME_REASON_MAX];

    bool draining;  /* END came: everything owed is known */
    bool shut_down; /* all of that is written, and the socket shut down for writing */
    struct graceful_close *closing;
    int status;

    /* Last, since who says little has no need of all their pages. */
    struct frame_batch batch;
    char bytes[INPUT_TURN];
};

/* The first status stays. */
static void session_end(struct session *session, enum child_exit status)
{
    if (session->status < 0)
        session->status = (int)status;
    event_base_loopbreak(session->base);
}

/* Puts a text into the outbox and its frame into the batch; false where credit is used up. */
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

/* The client is done; what it may still send is discarded. */
static void note_quit(struct session *session, const struct line_event *event)
{
    size_t length = at_most(event->length, FRAME_REASON_MAX);

    memcpy(session->finish_reason, event->text, length);
    session->finish.length = (uint32_t)length;
    session->finish.detail = FRAME_GOODBYE_QUIT;
    session->input = INPUT_COMPLETE;
}

/* Hands one event over; false where it must be held. */
static bool hand_over(struct session *session, const struct line_event *event)
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

/* Hands over the held event and lets its input go; false where it is held on. */
static bool settle_event(struct session *session)
{
    if (session->event.kind != LINE_NONE && !hand_over(session, &session->event))
        return false;
    session->event.kind = LINE_NONE;
    session->unjudged += session->event_bytes;
    session->event_bytes = 0;
    return true;
}

/* Makes the next event of what has been read; false where there is nothing. */
static bool next_event(struct session *session)
{
    if (session->input == INPUT_OPEN || session->input == INPUT_ENDED) {
        if (session->unjudged < session->length) {
            session->event_bytes = line_parse(session->parser, session->bytes + session->unjudged,
                session->length - session->unjudged, &session->event);
            return true;
        }
        if (session->input == INPUT_ENDED) {
            session->input = INPUT_COMPLETE;
            line_parse_end(session->parser, &session->event);
            return true;
        }
        return false;
    }
    session->unjudged = session->length;
    return false;
}

/* Everything that the client has said goes to the supervisor, as far as credit goes. */
static void take_input(struct session *session)
{
    bool open = true;

    do
        open = settle_event(session);
    while (open && next_event(session));
    if (open && session->input == INPUT_COMPLETE &&
        submit(session, FRAME_GOODBYE, session->finish.detail, session->finish_reason,
            session->finish.length))
        session->input = INPUT_FINISHED;
    frame_batch_send(&session->batch);
    if (session->peer_closed)
        return;
    /* While an event is held the buffer that it points into must stay as it is. */
    if (session->event.kind != LINE_NONE)
        event_del(session->readable);
    else if (event_add(session->readable, NULL) != 0)
        session_end(session, CHILD_EXIT_SETUP);
}

static void input_ended(struct session *session)
{
    event_del(session->readable);
    session->peer_closed = true;
    if (session->shut_down) {
        session_end(session, CHILD_EXIT_DONE);
        return;
    }
    if (session->input == INPUT_OPEN)
        session->input = INPUT_ENDED;
    take_input(session);
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
        input_ended(session);
        return;
    }
    session->unjudged = 0;
    session->length = (size_t)length;
    take_input(session);
}

static void closing_over(void *context, bool in_time)
{
    session_end(context, in_time ? CHILD_EXIT_DONE : CHILD_EXIT_DRAIN_TIMEOUT);
}

/* Everything owed has left, and the socket is shut down: close when it is taken. */
static void close_in_order(struct session *session)
{
    session->shut_down = true;
    if (session->peer_closed)
        session_end(session, CHILD_EXIT_DONE);
    else
        graceful_close_when_read(session->closing);
}

static void all_delivered(void *context)
{
    struct session *session = context;

    if (!session->draining)
        return;
    shutdown(session->client_fd, SHUT_WR);
    close_in_order(session);
}

static void client_lost(void *context)
{
    session_end(context, CHILD_EXIT_CONNECTION_LOST);
}

static const struct own_delivery_handler delivery_handler = {
    .done = all_delivered,
    .lost = client_lost,
};

/* One last line, where this worker is who writes to the client. */
static void say_why(struct session *session, enum disconnect_reason reason)
{
    if (session->own_delivery != NULL && own_delivery_at_line_boundary(session->own_delivery))
        last_line_send(session->client_fd, reason);
}

/* END: whatever the client still says is discarded, and what it is owed is delivered. */
static void begin_end(struct session *session, enum frame_close how, enum disconnect_reason reason)
{
    if (how == FRAME_CLOSE_WHEN_READ && session->draining) {
        close_in_order(session);
        return;
    }
    session->input = INPUT_FINISHED;
    session->event.kind = LINE_NONE;
    take_input(session);
    if (how != FRAME_CLOSE_DRAIN) {
        say_why(session, reason);
        session_end(session, CHILD_EXIT_EVICTED);
        return;
    }
    session->draining = true;
    session->closing = graceful_close_start(session->base, session->client_fd,
        session->heritage->drain_timeout_ms, closing_over, session);
    if (session->closing == NULL)
        session_end(session, CHILD_EXIT_DRAIN_TIMEOUT);
}

static bool take_frame(void *context, const struct frame *frame)
{
    struct session *session = context;
    bool fine = true;

    switch (frame->kind) {
    case FRAME_DELIVER:
    case FRAME_MEMBERSHIP:
        fine = session->own_delivery != NULL && own_delivery_take(session->own_delivery, frame);
        break;
    case FRAME_CREDIT:
        fine = outbox_answered(&session->writer, frame->length);
        break;
    case FRAME_CLOSE:
        begin_end(session, frame->detail, frame->length);
        break;
    default:
        fine = false;
    }
    if (!fine)
        session_end(session, CHILD_EXIT_SETUP);
    return true;
}

/* After the frames of one read: more to deliver, and perhaps credit for what is held. */
static void frames_taken(void *context)
{
    struct session *session = context;

    if (session->status >= 0)
        return;
    if (session->own_delivery != NULL)
        own_delivery_go_on(session->own_delivery);
    if (session->event.kind != LINE_NONE || session->input == INPUT_COMPLETE)
        take_input(session);
}

static void relay_writable(void *context)
{
    (void)context; /* what was held back is gone; credit bounds what more there can be */
}

static void relay_ended(void *context)
{
    session_end(context, CHILD_EXIT_NO_SUPERVISOR);
}

static const struct relay_handler supervisor_handler = {
    .frame = take_frame,
    .settled = frames_taken,
    .writable = relay_writable,
    .ended = relay_ended,
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
    session->own_delivery = own_delivery_new(session->base, session->view, &outbox->state->delivery,
        heritage->slot, heritage->generation, session->client_fd, &delivery_handler, session);
    if (session->own_delivery != NULL)
        own_delivery_set_relay(session->own_delivery, session->relay);
    return session->own_delivery != NULL;
}

/* Shows the slot and the client's address in the process title. The digits are written here because
 * printf(3) would cost each worker several pages (proctitle.c). */
static void set_title(uint32_t slot, const char *address)
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
    set_title(heritage->slot, about.address);
    return true;
}

/* The way in. Returns a status where it ends, or -1 where the session has begun. */
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
    static struct session session; /* it ends with the process, and so does what it has */

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
