/* SPDX-License-Identifier: ISC */
/*
 * base/nearest: what people write in place of a word leads to that word, and nonsense to none.
 */
#include "config.h"

#include "base/nearest.h"

#include "tests/check_main.h"

#include <string.h>

static const char *const words[] = {"listen", "max-clients", "max-message-size", "ring-size",
    "outbox-size", "stall-grace", "couriers", "user", "group", "jail", "log-level"};

static const struct {
    const char *given, *meant;
} cases[] = {
    {"max-clients", "max-clients"},
    {"max_clients", "max-clients"},
    {"MAX_CLIENTS", "max-clients"},
    {"RING-SIZE", "ring-size"},
    {"max-client", "max-clients"},
    {"max-cleints", "max-clients"},
    {"maxclients", "max-clients"},
    {"lsiten", "listen"},
    {"listens", "listen"},
    {"jial", "jail"},
    {"max-message", "max-message-size"},
    {"log", "log-level"},
    {"courier", "couriers"},
    {"frob", NULL},
    {"", NULL},
    {"l", NULL},
    {"a-word-that-is-longer-than-any-other", NULL},
    {"clients", NULL},
    {"size", NULL},
};

START_TEST(a_word_leads_to_what_was_meant)
{
    const char *found = nearest_word(
        cases[_i].given, strlen(cases[_i].given), words, sizeof words / sizeof words[0]);

    if (cases[_i].meant == NULL)
        ck_assert_msg(found == NULL, "%s leads to %s", cases[_i].given, found);
    else
        ck_assert_msg(found != NULL && strcmp(found, cases[_i].meant) == 0, "%s leads to %s",
            cases[_i].given, found == NULL ? "nothing" : found);
}
END_TEST

START_TEST(only_the_bytes_given_count)
{
    ck_assert_str_eq(nearest_word("usergroup", 4, words, sizeof words / sizeof words[0]), "user");
    ck_assert_ptr_null(nearest_word("user", 4, words, 0));
}
END_TEST

static Suite *nearest_suite(void)
{
    Suite *suite = suite_create("base/nearest");
    TCase *nearest = tcase_create("nearest");

    tcase_add_loop_test(nearest, a_word_leads_to_what_was_meant, 0, sizeof cases / sizeof cases[0]);
    tcase_add_test(nearest, only_the_bytes_given_count);
    suite_add_tcase(suite, nearest);
    return suite;
}

CHECK_MAIN(nearest_suite)
