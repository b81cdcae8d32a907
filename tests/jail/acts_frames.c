/* SPDX-License-Identifier: ISC */
/*
 * acts_frames.c - FRAME acts: what a worker can send to the supervisor.
 *
 * The sizes are those of the test's options: max-message-size 4 KiB, outbox-size 16 KiB. Frames are
 * sent by send(2), which the jail allows, until the socket is full or the supervisor has closed it.
 */
#include "config.h"

#include "region/outbox.h"
#include "relay/frame.h"
#include "tests/jail/acts.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_MESSAGE 4096u

/* How often a text is changed, and how many frames are sent at a time. */
#define CHANGES 10000
#define LOT     100

/* More than any queue, credit and limit of private records take in. */
#define FLOOD 400000

bool act_put(const struct scene *scene, const struct frame *frame)
{
    const char *bytes = (const char *)frame;
    size_t sent = 0;

    while (sent < sizeof *frame) {
        ssize_t length =
            send(scene->heritage->relay_fd, bytes + sent, sizeof *frame - sent, MSG_NOSIGNAL);
        if (length < 0 && errno != EAGAIN)
            return false;
        if (length > 0)
            sent += (size_t)length;
    }
    return true;
}

/* A frame of this kind about a text at the beginning of the outbox. */
static void put_text(const struct scene *scene, enum frame_kind kind, unsigned detail,
    const char *text, size_t length)
{
    struct frame frame = {
        .kind = (uint8_t)kind, .detail = (uint8_t)detail, .length = (uint32_t)length};

    memcpy(scene->outbox.bytes, text, length);
    act_put(scene, &frame);
}

static void publish(const struct scene *scene, const char *text)
{
    put_text(scene, FRAME_PUBLISH, 0, text, strlen(text));
}

static void enter(const struct scene *scene)
{
    act_put(scene, &(struct frame){.kind = FRAME_HELLO});
}

/* A PUBLISH of a place in the outbox, which is all letters. */
static void publish_place(const struct scene *scene, uint64_t offset, uint32_t length)
{
    memset(scene->outbox.bytes, 'x', scene->outbox.size);
    act_put(scene, &(struct frame){.kind = FRAME_PUBLISH, .length = length, .offset = offset});
}

/* A server that does not check the kind reads beyond the ends of tables. What that does depends on the
 * build, so the control is LAWFUL. */
void act_kind_unknown(const struct scene *scene)
{
    act_put(scene, &(struct frame){.kind = scene->lawful ? FRAME_WHO : 200});
}

void act_kind_of_supervisor(const struct scene *scene)
{
    act_put(scene, &(struct frame){.kind = FRAME_DELIVER, .from = 1, .to = UINT64_MAX});
}

/* As a courier would end a neighbour's client. */
void act_kind_of_courier(const struct scene *scene)
{
    act_put(scene, &(struct frame){.kind = FRAME_DETACHED, .slot = 0, .generation = 1});
}

void act_detail_unknown(const struct scene *scene)
{
    put_text(scene, FRAME_REPLY, 77, "x", 1);
}

void act_room_unknown(const struct scene *scene)
{
    memcpy(scene->outbox.bytes, "x", 1);
    act_put(scene, &(struct frame){.kind = FRAME_PUBLISH, .room = 4711, .length = 1});
}

void act_length_one_too_long(const struct scene *scene)
{
    publish_place(scene, 0, MAX_MESSAGE + 1);
}

void act_length_of_all_bits(const struct scene *scene)
{
    publish_place(scene, 0, UINT32_MAX);
}

void act_name_too_long(const struct scene *scene)
{
    char name[FRAME_NAME_MAX + 1];

    memset(name, 'n', sizeof name);
    put_text(scene, FRAME_RENAME, 0, name, sizeof name);
}

void act_offset_in_neighbour(const struct scene *scene)
{
    publish_place(scene, scene->outbox.size + 4096, 16);
}

void act_offset_across_end(const struct scene *scene)
{
    publish_place(scene, scene->outbox.size - 3, 8);
}

void act_offset_that_wraps(const struct scene *scene)
{
    publish_place(scene, UINT64_MAX - 3, 8);
}

void act_text_with_escape(const struct scene *scene)
{
    publish(scene, "\033[2J\033]0;owned\a");
}

void act_text_with_line_feed(const struct scene *scene)
{
    publish(scene, "x\n[guest1] I never said that");
}

void act_text_not_utf8(const struct scene *scene)
{
    publish(scene, "x\xc0\xaf\xff");
}

/* Waits until fewer than LOT of the frames are unanswered; false where the other end is closed. */
static bool wait_for_credit(const struct scene *scene, unsigned *unanswered)
{
    struct frame frame;
    ssize_t length;

    while (*unanswered >= LOT) {
        length = read(scene->heritage->relay_fd, &frame, sizeof frame);
        if (length == 0 || (length < 0 && errno != EAGAIN))
            return false;
        if (length == (ssize_t)sizeof frame && frame.kind == FRAME_CREDIT)
            *unanswered -= frame.length;
    }
    return true;
}

