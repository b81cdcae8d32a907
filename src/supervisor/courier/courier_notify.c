/* SPDX-License-Identifier: ISC */
/*
 * courier_notify.c - the frames and descriptors that a courier is sent.
 *
 * Model:
 * 1. A courier is notified of a turn's records once, with one DELIVER, whatever the number of its
 *    clients.
 * 2. What is due for a client (ATTACH, MEMBERSHIP, CLOSE) is state in its slot, and the slot is in the
 *    courier's list of news. ATTACH and MEMBERSHIP are sent before the turn's DELIVER, CLOSE after it.
 *    A client that is closed leaves the room before, since the turn continues after its `left`.
 * 3. A client's descriptor is sent by the handover socket, before its ATTACH if that socket accepts
 *    it: so a new client gets its welcome before the others get its `joined`, which takes a write
 *    for each of them.
 *
 * Overflow: the lists of news and of handovers contain a slot at most once. Frames that the relay does
 * not accept wait there, at most four for each client, and meanwhile no others are added. A
 * descriptor that the handover socket does not accept waits in its list.
 */
#include "config.h"

#include "supervisor/courier/courier_state.h"

#include "relay/handover.h"
#include "relay/relay.h"

#include <errno.h>
#include <event2/event.h>

void courier_mark(struct slot *slot)
{
    struct courier *courier = slot->link.courier;

    courier->is_dirty = true;
    if (slot->link.has_news)
        return;
    slot->link.has_news = true;
    TAILQ_INSERT_TAIL(&courier->news, slot, link.news_link);
}

void courier_unmark(struct slot *slot)
{
    if (slot->link.has_news)
        TAILQ_REMOVE(&slot->link.courier->news, slot, link.news_link);
    slot->link.has_news = false;
}

void courier_hand_over(struct slot *slot)
{
    if (!slot->link.handover_due)
        TAILQ_INSERT_TAIL(&slot->link.courier->handovers, slot, link.handover_link);
    slot->link.handover_due = true;
}

/* Adds the frames that come before the turn's records. */
static void add_beginning(struct frame_batch *batch, struct slot *slot)
{
    struct frame frame = {.slot = slot->number, .generation = slot->generation};

    if (slot->link.attach_due) {
        frame.kind = FRAME_ATTACH;
        frame.from = slot->link.from;
        frame.length = (uint32_t)slot->link.partial;
        frame_batch_add(batch, &frame);
    }
    if (slot->link.membership_due) {
        frame.kind = FRAME_MEMBERSHIP;
        frame.detail = 1;
        frame.room = ROOM_LOBBY;
        frame.from = slot->joined;
        frame_batch_add(batch, &frame);
    }
    if (slot->link.close_due) {
        frame.kind = FRAME_MEMBERSHIP;
        frame.detail = 0;
        frame.room = ROOM_LOBBY;
        frame.from = slot->link.close_to + 1;
        frame_batch_add(batch, &frame);
    }
    slot->link.attach_due = slot->link.membership_due = false;
}

/* Adds the frame that comes after them. */
static void add_close(struct frame_batch *batch, struct slot *slot)
{
    if (slot->link.close_due)
        frame_batch_add(batch, &(struct frame){
                                   .kind = FRAME_CLOSE,
                                   .detail = (uint8_t)slot->link.close_how,
                                   .length = (uint32_t)slot->end,
                                   .to = slot->link.close_to,
                                   .slot = slot->number,
                                   .generation = slot->generation,
                               });
    slot->link.close_due = false;
}

static void send_descriptors(struct courier *courier)
{
    struct slot *slot;

    while ((slot = TAILQ_FIRST(&courier->handovers)) != NULL) {
        struct handover_served whose = {.slot = slot->number, .generation = slot->generation};

        bool sent = handover_send(courier->handover_fd, &whose, sizeof whose, &slot->client_fd, 1);

        if (!sent) {
            if (errno == EAGAIN)
                event_add(courier->handover_writable, NULL);
            else
                courier->is_dirty =
                    true; /* too many are in flight, or it is dead and its relay will end */
            return;
        }
        TAILQ_REMOVE(&courier->handovers, slot, link.handover_link);
        slot->link.handover_due = false;
    }
}

void courier_handover_writable(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    send_descriptors(argument);
}

void courier_notify(struct courier *courier)
{
    const struct turn *turn = &courier->child.supervisor->turn;
    struct frame_batch batch = {.relay = courier->child.relay};
    struct frame deliver;
    struct slot *slot;

    if (courier->child.relay == NULL || relay_blocked(courier->child.relay))
        return; /* when it is writable again, or replaced, this is called again */
    courier->is_dirty = false;
    /* DELIVER covers the records before it too. */
    if (courier->cursor.unnotified_from != 0 && courier->members > 0 && turn->first != 0)
        cursor_extend(&courier->cursor, turn->first, turn->last);
    TAILQ_FOREACH (slot, &courier->news, link.news_link)
        add_beginning(&batch, slot);
    if (cursor_notify(&courier->cursor, &deliver))
        frame_batch_add(&batch, &deliver);
    while ((slot = TAILQ_FIRST(&courier->news)) != NULL) {
        add_close(&batch, slot);
        courier_unmark(slot);
    }
    send_descriptors(courier);
    frame_batch_send(&batch);
}
