/* SPDX-License-Identifier: ISC */
/*
 * loop.c - libevent's event loop, as every process of the service has it.
 *
 * Model: libevent is not to look for EVENT_* in the environment. It would ask for each of them who
 * the process is, twelve system calls in each worker; and how the service waits is nothing that a
 * variable left in a shell should change. What says so is made once and inherited, since a worker
 * that makes and frees it has three pages more of its own.
 */
#include "config.h"

#include "relay/loop.h"

#include <event2/event.h>

static struct event_config *config; /* lasts as long as the process */

bool loop_prepare(void)
{
    if (config == NULL)
        config = event_config_new();
    return config != NULL && event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV) == 0;
}

struct event_base *loop_new(void)
{
    return loop_prepare() ? event_base_new_with_config(config) : NULL;
}
