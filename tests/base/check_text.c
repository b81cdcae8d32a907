/* SPDX-License-Identifier: ISC */
/*
 * check_text.c - tests of base/text, against a simple and slow decoder with a different method:
 * it computes code points and checks these.
 */
#include "config.h"

#include "base/text.h"

#include "tests/check_main.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { UNICODE_LAST = 0x10FFFF, FOUR_BYTES_LAST = 0x1FFFFF };

/* Returns the length that a lead byte announces; 0 for a continuation byte and for FF. */
static size_t claimed_length(unsigned char lead)
{
    size_t ones = 0;

    while (ones < 8 && (lead & (0x80 >> ones)) != 0)
        ones++;
    return ones == 0 ? 1 : ones == 1 || ones == 8 ? 0 : ones;
}

/* Returns the shortest length of a code point in bytes. */
static size_t shortest_length(uint32_t code)
{
    return code < 0x80               ? 1
           : code < 0x800            ? 2
           : code < 0x10000          ? 3
           : code <= FOUR_BYTES_LAST ? 4
                                     : 5;
}

static enum text_verdict judge_code(uint32_t code, size_t length)
{
    if (length != shortest_length(code) || code > UNICODE_LAST)
        return TEXT_NOT_UTF8;
    if (code >= 0xD800 && code <= 0xDFFF)
        return TEXT_NOT_UTF8;
    if (code < 0x20)
        return code == 9 ? TEXT_OK : TEXT_CONTROL;
    return code >= 0x7F && code <= 0x9F ? TEXT_CONTROL : TEXT_OK;
}

static enum text_verdict slow_check(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;

    for (size_t position = 0; position < length;) {
        size_t claimed = claimed_length(bytes[position]);
        if (claimed == 0 || claimed > length - position)
            return TEXT_NOT_UTF8;

        uint32_t code = claimed == 1 ? bytes[position] : bytes[position] & (0x7FU >> claimed);
        for (size_t i = 1; i < claimed; i++) {
            if (bytes[position + i] / 0x40 != 2)
                return TEXT_NOT_UTF8;
            code = code * 0x40 + bytes[position + i] % 0x40;
        }
        enum text_verdict verdict = judge_code(code, claimed);
        if (verdict != TEXT_OK)
            return verdict;
        position += claimed;
    }
    return TEXT_OK;
}

/* Encodes `code` in `length` bytes, 1 to 6, even if that is not its proper length. */
static void encode(uint32_t code, size_t length, char *bytes)
{
    for (size_t i = length - 1; i > 0; i--) {
        bytes[i] = (char)(0x80 + code % 0x40);
        code /= 0x40;
    }
    bytes[0] = (char)(length == 1 ? code : (0xFFU & ~(0xFFU >> length)) + code);
}

static void expect(enum text_verdict expected, const char *bytes, size_t length)
{
    enum text_verdict verdict = text_check(bytes, length);
    char shown[3 * 32 + 1] = "";

    if (verdict == expected)
        return;
    for (size_t i = 0; i < length && i < 32; i++)
        sprintf(shown + 3 * i, " %02X", (unsigned)(unsigned char)bytes[i]);
    ck_abort_msg("bytes%s: verdict %d, expected %d", shown, (int)verdict, (int)expected);
}

static void expect_as_slow(const char *bytes, size_t length)
{
    expect(slow_check(bytes, length), bytes, length);
}

START_TEST(empty_text_is_good)
{
    ck_assert_int_eq(text_check("", 0), TEXT_OK);
    ck_assert_int_eq(text_check(NULL, 0), TEXT_OK);
}
END_TEST

START_TEST(every_code_point_in_every_length)
{
    static const uint32_t last[] = {0, 0x7F, 0x7FF, 0xFFFF, FOUR_BYTES_LAST, 0x3FFFFFF, 0x7FFFFFFF};
    char bytes[6];

    for (size_t length = 1; length <= 6; length++) {
        uint32_t end = last[length] < FOUR_BYTES_LAST ? last[length] : FOUR_BYTES_LAST;
        for (uint32_t code = 0; code <= end; code++) {
            encode(code, length, bytes);
            expect(judge_code(code, length), bytes, length);
        }
    }
    for (size_t length = 5; length <= 6; length++) {
        encode(last[length], length, bytes);
        expect(TEXT_NOT_UTF8, bytes, length);
    }
}
END_TEST

