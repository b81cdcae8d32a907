/* SPDX-License-Identifier: ISC */
/*
 * counters.h - the log line with the supervisor's counters.
 */
#ifndef CHATROOMD_SUPERVISOR_COUNTERS_H
#define CHATROOMD_SUPERVISOR_COUNTERS_H

#include "supervisor/run.h"

#include <event2/util.h>

/* Logs all counters. A libevent callback; `argument` is the struct run. */
void on_counters(evutil_socket_t number, short what, void *argument);

#endif
