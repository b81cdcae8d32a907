/* SPDX-License-Identifier: ISC */
/*
 * acts.h - everything that the hostile worker tries, one row each.
 *
 * CALL acts ask the kernel for something from within the jail. The kernel must refuse each with an
 * error, or kill the worker. With `jail = off` each must succeed; otherwise the row would prove
 * nothing. Those of CONFINED_ACTS are tried once more by a process that has entered the
 * supervisor's jail instead of a worker's.
 *
 * FRAME acts send the supervisor something wrong over the relay or in the outbox. Each must end its
 * worker with the named fault. The control of a row is either the careless build, in which the
 * check that finds it accepts everything (CARELESS), or the same act within the rules (LAWFUL),
 * which must pass.
 */
#ifndef CHATROOMD_TESTS_JAIL_ACTS_H
#define CHATROOMD_TESTS_JAIL_ACTS_H

#include "process/heritage.h"
#include "region/region.h"
#include "relay/frame.h"
#include "relay/handover.h"

#include <stdbool.h>

/* Where couriers deliver a worker has nothing to do these on. */
#define VIEW_CALL_ACTS(ACT)                                                                        \
    ACT(protect_header)                                                                            \
    ACT(protect_ring)

#define CALL_ACTS(ACT)                                                                             \
    ACT(protect_own_code)                                                                          \
    ACT(map_executable)                                                                            \
    ACT(map_much_memory)                                                                           \
    ACT(break_much_memory)                                                                         \
    ACT(map_much_to_read)                                                                          \
    ACT(grow_outbox)                                                                               \
    ACT(copy_outbox_mapping)                                                                       \
    ACT(remap_outbox_page)                                                                         \
    ACT(punch_hole_in_outbox)                                                                      \
    ACT(lock_memory)                                                                               \
    ACT(open_own_memory)                                                                           \
    ACT(open_supervisors_memory)                                                                   \
    ACT(open_for_reading)                                                                          \
    ACT(open_for_creating)                                                                         \
    ACT(make_folder)                                                                               \
    ACT(change_folder)                                                                             \
    ACT(read_supervisor)                                                                           \
    ACT(write_supervisor)                                                                          \
    ACT(trace_supervisor)                                                                          \
    ACT(signal_supervisor)                                                                         \
    ACT(signal_sibling)                                                                            \
    ACT(signal_siblings_thread)                                                                    \
    ACT(signal_own_group)                                                                          \
    ACT(queue_signal)                                                                              \
    ACT(hold_supervisor)                                                                           \
    ACT(own_socket_signals)                                                                        \
    ACT(own_socket_by_ioctl)                                                                       \
    ACT(make_socket_blocking_by_ioctl)                                                             \
    ACT(read_supervisors_clock)                                                                    \
    ACT(limit_supervisor)                                                                          \
    ACT(raise_own_limits)                                                                          \
    ACT(make_internet_socket)                                                                      \
    ACT(make_local_socket)                                                                         \
    ACT(make_netlink_socket)                                                                       \
    ACT(make_socketpair)                                                                           \
    ACT(set_socket_option)                                                                         \
    ACT(make_socket_blocking)                                                                      \
    ACT(send_descriptor)                                                                           \
    ACT(receive_message)                                                                           \
    ACT(receive_descriptor_from_client)                                                            \
    ACT(peek_at_message)                                                                           \
    ACT(send_with_other_flags)                                                                     \
    ACT(send_many_messages)                                                                        \
    ACT(execute_program)                                                                           \
    ACT(execute_descriptor)                                                                        \
    ACT(fork_process)                                                                              \
    ACT(fork_by_clone3)                                                                            \
    ACT(start_thread)                                                                              \
    ACT(make_namespace)                                                                            \
    ACT(start_io_uring)                                                                            \
    ACT(handle_page_faults)                                                                        \
    ACT(make_memory_file)                                                                          \
    ACT(make_shared_memory)                                                                        \
    ACT(make_old_shared_memory)                                                                    \
    ACT(duplicate_descriptor)                                                                      \
    ACT(make_event_loop)                                                                           \
    ACT(make_pipe)                                                                                 \
    ACT(watch_files)                                                                               \
    ACT(change_user)                                                                               \
    ACT(become_traceable)                                                                          \
    ACT(outlive_supervisor)                                                                        \
    ACT(change_personality)                                                                        \
    ACT(set_timer)                                                                                 \
    ACT(handle_signals)                                                                            \
    ACT(pin_supervisor)                                                                            \
    ACT(name_of_machine)                                                                           \
    ACT(use_keyring)                                                                               \
    ACT(interrupt_all_processors)                                                                  \
    ACT(change_priority)                                                                           \
    ACT(leave_process_group)                                                                       \
    ACT(block_signals)

