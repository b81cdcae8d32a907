/* SPDX-License-Identifier: ISC */
/*
 * options_hold.h - what holds for all options that were accepted.
 */
#ifndef CHATROOMD_TESTS_FUZZ_OPTIONS_HOLD_H
#define CHATROOMD_TESTS_FUZZ_OPTIONS_HOLD_H

#include "base/options.h"

#include <assert.h>

static inline void options_hold(const struct options *options)
{
    assert(options->listen_count >= 1);
    assert(options->max_clients >= 1 && options->max_clients <= 100000);
    assert(options->max_message_size >= 64 && options->max_message_size <= 65536);
    assert(options->outbox_size >= options->max_message_size);
    assert(options->outbox_size % OPTIONS_PAGE == 0 && options->ring_size % OPTIONS_PAGE == 0);
    assert(options->ring_size >= 64 * options->max_message_size);
    assert(options->jail < JAIL_MODE_COUNT && options->log_level < LOG_LEVEL_COUNT);
    assert(options->worker_uid_base == 0 || *options->user != '\0');
}

#endif
