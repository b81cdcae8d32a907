/* SPDX-License-Identifier: ISC */
/*
 * resume.c - finds the byte at which the next courier has to continue.
 *
 * Model: after each write a courier publishes the position of the client and the bytes that the
 * client has received before it (layout.h). It may have died after a write and before publishing. The
 * kernel knows the truth about a TCP connection: the bytes that were acknowledged (tcpi_bytes_acked)
 * and those that were not yet (SIOCOUTQ) are together everything that was ever written. The
 * difference, counted along the client's records, ends where the next byte belongs. The kernel does
 * not tell this about other sockets: there, the position of a client is known only if nothing can
 * have been written beyond it.
 *
 * A client that is up to date has published no position for records that were not its own. So records
 * before oldest_needed, which may be overwritten, are skipped: whatever was the client's among them
 * is delivered. The same holds for a jump that the courier had not made yet (cursor_next()).
 *
 * The published values are trusted only within what the courier was notified of. If the sum does not
 * come out within that, the position is unknown.
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

/* If an acknowledgement comes between the two system calls, they are repeated. */
#define ATTEMPTS_MAX 100

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
    for (int i = 0; i < ATTEMPTS_MAX; i++) {
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