#define CONFINED_ACTS(ACT)                                                                         \
    ACT(protect_own_code)                                                                          \
    ACT(map_executable)                                                                            \
    ACT(remap_outbox_page)                                                                         \
    ACT(open_for_creating)                                                                         \
    ACT(make_folder)                                                                               \
    ACT(change_folder)                                                                             \
    ACT(read_supervisor)                                                                           \
    ACT(write_supervisor)                                                                          \
    ACT(trace_supervisor)                                                                          \
    ACT(hold_supervisor)                                                                           \
    ACT(own_socket_by_ioctl)                                                                       \
    ACT(make_internet_socket)                                                                      \
    ACT(make_local_socket)                                                                         \
    ACT(make_netlink_socket)                                                                       \
    ACT(execute_program)                                                                           \
    ACT(execute_descriptor)                                                                        \
    ACT(fork_process)                                                                              \
    ACT(fork_by_clone3)                                                                            \
    ACT(start_thread)                                                                              \
    ACT(make_namespace)                                                                            \
    ACT(start_io_uring)                                                                            \
    ACT(handle_page_faults)                                                                        \
    ACT(make_memory_file)                                                                          \
    ACT(make_shared_memory)                                                                        \
    ACT(make_old_shared_memory)                                                                    \
    ACT(duplicate_descriptor)                                                                      \
    ACT(watch_files)                                                                               \
    ACT(change_user)                                                                               \
    ACT(change_personality)                                                                        \
    ACT(set_timer)                                                                                 \
    ACT(pin_supervisor)                                                                            \
    ACT(use_keyring)                                                                               \
    ACT(interrupt_all_processors)                                                                  \
    ACT(change_priority)                                                                           \
    ACT(leave_process_group)

enum act_control { CARELESS, LAWFUL };

/* name, what= of the log's worker-fault, control, whether it is in the room when it does it */
#define FRAME_ACTS(ACT)                                                                            \
    ACT(kind_unknown, "unknown-kind", LAWFUL, true)                                                \
    ACT(kind_of_supervisor, "wrong-direction", CARELESS, true)                                     \
    ACT(kind_of_courier, "wrong-direction", CARELESS, true)                                        \
    ACT(detail_unknown, "wrong-detail", CARELESS, true)                                            \
    ACT(room_unknown, "wrong-room", CARELESS, true)                                                \
    ACT(length_one_too_long, "too-long", CARELESS, true)                                           \
    ACT(length_of_all_bits, "too-long", CARELESS, true)                                            \
    ACT(name_too_long, "too-long", CARELESS, true)                                                 \
    ACT(offset_in_neighbour, "outside-outbox", CARELESS, true)                                     \
    ACT(offset_across_end, "outside-outbox", CARELESS, true)                                       \
    ACT(offset_that_wraps, "outside-outbox", CARELESS, true)                                       \
    ACT(text_with_escape, "publish", CARELESS, true)                                               \
    ACT(text_with_line_feed, "publish", CARELESS, true)                                            \
    ACT(text_not_utf8, "publish", CARELESS, true)                                                  \
    ACT(text_changed_meanwhile, "publish", CARELESS, true)                                         \
    ACT(reply_with_line_feed, "reply", CARELESS, true)                                             \
    ACT(reason_with_escape, "goodbye", CARELESS, true)                                             \
    ACT(publish_nothing, "publish", LAWFUL, true)                                                  \
    ACT(publish_before_entering, "publish", LAWFUL, false)                                         \
    ACT(rename_before_entering, "rename", LAWFUL, false)                                           \
    ACT(ask_before_entering, "who", LAWFUL, false)                                                 \
    ACT(enter_twice, "hello", LAWFUL, true)                                                        \
    ACT(close_with_reason, "goodbye", LAWFUL, true)                                                \
    ACT(more_frames_than_credit, "\"more frames than credit\"", LAWFUL, true)

/* The same of a worker that delivers to its own client; where couriers do, nobody looks at its
 * position. */
#define POSITION_FRAME_ACTS(ACT)                                                                   \
    ACT(position_of_the_future, "\"position outside of what was delivered\"", LAWFUL, true)        \
    ACT(position_of_the_past, "\"position outside of what was delivered\"", LAWFUL, true)          \
    ACT(position_before_joining, "\"position outside of what was delivered\"", LAWFUL, true)

/* A hostile courier's clients, at most. */
#define COURIER_OWN_MAX 64

/* What an act has to work with. */
struct scene {
    const struct heritage *heritage;
    int client_fd;
    struct region_view view; /* nothing where couriers deliver */
    struct outbox outbox;
    pid_t sibling; /* a client worker of somebody else */
    bool lawful;
    bool confined; /* in the supervisor's jail instead of its own */

    /* Of a courier; client_fd is its first client's socket, and its outbox its part. */
    int loop; /* an epoll that knows its relay */
    struct courier_part part;
    struct handover_served client;      /* the first */
    uint32_t own[COURIER_OWN_MAX];      /* the slots of all of its clients */
    uint64_t own_from[COURIER_OWN_MAX]; /* where it is to begin with each */
    unsigned own_count;
    uint64_t begin; /* the first record that any of its clients may need */
    uint64_t
        notified_to; /* one beyond the last record that it has been told of, as far as it knows */
    uint64_t asked;  /* by the last ALIVE */
};

/* A CALL act: whether it succeeded. errno is why not. */
typedef bool call_act(const struct scene *scene);

/* A FRAME act; what it does to the supervisor is seen elsewhere. */
typedef void frame_act(const struct scene *scene);

/* Sends a frame to the supervisor. False where the other end is closed. */
bool act_put(const struct scene *scene, const struct frame *frame);

#define ACT(name) call_act act_##name;
VIEW_CALL_ACTS(ACT)
CALL_ACTS(ACT)
#undef ACT

#define ACT(name, fault, control, inside) frame_act act_##name;
FRAME_ACTS(ACT)
POSITION_FRAME_ACTS(ACT)
#undef ACT

#endif
