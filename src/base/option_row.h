/* SPDX-License-Identifier: ISC */
/*
 * option_row.h - the rows of the option table as data, and access to their fields.
 *
 * Private to the files that implement base/options.h.
 */
#ifndef CHATROOMD_BASE_OPTION_ROW_H
#define CHATROOMD_BASE_OPTION_ROW_H

#include "base/options.h"
#include "base/options_table.h"
#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct option_row {
    const char *key;
    enum value_kind kind;
    const char *least, *most, *normal, *help;
    size_t offset; /* of the field in struct options */
};

enum option_row_number {
#define OPTIONS_ROW(field, key, kind, least, most, normal, help) OPTION_##field,
    OPTIONS_TABLE(OPTIONS_ROW)
#undef OPTIONS_ROW
        OPTION_ROWS
};

extern const struct option_row option_rows[OPTION_ROWS];

/* Returns the number of the row whose key is the first `length` bytes of `key`, or OPTION_ROWS. */
size_t option_find(const char *key, size_t length);

/* Returns whether `number` is in the row's range. A row without a range accepts any number. */
bool option_in_range(const struct option_row *row, uint64_t number);

/* Write and read the row's field, which must be neither a list nor a text. */
void option_store(struct options *options, const struct option_row *row, uint64_t number);
uint64_t option_load(const struct options *options, const struct option_row *row);

/* Returns the row's field, which must be a text; `options` owns the string. */
char **option_text(const struct options *options, const struct option_row *row);

/* Replaces the row's text by a copy of `value`. */
void option_set_text(struct options *options, const struct option_row *row, const char *value);

/* Prints the text of --help (options_print.c). */
void options_print_help(void);

#endif
