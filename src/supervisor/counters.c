/* SPDX-License-Identifier: ISC */
/*
 * counters.c - logs the supervisor's counters, on SIGUSR1 and at the end of an orderly stop.
 */
#include "config.h"

#include "supervisor/counters.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>

static void log_ends(const struct counters *counters, char *text, size_t size)
{
    size_t length = 0;

    text[0] = '\0';
    for (int i = DISCONNECT_NONE + 1; i < DISCONNECT_COUNT && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, " ended-%s=%" PRIu64,
            disconnect_word((enum disconnect_reason)i), counters->ends[i]);
}

void counters_log(const struct supervisor *supervisor)
{
    const struct counters *counters = &supervisor->counters;
    char ends[512];

    log_ends(counters, ends, sizeof ends);
    log_event(LOG_LEVEL_NOTICE, "counters",
        "clients=%u slots=%u accepted=%" PRIu64 " joins=%" PRIu64 " refused-full=%" PRIu64
        " refused-busy=%" PRIu64 " refused-penalty=%" PRIu64 " messages=%" PRIu64
        " message-bytes=%" PRIu64 " records=%" PRIu64 " ring-waits=%" PRIu64 " turns=%" PRIu64 "%s",
        room_count(supervisor->lobby), supervisor->used - supervisor->spare_count,
        counters->accepted, counters->joins, counters->refused_full, counters->refused_busy,
        counters->refused_punished, counters->messages, counters->message_bytes, counters->records,
        supervisor->space.waits, counters->turns, ends);
}
