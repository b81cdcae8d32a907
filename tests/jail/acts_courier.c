/* SPDX-License-Identifier: ISC */
/*
 * acts_courier.c - the acts of a hostile courier; see acts_courier.h.
 *
 * Memory is overwritten with what it contains, so that an act that succeeds changes nothing.
 */
#include "config.h"

#include "tests/jail/acts_courier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096u
/* Frames without end, but no more than go in the time in which a courier has to answer. */
#ifdef CHATROOMD_SANITIZERS
#define FLOOD 20000
#else
#define FLOOD 50000
#endif

/* --- the sockets */

/* That nothing is there to be read is an answer too. */
static bool has_read(ssize_t length)
{
    return length >= 0 || errno == EAGAIN;
}

bool act_read_client(const struct scene *scene)
{
    char byte;

    return has_read(read(scene->client_fd, &byte, 1));
}

bool act_read_client_in_pieces(const struct scene *scene)
{
    char byte;
    struct iovec piece = {&byte, 1};

    return has_read(readv(scene->client_fd, &piece, 1));
}

bool act_receive_from_client(const struct scene *scene)
{
    char byte;

    return has_read(recv(scene->client_fd, &byte, 1, MSG_DONTWAIT));
}

static bool receives(int fd, int flags)
{
    char bytes[sizeof(struct handover_served)];
    struct iovec piece = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

    return has_read(recvmsg(fd, &message, flags));
}

bool act_receive_message_of_client(const struct scene *scene)
{
    return receives(scene->client_fd, MSG_CMSG_CLOEXEC);
}

bool act_receive_many_from_client(const struct scene *scene)
{
    char byte;
    struct iovec piece = {&byte, 1};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &piece, .msg_iovlen = 1}};

    return has_read(recvmmsg(scene->client_fd, &message, 1, MSG_DONTWAIT, NULL));
}

bool act_splice_client(const struct scene *scene)
{
    int ends[2];

    return pipe(ends) == 0 &&
           has_read(splice(scene->client_fd, NULL, ends[1], NULL, 1, SPLICE_F_NONBLOCK));
}

bool act_count_unread_of_client(const struct scene *scene)
{
    int count;

    return ioctl(scene->client_fd, FIONREAD, &count) == 0;
}

bool act_close_relay(const struct scene *scene)
{
    return close(scene->heritage->relay_fd) == 0;
}

bool act_close_handover(const struct scene *scene)
{
    return close(scene->heritage->handover_fd) == 0;
}

/* The kernel looks at the lower half. */
bool act_close_relay_by_a_large_number(const struct scene *scene)
{
    return syscall(SYS_close, (UINT64_C(1) << 32) + (uint64_t)scene->heritage->relay_fd) == 0;
}

/* The next descriptor to come takes the lowest number that is free: one that may be read from. */
bool act_client_becomes_relay(const struct scene *scene)
{
    struct handover_served whose;
    int fd = -1;
    char byte;

    if (close(scene->heritage->relay_fd) != 0)
        return false;
    if (handover_receive(scene->heritage->handover_fd, &whose, sizeof whose, &fd, 1) <= 0)
        return false;
    return fd == scene->heritage->relay_fd && has_read(read(fd, &byte, 1));
}

bool act_duplicate_client_to_relay(const struct scene *scene)
{
    return dup2(scene->client_fd, CHILD_RELAY_FD) == CHILD_RELAY_FD;
}

/* Each look makes a descriptor. */
bool act_peek_at_handover(const struct scene *scene)
{
    (void)scene;
    return receives(CHILD_HANDOVER_FD, MSG_PEEK | MSG_CMSG_CLOEXEC);
}

bool act_send_descriptor_by_handover(const struct scene *scene)
{
    return handover_send(CHILD_HANDOVER_FD, "", 1, &scene->client_fd, 1);
}

bool act_map_memory(const struct scene *scene)
{
    (void)scene;
    return mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

bool act_shut_client_down(const struct scene *scene)
{
    return shutdown(scene->client_fd, SHUT_RDWR) == 0;
}

/* --- the region */

static bool rewrite(const void *address)
{
    volatile char *byte = (volatile char *)(uintptr_t)address;

    *byte = *byte;
    return true;
}

bool act_write_header(const struct scene *scene)
{
    return rewrite(&scene->view.header->reserved);
}

bool act_write_slots(const struct scene *scene)
{
    return rewrite(&scene->view.slots[scene->client.slot].generation);
}

bool act_write_index(const struct scene *scene)
{
    return rewrite(region_entry(&scene->view, 1));
}

bool act_write_ring(const struct scene *scene)
{
    return rewrite(scene->view.ring);
}

bool act_map_region_again(const struct scene *scene)
{
    return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
               scene->heritage->region_read_write_fd, 0) != MAP_FAILED;
}

bool act_reopen_region(const struct scene *scene)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", scene->heritage->region_read_only_fd);
    return open(path, O_RDWR) >= 0;
}

