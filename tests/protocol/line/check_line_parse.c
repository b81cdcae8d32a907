/* SPDX-License-Identifier: ISC */
/*
 * check_line_parse.c - tests of the line parser: the events of each input, and that they do
 * not depend on how the input is divided.
 */
#include "config.h"

#include "protocol/line/line_parse.h"

#include "base/alloc.h"
#include "base/text.h"
#include "tests/check_main.h"
#include "tests/protocol/line/line_record.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CONTROL  "E Line dropped: control characters other than tab are not allowed\n"
#define NOT_UTF8 "E Line dropped: not valid UTF-8\n"
#define LONG_16  "E Line dropped: longer than 16 bytes\n"
#define NO_NAME  "E Usage: /nick NAME\n"

#define UNKNOWN(shown)        "E Unknown command " shown "; /help lists the commands\n"
#define MEANT(shown, command) "E Unknown command " shown "; did you mean " command "?\n"

struct sample {
    const char *input;
    size_t length;
    const char *events; /* including the half-close after the input */
};

#define SAMPLE(input, events)                                                                      \
    {                                                                                              \
        input, sizeof(input) - 1, events                                                           \
    }

/* `max_message` is 16 for all of them. */
static const struct sample samples[] = {
    SAMPLE("", ""),
    SAMPLE("hi\n", "M hi\n"),
    SAMPLE("hi\r\n", "M hi\n"),
    SAMPLE("hi", "M hi\n"),
    SAMPLE("hi\r", "M hi\n"),
    SAMPLE("one\ntwo\r\nthree\nfour", "M one\nM two\nM three\nM four\n"),
    SAMPLE("\n\r\n\n\nhi\n\r\n", "M hi\n"),
    SAMPLE("\r", ""),
    SAMPLE(" \n\t\n", "M  \nM \t\n"),
    SAMPLE(" hi \n", "M  hi \n"),
    SAMPLE("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80\n", "M gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80\n"),

    /* messages with a slash */
    SAMPLE("//x\n//\n///\n// x\n//who\r\n", "M /x\nM /\nM //\nM / x\nM /who\n"),
    SAMPLE(" /who\n", "M  /who\n"),

    /* commands */
    SAMPLE("/who\n/WHO\r\n/wHo \t\n/who me\n/who", "W \nW \nW \nW \nW \n"),
    SAMPLE("/help\n/Help nick\n", "H \nH \n"),
    SAMPLE("/nick bob\n/NICK \t bob \t\r\n/nick a b\n", "N bob\nN bob\nN a b\n"),
    SAMPLE("/nick\n/nick \t\n/nick\r\n/nick", NO_NAME NO_NAME NO_NAME NO_NAME),
    SAMPLE("/nick \xC3\xA9\n/nick /who\n", "N \xC3\xA9\nN /who\n"),
    SAMPLE("/quit\n/quit bye\n/quit  a b \n/QUIT \t", "Q \nQ bye\nQ a b\nQ \n"),
    SAMPLE(
        "/\n/ \n/ who\n/\r\n/", UNKNOWN("/") UNKNOWN("/") UNKNOWN("/") UNKNOWN("/") UNKNOWN("/")),
    SAMPLE("/foo bar\n/whos\n/wh\n/w/o",
        UNKNOWN("/foo") MEANT("/whos", "/who") MEANT("/wh", "/who") MEANT("/w/o", "/who")),
    SAMPLE("/n\xC3\xAF"
           "ck x\n",
        UNKNOWN("/n\xC3\xAF"
                "ck")),

    /* invalid text drops one line, and is checked before commands are */
    SAMPLE("a\x1B[1m\nhi\n", CONTROL "M hi\n"),
    SAMPLE("a\0b\nhi\n", CONTROL "M hi\n"),
    SAMPLE("a\rb\nhi\n", CONTROL "M hi\n"),
    SAMPLE("\r\r\nhi\n", CONTROL "M hi\n"),
    SAMPLE("hi\r\r", CONTROL),
    SAMPLE("\x7F\n\xC2\x85\nhi", CONTROL CONTROL "M hi\n"),
    SAMPLE("a\tb\n", "M a\tb\n"),
    SAMPLE("na\xEFve\nhi\n", NOT_UTF8 "M hi\n"),
    SAMPLE("\xC3\n\xBC\nhi\n", NOT_UTF8 NOT_UTF8 "M hi\n"),
    SAMPLE("\xE2\x82", NOT_UTF8),
    SAMPLE("/nick \x01\n/nick \xFF\n//\x02\n/x\x03\n", CONTROL NOT_UTF8 CONTROL CONTROL),

    /* maximum length, and longer */
    SAMPLE("0123456789abcdef\n", "M 0123456789abcdef\n"),
    SAMPLE("0123456789abcdef\r\n", "M 0123456789abcdef\n"),
    SAMPLE("0123456789abcdef", "M 0123456789abcdef\n"),
    SAMPLE("0123456789abcdef\r", "M 0123456789abcdef\n"),
    SAMPLE("0123456789abcdefg\nhi\n", LONG_16 "M hi\n"),
    SAMPLE("0123456789abcdefg\r\nhi\n", LONG_16 "M hi\n"),
    SAMPLE("0123456789abcdefg", LONG_16),
    SAMPLE("0123456789abcdef\r\r\nhi\n", LONG_16 "M hi\n"),
    SAMPLE("0123456789abcdef\rg\nhi\n", LONG_16 "M hi\n"),
    SAMPLE("0123456789abcde\xC3\xBC\nhi\n", LONG_16 "M hi\n"),
    SAMPLE("0123456789abcdef and more and more and more\n\nhi\n", LONG_16 "M hi\n"),
    SAMPLE("0123456789abcdef and more and more and more", LONG_16),
    SAMPLE("\x01\xFF"
           "23456789abcdefghijklm\nhi\n",
        LONG_16 "M hi\n"),
    SAMPLE("//123456789abcdef\n", "M /123456789abcdef\n"),
    SAMPLE("//123456789abcdef\r\n", "M /123456789abcdef\n"),
    SAMPLE("//123456789abcdef\r", "M /123456789abcdef\n"),
    SAMPLE("//123456789abcdefg\nhi\n", LONG_16 "M hi\n"),
    SAMPLE("//123456789abcdef\rg\nhi\n", LONG_16 "M hi\n"),
    SAMPLE("/nick 6789abcdef\n", "N 6789abcdef\n"),
    SAMPLE("/nick 6789abcdefg\nhi\n", LONG_16 "M hi\n"),
    SAMPLE("/nick           \n", NO_NAME),
    SAMPLE("/nick            \n", LONG_16),
    SAMPLE("0123456789abcdefg\n0123456789abcdefg\n", LONG_16 LONG_16),
};

