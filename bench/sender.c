/* SPDX-License-Identifier: ISC */
/*
 * Composing messages and sending them; see sender.h. Each sender has its next message ready made as
 * the frame of its protocol; only the number (and at a pace the time) changes from one to the
 * next. The pace comes from a timer in the crowd's epoll set, whose only use there is to end the
 * wait.
 */
#include "config.h"

#include "sender.h"

#include "base/alloc.h"
#include "clock.h"
#include "fail.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct sender {
    struct client *client;
    char *frame;
    char *text; /* in the frame */
};

struct senders {
    struct crowd *crowd;
    unsigned count, in_flight, pace;
    int timer;     /* -1 where there is no pace */
    unsigned turn; /* who sends first, or next */
    uint64_t sent;
    size_t frame_length;
    struct sender *each;
};

static void sender_prepare(struct senders *senders, unsigned index)
{
    const struct crowd *crowd = senders->crowd;
    const struct envelope *envelope = &crowd->sent;
    struct sender *sender = &senders->each[index];

    sender->client = &crowd->senders[index];
    sender->frame = alloc_zeroed(1, senders->frame_length);
    sender->text = sender->frame + envelope->head_length;
    memcpy(sender->frame, envelope->head, envelope->head_length);
    message_write(sender->text, crowd->plan.size, index);
    memcpy(
        sender->text + MESSAGE_NUMBER, crowd->clients[0].next[index].digits, MESSAGE_NUMBER_LENGTH);
    memcpy(sender->text + crowd->plan.size, envelope->tail, envelope->tail_length);
}

void senders_rest(struct senders *senders)
{
    long interval = (long)(CLOCK_SECOND / senders->pace);
    struct itimerspec period = {.it_interval = {interval / 1000000000, interval % 1000000000}};

    period.it_value = period.it_interval;
    if (timerfd_settime(senders->timer, 0, &period, NULL) < 0)
        fail("the timer cannot be set: %s", strerror(errno));
}

static void senders_start_timer(struct senders *senders)
{
    struct epoll_event event = {.events = EPOLLIN};

    senders->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (senders->timer < 0 ||
        epoll_ctl(senders->crowd->epoll, EPOLL_CTL_ADD, senders->timer, &event) < 0)
        fail("no timer: %s", strerror(errno));
    senders_rest(senders);
}

struct senders *senders_new(struct crowd *crowd, unsigned in_flight, unsigned pace)
{
    struct senders *senders = alloc_zeroed(1, sizeof(*senders));

    senders->crowd = crowd;
    senders->count = crowd_senders(crowd);
    assert((in_flight == 0) != (pace == 0) && senders->count > 0);
    senders->in_flight = in_flight;
    senders->pace = pace;
    senders->sent = crowd_slowest(crowd);
    senders->timer = -1;
    senders->frame_length = crowd->sent.head_length + crowd->plan.size + crowd->sent.tail_length;
    senders->each = alloc_zeroed(senders->count, sizeof(*senders->each));
    for (unsigned i = 0; i < senders->count; i++)
        sender_prepare(senders, i);
    if (pace > 0)
        senders_start_timer(senders);
    return senders;
}

void senders_free(struct senders *senders)
{
    for (unsigned i = 0; i < senders->count; i++)
        free(senders->each[i].frame);
    if (senders->timer >= 0)
        close(senders->timer);
    free(senders->each);
    free(senders);
}

/* Compose and send up to COUNT messages, as far as the socket takes them. Returns how many. */
static uint64_t sender_send(struct senders *senders, struct sender *sender, uint64_t count)
{
    struct client *client = sender->client;
    uint64_t composed = 0;

    while (composed < count && !client->full) {
        while (composed < count && client->pending + senders->frame_length <= CLIENT_OUTPUT_SIZE) {
            memcpy(client->output + client->pending, sender->frame, senders->frame_length);
            client->pending += senders->frame_length;
            message_advance(sender->text + MESSAGE_NUMBER);
            composed++;
        }
        crowd_send(senders->crowd, client);
    }
    return composed;
}

/* Each has an equal share of what the window allows; a share that a full socket refuses goes on. */
static void senders_fill_window(struct senders *senders)
{
    unsigned count = senders->count;
    uint64_t allowed = senders->in_flight - (senders->sent - crowd_slowest(senders->crowd));

    for (unsigned left = count; left > 0 && allowed > 0; left--) {
        struct sender *sender = &senders->each[senders->turn++ % count];
        uint64_t composed = sender_send(senders, sender, (allowed + left - 1) / left);

        senders->sent += composed;
        allowed -= composed;
    }
}

static void senders_keep_pace(struct senders *senders)
{
    uint64_t due;

    if (read(senders->timer, &due, sizeof(due)) != sizeof(due))
        return;
    while (due-- > 0) {
        struct sender *sender = &senders->each[senders->turn++ % senders->count];

        if (senders->crowd->latency != NULL)
            message_stamp(sender->text, clock_now());
        senders->sent += sender_send(senders, sender, 1);
    }
}

void senders_send(struct senders *senders)
{
    if (senders->pace > 0)
        senders_keep_pace(senders);
    else
        senders_fill_window(senders);
}

uint64_t senders_sent(const struct senders *senders)
{
    return senders->sent;
}
