/* SPDX-License-Identifier: ISC */
/*
 * Values of the configuration as a person writes and reads them: "16 MiB", "250 ms", "1000",
 * "info". Every kind is one number inside. Pure, but for the number of cores.
 */
#ifndef CHATROOMD_BASE_VALUE_H
#define CHATROOMD_BASE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_kind {
    VALUE_COUNT,     /* a plain number */
    VALUE_CORES,     /* a plain number; auto is the machine's cores, VALUE_CORES_MAX at most */
    VALUE_SIZE,      /* bytes; KiB, MiB and GiB are taken */
    VALUE_DURATION,  /* milliseconds; ms, s, min and h are taken, a plain number is seconds */
    VALUE_LOG_LEVEL, /* enum log_level, by its word */
    VALUE_JAIL,      /* enum jail_mode, by its word */
    VALUE_ADDRESSES, /* a list of addresses (base/address.h), or ... */
    VALUE_TEXT,      /* ... any text; none of the functions below takes these two */
};

#define VALUE_CORES_MAX 64u

/* Enough for value_print(). */
#define VALUE_TEXT_SIZE 32

/* Read TEXT as a whole number of KIND. Returns false where it is none, or one above 2^64. */
bool value_parse(enum value_kind kind, const char *text, uint64_t *number);

/* NUMBER in the largest unit that gives a whole number, in BUFFER of VALUE_TEXT_SIZE bytes;
 * value_parse() reads it back. */
const char *value_print(enum value_kind kind, uint64_t number, char *buffer);

/* What KIND is, for an error: "is not " and this. */
const char *value_kind_words(enum value_kind kind);

#endif