enum { SAMPLE_COUNT = sizeof samples / sizeof samples[0], SAMPLE_MAX = 16 };

/* Returns the events of `input`, divided before the bytes at `cuts`, which are in ascending order.
 * The caller frees the result. */
static char *events_of(
    size_t max_message, const char *input, size_t length, const size_t *cuts, size_t cut_count)
{
    struct line_record *record = line_record_new(max_message);
    size_t from = 0;

    for (size_t i = 0; i < cut_count; i++) {
        line_record_piece(record, input + from, cuts[i] - from);
        from = cuts[i];
    }
    line_record_piece(record, input + from, length - from);
    line_record_end(record);

    char *events = alloc_string(line_record_text(record));
    line_record_free(record);
    return events;
}

static void expect_events(const struct sample *sample, const size_t *cuts, size_t cut_count)
{
    char *events = events_of(SAMPLE_MAX, sample->input, sample->length, cuts, cut_count);

    if (strcmp(events, sample->events) != 0)
        ck_abort_msg("input:\n%s\n%zu cuts, from %zu on; events:\n%sbut expected were:\n%s",
            sample->input, cut_count, cut_count > 0 ? cuts[0] : 0, events, sample->events);
    free(events);
}

START_TEST(every_sample_as_one_piece)
{
    for (size_t i = 0; i < SAMPLE_COUNT; i++)
        expect_events(&samples[i], NULL, 0);
}
END_TEST

START_TEST(every_sample_cut_at_every_byte)
{
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        for (size_t cut = 0; cut <= samples[i].length; cut++)
            expect_events(&samples[i], &cut, 1);
    }
}
END_TEST

