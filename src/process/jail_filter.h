/* SPDX-License-Identifier: ISC */
/*
 * jail_filter.h - the system calls of each kind of worker.
 */
#ifndef CHATROOMD_PROCESS_JAIL_FILTER_H
#define CHATROOMD_PROCESS_JAIL_FILTER_H

#include "base/filter.h"
#include "process/heritage.h"

/* A client worker's relay: the filter knows it by number, since from no other does it take a
 * descriptor. */
#define WORKER_RELAY_FD 3

/* Descriptors of a courier: the filter knows them by number, since it may read from no other; and
 * it keeps all up to the last one open, since the next client's socket would take a number that is
 * free. */
#define COURIER_RELAY_FD    3
#define COURIER_HANDOVER_FD 4
#define COURIER_LAST_FD     4

/* Named after the kind, or "sanitizers" in builds with them. */
const struct filter_table *jail_filter_of(enum kind_number kind);

#endif
