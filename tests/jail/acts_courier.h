/* SPDX-License-Identifier: ISC */
/*
 * acts_courier.h - everything that the hostile courier tries, one row each, in this order.
 *
 * CALL acts (acts.h) and COURIER_CALL_ACTS ask the kernel for something. The latter concern what
 * only a courier has: its clients' sockets, and a socket that descriptors arrive on. Each must be
 * refused; with `jail = off` each must succeed.
 *
 * MEMORY acts write to memory that all processes read. Each must be refused or end the courier. If
 * the courier has kept the descriptors of the region and mapped all of it for writing, each must
 * succeed.
 *
 * FRAME acts send the supervisor something wrong over the relay or in the courier's part of the
 * region. Each must end the courier with the named fault, or with none if that is NULL, and must
 * not affect any client, not even the courier's own. Their controls are those of acts.h, or none if
 * there is no such act within the rules.
 *
 * CLIENT acts harm the courier's own clients; they may harm no other client.
 */
#ifndef CHATROOMD_TESTS_JAIL_ACTS_COURIER_H
#define CHATROOMD_TESTS_JAIL_ACTS_COURIER_H

#include "tests/jail/acts.h"

#define COURIER_CALL_ACTS(ACT)                                                                     \
    ACT(read_client)                                                                               \
    ACT(read_client_in_pieces)                                                                     \
    ACT(receive_from_client)                                                                       \
    ACT(receive_message_of_client)                                                                 \
    ACT(receive_many_from_client)                                                                  \
    ACT(splice_client)                                                                             \
    ACT(count_unread_of_client)                                                                    \
    ACT(close_relay)                                                                               \
    ACT(close_handover)                                                                            \
    ACT(close_relay_by_a_large_number)                                                             \
    ACT(client_becomes_relay)                                                                      \
    ACT(duplicate_client_to_relay)                                                                 \
    ACT(peek_at_handover)                                                                          \
    ACT(send_descriptor_by_handover)                                                               \
    ACT(map_memory)                                                                                \
    ACT(shut_client_down)

#define COURIER_MEMORY_ACTS(ACT)                                                                   \
    ACT(write_header)                                                                              \
    ACT(write_slots)                                                                               \
    ACT(write_index)                                                                               \
    ACT(write_ring)                                                                                \
    ACT(map_region_again)                                                                          \
    ACT(reopen_region)

#define NOT_ITS_OWN "\"done with a client that is not its own\""
#define WRONG_PLACE "\"position outside of what was delivered\""
#define NO_ANSWER   "\"it does not answer\""
#define STUCK       "\"it blocks the ring and does not deliver\""

/* name, what= of the log's courier-fault, control */
#define COURIER_FRAME_ACTS(ACT)                                                                    \
    ACT(courier_kind_unknown, "unknown-kind", CARELESS)                                            \
    ACT(courier_kind_of_supervisor, "wrong-direction", CARELESS)                                   \
    ACT(courier_publishes, "wrong-direction", CARELESS)                                            \
    ACT(courier_replies, "wrong-direction", CARELESS)                                              \
    ACT(courier_renames, "wrong-direction", CARELESS)                                              \
    ACT(courier_finishes, "wrong-direction", CARELESS)                                             \
    ACT(courier_out_of_step, "wrong-direction", CARELESS)                                          \
    ACT(courier_many_of_a_kind_unknown, "unknown-kind", CARELESS)                                  \
    ACT(done_for_a_reason_unknown, "wrong-detail", CARELESS)                                       \
    ACT(done_in_a_room_unknown, "wrong-room", CARELESS)                                            \
    ACT(done_with_no_slot, "wrong-slot", CARELESS)                                                 \
    ACT(done_with_neighbours_client, NOT_ITS_OWN, LAWFUL)                                          \
    ACT(done_with_nobody, NOT_ITS_OWN, LAWFUL)                                                     \
    ACT(done_with_former_client, NOT_ITS_OWN, LAWFUL)                                              \
    ACT(done_with_client_to_come, NOT_ITS_OWN, LAWFUL)                                             \
    ACT(done_before_its_end, NOT_ITS_OWN, LAWFUL)                                                  \
    ACT(oldest_needed_of_the_future, WRONG_PLACE, LAWFUL)                                          \
    ACT(oldest_needed_just_beyond, WRONG_PLACE, LAWFUL)                                            \
    ACT(oldest_needed_of_the_past, WRONG_PLACE, LAWFUL)                                            \
    ACT(answer_of_the_future, NO_ANSWER, LAWFUL)                                                   \
    ACT(answer_of_the_past, NO_ANSWER, LAWFUL)                                                     \
    ACT(flood_of_space, NULL, LAWFUL)

/* name, what= of the log's courier-fault */
#define COURIER_CLIENT_ACTS(ACT)                                                                   \
    ACT(done_twice, NOT_ITS_OWN)                                                                   \
    ACT(done_with_all, NULL)                                                                       \
    ACT(forge_to_own_client, NULL)                                                                 \
    ACT(client_position_of_the_future, WRONG_PLACE)                                                \
    ACT(client_position_of_the_past, WRONG_PLACE)                                                  \
    ACT(client_of_another_generation, NULL)                                                        \
    ACT(client_bytes_of_the_future, NULL)                                                          \
    ACT(deliver_nothing, STUCK)                                                                    \
    ACT(say_that_a_client_waits, STUCK)                                                            \
    ACT(say_now_and_then_that_a_client_waits, STUCK)

#define ACT(name) call_act act_##name;
COURIER_CALL_ACTS(ACT)
COURIER_MEMORY_ACTS(ACT)
#undef ACT

#define ACT(name, fault, control) frame_act act_##name;
COURIER_FRAME_ACTS(ACT)
#undef ACT
#define ACT(name, fault) frame_act act_##name;
COURIER_CLIENT_ACTS(ACT)
#undef ACT

#endif
