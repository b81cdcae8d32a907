/* SPDX-License-Identifier: ISC */
/*
 * config_file.h - reads a configuration file of `key = value` lines and passes each value to a
 * handler. The meaning of keys and values is up to the handler (options.c).
 */
#ifndef CHATROOMD_BASE_CONFIG_FILE_H
#define CHATROOMD_BASE_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Maximum size of a configuration file, in bytes. */
#define CONFIG_FILE_LIMIT (1024 * 1024)

struct config_key {
    const char *name;
    bool is_list; /* `key = {a, b}` and `key += c` are allowed too */
};

/* Receives the content of a file. `place` is "FILE:LINE", or "FILE" if no line is concerned. */
struct config_handler {
    const struct config_key *keys;
    size_t key_count;
    void *context;
    /* Called for each value in the order of the file; `key` is an index in `keys`. */
    void (*value)(void *context, size_t key, const char *value, const char *place);
    /* Called for each error; `fault` is the message without "chatroomd: PLACE: " in front. */
    void (*fault)(void *context, const char *fault, const char *place);
};

/*
 * Reads the file `path` and calls `handler` for its values, up to and including the first syntax
 * error. Returns false with errno set, and without a call, if the file cannot be opened or read.
 * Not reentrant, because libConfuse's scanner has global state.
 */
bool config_file_read(const char *path, const struct config_handler *handler);

#endif