/* --- frames */

static void put_done(
    const struct scene *scene, enum frame_detached why, uint32_t slot, uint32_t life)
{
    act_put(scene, &(struct frame){
                       .kind = FRAME_DETACHED,
                       .detail = (uint8_t)why,
                       .slot = slot,
                       .generation = life,
                   });
}

/* The lawful form of most: it may let go of its own client at any time. */
static void let_go(const struct scene *scene)
{
    put_done(scene, FRAME_DETACHED_LOST, scene->client.slot, scene->client.generation);
}

void act_courier_kind_unknown(const struct scene *scene)
{
    act_put(scene, &(struct frame){.kind = 200});
}

/* Each would be a line of the log. */
void act_courier_many_of_a_kind_unknown(const struct scene *scene)
{
    for (int i = 0; i < 1000 && act_put(scene, &(struct frame){.kind = 200}); i++)
        continue;
}

void act_courier_kind_of_supervisor(const struct scene *scene)
{
    act_put(scene, &(struct frame){.kind = FRAME_DELIVER, .from = 1, .to = UINT64_MAX});
}

void act_courier_publishes(const struct scene *scene)
{
    act_put(scene, &(struct frame){.kind = FRAME_PUBLISH, .length = 1});
}

void act_courier_replies(const struct scene *scene)
{
    act_put(scene, &(struct frame){.kind = FRAME_REPLY, .length = 1});
}

void act_courier_renames(const struct scene *scene)
{
    act_put(scene, &(struct frame){.kind = FRAME_RENAME, .length = 1});
}

void act_courier_finishes(const struct scene *scene)
{
    act_put(scene, &(struct frame){.kind = FRAME_GOODBYE});
}

/* A byte too many, which makes a kind of what is another frame's last. */
void act_courier_out_of_step(const struct scene *scene)
{
    send(scene->heritage->relay_fd, "", 1, MSG_NOSIGNAL);
    for (int i = 0; i < 2; i++)
        act_put(scene, &(struct frame){.kind = FRAME_SPACE});
}

void act_done_for_a_reason_unknown(const struct scene *scene)
{
    put_done(scene, (enum frame_detached)77, scene->client.slot, scene->client.generation);
}

void act_done_in_a_room_unknown(const struct scene *scene)
{
    act_put(scene, &(struct frame){
                       .kind = FRAME_DETACHED,
                       .detail = FRAME_DETACHED_LOST,
                       .room = 4711,
                       .slot = scene->client.slot,
                       .generation = scene->client.generation,
                   });
}

void act_done_with_no_slot(const struct scene *scene)
{
    put_done(scene, FRAME_DETACHED_LOST, UINT32_MAX, 1);
}

static bool is_own(const struct scene *scene, uint32_t slot)
{
    for (unsigned at = 0; at < scene->own_count; at++)
        if (scene->own[at] == slot)
            return true;
    return false;
}

/* The DONE of a slot that is not its own: one that has been used, as the region shows it, or not. */
static void put_done_with_other(const struct scene *scene, bool used)
{
    uint32_t generation;

    if (scene->lawful) {
        let_go(scene);
        return;
    }
    for (uint32_t slot = 0; slot < scene->view.slot_count; slot++) {
        generation = atomic_load(&scene->view.slots[slot].generation);
        if (!is_own(scene, slot) && (generation != 0) == used) {
            put_done(scene, FRAME_DETACHED_LOST, slot, generation);
            return;
        }
    }
}

void act_done_with_neighbours_client(const struct scene *scene)
{
    put_done_with_other(scene, true);
}

void act_done_with_nobody(const struct scene *scene)
{
    put_done_with_other(scene, false);
}

void act_done_with_former_client(const struct scene *scene)
{
    put_done(scene, FRAME_DETACHED_LOST, scene->client.slot,
        scene->client.generation - (scene->lawful ? 0 : 1));
}

void act_done_with_client_to_come(const struct scene *scene)
{
    put_done(scene, FRAME_DETACHED_LOST, scene->client.slot,
        scene->client.generation + (scene->lawful ? 0 : 1));
}

void act_done_before_its_end(const struct scene *scene)
{
    put_done(scene, scene->lawful ? FRAME_DETACHED_LOST : FRAME_DETACHED_CLOSED, scene->client.slot,
        scene->client.generation);
}

/* --- what its part says */

static void need(const struct scene *scene, uint64_t oldest)
{
    atomic_store(&scene->part.state->oldest_needed, oldest);
}

void act_oldest_needed_of_the_future(const struct scene *scene)
{
    need(scene, scene->lawful ? scene->notified_to : UINT64_MAX);
}

/* By the time that this is looked at more may have been told. */
void act_oldest_needed_just_beyond(const struct scene *scene)
{
    need(scene, scene->lawful ? scene->notified_to
                              : atomic_load(&scene->view.header->next_sequence) + 1000000);
}

