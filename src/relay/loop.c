/* SPDX-License-Identifier: ISC */
/*
 * loop.c - libevent's event loop, as every process of the service uses it.
 *
 * Model: libevent must not read EVENT_* from the environment. For each variable it would ask for
 * the identity of the process, twelve system calls in each worker, and a variable that was left in
 * a shell should not change how the service waits for events. The configuration that says so is
 * created once and inherited; a worker that created and freed its own would have three more private
 * pages.
 */
#include "config.h"

#include "relay/loop.h"

#include <event2/event.h>

static struct event_config *config; /* exists until the process exits */

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
