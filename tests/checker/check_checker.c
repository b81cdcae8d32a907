/* SPDX-License-Identifier: ISC */
/*
 * Tests of the checker itself: it must find nothing wrong in runs that keep the promises, and must
 * find every mutant, that is, every run in which one promise is broken in one place.
 */
#include "config.h"

#include "tests/check_main.h"
#include "tests/checker/checker.h"
#include "tests/checker/message.h"
#include "tests/checker/mutants.h"
#include "tests/checker/random.h"
#include "tests/checker/simulation.h"

#include <stdio.h>
#include <string.h>

#define SEEDS 12

START_TEST(each_mutant_is_caught)
{
    const struct mutant *mutant = &mutants[_i];
    unsigned made = 0;

    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct simulation *simulation = simulation_make(seed);
        struct random random = {seed * 1000};
        struct checker_report report;

        if (mutant->mutate(simulation, &random)) {
            made++;
            simulation_render(simulation);
            ck_assert_msg(!checker_check(&simulation->run, &report),
                "seed %u: the checker does not see: %s", seed, mutant->name);
            simulation->run.strangers = true;
            ck_assert_msg(!checker_check(&simulation->run, &report),
                "seed %u: the checker does not see among strangers: %s", seed, mutant->name);
        }
        simulation_free(simulation);
    }
    ck_assert_msg(made >= SEEDS / 4, "%s was made %u times only", mutant->name, made);
}
END_TEST

/* Flips each bit of some bytes that one session has received: in a text, a name, a checksum or
 * an event. Only a change in a reply may stay unnoticed, since no other session receives it and
 * it has no checksum. */
START_TEST(each_flipped_bit_is_caught)
{
    struct simulation *simulation = simulation_make((uint64_t)_i + 100);
    struct simulation_session *session = &simulation->session[1];
    struct random random = {(uint64_t)_i};
    struct checker_report report;

    for (int times = 0; times < 300; times++) {
        size_t at = random_below(&random, (unsigned)strlen(session->bytes)), start = at;
        char before = session->bytes[at];

        while (start > 0 && session->bytes[start - 1] != '\n')
            start--;
        if (strncmp(session->bytes + start, "* 3 here", 8) == 0 ||
            strncmp(session->bytes + start, "* Welcome", 9) == 0)
            continue;
        session->bytes[at] ^= (char)(1 << random_below(&random, 7));
        ck_assert_msg(!checker_check(&simulation->run, &report),
            "not seen: byte %zu, from 0x%02x to 0x%02x", at, before, session->bytes[at]);
        session->bytes[at] = before;
    }
    ck_assert(checker_check(&simulation->run, &report));
    simulation_free(simulation);
}
END_TEST

START_TEST(a_correct_run_has_no_fault)
{
    struct simulation *simulation = simulation_make((uint64_t)_i);
    struct checker_report report;

    ck_assert_msg(checker_check(&simulation->run, &report), "%s", report.text);
    ck_assert_uint_gt(report.records, 300);
    ck_assert_uint_gt(report.deliveries, report.records);
    ck_assert_uint_gt(report.ended, 0);
    simulation_free(simulation);
}
END_TEST

START_TEST(an_incomplete_log_is_a_fault)
{
    static const char *const events[] = {"event=join ", "event=leave ", "event=rename "};
    struct simulation *simulation = simulation_make(7);
    struct checker_report report;
    char *at = strstr(simulation->log, events[_i]);

    ck_assert_ptr_nonnull(at);
    memcpy(at, "event=XXXX", 10);
    ck_assert(!checker_check(&simulation->run, &report));
    simulation_free(simulation);
}
END_TEST

/* The same run without its last session, which talked. Returns one of that session's messages. */
static struct simulation_record *make_stranger(struct simulation *simulation)
{
    size_t stranger = simulation->session_count - 1;

    for (size_t at = 1; at < simulation->record_count; at++) {
        struct simulation_record *record = &simulation->record[at];
        if (record->kind == SIMULATED_MESSAGE && record->about == stranger)
            return record;
    }
    ck_abort_msg("the last session said nothing");
    return NULL;
}

