/* SPDX-License-Identifier: ISC */
/*
 * value.h - values of the configuration as text: "16 MiB", "250 ms", "1000", "info".
 *
 * A value of any kind is stored as one number. Pure, except that `auto` asks for the number of
 * processors.
 */
#ifndef CHATROOMD_BASE_VALUE_H
#define CHATROOMD_BASE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_kind {
    VALUE_COUNT,     /* a bare number */
    VALUE_CORES,     /* a bare number, or `auto`: one per processor, at most VALUE_CORES_MAX */
    VALUE_SIZE,      /* bytes; units are B, K or KiB, M or MiB, G or GiB */
    VALUE_DURATION,  /* milliseconds; units are ms, s, min and h, and a bare number is seconds */
    VALUE_SWITCH,    /* 1 or 0, as `on` or `off` */
    VALUE_LOG_LEVEL, /* enum log_level, by its word */
    VALUE_JAIL,      /* enum jail_mode, by its word */
    VALUE_ADDRESSES, /* a list of addresses (base/address.h) */
    VALUE_TEXT,      /* any text */
};

#define VALUE_CORES_MAX 64u

/* Enough for any result of `value_print`. */
#define VALUE_TEXT_SIZE 32

/* The functions below accept neither VALUE_ADDRESSES nor VALUE_TEXT. */

/* Parses `text` as a value of `kind`. Returns false if it is not one or does not fit in 64 bits. */
bool value_parse(enum value_kind kind, const char *text, uint64_t *number);

/*
 * Returns `number` as text, in the largest unit in which it is a whole number; `value_parse` reads
 * it back. The text is in `buffer`, of VALUE_TEXT_SIZE bytes, or constant.
 */
const char *value_print(enum value_kind kind, uint64_t number, char *buffer);

/* Returns the words that complete the error message "VALUE is not ...". */
const char *value_kind_description(enum value_kind kind);

#endif
