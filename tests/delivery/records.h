/* SPDX-License-Identifier: ISC */
/*
 * records.h - a ring with records in it and one client's delivery, for the tests of delivery.
 */
#ifndef CHATROOMD_TESTS_DELIVERY_RECORDS_H
#define CHATROOMD_TESTS_DELIVERY_RECORDS_H

#include "delivery/delivery.h"
#include "region/ring.h"

/* The client's slot and its generation. */
#define ME         5u
#define GENERATION 7u
#define SLOTS      8

extern struct region region;
extern struct region_view view;
extern struct ring ring;
extern struct delivery delivery;
extern struct delivery_state state;

/* A number below `bound`, the same ones in each test. */
size_t random_below(size_t bound);

/* A new region, with a delivery that has got nothing. */
void open_ring(size_t ring_size);

/* How far the delivery says that it is. */
uint64_t stated_position(void);

/* A record whose bytes are told from those of any other. */
uint64_t put(struct record_label label, size_t length);

struct record_label message_of(uint32_t sender);
struct record_label private_to(uint32_t recipient, uint32_t generation);

#endif
