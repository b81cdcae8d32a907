/* SPDX-License-Identifier: ISC */
/*
 * Who is called what: the names of the clients, one per slot, unique without regard to case.
 *
 * Pure state: no I/O, and no knowledge of clients but their slot numbers. Names that are "guest"
 * and a number are the server's own to give, so that a guest number can never be taken by anyone
 * else.
 */
#ifndef CHATROOMD_CHAT_NAMES_H
#define CHATROOMD_CHAT_NAMES_H

#include <stddef.h>

#define NAME_LENGTH_MAX 32

enum names_verdict {
    NAMES_OK,
    NAMES_BAD,      /* too long, empty, a byte that names do not have, or a digit first */
    NAMES_RESERVED, /* "guest" and digits, in any case */
    NAMES_TAKEN     /* another slot has it, perhaps in other case */
};

struct names;

/* For slots 0 to SLOTS - 1, none of which has a name. At least 1 slot. */
struct names *names_new(unsigned slots);
void names_free(struct names *names);

/* Gives SLOT the name guestN with the lowest N, from 1, that no other slot has. Never fails. The
 * string is as that of names_of(). */
const char *names_take_guest(struct names *names, unsigned slot);

/* Gives SLOT the name of LENGTH bytes, in the case given, and releases the one it had. On any
 * verdict but NAMES_OK nothing has changed. A slot may take its own name again, in other case too;
 * guests may not, as it is reserved. NAME may lie in what names_of() returned. */
enum names_verdict names_take(struct names *names, unsigned slot, const char *name, size_t length);

/* The name of SLOT, valid until the slot takes or releases one; NULL when it has none. */
const char *names_of(const struct names *names, unsigned slot);

/* SLOT has no name any more. It may have had none. */
void names_release(struct names *names, unsigned slot);

/* The verdict in words for the client who asked for the name. */
const char *names_verdict_text(enum names_verdict verdict);

#endif
