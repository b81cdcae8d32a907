/* SPDX-License-Identifier: ISC */
/*
 * System test: bad input. The sender receives an error line and stays connected. The other clients
 * do not notice.
 */
#include "config.h"

#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/daemon.h"
#include "tests/system/modes.h"
#include "tests/system/process.h"
#include "tests/system/workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDLESS_BYTES ((size_t)50 * 1000 * 1000)
/* Far below the length of the endless line, far above the size of any buffer. */
#define GROWTH_MAX_KIB ((size_t)4096)

static struct daemon *daemon_here;
static struct client *sender, *other;

/* A room of two clients; messages have at most 100 bytes. */
static void open_room(void)
{
    struct client *two[2];

    daemon_here = daemon_start(OPTIONS("-o", "max-message-size=100"));
    client_join_room(daemon_address(daemon_here, 0), two, 2);
    sender = two[0];
    other = two[1];
}

static void close_room(void)
{
    client_close(sender);
    client_close(other);
    daemon_stop(daemon_here);
}

/* The sender receives one error line with this beginning, the other client nothing, and both can
 * still talk. */
static void expect_error_only(const char *start)
{
    client_expect_start(sender, start);
    client_expect_silence(sender, &other, 1);
    client_expect_silence(other, &sender, 1);
}

START_TEST(an_unknown_command_is_answered_with_an_error)
{
    open_room();
    client_send(sender, "/foo\n");
    expect_error_only("! Unknown command /foo; /help lists the commands");
    client_send(sender, "/exit\n");
    expect_error_only("! Unknown command /exit; did you mean /quit?");
    client_send(sender, "/names all\n");
    expect_error_only("! Unknown command /names; did you mean /who?");
    client_send(sender, "/hlep\n");
    expect_error_only("! Unknown command /hlep; did you mean /help?");
    client_send(sender, "/msg guest2 psst\n");
    expect_error_only("! Unknown command /msg; there are no private messages");
    client_send(sender, "/nickname x\n");
    expect_error_only("! ");
    client_send(sender, "/ who\n");
    expect_error_only("! ");
    client_send(sender, "/\r\n");
    expect_error_only("! ");
    close_room();
}
END_TEST

/* A line of `length` bytes, and its end. */
static void send_long(size_t length, const char *end)
{
    char line[1000];

    memset(line, 'x', length);
    client_send_bytes(sender, line, length);
    client_send(sender, "%s", end);
}

static void expect_long(size_t length)
{
    char line[1000];

    memset(line, 'x', length);
    line[length] = '\0';
    client_expect(other, "[guest1] %s", line);
}

START_TEST(a_line_over_the_limit_is_refused)
{
    open_room();
    send_long(100, "\n");
    expect_long(100);
    send_long(100, "\r\n");
    expect_long(100);
    send_long(101, "\n");
    expect_error_only("! ");
    send_long(101, "\r\n");
    expect_error_only("! ");
    send_long(900, "\n");
    expect_error_only("! ");
    send_long(100, "\nshort\n");
    expect_long(100);
    client_expect(other, "[guest1] short");
    close_room();
}
END_TEST

START_TEST(a_long_line_cut_by_a_half_close_is_refused)
{
    open_room();
    send_long(101, "");
    client_half_close(sender);
    client_expect_start(sender, "! ");
    client_expect_end(sender);
    client_expect(other, "* guest1 left");
    close_room();
}
END_TEST

/* Two more clients talk while the endless line is sent. */
static void talk_on(struct client *const *talkers, unsigned number)
{
    client_send(talkers[0], "still here %u\n", number);
    client_expect(talkers[1], "[%s] still here %u", talkers[0]->name, number);
}

/* Sanitizers keep freed memory for a while, unless told not to. */
static void forget_freed_memory(void)
{
    const char *before = getenv("ASAN_OPTIONS");
    char options[500];

    snprintf(options, sizeof(options), "%s%squarantine_size_mb=0:thread_local_quarantine_size_kb=0",
        before == NULL ? "" : before, before == NULL ? "" : ":");
    setenv("ASAN_OPTIONS", options, 1);
}

START_TEST(an_endless_line_takes_bounded_memory)
{
    struct client *room[3];
    char piece[100000];
    size_t before, after;
    pid_t worker;

    forget_freed_memory();
    daemon_here = daemon_start(NULL);
    client_join_room(daemon_address(daemon_here, 0), room, 3);
    worker = daemon_worker_of(daemon_here, "guest3");
    memset(piece, 'y', sizeof(piece));
    client_send_bytes(room[2], piece, sizeof(piece));
    client_expect_start(room[2], "! "); /* answered when it is found, not at the line's end */
    before = process_resident_kib(worker);
    ck_assert_uint_gt(before, 0);
    for (size_t sent = 0; sent < ENDLESS_BYTES; sent += sizeof(piece)) {
        client_send_bytes(room[2], piece, sizeof(piece));
        if (sent % (ENDLESS_BYTES / 10) == 0)
            talk_on(room, (unsigned)(sent / (ENDLESS_BYTES / 10)));
    }
    client_send(room[2], "\n");
    after = process_resident_kib(worker);
    ck_assert_msg(
        after <= before + GROWTH_MAX_KIB, "its worker grew from %zu KiB to %zu KiB", before, after);
    client_expect_later(room[2], "[guest1] still here 9");
    client_expect_silence(room[2], room, 1);
    for (size_t at = 0; at < 3; at++)
        client_close(room[at]);
    daemon_stop(daemon_here);
}
END_TEST

