/* SPDX-License-Identifier: ISC */
/*
 * option_row.c - the option table as data, and its values in struct options.
 *
 * Model: a row's kind determines the type of its field. Nothing here depends on the source of a
 * value or on the wording of errors.
 */
#include "config.h"

#include "base/option_row.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const struct option_row option_rows[OPTION_ROWS] = {
#define OPTIONS_ROW(field, key, kind, least, most, normal, help)                                   \
    {key, kind, least, most, normal, help, offsetof(struct options, field)},
    OPTIONS_TABLE(OPTIONS_ROW)
#undef OPTIONS_ROW
};

/* `option_store` and `option_load` rely on these types. */
#define OPTIONS_FIELD_SIZE(kind)                                                                   \
    ((kind) == VALUE_SIZE           ? sizeof(size_t)                                               \
        : (kind) == VALUE_ADDRESSES ? sizeof(char **)                                              \
        : (kind) == VALUE_TEXT      ? sizeof(char *)                                               \
                                    : sizeof(unsigned))
#define OPTIONS_ROW(field, key, kind, least, most, normal, help)                                   \
    _Static_assert(sizeof(((struct options *)0)->field) == OPTIONS_FIELD_SIZE(kind), key);
OPTIONS_TABLE(OPTIONS_ROW)
#undef OPTIONS_ROW
_Static_assert(sizeof(enum log_level) == sizeof(unsigned), "log levels are stored as unsigned");

size_t option_find(const char *key, size_t length)
{
    size_t i = 0;
    while (i < OPTION_ROWS &&
           (strncmp(option_rows[i].key, key, length) != 0 || option_rows[i].key[length] != '\0'))
        i++;
    return i;
}

void option_store(struct options *options, const struct option_row *row, uint64_t number)
{
    void *field = (char *)options + row->offset;
    switch (row->kind) {
    case VALUE_COUNT:
    case VALUE_CORES:
    case VALUE_DURATION:
    case VALUE_SWITCH:
        *(unsigned *)field = (unsigned)number;
        break;
    case VALUE_SIZE:
        *(size_t *)field = (size_t)number;
        break;
    case VALUE_LOG_LEVEL:
        *(enum log_level *)field = (enum log_level)number;
        break;
    case VALUE_JAIL:
        *(enum jail_mode *)field = (enum jail_mode)number;
        break;
    case VALUE_ADDRESSES:
    case VALUE_TEXT:
        assert(false);
    }
}

uint64_t option_load(const struct options *options, const struct option_row *row)
{
    const void *field = (const char *)options + row->offset;
    switch (row->kind) {
    case VALUE_COUNT:
    case VALUE_CORES:
    case VALUE_DURATION:
    case VALUE_SWITCH:
        return *(const unsigned *)field;
    case VALUE_SIZE:
        return *(const size_t *)field;
    case VALUE_LOG_LEVEL:
        return *(const enum log_level *)field;
    case VALUE_JAIL:
        return *(const enum jail_mode *)field;
    case VALUE_ADDRESSES:
    case VALUE_TEXT:
        break;
    }
    assert(false);
}

char **option_text(const struct options *options, const struct option_row *row)
{
    return (char **)(uintptr_t)((const char *)options + row->offset);
}

void option_set_text(struct options *options, const struct option_row *row, const char *value)
{
    char **field = option_text(options, row);
    free(*field);
    *field = alloc_string(value);
}

bool option_in_range(const struct option_row *row, uint64_t number)
{
    uint64_t least, most;
    if (*row->least == '\0')
        return true;
    bool known =
        value_parse(row->kind, row->least, &least) && value_parse(row->kind, row->most, &most);
    assert(known);
    return number >= least && number <= most && (size_t)number == number;
}
