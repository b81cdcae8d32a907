/* SPDX-License-Identifier: ISC */
/*
 * check_names.c - tests of chat/names: valid nicknames, their owners, and guest numbers.
 */
#include "config.h"

#include "chat/names.h"

#include "base/alloc.h"
#include "tests/check_main.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void expect_take(
    struct names *names, unsigned slot, const char *name, enum names_verdict expected)
{
    enum names_verdict verdict = names_take(names, slot, name, strlen(name));

    if (verdict != expected)
        ck_abort_msg("\"%s\": verdict %d, expected %d", name, (int)verdict, (int)expected);
    if (verdict == NAMES_OK)
        ck_assert_str_eq(names_of(names, slot), name);
}

START_TEST(nobody_has_a_name_at_first)
{
    struct names *names = names_new(2);

    ck_assert_ptr_null(names_of(names, 0));
    ck_assert_ptr_null(names_of(names, 1));
    names_release(names, 1);
    ck_assert_ptr_null(names_of(names, 1));
    names_free(names);
    names_free(NULL);
}
END_TEST

START_TEST(every_byte_of_a_name_is_judged)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.[]{}|^`";
    struct names *names = names_new(1);

    for (int value = 0; value <= 0xFF; value++) {
        char name[2] = {(char)value, (char)value};
        bool may_begin = value != 0 && strchr(allowed, value) != NULL;
        bool is_digit = value >= '0' && value <= '9';
        ck_assert_int_eq(names_take(names, 0, name, 2), may_begin ? NAMES_OK : NAMES_BAD);
        name[0] = 'x';
        ck_assert_int_eq(
            names_take(names, 0, name, 2), may_begin || is_digit ? NAMES_OK : NAMES_BAD);
    }
    names_free(names);
}
END_TEST

START_TEST(a_name_has_1_to_32_bytes)
{
    struct names *names = names_new(1);
    char name[NAME_LENGTH_MAX + 2];

    ck_assert_int_eq(NAME_LENGTH_MAX, 32);
    memset(name, 'n', sizeof name);
    ck_assert_int_eq(names_take(names, 0, name, 0), NAMES_BAD);
    for (size_t length = 1; length <= NAME_LENGTH_MAX; length++) {
        ck_assert_int_eq(names_take(names, 0, name, length), NAMES_OK);
        ck_assert_uint_eq(strlen(names_of(names, 0)), length);
    }
    ck_assert_int_eq(names_take(names, 0, name, NAME_LENGTH_MAX + 1), NAMES_BAD);
    ck_assert_uint_eq(strlen(names_of(names, 0)), NAME_LENGTH_MAX);
    names_free(names);
}
END_TEST

START_TEST(guest_numbers_are_reserved_in_any_case)
{
    static const char *const reserved[] = {
        "guest1", "Guest1", "GUEST99", "gUeSt0", "guest007", "guest123456789012345678901234567"};
    static const char *const free_to_take[] = {
        "guest", "GUEST", "guest-1", "guest1x", "guest1.", "xguest1", "gues1", "guesT_2"};
    struct names *names = names_new(1);

    names_take_guest(names, 0);
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        expect_take(names, 0, reserved[i], NAMES_RESERVED);
    ck_assert_str_eq(names_of(names, 0), "guest1");
    for (size_t i = 0; i < sizeof free_to_take / sizeof free_to_take[0]; i++)
        expect_take(names, 0, free_to_take[i], NAMES_OK);
    names_free(names);
}
END_TEST

START_TEST(a_name_is_taken_in_any_case)
{
    struct names *names = names_new(3);

    expect_take(names, 0, "Alice", NAMES_OK);
    expect_take(names, 1, "bob", NAMES_OK);
    expect_take(names, 1, "Alice", NAMES_TAKEN);
    expect_take(names, 1, "aLICE", NAMES_TAKEN);
    expect_take(names, 2, "alice", NAMES_TAKEN);
    ck_assert_str_eq(names_of(names, 0), "Alice");
    ck_assert_str_eq(names_of(names, 1), "bob");
    ck_assert_ptr_null(names_of(names, 2));
    expect_take(names, 1, "alice_", NAMES_OK);
    names_free(names);
}
END_TEST

/* In IRC, {}|^ are the lower case of []\~; here only A to Z have a lower case. */
START_TEST(brackets_have_no_case)
{
    struct names *names = names_new(2);

    expect_take(names, 0, "[x]", NAMES_OK);
    expect_take(names, 1, "{x}", NAMES_OK);
    names_free(names);
}
END_TEST

START_TEST(a_slot_may_change_the_case_of_its_own_name)
{
    struct names *names = names_new(2);

    expect_take(names, 0, "alice", NAMES_OK);
    expect_take(names, 0, "Alice", NAMES_OK);
    expect_take(names, 0, "Alice", NAMES_OK);
    expect_take(names, 1, "alice", NAMES_TAKEN);
    names_release(names, 0);
    expect_take(names, 1, "alice", NAMES_OK);
    names_free(names);
}
END_TEST

START_TEST(a_new_name_releases_the_old_one)
{
    struct names *names = names_new(2);

    expect_take(names, 0, "alice", NAMES_OK);
    expect_take(names, 0, "carol", NAMES_OK);
    expect_take(names, 1, "alice", NAMES_OK);
    expect_take(names, 1, "carol", NAMES_TAKEN);
    names_release(names, 0);
    ck_assert_ptr_null(names_of(names, 0));
    expect_take(names, 1, "carol", NAMES_OK);
    names_free(names);
}
END_TEST

START_TEST(a_name_may_be_taken_from_what_names_of_returned)
{
    struct names *names = names_new(1);

    expect_take(names, 0, "alice", NAMES_OK);
    const char *name = names_of(names, 0);
    ck_assert_int_eq(names_take(names, 0, name, 2), NAMES_OK);
    ck_assert_str_eq(names_of(names, 0), "al");
    names_free(names);
}
END_TEST

START_TEST(guests_get_the_lowest_free_number)
{
    struct names *names = names_new(5);

    ck_assert_str_eq(names_take_guest(names, 4), "guest1");
    ck_assert_str_eq(names_take_guest(names, 0), "guest2");
    ck_assert_str_eq(names_take_guest(names, 2), "guest3");
    ck_assert_str_eq(names_of(names, 0), "guest2");

    names_release(names, 0);
    expect_take(names, 4, "alice", NAMES_OK);
    ck_assert_str_eq(names_take_guest(names, 3), "guest1");
    ck_assert_str_eq(names_take_guest(names, 1), "guest2");
    ck_assert_str_eq(names_take_guest(names, 0), "guest4");
    names_free(names);
}
END_TEST

START_TEST(a_guest_who_asks_again_gets_the_lowest_number)
{
    struct names *names = names_new(3);

    names_take_guest(names, 0);
    names_take_guest(names, 1);
    names_take_guest(names, 2);
    ck_assert_str_eq(names_take_guest(names, 1), "guest2");
    names_release(names, 0);
    ck_assert_str_eq(names_take_guest(names, 2), "guest1");
    expect_take(names, 1, "alice", NAMES_OK);
    ck_assert_str_eq(names_take_guest(names, 1), "guest2");
    names_free(names);
}
END_TEST

/* A naive model of numbers and owners. */
struct model {
    char names[50][NAME_LENGTH_MAX + 1];
};

enum { MODEL_SLOTS = 50 };

static int model_find(const struct model *model, const char *name)
{
    for (int slot = 0; slot < MODEL_SLOTS; slot++) {
        if (strcasecmp(model->names[slot], name) == 0)
            return slot;
    }
    return -1;
}

static void model_take_guest(struct model *model, unsigned slot)
{
    model->names[slot][0] = '\0';
    for (unsigned number = 1;; number++) {
        char name[NAME_LENGTH_MAX + 1];
        snprintf(name, sizeof name, "guest%u", number);
        if (model_find(model, name) < 0) {
            strcpy(model->names[slot], name);
            return;
        }
    }
}

static void model_take(struct model *model, struct names *names, unsigned slot, const char *name)
{
    int owner = model_find(model, name);
    bool is_free = owner < 0 || owner == (int)slot;

    expect_take(names, slot, name, is_free ? NAMES_OK : NAMES_TAKEN);
    if (is_free)
        strcpy(model->names[slot], name);
}

START_TEST(random_changes)
{
    static struct model model;
    struct names *names = names_new(MODEL_SLOTS);
    uint32_t random = 1;

    for (int round = 0; round < 50000; round++) {
        random = random * 1664525 + 1013904223;
        unsigned slot = (random >> 8) % MODEL_SLOTS;
        char name[8];
        switch ((random >> 16) % 4) {
        case 0:
            names_release(names, slot);
            model.names[slot][0] = '\0';
            break;
        case 1:
            snprintf(
                name, sizeof name, "%c%u", (random >> 20) % 2 ? 'n' : 'N', (random >> 24) % 60);
            model_take(&model, names, slot, name);
            break;
        default:
            model_take_guest(&model, slot);
            ck_assert_str_eq(names_take_guest(names, slot), model.names[slot]);
        }
        const char *now = names_of(names, slot);
        ck_assert_str_eq(now != NULL ? now : "", model.names[slot]);
    }
    names_free(names);
}
END_TEST

/* Takes about 0.1 s. If a call took time in proportion to the slots, the case would time out. */
START_TEST(a_hundred_thousand_slots_are_quick)
{
    enum { SLOTS = 100000 };
    struct names *names = names_new(SLOTS);
    char name[NAME_LENGTH_MAX + 1];

    for (unsigned slot = 0; slot < SLOTS; slot++)
        names_take_guest(names, slot);
    ck_assert_str_eq(names_of(names, SLOTS - 1), "guest100000");
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        int length = snprintf(name, sizeof name, "name%u", slot);
        ck_assert(names_take(names, slot, name, (size_t)length) == NAMES_OK);
    }
    for (unsigned slot = 0; slot < SLOTS; slot++)
        names_take_guest(names, SLOTS - 1 - slot);
    ck_assert_str_eq(names_of(names, 0), "guest100000");
    for (unsigned slot = 0; slot < SLOTS; slot++)
        names_release(names, slot * 7 % SLOTS);
    ck_assert_str_eq(names_take_guest(names, 0), "guest1");
    names_free(names);
}
END_TEST

START_TEST(every_verdict_has_its_words)
{
    for (int verdict = NAMES_OK; verdict <= NAMES_TAKEN; verdict++) {
        const char *text = names_verdict_text((enum names_verdict)verdict);
        ck_assert_ptr_nonnull(text);
        ck_assert_uint_ge(strlen(text), 10);
        ck_assert_uint_lt(strlen(text), 100);
    }
}
END_TEST

static Suite *names_suite(void)
{
    Suite *suite = suite_create("names");
    TCase *rules = tcase_create("rules");

    tcase_add_test(rules, nobody_has_a_name_at_first);
    tcase_add_test(rules, every_byte_of_a_name_is_judged);
    tcase_add_test(rules, a_name_has_1_to_32_bytes);
    tcase_add_test(rules, guest_numbers_are_reserved_in_any_case);
    tcase_add_test(rules, a_name_is_taken_in_any_case);
    tcase_add_test(rules, brackets_have_no_case);
    tcase_add_test(rules, a_slot_may_change_the_case_of_its_own_name);
    tcase_add_test(rules, a_new_name_releases_the_old_one);
    tcase_add_test(rules, a_name_may_be_taken_from_what_names_of_returned);
    tcase_add_test(rules, every_verdict_has_its_words);
    suite_add_tcase(suite, rules);

    TCase *guests = tcase_create("guests");
    tcase_add_test(guests, guests_get_the_lowest_free_number);
    tcase_add_test(guests, a_guest_who_asks_again_gets_the_lowest_number);
    suite_add_tcase(suite, guests);

    TCase *many = tcase_create("many");
    tcase_set_timeout(many, 30);
    tcase_add_test(many, random_changes);
    tcase_add_test(many, a_hundred_thousand_slots_are_quick);
    suite_add_tcase(suite, many);
    return suite;
}

CHECK_MAIN(names_suite)
