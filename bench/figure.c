/* SPDX-License-Identifier: ISC */
/*
 * The table of figures; see figure.h. Rows that one server and its clients can give together stand
 * together, in the order in which they are measured: what leaves traces comes last.
 */
#include "config.h"

#include "figure.h"

#include <stdio.h>
#include <string.h>

enum {
    ROOM = ARMS_BOTH | ARMS_PEERS | ARM_BIT(ARM_LOOP) | ARM_BIT(ARM_JAIL_OFF),
    ROOM_AND_WORKERS_JAIL = ROOM | ARM_BIT(ARM_WORKERS_JAIL_OFF),
    MEMORY = ARMS_BOTH | ARM_BIT(ARM_REDIS) | ARM_BIT(ARM_JAIL_OFF),
    JOINS = ARMS_BOTH | ARM_BIT(ARM_PROCESSES) | ARM_BIT(ARM_JAIL_OFF),
    COURIERS = ARM_BIT(ARM_CHATROOMD),
    STALLED = ARM_BIT(ARM_STALLED) | ARM_BIT(ARM_NONE_STALLED),
};

const struct figure_kind_words figure_kinds[FIGURE_KINDS] = {
    [FIGURE_MEMORY] = {"memory", "memory of the machine per idle client", "KiB", 1024, 0, false},
    [FIGURE_CPU] = {"cpu", "CPU time per delivery, slow pace", "us", 1e3, 2, false},
    [FIGURE_P50] = {"p50", "latency p50, slow pace", "us", 1e3, 0, false},
    [FIGURE_P99] = {"p99", "latency p99, slow pace", "us", 1e3, 0, false},
    [FIGURE_P999] = {"p999", "latency p99.9, slow pace", "us", 1e3, 0, false},
    [FIGURE_SUPERVISOR] = {"supervisor", "CPU time of the supervisor per message", "us", 1e3, 1,
        false},
    [FIGURE_RATE] = {"rate", "deliveries a second", "M/s", 1e6, 2, true},
    [FIGURE_JOINS] = {"joins", "clients let in a second, so many at once", "/s", 1, 0, true},
    [FIGURE_WELCOME_P50] = {"welcome-p50", "time to welcome p50, one at a time", "us", 1e3, 0,
        false},
    [FIGURE_WELCOME_P99] = {"welcome-p99", "time to welcome p99, one at a time", "us", 1e3, 0,
        false},
    [FIGURE_STORM] = {"storm", "clients served of those that connect at once", "", 1, 0, true},
    [FIGURE_STALLED] = {"stalled", "latency p99, after 100 stalled were ended", "ms", 1e6, 2,
        false},
    [FIGURE_STALLED_MEMORY] = {"stalled-memory", "the supervisor's memory then, of before", "%",
        0.01, 1, false},
};

/* What one slow pace gives. */
#define SLOW(RECEIVERS, PACE, ARMS)                                                                \
    {.kind = FIGURE_CPU, .receivers = (RECEIVERS), .pace = (PACE), .arms = (ARMS)},                \
        {.kind = FIGURE_P50, .receivers = (RECEIVERS), .pace = (PACE), .arms = (ARMS)},            \
        {.kind = FIGURE_P99, .receivers = (RECEIVERS), .pace = (PACE), .arms = (ARMS)},            \
    {                                                                                              \
        .kind = FIGURE_P999, .receivers = (RECEIVERS), .pace = (PACE), .arms = (ARMS)              \
    }
#define RATE(RECEIVERS, IN_FLIGHT, SIZE, ARMS)                                                     \
    {                                                                                              \
        .kind = FIGURE_RATE, .receivers = (RECEIVERS), .in_flight = (IN_FLIGHT), .size = (SIZE),   \
        .arms = (ARMS)                                                                             \
    }
/* At one pace for all numbers of clients, since a process that wakes seldom pays more each time. */
#define SUPERVISOR(RECEIVERS)                                                                      \
    {                                                                                              \
        .kind = FIGURE_SUPERVISOR, .receivers = (RECEIVERS), .pace = 10, .arms = COURIERS          \
    }
#define OF(KIND, RECEIVERS, ARMS)                                                                  \
    {                                                                                              \
        .kind = (KIND), .receivers = (RECEIVERS), .arms = (ARMS)                                   \
    }

const struct figure figures[] = {
    SUPERVISOR(10),
    SLOW(10, 100, ROOM),
    RATE(10, 256, 0, ROOM),
    RATE(10, 4096, 0, ROOM),

    OF(FIGURE_MEMORY, 100, ARMS_BOTH),
    SUPERVISOR(100),
    SLOW(100, 100, ROOM_AND_WORKERS_JAIL | ARM_BIT(ARM_PROCESSES)),
    RATE(100, 256, 0, ROOM_AND_WORKERS_JAIL),
    RATE(100, 256, 512, ROOM),
    RATE(100, 256, 4096, ROOM),
    RATE(100, 4096, 0, ROOM_AND_WORKERS_JAIL),

    OF(FIGURE_MEMORY, 1000, MEMORY),
    SLOW(1000, 10, ROOM),
    SUPERVISOR(1000),
    RATE(1000, 256, 0, ROOM),
    RATE(1000, 4096, 0, ROOM),

    OF(FIGURE_JOINS, 100, JOINS),
    OF(FIGURE_WELCOME_P50, 1, ARMS_BOTH),
    OF(FIGURE_WELCOME_P99, 1, ARMS_BOTH),
    OF(FIGURE_STORM, 2000, ARMS_BOTH),
    {.kind = FIGURE_STALLED,
        .receivers = 899,
        .in_flight = 4096,
        .pace = 20,
        .size = 4096,
        .arms = STALLED},
    {.kind = FIGURE_STALLED_MEMORY,
        .receivers = 899,
        .in_flight = 4096,
        .pace = 20,
        .size = 4096,
        .arms = STALLED},

    /* Last in a run, since it takes the longest: it is what the time may be up for. Where workers
     * deliver, waking them all for each newcomer would take many minutes. */
    OF(FIGURE_MEMORY, 10000, COURIERS),
    SLOW(10000, 10, COURIERS),
    SUPERVISOR(10000),
    RATE(10000, 256, 0, COURIERS),
};

const unsigned figure_count = sizeof(figures) / sizeof(figures[0]);
_Static_assert(
    sizeof(figures) / sizeof(figures[0]) <= FIGURE_COUNT_MAX, "there is room for all figures");

const char *figure_name(const struct figure *figure, char *name)
{
    const char *prefix = figure_kinds[figure->kind].prefix;
    int used = figure->kind < FIGURE_WELCOME_P50
                   ? snprintf(name, FIGURE_NAME_SIZE, "%s-%u", prefix, figure->receivers)
                   : snprintf(name, FIGURE_NAME_SIZE, "%s", prefix);

    if (figure->kind == FIGURE_RATE)
        used += snprintf(name + used, FIGURE_NAME_SIZE - (size_t)used, "-%u", figure->in_flight);
    if (figure->kind == FIGURE_RATE && figure->size != 0)
        snprintf(name + used, FIGURE_NAME_SIZE - (size_t)used, "-%zu", figure->size);
    return name;
}

unsigned figure_find(const char *name)
{
    char called[FIGURE_NAME_SIZE];
    unsigned number = 0;

    while (number < figure_count && strcmp(figure_name(&figures[number], called), name) != 0)
        number++;
    return number;
}