static const char *const not_utf8[] = {
    "\xff",                 /* never in UTF-8 */
    "caf\xe9",              /* Latin-1 */
    "\x80",                 /* a continuation alone */
    "\xc0\xaf",             /* overlong / */
    "\xe0\x80\xaf",         /* overlong / */
    "\xf0\x80\x80\xaf",     /* overlong / */
    "\xed\xa0\x80",         /* a surrogate */
    "\xf4\x90\x80\x80",     /* above U+10FFFF */
    "\xf8\x88\x80\x80\x80", /* five bytes */
    "cut \xe2\x82",         /* cut off */
    "/nick \xc0\xae",
    "/quit \xff",
};

START_TEST(text_that_is_not_utf8_is_refused)
{
    open_room();
    client_send(sender, "%s\n", not_utf8[_i]);
    expect_error_only("! ");
    close_room();
}
END_TEST

struct bytes {
    size_t length;
    const char *data;
};
#define BYTES(text)                                                                                \
    {                                                                                              \
        sizeof(text) - 1, text                                                                     \
    }

static const struct bytes controls[] = {
    BYTES("a\0b"),
    BYTES("\x01"),
    BYTES("\x07 bell"),
    BYTES("\x1b[2J"),
    BYTES("back\bspace"),
    BYTES("a\rb"),
    BYTES("a\r\r"),
    BYTES("\x0b"),
    BYTES("\x7f"),
    BYTES("\xc2\x80"),
    BYTES("\xc2\x9b[2J"),
    BYTES("\xc2\x9f"),
    BYTES("/nick a\x1b"),
    BYTES("/quit \x1b[2J"),
};

START_TEST(a_control_character_is_refused)
{
    open_room();
    client_send_bytes(sender, controls[_i].data, controls[_i].length);
    client_send(sender, "\n");
    expect_error_only("! ");
    close_room();
}
END_TEST

START_TEST(characters_next_to_control_characters_pass)
{
    open_room();
    client_send(sender, " \t~\xc2\xa0\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\n");
    client_expect(other, "[guest1]  \t~\xc2\xa0\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf");
    close_room();
}
END_TEST

static const char *const bad_names[] = {"", " ", "1abc", "9", "two words", "a,b", "a/b", "a:b",
    "[x] y", "caf\xc3\xa9", "abcdefghijklmnopqrstuvwxyzabcdefg", "guest5", "GUEST5", "Guest1",
    "guest4000000000", "alice", "ALICE", "aLiCe"};

START_TEST(a_bad_reserved_or_taken_name_is_refused)
{
    static const char *const before[] = {"* guest2 is now alice"};

    open_room();
    client_send(other, "/nick alice\n");
    client_expect(other, "%s", before[0]);
    client_expect(sender, "%s", before[0]);
    memcpy(other->name, "alice", sizeof("alice"));
    client_send(sender, "/nick %s\n", bad_names[_i]);
    expect_error_only("! ");
    client_send(sender, "/nick free\n");
    client_expect(sender, "* guest1 is now free");
    client_expect(other, "* guest1 is now free");
    close_room();
}
END_TEST

/* Connects until the server accepts it; until then the server must answer that it is full. */
static struct client *join_once_free(const char *address)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    for (;;) {
        struct client *client = client_open(address, 0);

        client_line(client);
        client->cursor = 0;
        if (client->in.data[0] == '*') {
            client_expect_welcome(client);
            return client;
        }
        client_expect_start(client, "! The server is full");
        client_close(client);
        ck_assert_msg(bounded_turn(deadline), "the slot does not become free");
    }
}

START_TEST(a_full_server_tells_a_new_client_so)
{
    struct client *room[2], *third;

    daemon_here = daemon_start(OPTIONS("-o", "max-clients=2"));
    client_join_room(daemon_address(daemon_here, 0), room, 2);
    for (int times = 0; times < 3; times++) {
        third = client_open(daemon_address(daemon_here, 0), 0);
        client_expect(third, "! The server is full (2 clients); try again later");
        client_expect_end(third);
        client_close(third);
    }
    client_expect_silence(room[0], &room[1], 1);
    client_expect_silence(room[1], &room[0], 1);
    client_send(room[1], "/quit\n");
    client_read_to_end(room[1]);
    client_expect(room[0], "* guest2 left (quit)");
    third = join_once_free(daemon_address(daemon_here, 0));
    ck_assert_str_eq(third->name, "guest2");
    client_expect(room[0], "* guest2 joined");
    client_close(room[0]);
    client_close(room[1]);
    client_close(third);
    daemon_stop(daemon_here);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *bad_input_suite(void)
{
    Suite *suite = suite_create("system: bad input");
    TCase *bad = tcase_create("bad input");

    tcase_set_timeout(bad, BOUND_CASE_SECONDS);
    tcase_add_test(bad, an_unknown_command_is_answered_with_an_error);
    tcase_add_test(bad, a_line_over_the_limit_is_refused);
    tcase_add_test(bad, a_long_line_cut_by_a_half_close_is_refused);
    tcase_add_test(bad, an_endless_line_takes_bounded_memory);
    tcase_add_loop_test(bad, text_that_is_not_utf8_is_refused, 0, COUNT(not_utf8));
    tcase_add_loop_test(bad, a_control_character_is_refused, 0, COUNT(controls));
    tcase_add_test(bad, characters_next_to_control_characters_pass);
    tcase_add_loop_test(bad, a_bad_reserved_or_taken_name_is_refused, 0, COUNT(bad_names));
    tcase_add_test(bad, a_full_server_tells_a_new_client_so);
    suite_add_tcase(suite, bad);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(bad_input_suite)