void act_oldest_needed_of_the_past(const struct scene *scene)
{
    need(scene, scene->begin - (scene->lawful ? 0 : 1));
}

static void answer(const struct scene *scene, uint64_t number)
{
    atomic_store(&scene->part.state->answered, number);
}

void act_answer_of_the_future(const struct scene *scene)
{
    answer(scene, scene->lawful ? scene->asked : UINT64_MAX);
}

void act_answer_of_the_past(const struct scene *scene)
{
    answer(scene, scene->lawful ? scene->asked : 0);
}

void act_flood_of_space(const struct scene *scene)
{
    struct frame frame = {.kind = FRAME_SPACE};

    for (int i = 0; i < (scene->lawful ? 1 : FLOOD) && act_put(scene, &frame); i++)
        continue;
}

/* --- what its clients come to harm by */

void act_done_twice(const struct scene *scene)
{
    let_go(scene);
    let_go(scene);
}

void act_done_with_all(const struct scene *scene)
{
    for (unsigned at = 0; at < scene->own_count; at++)
        put_done(scene, FRAME_DETACHED_LOST, scene->own[at],
            atomic_load(&scene->view.slots[scene->own[at]].generation));
}

void act_forge_to_own_client(const struct scene *scene)
{
    static const char line[] = "[guest1] I never said that\n";

    send(scene->client_fd, line, sizeof line - 1, MSG_NOSIGNAL);
}

/* Says of its first client what a delivery says; see delivery.c. */
static void show(const struct scene *scene, uint32_t generation, uint64_t position, uint64_t bytes)
{
    struct delivery_state *state = &scene->part.deliveries[scene->client.slot];
    uint32_t version = atomic_load(&state->version) + 1;

    atomic_store(&state->marks[version % 2].position, position);
    atomic_store(&state->marks[version % 2].bytes, bytes);
    atomic_store(&state->version, version);
    atomic_store(&state->generation, generation);
}

void act_client_position_of_the_future(const struct scene *scene)
{
    show(scene, scene->client.generation, UINT64_MAX, 0);
    let_go(scene);
}

void act_client_position_of_the_past(const struct scene *scene)
{
    show(scene, scene->client.generation, 0, 0);
    let_go(scene);
}

void act_client_of_another_generation(const struct scene *scene)
{
    show(scene, scene->client.generation + 1, scene->notified_to, 0);
}

void act_client_bytes_of_the_future(const struct scene *scene)
{
    show(scene, scene->client.generation, scene->begin, UINT64_MAX / 2);
}

/* The next frame from the supervisor; false where there will be none. */
static bool take(const struct scene *scene, struct frame *frame)
{
    struct epoll_event event;
    ssize_t length;

    do {
        length = read(scene->heritage->relay_fd, frame, sizeof *frame);
        if (length < 0 && errno == EAGAIN)
            epoll_wait(scene->loop, &event, 1, -1);
    } while (length < 0);
    return length == (ssize_t)sizeof *frame;
}

/* Answers for ever, and does nothing but this each time. */
static void only_answer(const struct scene *scene,
    void (*each)(const struct scene *scene, uint64_t number, uint64_t notified_to))
{
    uint64_t notified_to = scene->notified_to;
    struct frame frame;

    answer(scene, scene->asked);
    if (atomic_load(&scene->part.state->oldest_needed) < scene->begin)
        need(scene, scene->begin);
    while (take(scene, &frame)) {
        if (frame.kind == FRAME_DELIVER) {
            if (atomic_load(&scene->part.state->oldest_needed) == notified_to)
                need(scene, frame.from); /* it must not stand in between */
            notified_to = frame.to + 1;
        }
        if (frame.kind != FRAME_PING)
            continue;
        if (each != NULL)
            each(scene, frame.from, notified_to);
        answer(scene, frame.from);
    }
}

void act_deliver_nothing(const struct scene *scene)
{
    only_answer(scene, NULL);
}

/* It keeps the courier where it is to begin with it, or, where that has gone further already, there:
 * to go back would be another lie. */
static void show_waiting(const struct scene *scene, bool waits)
{
    uint64_t needed = atomic_load(&scene->part.state->oldest_needed);

    for (unsigned at = 0; at < scene->own_count; at++)
        if (scene->own[at] == scene->client.slot) {
            uint64_t place = scene->own_from[at] > needed ? scene->own_from[at] : needed;

            show(scene, scene->client.generation, place, 0);
            need(scene, place);
        }
    atomic_store(&scene->part.deliveries[scene->client.slot].waits, waits);
}

void act_say_that_a_client_waits(const struct scene *scene)
{
    show_waiting(scene, true);
    only_answer(scene, NULL);
}

static void now_and_then(const struct scene *scene, uint64_t number, uint64_t notified_to)
{
    (void)notified_to;
    show_waiting(scene, number % 2 == 0);
}

void act_say_now_and_then_that_a_client_waits(const struct scene *scene)
{
    only_answer(scene, now_and_then);
}