/* Checks the decoder itself, by counts from the Unicode standard. */
START_TEST(as_many_code_points_pass_as_there_are)
{
    unsigned counts[3] = {0, 0, 0};
    char bytes[4];

    for (uint32_t code = 0; code <= UNICODE_LAST; code++) {
        size_t length = shortest_length(code);
        encode(code, length, bytes);
        counts[text_check(bytes, length)]++;
    }
    ck_assert_uint_eq(counts[TEXT_CONTROL], 32 - 1 + 1 + 32);
    ck_assert_uint_eq(counts[TEXT_NOT_UTF8], 2048);
    ck_assert_uint_eq(counts[TEXT_OK], 0x110000 - 64 - 2048);
}
END_TEST

START_TEST(every_string_of_one_to_three_bytes)
{
    for (uint32_t value = 0; value < 1U << 24; value++) {
        char bytes[3] = {(char)(value >> 16), (char)(value >> 8), (char)value};
        for (size_t length = 1; length <= 3; length++) {
            bool first_of_its_kind = value % (1U << (24 - 8 * length)) == 0;
            if (first_of_its_kind)
                expect_as_slow(bytes, length);
        }
    }
}
END_TEST

/* All lead bytes from C0 on, all second bytes, and third and fourth bytes around each boundary. */
START_TEST(four_bytes_about_every_boundary)
{
    static const unsigned char edges[] = {0x00, 0x09, 0x1F, 0x20, 0x7E, 0x7F, 0x80, 0x81, 0x8F,
        0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xFF};

    for (unsigned lead = 0xC0; lead <= 0xFF; lead++) {
        for (unsigned second = 0; second <= 0xFF; second++) {
            for (size_t edge = 0; edge < sizeof edges * sizeof edges; edge++) {
                char bytes[4] = {(char)lead, (char)second, (char)edges[edge / sizeof edges],
                    (char)edges[edge % sizeof edges]};
                expect_as_slow(bytes, sizeof bytes);
            }
        }
    }
}
END_TEST

START_TEST(known_bad_text)
{
    static const struct {
        enum text_verdict verdict;
        const char *bytes;
    } samples[] = {
        {TEXT_NOT_UTF8, "\xC0\x80"},             /* NUL, overlong */
        {TEXT_NOT_UTF8, "\xC1\xBF"},             /* U+007F, overlong */
        {TEXT_NOT_UTF8, "\xE0\x9F\xBF"},         /* U+07FF, overlong */
        {TEXT_NOT_UTF8, "\xF0\x8F\xBF\xBF"},     /* U+FFFF, overlong */
        {TEXT_NOT_UTF8, "\xED\xA0\x80"},         /* U+D800 */
        {TEXT_NOT_UTF8, "\xED\xBF\xBF"},         /* U+DFFF */
        {TEXT_NOT_UTF8, "\xF4\x90\x80\x80"},     /* U+110000 */
        {TEXT_NOT_UTF8, "\xF8\x88\x80\x80\x80"}, /* five bytes */
        {TEXT_NOT_UTF8, "\x9B"},                 /* CSI in Latin-1, no UTF-8 */
        {TEXT_NOT_UTF8, "na\xEFve"},             /* Latin-1 */
        {TEXT_NOT_UTF8, "\xFF\xFB\x1F"},         /* a telnet negotiation */
        {TEXT_CONTROL, "\xC2\x80"}, {TEXT_CONTROL, "\xC2\x9F"},
        {TEXT_CONTROL, "\xC2\x9B"
                       "31m"}, /* CSI */
        {TEXT_CONTROL, "\x1B[31m"}, {TEXT_CONTROL, "\x7F"}, {TEXT_CONTROL, "two\rlines"},
        {TEXT_CONTROL, "two\nlines"}, {TEXT_OK, "\t"}, {TEXT_OK, "\xC2\xA0"}, /* U+00A0 */
        {TEXT_OK, "\xEF\xBF\xBF"},     /* U+FFFF, a noncharacter, but well-formed */
        {TEXT_OK, "\xED\x9F\xBF"},     /* U+D7FF */
        {TEXT_OK, "\xEE\x80\x80"},     /* U+E000 */
        {TEXT_OK, "\xF4\x8F\xBF\xBF"}, /* U+10FFFF */
    };

    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        expect(samples[i].verdict, samples[i].bytes, strlen(samples[i].bytes));
}
END_TEST

/* Checking eight bytes at once must not hide an error, wherever these begin. */
START_TEST(every_byte_at_every_place_of_plain_text)
{
    char bytes[32];

    for (size_t length = 1; length <= sizeof bytes; length++) {
        for (size_t place = 0; place < length; place++) {
            for (unsigned value = 0; value <= 0xFF; value++) {
                memset(bytes, value % 2 == 0 ? '~' : ' ', sizeof bytes);
                bytes[place] = (char)value;
                expect_as_slow(bytes, length);
            }
        }
    }
}
END_TEST

