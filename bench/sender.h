/* SPDX-License-Identifier: ISC */
/*
 * The senders of a measurement: they write the messages, numbered, and decide when.
 *
 * Either by a window: at most in_flight messages are in flight, in total over the senders, where a
 * message is in flight from the moment it is composed until the slowest receiver has been given
 * it. Or by pace: so many messages a second, one at a time, however far the receivers are, the
 * senders taking turns. The definition is the generator's own, so that it is the same for every
 * server.
 */
#ifndef CHATROOMD_BENCH_SENDER_H
#define CHATROOMD_BENCH_SENDER_H

#include "crowd.h"

struct senders;

/* The senders of CROWD that are in. Exactly one of IN_FLIGHT and PACE (messages a second) is not 0.
 * All that was sent before must have come: their numbers go on from there. */
struct senders *senders_new(struct crowd *crowd, unsigned in_flight, unsigned pace);
void senders_free(struct senders *senders);

/* Send what may be sent now; to be called before every crowd_turn(). */
void senders_send(struct senders *senders);

/* Whose pace it is: what has become due meanwhile is left out, and a new period begins. */
void senders_rest(struct senders *senders);

/* Messages composed so far, those of earlier senders included. */
uint64_t senders_sent(const struct senders *senders);

#endif
