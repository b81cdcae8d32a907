/*
 * jail_filter.h - the system calls of client workers.
 */
#ifndef CHATROOMD_WORKER_JAIL_FILTER_H
#define CHATROOMD_WORKER_JAIL_FILTER_H

#include "base/filter.h"

/* "client", or in builds with sanitizers "sanitizers". */
extern const struct filter_table jail_client_filter;

#endif
