/* SPDX-License-Identifier: ISC */
/*
 * resume.c - going on to the byte where a dead courier stopped.
 *
 * Model: a courier publishes, after each write, where a client stands and how many bytes it was
 * given up to there (layout.h); it may have died after a write and before that. The kernel knows
 * the truth: of a TCP connection the bytes acknowledged (tcpi_bytes_acked) and those not yet
 * (SIOCOUTQ) are together all that was ever written. The difference, laid along the records that
 * the client is given, ends where the next byte belongs. Of other sockets the kernel does not say;
 * there only a client to which nothing more could have been written is known to stand where it
 * stood.
 *
 * A client that was caught up has published nothing for records that were not its, so those before
 * oldest_needed, which may be written over already, are passed over: all in them is delivered. The
 * same holds of what its courier was told to jump over and has not yet (cursor_next()).
 *
 * What the courier has published is not believed further than it can be true: a sum that does not
 * come out within what it was told is a doubt.
 */
#include "config.h"

#include "supervisor/courier/resume.h"

#include "delivery/delivery.h"
#include "supervisor/courier/courier_state.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* An acknowledgement may come between two questions; then they are asked again. */
#define QUESTIONS_MAX 100

static bool acknowledged(int fd, uint64_t *bytes)
{
    struct tcp_info info;
    socklen_t length = sizeof info;

    memset(&info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
        return false;
    *bytes = info.tcpi_bytes_acked;
    return true;
}

bool resume_written(int fd, uint64_t *bytes)
{
    uint64_t before, after;
    int waiting;

    if (!acknowledged(fd, &before))
        return false;
    for (int i = 0; i < QUESTIONS_MAX; i++) {
        if (ioctl(fd, SIOCOUTQ, &waiting) != 0 || !acknowledged(fd, &after))
            return false;
        if (before == after) {
            *bytes = after + (uint64_t)waiting;
            return true;
        }
        before = after;
    }
    return false;
}

/* Lays `sent` bytes along the records that are the client's, from its position on. */
static bool walk(struct delivery *delivery, uint64_t sent)
{
    uint64_t sequence = delivery->position;

    for (; sequence < delivery->end; sequence++) {
        const struct record_entry *entry = region_entry(delivery->view, sequence);

        if (!delivery_includes(delivery, entry))
            continue;
        if (sent < entry->length)
            break;
        sent -= entry->length;
    }
    delivery->position = sequence;
    delivery->partial = (size_t)sent;
    return sequence < delivery->end || sent == 0;
}

/* Where the courier says that the client stood: in `stand`, and the bytes up to there. False where
 * it had not begun with it. */
static bool published(const struct slot *slot, uint64_t *position, uint64_t *bytes)
{
    const struct delivery_state *state = courier_delivery(slot->link.courier, slot);
    const struct delivery_mark *mark = region_mark(state);

    if (atomic_load(&state->generation) != slot->generation)
        return false;
    *position = atomic_load(&mark->position);
    *bytes = atomic_load(&mark->bytes);
    return true;
}

bool resume_slot(struct slot *slot, uint64_t oldest_needed, uint64_t notified_to)
{
    struct supervisor *supervisor = slot->supervisor;
    struct delivery_state scratch = {0};
    struct delivery stand;
    uint64_t position, bytes, written;

    if (!published(slot, &position, &bytes)) {
        if (slot->link.from < oldest_needed)
            slot->link.from = oldest_needed;
        return true; /* stays where it is to begin */
    }
    if (position < slot->link.from || position > notified_to)
        return false;
    if (position < oldest_needed)
        position = oldest_needed;
    delivery_init(&stand, &supervisor->view, &scratch,
        &(struct delivery_start){
            .slot = slot->number, .generation = slot->generation, .position = position});
    stand.end = notified_to;
    if (slot->joined != 0)
        delivery_set_membership(&stand, ROOM_LOBBY, slot->joined, true);
    delivery_move_to_next(&stand);
    slot->link.from = stand.position;
    slot->link.partial = 0;
    if (!resume_written(slot->client_fd, &written))
        return delivery_is_done(&stand);
    /* Where less was written than it says, the difference wraps: no records have so many bytes. */
    if (!walk(&stand, written - slot->link.wire_base - bytes))
        return false;
    slot->link.from = stand.position;
    slot->link.partial = stand.partial;
    slot->link.wire_base = written - stand.partial;
    return true;
}
