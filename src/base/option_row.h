/* SPDX-License-Identifier: ISC */
/*
 * option_row.h - the rows of the configuration's table, and the fields that their values are in.
 * For the files that make up base/options only.
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

/* The number of the row with this key, of `length` bytes; OPTION_ROWS where there is none. */
size_t option_find(const char *key, size_t length);

/* Whether the row's range has the number. Words have no order: whichever can be read is in range.
 */
bool option_in_range(const struct option_row *row, uint64_t number);

/* Into and out of the row's field; of no list and no text. */
void option_store(struct options *options, const struct option_row *row, uint64_t number);
uint64_t option_load(const struct options *options, const struct option_row *row);

/* The row's field, where it is a text, which is the options' own. */
char **option_text(const struct options *options, const struct option_row *row);
void option_set_text(struct options *options, const struct option_row *row, const char *value);

/* Prints what --help prints (options_print.c). */
void options_print_help(void);

#endif