/* Writes an escape over the text again and again while the supervisor copies and checks it, and at
 * last leaves it there; within its credit, or that would be found first. */
void act_text_changed_meanwhile(const struct scene *scene)
{
    volatile char *text = scene->outbox.bytes;
    struct frame frame = {.kind = FRAME_PUBLISH, .length = 64};
    unsigned unanswered = 1; /* it has entered */

    memset(scene->outbox.bytes, 'x', 64);
    for (int i = 0; i < CHANGES && wait_for_credit(scene, &unanswered); i++) {
        if (!act_put(scene, &frame))
            return;
        unanswered++;
        for (int k = 0; k < 64; k++) {
            text[k] = '\033';
            text[k] = 'y';
        }
    }
    text[63] = '\033';
    act_put(scene, &frame);
}

void act_reply_with_line_feed(const struct scene *scene)
{
    put_text(scene, FRAME_REPLY, FRAME_REPLY_EVENT, "x\ny", 3);
}

void act_reason_with_escape(const struct scene *scene)
{
    put_text(scene, FRAME_GOODBYE, FRAME_GOODBYE_QUIT, "\033c", 2);
}

void act_publish_nothing(const struct scene *scene)
{
    publish(scene, scene->lawful ? "x" : "");
}

void act_publish_before_entering(const struct scene *scene)
{
    if (scene->lawful)
        enter(scene);
    publish(scene, "x");
}

void act_rename_before_entering(const struct scene *scene)
{
    if (scene->lawful)
        enter(scene);
    put_text(scene, FRAME_RENAME, 0, "somebody", 8);
}

void act_ask_before_entering(const struct scene *scene)
{
    if (scene->lawful)
        enter(scene);
    act_put(scene, &(struct frame){.kind = FRAME_WHO});
}

void act_enter_twice(const struct scene *scene)
{
    if (!scene->lawful)
        enter(scene);
}

void act_close_with_reason(const struct scene *scene)
{
    put_text(
        scene, FRAME_GOODBYE, scene->lawful ? FRAME_GOODBYE_QUIT : FRAME_GOODBYE_CLOSED, "x", 1);
}

/* Asks who is there, without ever reading the answers. */
void act_more_frames_than_credit(const struct scene *scene)
{
    struct frame frame = {.kind = FRAME_WHO};

    for (int i = 0; i < (scene->lawful ? 100 : FLOOD) && act_put(scene, &frame); i++)
        continue;
}

/* States a position, as delivery.c does. */
static void state_position(const struct scene *scene, uint64_t position)
{
    struct delivery_state *state = &scene->outbox.state->delivery;
    uint32_t version = atomic_load(&state->version) + 1;

    atomic_store(&state->marks[version % 2].position, position);
    atomic_store(&state->version, version);
    atomic_store(&state->generation, scene->heritage->generation);
}

/* The supervisor looks at a position when it must know it: at the latest when its worker ends. */
static void claim_position(const struct scene *scene, uint64_t position)
{
    state_position(scene, position);
    shutdown(scene->heritage->relay_fd, SHUT_RDWR);
}

void act_position_of_the_future(const struct scene *scene)
{
    claim_position(scene, scene->lawful ? 0 : UINT64_MAX);
}

/* Takes frames until so few are unanswered that the supervisor need not tell of more answers; keeps
 * the position true. Returns it. */
static uint64_t keep_up(const struct scene *scene, int *unanswered)
{
    struct frame frame;
    uint64_t position = 0;
    ssize_t length;

    while (*unanswered > (int)OUTBOX_CREDIT_FRAMES / 4 || position == 0) {
        length = read(scene->heritage->relay_fd, &frame, sizeof frame);
        if (length == 0)
            break;
        if (length != (ssize_t)sizeof frame)
            continue;
        if (frame.kind == FRAME_CREDIT)
            *unanswered -= (int)frame.length;
        if (frame.kind == FRAME_DELIVER)
            position = frame.to + 1;
        if (position == 0)
            continue;
        state_position(scene, position);
        act_put(scene, &(struct frame){.kind = FRAME_SPACE});
    }
    return position;
}

/* First true positions, until the supervisor must have looked, since more has been asked than one
 * client may be owed; then an older one. */
void act_position_of_the_past(const struct scene *scene)
{
    struct frame frame = {.kind = FRAME_WHO};
    int unanswered = 1;
    uint64_t position = keep_up(scene, &unanswered);

    for (int lot = 0; lot < 30; lot++) {
        for (int i = 0; i < LOT; i++)
            act_put(scene, &frame);
        unanswered += LOT;
        position = keep_up(scene, &unanswered);
    }
    claim_position(scene, scene->lawful ? position : 1);
}

/* One that it has been told to jump over. */
void act_position_before_joining(const struct scene *scene)
{
    struct frame frame;
    ssize_t length;

    do
        length = read(scene->heritage->relay_fd, &frame, sizeof frame);
    while (length != 0 && (length != (ssize_t)sizeof frame || frame.kind != FRAME_DELIVER));
    claim_position(scene, scene->lawful ? frame.from : 1);
}