START_TEST(every_sample_cut_at_every_two_bytes)
{
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        for (size_t first = 0; first <= samples[i].length; first++) {
            for (size_t second = first; second <= samples[i].length; second++)
                expect_events(&samples[i], (size_t[]){first, second}, 2);
        }
    }
}
END_TEST

START_TEST(every_sample_byte_by_byte)
{
    size_t cuts[128];

    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++)
        cuts[i] = i;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        ck_assert_uint_le(samples[i].length, sizeof cuts / sizeof cuts[0]);
        expect_events(&samples[i], cuts, samples[i].length);
    }
}
END_TEST

/* The result of one call. */
struct step {
    size_t consumed;
    struct line_event event;
};

static struct step parse(struct line_parser *parser, const char *input, size_t length)
{
    struct step step;

    step.consumed = line_parse(parser, input, length, &step.event);
    return step;
}

static struct step end(struct line_parser *parser)
{
    struct step step = {.consumed = 0};

    line_parse_end(parser, &step.event);
    return step;
}

static void expect_step(struct step step, enum line_event_kind kind, const char *text)
{
    ck_assert_int_eq(step.event.kind, kind);
    ck_assert_uint_eq(step.event.length, strlen(text));
    ck_assert_mem_eq(step.event.text, text, strlen(text));
}

START_TEST(a_call_consumes_one_event)
{
    static const char input[] = "\n\none\n\ntwo\n\n";
    struct line_parser *parser = line_parser_new(100);

    struct step step = parse(parser, input, 12);
    expect_step(step, LINE_MESSAGE, "one");
    ck_assert_uint_eq(step.consumed, 6);
    step = parse(parser, input + 6, 6);
    expect_step(step, LINE_MESSAGE, "two");
    ck_assert_uint_eq(step.consumed, 5);
    step = parse(parser, input + 11, 1);
    expect_step(step, LINE_NONE, "");
    ck_assert_uint_eq(step.consumed, 1);
    step = parse(parser, input, 0);
    expect_step(step, LINE_NONE, "");
    ck_assert_uint_eq(step.consumed, 0);
    line_parser_free(parser);
}
END_TEST

START_TEST(a_whole_line_is_not_copied)
{
    static const char input[] = "hello\n//there\n/nick bob\n";
    struct line_parser *parser = line_parser_new(100);

    ck_assert_ptr_eq(parse(parser, input, 24).event.text, input);
    ck_assert_ptr_eq(parse(parser, input + 6, 18).event.text, input + 7);
    ck_assert_ptr_eq(parse(parser, input + 14, 10).event.text, input + 20);
    line_parser_free(parser);
}
END_TEST

START_TEST(a_parser_is_new_after_the_end)
{
    struct line_parser *parser = line_parser_new(4);

    expect_step(parse(parser, "half", 4), LINE_NONE, "");
    expect_step(end(parser), LINE_MESSAGE, "half");
    expect_step(end(parser), LINE_NONE, "");
    expect_step(parse(parser, "longer", 6), LINE_ERROR, "Line dropped: longer than 4 bytes");
    expect_step(end(parser), LINE_NONE, "");
    expect_step(parse(parser, "hi\n", 3), LINE_MESSAGE, "hi");
    line_parser_free(parser);
}
END_TEST

START_TEST(a_long_line_is_told_at_the_first_byte_too_many)
{
    struct line_parser *parser = line_parser_new(4);

    expect_step(parse(parser, "1234", 4), LINE_NONE, "");
    expect_step(parse(parser, "5", 1), LINE_ERROR, "Line dropped: longer than 4 bytes");
    expect_step(parse(parser, "6789", 4), LINE_NONE, "");
    expect_step(parse(parser, "\n", 1), LINE_NONE, "");
    expect_step(parse(parser, "1234\r", 5), LINE_NONE, "");
    expect_step(parse(parser, "\r", 1), LINE_ERROR, "Line dropped: longer than 4 bytes");
    expect_step(parse(parser, "\n", 1), LINE_NONE, "");
    expect_step(parse(parser, "//345\r", 6), LINE_NONE, "");
    expect_step(parse(parser, "\n", 1), LINE_MESSAGE, "/345");
    line_parser_free(parser);
}
END_TEST

