/* SPDX-License-Identifier: ISC */
/*
 * names.h - the nicknames of the clients, one per slot, unique without regard to case.
 *
 * Pure state: no I/O, and clients are known by their slot numbers only. Names that consist of
 * "guest" and digits are assigned by the server only.
 */
#ifndef CHATROOMD_CHAT_NAMES_H
#define CHATROOMD_CHAT_NAMES_H

#include <stddef.h>

#define NAME_LENGTH_MAX 32

enum names_verdict {
    NAMES_OK,
    NAMES_BAD,      /* empty, too long, an invalid byte, or a digit at the start */
    NAMES_RESERVED, /* "guest" and digits, in any case */
    NAMES_TAKEN     /* another slot has the name, possibly in another case */
};

struct names;

/* Creates the names of slots 0 to `slots` - 1, at first none. `slots` is at least 1. */
struct names *names_new(unsigned slots);
void names_free(struct names *names);

/* Gives `slot` the name guestN with the lowest unused N, from 1, and returns it, valid as long as
 * that of `names_of`. Never fails. */
const char *names_take_guest(struct names *names, unsigned slot);

/* Gives `slot` the name and releases its old one. Changes nothing unless it returns
 * NAMES_OK. A slot may take its own name again, also in another case, except a guest name, which is
 * reserved. `name` may point into the result of `names_of`. */
enum names_verdict names_take(struct names *names, unsigned slot, const char *name, size_t length);

/* Returns the name of `slot`, valid until the slot takes or releases a name, or NULL. */
const char *names_of(const struct names *names, unsigned slot);

/* Releases the name of `slot`, if it has one. */
void names_release(struct names *names, unsigned slot);

/* Returns the verdict as text for the client that requested the name. */
const char *names_verdict_text(enum names_verdict verdict);

#endif