START_TEST(every_two_bytes_in_one_word)
{
    char bytes[9];

    for (uint32_t value = 0; value < 1U << 16; value++) {
        for (size_t place = 0; place + 2 <= sizeof bytes; place++) {
            memset(bytes, 'x', sizeof bytes);
            bytes[place] = (char)(value >> 8);
            bytes[place + 1] = (char)value;
            expect_as_slow(bytes, sizeof bytes);
        }
    }
}
END_TEST

START_TEST(the_first_fault_decides)
{
    static const char control[] = "\x01", broken[] = "\xC3", good[] = "\xE2\x82\xAC";
    char bytes[64];

    for (int gap = 0; gap < 20; gap++) {
        snprintf(bytes, sizeof bytes, "%s%*s%s%s", good, gap, "", control, broken);
        expect(TEXT_CONTROL, bytes, strlen(bytes));
        snprintf(bytes, sizeof bytes, "%s%*s%s%s", good, gap, "", broken, control);
        expect(TEXT_NOT_UTF8, bytes, strlen(bytes));
    }
}
END_TEST

/* Text that ends at an unmapped page: reading one byte too far kills the test. */
START_TEST(cut_off_at_the_end_of_memory)
{
    static const char *const characters[] = {"a", "\t", "\xC2\xA2", "\xE2\x82\xAC",
        "\xF0\x9F\x98\x80", "\xC2\x80", "\xE0\x80", "\xF4\x90", "\xED\xA0"};
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert_int_eq(mprotect(memory + page, page, PROT_NONE), 0);

    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
        for (size_t kept = 1; kept <= strlen(characters[i]); kept++) {
            for (size_t before = 0; before <= 17; before++) {
                char *bytes = memory + page - before - kept;
                memset(bytes, 'x', before);
                memcpy(bytes + before, characters[i], kept);
                expect_as_slow(bytes, before + kept);
                if (kept < strlen(characters[i]))
                    expect(TEXT_NOT_UTF8, bytes, before + kept);
            }
        }
    }
    munmap(memory, 2 * page);
}
END_TEST

START_TEST(cutting_keeps_characters_whole)
{
    static const char text[] = "a\xC2\xA2"
                               "b\xE2\x82\xAC\xF0\x9F\x98\x80z";
    static const size_t cut_to[] = {0, 1, 1, 3, 4, 4, 4, 7, 7, 7, 7, 11, 12, 12, 12};
    size_t length = strlen(text);

    for (size_t limit = 0; limit < sizeof cut_to / sizeof cut_to[0]; limit++) {
        size_t cut = text_cut(text, length, limit);
        ck_assert_uint_eq(cut, cut_to[limit]);
        ck_assert_int_eq(text_check(text, cut), TEXT_OK);
    }
    ck_assert_uint_eq(text_cut(text, length, SIZE_MAX), length);
}
END_TEST

START_TEST(only_ascii_capitals_have_small_letters)
{
    for (int value = 0; value <= 0xFF; value++) {
        char byte = (char)value;
        char expected = value >= 'A' && value <= 'Z' ? (char)(value + 32) : byte;
        ck_assert_int_eq(text_lower(byte), expected);
    }
    ck_assert(text_same("NiCk", 4, "nick", 4));
    ck_assert(text_same("", 0, "", 0));
    ck_assert(!text_same("nick", 4, "nick", 3));
    ck_assert(!text_same("nick", 3, "nick", 4));
    ck_assert(!text_same("nick", 4, "nock", 4));
    ck_assert(!text_same("[", 1, "{", 1));
}
END_TEST

static Suite *text_suite(void)
{
    Suite *suite = suite_create("text");
    TCase *rules = tcase_create("rules");

    tcase_set_timeout(rules, 120);
    tcase_add_test(rules, empty_text_is_good);
    tcase_add_test(rules, every_code_point_in_every_length);
    tcase_add_test(rules, as_many_code_points_pass_as_there_are);
    tcase_add_test(rules, every_string_of_one_to_three_bytes);
    tcase_add_test(rules, four_bytes_about_every_boundary);
    tcase_add_test(rules, known_bad_text);
    tcase_add_test(rules, every_byte_at_every_place_of_plain_text);
    tcase_add_test(rules, every_two_bytes_in_one_word);
    tcase_add_test(rules, the_first_fault_decides);
    tcase_add_test(rules, cut_off_at_the_end_of_memory);
    suite_add_tcase(suite, rules);

    TCase *helpers = tcase_create("helpers");
    tcase_add_test(helpers, cutting_keeps_characters_whole);
    tcase_add_test(helpers, only_ascii_capitals_have_small_letters);
    suite_add_tcase(suite, helpers);
    return suite;
}

CHECK_MAIN(text_suite)