START_TEST(the_shortest_max_message_works)
{
    struct line_parser *parser = line_parser_new(1);

    expect_step(parse(parser, "x\r\n", 3), LINE_MESSAGE, "x");
    expect_step(parse(parser, "//\r", 3), LINE_NONE, "");
    expect_step(parse(parser, "\n", 1), LINE_MESSAGE, "/");
    expect_step(parse(parser, "xy", 2), LINE_ERROR, "Line dropped: longer than 1 bytes");
    line_parser_free(parser);
}
END_TEST

START_TEST(errors_fit_whatever_the_limit)
{
    char words[128];
    enum { LENGTH = 100000 };
    char *input = alloc_zeroed(LENGTH + 1, 1);
    struct line_parser *parser = line_parser_new(LENGTH - 1);

    memset(input, 'x', LENGTH);
    snprintf(words, sizeof words, "Line dropped: longer than %d bytes", LENGTH - 1);
    expect_step(parse(parser, input, LENGTH), LINE_ERROR, words);
    line_parser_free(parser);
    free(input);
}
END_TEST

START_TEST(a_reason_is_cut_at_a_character)
{
    struct line_parser *parser = line_parser_new(4096);
    char input[512] = "/quit ";

    memset(input + 6, 'r', LINE_REASON_MAX);
    strcpy(input + 6 + LINE_REASON_MAX, "\n");
    struct step step = parse(parser, input, strlen(input));
    ck_assert_uint_eq(step.event.length, LINE_REASON_MAX);

    strcpy(input + 6 + LINE_REASON_MAX, "s\n");
    step = parse(parser, input, strlen(input));
    ck_assert_uint_eq(step.event.length, LINE_REASON_MAX);

    strcpy(input + 6 + LINE_REASON_MAX - 2, "\xE2\x82\xAC\n");
    step = parse(parser, input, strlen(input));
    ck_assert_uint_eq(step.event.length, LINE_REASON_MAX - 2);
    ck_assert_int_eq(text_check(step.event.text, step.event.length), TEXT_OK);

    strcpy(input + 6 + LINE_REASON_MAX - 2, "r more\n");
    step = parse(parser, input, strlen(input));
    ck_assert_uint_eq(step.event.length, LINE_REASON_MAX - 1);
    line_parser_free(parser);
}
END_TEST

START_TEST(an_unknown_command_is_cut_at_a_character)
{
    struct line_parser *parser = line_parser_new(4096);

    expect_step(parse(parser, "/0123456789012345678901234567890\n", 33), LINE_ERROR,
        "Unknown command /0123456789012345678901234567890; /help lists the commands");
    expect_step(parse(parser, "/0123456789012345678901234567890x\n", 34), LINE_ERROR,
        "Unknown command /0123456789012345678901234567890; /help lists the commands");
    expect_step(parse(parser, "/012345678901234567890123456789\xC3\xBC\n", 34), LINE_ERROR,
        "Unknown command /012345678901234567890123456789; /help lists the commands");
    line_parser_free(parser);
}
END_TEST

/* Returns the peak memory in KiB. */
static long peak_memory(void)
{
    struct rusage usage;

    ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

START_TEST(an_endless_line_is_one_error_in_bounded_memory)
{
    /* A fraction of the input; a sanitizer keeps freed memory for a while. */
    enum { PIECE = 64 * 1024, PIECES = 100 * 1024 * 1024 / PIECE, MEMORY_BOUND_KIB = 8 * 1024 };
    char *piece = alloc_zeroed(PIECE, 1);
    struct line_parser *parser = line_parser_new(4096);

    memset(piece, 'x', PIECE);
    struct step step = parse(parser, piece, PIECE);
    expect_step(step, LINE_ERROR, "Line dropped: longer than 4096 bytes");
    expect_step(parse(parser, piece, PIECE - step.consumed), LINE_NONE, "");
    long peak = peak_memory();
    for (int i = 1; i < PIECES; i++) {
        step = parse(parser, piece, PIECE);
        expect_step(step, LINE_NONE, "");
        ck_assert_uint_eq(step.consumed, PIECE);
    }
    ck_assert_int_le(peak_memory() - peak, MEMORY_BOUND_KIB);
    expect_step(parse(parser, "\nhi\n", 4), LINE_MESSAGE, "hi");
    line_parser_free(parser);
    free(piece);
}
END_TEST

/* xorshift64*: the same sequence in each run. */
static uint32_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(*state * UINT64_C(0x2545F4914F6CDD1D) >> 32);
}

