/* SPDX-License-Identifier: ISC */
/*
 * courier_kind.c - the row of the child kind "courier", and its limits.
 */
#include "config.h"

#include "courier/courier.h"

/* Memory without clients, and that of each client: its tables take 240 bytes, the rest is for those
 * that wait for their sockets. */
#define DATA_LEAST      ((rlim_t)8 * 1024 * 1024)
#define DATA_PER_CLIENT 1536u

/* Descriptors besides its clients' sockets. */
#define FILES_LEAST 64u

static unsigned count(const struct options *options)
{
    return options->couriers;
}

static rlim_t files(const struct heritage *heritage)
{
    return FILES_LEAST + heritage->max_clients;
}

static rlim_t data(const struct heritage *heritage)
{
    return DATA_LEAST + (rlim_t)DATA_PER_CLIENT * heritage->max_clients;
}

const struct process_kind courier_kind = {
    .name = "courier",
    .count = count,
    .maps = MAP_VIEW | MAP_PART,
    .passes = PASS_HANDOVER,
    .filter = &courier_filter,
    .files = files,
    .data = data,
    .run = courier_run,
};
