/* SPDX-License-Identifier: ISC */
/*
 * value.c - values of the configuration: a number and a unit from a table, or a word.
 */
#include "config.h"

#include "base/value.h"

#include "base/jail_mode.h"
#include "base/log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* In ascending order. The empty name is the unit of a bare number. Of units that are equally large,
 * `value_print` uses the last one. */
static const struct unit count_units[] = {{"", 1}, {NULL, 0}};
static const struct unit size_units[] = {{"", 1}, {"B", 1}, {"K", UINT64_C(1) << 10},
    {"KiB", UINT64_C(1) << 10}, {"M", UINT64_C(1) << 20}, {"MiB", UINT64_C(1) << 20},
    {"G", UINT64_C(1) << 30}, {"GiB", UINT64_C(1) << 30}, {NULL, 0}};
static const struct unit duration_units[] = {
    {"ms", 1}, {"", 1000}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {NULL, 0}};

static const struct {
    const struct unit *units; /* NULL: the value is a word, one of `word_count` */
    unsigned word_count;
    const char *description; /* completes the error "VALUE is not ..." */
} kinds[] = {
    [VALUE_COUNT] = {count_units, 0, "a whole number"},
    [VALUE_CORES] = {count_units, 0, "a whole number or auto"},
    [VALUE_SIZE] = {size_units, 0, "a size: a whole number of bytes, or of K, M or G (1K = 1024)"},
    [VALUE_DURATION] = {duration_units, 0,
        "a time: a whole number of seconds, or of ms, s, min or h"},
    [VALUE_LOG_LEVEL] = {NULL, LOG_LEVEL_COUNT, "error, warning, notice, info or debug"},
    [VALUE_SWITCH] = {NULL, 2, "on or off"},
    [VALUE_JAIL] = {NULL, JAIL_MODE_COUNT, "required, best-effort or off"},
};

static const char *word_of(enum value_kind kind, unsigned number)
{
    if (kind == VALUE_SWITCH)
        return number != 0 ? "on" : "off";
    return kind == VALUE_JAIL ? jail_mode_word((enum jail_mode)number)
                              : log_level_word((enum log_level)number);
}

const char *value_kind_description(enum value_kind kind)
{
    return kinds[kind].description;
}

static bool parse_word(enum value_kind kind, const char *text, uint64_t *number)
{
    for (unsigned word = 0; word < kinds[kind].word_count; word++) {
        *number = word;
        if (strcmp(text, word_of(kind, word)) == 0)
            return true;
    }
    return false;
}

static bool multiply_unit(const struct unit *unit, const char *name, uint64_t *number)
{
    for (; unit->name != NULL; unit++) {
        if (strcmp(unit->name, name) == 0)
            return !__builtin_mul_overflow(*number, unit->factor, number);
    }
    return false;
}

static uint64_t count_cores(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (cores < 1)
        return 1;
    return (uint64_t)cores < VALUE_CORES_MAX ? (uint64_t)cores : VALUE_CORES_MAX;
}

bool value_parse(enum value_kind kind, const char *text, uint64_t *number)
{
    if (kinds[kind].units == NULL)
        return parse_word(kind, text, number);
    if (kind == VALUE_CORES && strcmp(text, "auto") == 0) {
        *number = count_cores();
        return true;
    }
    if (*text < '0' || *text > '9')
        return false;
    *number = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (__builtin_mul_overflow(*number, UINT64_C(10), number) ||
            __builtin_add_overflow(*number, (uint64_t)(*text - '0'), number))
            return false;
    }
    text += strspn(text, " ");
    return multiply_unit(kinds[kind].units, text, number);
}

const char *value_print(enum value_kind kind, uint64_t number, char *buffer)
{
    const struct unit *best = kinds[kind].units;
    if (best == NULL) {
        assert(number < kinds[kind].word_count);
        return word_of(kind, (unsigned)number);
    }
    for (const struct unit *unit = best; unit->name != NULL; unit++) {
        if (number % unit->factor == 0 && (number > 0 || unit->factor <= 1000))
            best = unit;
    }
    const char *blank = *best->name == '\0' ? "" : " ";
    snprintf(buffer, VALUE_TEXT_SIZE, "%" PRIu64 "%s%s", number / best->factor, blank, best->name);
    return buffer;
}