/* Generates input with many significant bytes. */
static size_t random_input(uint64_t *state, char *input, size_t size)
{
    static const char *const parts[] = {"\n", "\n", "\r\n", "\r", "/", "//", "/nick ", "/who",
        "/quit ", " ", "\t", "x", "hello", "\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\x80",
        "\xC3", "\x1B"};
    size_t length = 0;

    while (length + 8 < size) {
        uint32_t number = next_random(state);
        if (number % 8 == 0) {
            input[length++] = (char)(number >> 8);
        } else {
            const char *part = parts[(number >> 8) % (sizeof parts / sizeof parts[0])];
            memcpy(input + length, part, strlen(part));
            length += strlen(part);
        }
    }
    return length;
}

/* `line_record` asserts that each event is valid. */
START_TEST(random_bytes_give_the_same_events_in_any_pieces)
{
    uint64_t state = 20261122;
    char input[300];
    size_t cuts[8];

    for (int round = 0; round < 20000; round++) {
        size_t max_message = 1 + next_random(&state) % 40;
        size_t length = random_input(&state, input, 1 + next_random(&state) % sizeof input);
        char *whole = events_of(max_message, input, length, NULL, 0);

        for (size_t i = 0; i < 8; i++)
            cuts[i] = (i == 0 ? 0 : cuts[i - 1]) + next_random(&state) % (length / 8 + 1);
        char *cut = events_of(max_message, input, length, cuts, 8);

        ck_assert_str_eq(cut, whole);
        free(cut);
        free(whole);
    }
}
END_TEST

START_TEST(help_is_plain_lines_and_names_every_command)
{
    static const char *const commands[] = {
        "/nick NAME", "/who", "/help", "/quit [REASON]", "//TEXT"};
    size_t count = 0;
    size_t named = 0;

    for (; line_help(count) != NULL; count++) {
        const char *line = line_help(count);
        ck_assert_int_eq(text_check(line, strlen(line)), TEXT_OK);
        ck_assert_uint_lt(strlen(line), 76);
        for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
            named += strncmp(line, commands[i], strlen(commands[i])) == 0;
    }
    ck_assert_uint_eq(named, sizeof commands / sizeof commands[0]);
    ck_assert_ptr_null(line_help(count + 1));
    ck_assert_ptr_null(line_help(SIZE_MAX));
}
END_TEST

static Suite *line_suite(void)
{
    Suite *suite = suite_create("line");
    TCase *cuts = tcase_create("samples");

    tcase_set_timeout(cuts, 60);
    tcase_add_test(cuts, every_sample_as_one_piece);
    tcase_add_test(cuts, every_sample_cut_at_every_byte);
    tcase_add_test(cuts, every_sample_cut_at_every_two_bytes);
    tcase_add_test(cuts, every_sample_byte_by_byte);
    suite_add_tcase(suite, cuts);

    TCase *rules = tcase_create("rules");
    tcase_set_timeout(rules, 120);
    tcase_add_test(rules, a_call_consumes_one_event);
    tcase_add_test(rules, a_whole_line_is_not_copied);
    tcase_add_test(rules, a_parser_is_new_after_the_end);
    tcase_add_test(rules, a_long_line_is_told_at_the_first_byte_too_many);
    tcase_add_test(rules, the_shortest_max_message_works);
    tcase_add_test(rules, errors_fit_whatever_the_limit);
    tcase_add_test(rules, a_reason_is_cut_at_a_character);
    tcase_add_test(rules, an_unknown_command_is_cut_at_a_character);
    tcase_add_test(rules, an_endless_line_is_one_error_in_bounded_memory);
    tcase_add_test(rules, random_bytes_give_the_same_events_in_any_pieces);
    tcase_add_test(rules, help_is_plain_lines_and_names_every_command);
    suite_add_tcase(suite, rules);
    return suite;
}

CHECK_MAIN(line_suite)
