/* SPDX-License-Identifier: ISC */
/*
 * names.c - the nicknames of the clients.
 *
 * Model: three data structures are kept consistent.
 *  1. `entries` has for each slot its name, empty if it has none, and its guest number, 0 if it is
 *     not a guest.
 *  2. `buckets` is a hash table from the lower-case name to slots, chained through the entries. It
 *     has at least as many buckets as there are slots. A chain can become as long as the number of
 *     connections that choose names for one bucket.
 *  3. `free_numbers` is a heap of the unused guest numbers up to `highest_number`, with the lowest
 *     on top. No more numbers are in use than there are slots, so no number exceeds that, and the
 *     heap needs at most one place per slot.
 *
 * A guest name never collides with another name, because `names_take` refuses names of that form.
 */
#include "config.h"

#include "chat/names.h"

#include "base/alloc.h"
#include "base/text.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUEST_PREFIX "guest"

/* The prefix, the digits of an unsigned int and the NUL fit in a name. */
_Static_assert(sizeof GUEST_PREFIX + 10 <= NAME_LENGTH_MAX + 1, "a guest name is a name");

/* verdict, text for the client */
#define VERDICTS(ROW)                                                                              \
    ROW(NAMES_OK, "The nickname is yours")                                                         \
    ROW(NAMES_BAD,                                                                                 \
        "A nickname is 1 to 32 of A-Z a-z 0-9 - _ . [ ] { } | ^ ` without a digit at the start")   \
    ROW(NAMES_RESERVED, "Names like guest1 are assigned by the server; choose another one")        \
    ROW(NAMES_TAKEN, "That nickname is already in use; choose another one")

_Static_assert(NAME_LENGTH_MAX == 32, "the text for NAMES_BAD says so");

struct entry {
    char name[NAME_LENGTH_MAX + 1]; /* empty if the slot has none */
    unsigned guest_number;          /* 0: not a guest */
    unsigned next;                  /* slot + 1 of the next entry in the bucket; 0: none */
};

struct names {
    unsigned slots;
    struct entry *entries; /* one per slot */

    unsigned *buckets; /* slot + 1 of the first entry; 0: none */
    size_t bucket_mask;

    unsigned *free_numbers;
    unsigned free_count;
    unsigned highest_number;
};

static size_t bucket_count_for(unsigned slots)
{
    size_t count = 1;

    while (count < slots)
        count *= 2;
    return count;
}

struct names *names_new(unsigned slots)
{
    assert(slots > 0);
    struct names *names = alloc_zeroed(1, sizeof *names);
    size_t buckets = bucket_count_for(slots);

    names->slots = slots;
    names->entries = alloc_zeroed(slots, sizeof *names->entries);
    names->buckets = alloc_zeroed(buckets, sizeof *names->buckets);
    names->bucket_mask = buckets - 1;
    names->free_numbers = alloc_zeroed(slots, sizeof *names->free_numbers);
    return names;
}

void names_free(struct names *names)
{
    if (names == NULL)
        return;
    free(names->entries);
    free(names->buckets);
    free(names->free_numbers);
    free(names);
}

static struct entry *entry_of(const struct names *names, unsigned slot)
{
    assert(slot < names->slots);
    return &names->entries[slot];
}

/* Returns the head of the chain for a name; the hash is FNV-1a of the lower-case name. */
static unsigned *bucket_of(const struct names *names, const char *name, size_t length)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);

    for (size_t i = 0; i < length; i++) {
        hash ^= (unsigned char)text_lower(name[i]);
        hash *= UINT64_C(0x100000001B3);
    }
    return &names->buckets[(hash ^ hash >> 32) & names->bucket_mask];
}

/* Returns slot + 1 of the client with this name, in any case, or 0. */
static unsigned find(const struct names *names, const char *name, size_t length)
{
    unsigned link = *bucket_of(names, name, length);

    while (link != 0) {
        const struct entry *entry = &names->entries[link - 1];
        if (text_same(entry->name, strlen(entry->name), name, length))
            break;
        link = entry->next;
    }
    return link;
}

static void link_entry(struct names *names, unsigned slot)
{
    struct entry *entry = entry_of(names, slot);
    unsigned *bucket = bucket_of(names, entry->name, strlen(entry->name));

    entry->next = *bucket;
    *bucket = slot + 1;
}

