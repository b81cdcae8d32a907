/* SPDX-License-Identifier: ISC */
/*
 * counters.h - the log line with the supervisor's counters.
 */
#ifndef CHATROOMD_SUPERVISOR_COUNTERS_H
#define CHATROOMD_SUPERVISOR_COUNTERS_H

#include "supervisor/state.h"

/* Logs all counters. */
void counters_log(const struct supervisor *supervisor);

#endif