/* Checks it again, without the stranger's own session. */
static bool check_among_strangers(
    struct simulation *simulation, bool strangers, struct checker_report *report)
{
    simulation_render(simulation);
    simulation->run.count--;
    simulation->run.strangers = strangers;
    return checker_check(&simulation->run, report);
}

static const struct {
    const char *said;
    bool sound;
} strange[] = {
    {"no checksum, nor anything", true},
    {"w1 n1 c00000000 a wrong one", true},
    {"\ttabs and \xe2\x82\xac", true},
    {"\033[2J", false},
    {"x\rx", false},
    {"\x7f", false},
    {"\xc2\x9b", false},
    {"\xc0\xaf", false},
    {"caf\xe9", false},
    {"\xed\xa0\x80", false},
    {"cut \xe2\x82", false},
    {"x\n[guest1] I never said that", false},
    {"x\nof no form", false},
};

START_TEST(strangers_may_say_certain_lines)
{
    struct simulation *simulation = simulation_make(5);
    struct simulation_record *record = make_stranger(simulation);
    struct checker_report report;
    char *text = strstr(record->line, "] ") + 2;

    ck_assert(!check_among_strangers(simulation, false, &report));
    ck_assert_msg(check_among_strangers(simulation, true, &report), "%s", report.text);
    strcpy(text, strange[_i].said);
    ck_assert_msg(check_among_strangers(simulation, true, &report) == strange[_i].sound,
        "number %d: %s", _i, report.text);
    simulation_free(simulation);
}
END_TEST

/* Nor may a stranger use the name of a session, or a name of no client. */
START_TEST(a_stranger_with_a_session_s_name_is_a_fault)
{
    struct simulation *simulation = simulation_make(5);
    struct simulation_record *record = make_stranger(simulation);
    struct checker_report report;

    snprintf(record->line, sizeof(record->line), "[%s] that was not me",
        _i == 0 ? simulation->session[0].name : "nobody");
    ck_assert(!check_among_strangers(simulation, true, &report));
    simulation_free(simulation);
}
END_TEST

START_TEST(a_composed_message_is_parsed_back)
{
    struct random random = {99};
    char text[MESSAGE_ROOM], payload[MESSAGE_PAYLOAD_MAX + 1];

    for (unsigned length = 0; length <= MESSAGE_PAYLOAD_MAX; length += 13) {
        unsigned long number;
        unsigned writer;
        size_t size;

        random_text(&random, payload, length);
        size = message_compose(text, length + 1, 7UL * length, payload);
        ck_assert(message_parse(text, size, &writer, &number));
        ck_assert_uint_eq(writer, length + 1);
        ck_assert_uint_eq(number, 7UL * length);
        ck_assert(!message_parse(text, size - 1, &writer, &number));
        for (size_t at = 0; at < size; at += 1 + size / 50) {
            text[at] ^= 0x20;
            ck_assert(!message_parse(text, size, &writer, &number));
            text[at] ^= 0x20;
        }
    }
}
END_TEST

static Suite *checker_suite(void)
{
    Suite *suite = suite_create("checker");
    TCase *checker = tcase_create("checker");

    tcase_set_timeout(checker, 60);
    tcase_add_test(checker, a_composed_message_is_parsed_back);
    tcase_add_loop_test(checker, a_correct_run_has_no_fault, 0, SEEDS);
    tcase_add_loop_test(checker, each_mutant_is_caught, 0, mutant_count);
    tcase_add_loop_test(checker, each_flipped_bit_is_caught, 0, 4);
    tcase_add_loop_test(checker, an_incomplete_log_is_a_fault, 0, 3);
    tcase_add_loop_test(
        checker, strangers_may_say_certain_lines, 0, (int)(sizeof(strange) / sizeof(strange[0])));
    tcase_add_loop_test(checker, a_stranger_with_a_session_s_name_is_a_fault, 0, 2);
    suite_add_tcase(suite, checker);
    return suite;
}

CHECK_MAIN(checker_suite)