static void unlink_entry(struct names *names, unsigned slot)
{
    struct entry *entry = entry_of(names, slot);
    unsigned *link = bucket_of(names, entry->name, strlen(entry->name));

    while (*link != slot + 1) {
        assert(*link != 0);
        link = &names->entries[*link - 1].next;
    }
    *link = entry->next;
}

static void swap_numbers(unsigned *one, unsigned *other)
{
    unsigned number = *one;

    *one = *other;
    *other = number;
}

static void release_number(struct names *names, unsigned number)
{
    unsigned *heap = names->free_numbers;
    unsigned child = names->free_count++;

    assert(child < names->slots);
    heap[child] = number;
    while (child > 0 && heap[(child - 1) / 2] > heap[child]) {
        swap_numbers(&heap[(child - 1) / 2], &heap[child]);
        child = (child - 1) / 2;
    }
}

static unsigned lowest_number(struct names *names)
{
    if (names->free_count == 0)
        return ++names->highest_number;

    unsigned *heap = names->free_numbers;
    unsigned lowest = heap[0];
    unsigned parent = 0;

    heap[0] = heap[--names->free_count];
    for (unsigned child = 1; child < names->free_count; child = 2 * parent + 1) {
        if (child + 1 < names->free_count && heap[child + 1] < heap[child])
            child++;
        if (heap[parent] <= heap[child])
            break;
        swap_numbers(&heap[parent], &heap[child]);
        parent = child;
    }
    return lowest;
}

const char *names_take_guest(struct names *names, unsigned slot)
{
    struct entry *entry = entry_of(names, slot);

    names_release(names, slot);
    entry->guest_number = lowest_number(names);
    assert(entry->guest_number <= names->slots);
    snprintf(entry->name, sizeof entry->name, GUEST_PREFIX "%u", entry->guest_number);
    link_entry(names, slot);
    return entry->name;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_name_byte(char byte)
{
    char small = text_lower(byte);

    if ((small >= 'a' && small <= 'z') || is_digit(byte))
        return true;
    return byte != '\0' && strchr("-_.[]{}|^`", byte) != NULL;
}

static bool is_well_formed(const char *name, size_t length)
{
    if (length == 0 || length > NAME_LENGTH_MAX || is_digit(name[0]))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_name_byte(name[i]))
            return false;
    }
    return true;
}

static bool is_reserved(const char *name, size_t length)
{
    const size_t prefix = strlen(GUEST_PREFIX);

    if (length <= prefix || !text_same(name, prefix, GUEST_PREFIX, prefix))
        return false;
    for (size_t i = prefix; i < length; i++) {
        if (!is_digit(name[i]))
            return false;
    }
    return true;
}

enum names_verdict names_take(struct names *names, unsigned slot, const char *name, size_t length)
{
    struct entry *entry = entry_of(names, slot);

    if (!is_well_formed(name, length))
        return NAMES_BAD;
    if (is_reserved(name, length))
        return NAMES_RESERVED;

    unsigned owner = find(names, name, length);
    if (owner != 0 && owner != slot + 1)
        return NAMES_TAKEN;

    char copy[NAME_LENGTH_MAX + 1] = "";
    memcpy(copy, name, length);
    names_release(names, slot);
    memcpy(entry->name, copy, sizeof copy);
    link_entry(names, slot);
    return NAMES_OK;
}

const char *names_of(const struct names *names, unsigned slot)
{
    const struct entry *entry = entry_of(names, slot);

    return entry->name[0] != '\0' ? entry->name : NULL;
}

void names_release(struct names *names, unsigned slot)
{
    struct entry *entry = entry_of(names, slot);

    if (entry->name[0] == '\0')
        return;
    unlink_entry(names, slot);
    if (entry->guest_number != 0)
        release_number(names, entry->guest_number);
    *entry = (struct entry){.name = ""};
}

const char *names_verdict_text(enum names_verdict verdict)
{
#define TEXT(name, text) [name] = text,
    static const char *const texts[] = {VERDICTS(TEXT)};
#undef TEXT

    assert((size_t)verdict < sizeof texts / sizeof texts[0]);
    return texts[verdict];
}
