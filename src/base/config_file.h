/* SPDX-License-Identifier: ISC */
/*
 * The configuration file: `key = value` lines to (key, value, place) calls. What keys mean is
 * options.c's.
 */
#ifndef CHATROOMD_BASE_CONFIG_FILE_H
#define CHATROOMD_BASE_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* The largest configuration file that is read, in bytes. */
#define CONFIG_FILE_LIMIT (1024 * 1024)

struct config_key {
    const char *name;
    bool is_list; /* takes `key = {a, b}` and `key += c` too */
};

/* Whom the file's content is told to. PLACE is "FILE:LINE", or "FILE" where no line is to blame. */
struct config_handler {
    const struct config_key *keys;
    size_t key_count;
    void *context;
    /* KEY is an index in keys. Called in the order of the file, once for each value. */
    void (*value)(void *context, size_t key, const char *value, const char *place);
    /* FAULT is a sentence without its beginning "chatroomd: PLACE: ". */
    void (*fault)(void *context, const char *fault, const char *place);
};

/*
 * Read PATH and tell HANDLER what is in it, up to and including the first fault in its syntax.
 * Values and faults are told only here. Returns false with errno, and without a call, where PATH
 * cannot be opened or read. One file at a time per process: libConfuse's scanner has global state.
 */
bool config_file_read(const char *path, const struct config_handler *handler);

#endif
