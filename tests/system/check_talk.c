/* SPDX-License-Identifier: ISC */
/*
 * System test: clients talk. What the clients in a room receive, in which order and in which words.
 */
#include "config.h"

#include "tests/system/address.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/daemon.h"
#include "tests/system/modes.h"
#include "tests/system/transcript.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CROWD    20
#define SENDERS  4
#define MESSAGES 400

START_TEST(a_message_reaches_the_other_client)
{
    struct daemon *daemon = daemon_start(NULL);
    struct client *two[2];

    two[0] = client_open(daemon_address(daemon, 0), 0);
    ck_assert_uint_eq(client_expect_welcome(two[0]), 1);
    two[1] = client_open(daemon_address(daemon, 0), 0);
    ck_assert_uint_eq(client_expect_welcome(two[1]), 2);
    ck_assert_str_eq(two[0]->name, "guest1");
    ck_assert_str_eq(two[1]->name, "guest2");
    client_expect(two[0], "* guest2 joined");
    client_send(two[0], "hello\n");
    client_expect(two[1], "[guest1] hello");
    client_send(two[1], "with a carriage return\r\n");
    client_expect(two[0], "[guest2] with a carriage return");
    client_send(two[0], "\n\r\n\nafter empty lines\n");
    client_expect(two[1], "[guest1] after empty lines");
    client_send(two[0], "a\ttab, gr\xc3\xbc\xc3\x9f, \xe6\xbc\xa2\xe5\xad\x97, \xf0\x9f\x90\xa7\n");
    client_expect(two[1], "[guest1] a\ttab, gr\xc3\xbc\xc3\x9f, \xe6\xbc\xa2\xe5\xad\x97, "
                          "\xf0\x9f\x90\xa7");
    client_send(two[0], " blanks around \n");
    client_expect(two[1], "[guest1]  blanks around ");
    client_expect_silence(two[1], &two[0], 1);
    client_close(two[0]);
    client_close(two[1]);
    daemon_stop(daemon);
}
END_TEST

START_TEST(a_line_may_come_in_pieces)
{
    struct daemon *daemon = daemon_start(NULL);
    struct client *two[2];

    client_join_room(daemon_address(daemon, 0), two, 2);
    client_send(two[0], "one pie");
    client_expect_silence(two[1], &two[0], 1);
    client_send(two[0], "ce\r");
    client_expect_silence(two[1], &two[0], 1);
    client_send(two[0], "\nand two\nthree\n");
    client_expect(two[1], "[guest1] one piece");
    client_expect(two[1], "[guest1] and two");
    client_expect(two[1], "[guest1] three");
    client_close(two[0]);
    client_close(two[1]);
    daemon_stop(daemon);
}
END_TEST

START_TEST(two_slashes_send_one)
{
    struct daemon *daemon = daemon_start(NULL);
    struct client *two[2];

    client_join_room(daemon_address(daemon, 0), two, 2);
    client_send(two[0], "//quit\n//\n///\n");
    client_expect(two[1], "[guest1] /quit");
    client_expect(two[1], "[guest1] /");
    client_expect(two[1], "[guest1] //");
    client_expect_silence(two[1], &two[0], 1);
    client_close(two[0]);
    client_close(two[1]);
    daemon_stop(daemon);
}
END_TEST

START_TEST(a_client_changes_its_name)
{
    struct daemon *daemon = daemon_start(NULL);
    struct client *two[2];

    client_join_room(daemon_address(daemon, 0), two, 2);
    client_send(two[0], "/nick alice\n");
    client_expect(two[0], "* guest1 is now alice");
    client_expect(two[1], "* guest1 is now alice");
    client_send(two[0], "it is me\n/nick Alice\n");
    client_expect(two[1], "[alice] it is me");
    client_expect(two[1], "* alice is now Alice");
    client_expect(two[0], "* alice is now Alice");
    client_send(two[1], "/nick ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef\r\n");
    client_expect(two[0], "* guest2 is now ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef");
    client_expect(two[1], "* guest2 is now ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef");
    client_send(two[1], "/nick -_.[]{}|^`9\n");
    client_expect_later(two[1], "* ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef is now -_.[]{}|^`9");
    client_expect_later(two[0], "* ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef is now -_.[]{}|^`9");
    client_send(two[1], "done\n");
    client_expect(two[0], "[-_.[]{}|^`9] done");
    client_close(two[0]);
    client_close(two[1]);
    daemon_stop(daemon);
}
END_TEST

/* Waits for the answer to /who and checks that it lists `count` names, with these among them. */
static void expect_who(struct client *client, unsigned count, const char *const *names)
{
    char start[64], listed[4096] = " ", word[CLIENT_NAME_MAX + 3];
    const char *line;
    unsigned found = 0;

    client_send(client, "/who\n");
    snprintf(start, sizeof(start), "* %u here:", count);
    line = client_expect_start(client, start) + strlen(start);
    for (;;) {
        strncat(listed, line, sizeof(listed) - strlen(listed) - 2);
        strcat(listed, " ");
        found = 0;
        for (const char *at = listed; *at != '\0'; at++)
            found += *at == ' ' && at[1] != ' ' && at[1] != '\0';
        if (found >= count)
            break;
        line = client_expect_start(client, "* also here:") + strlen("* also here:");
    }
    ck_assert_uint_eq(found, count);
    for (; *names != NULL; names++) {
        snprintf(word, sizeof(word), " %s ", *names);
        ck_assert_msg(strstr(listed, word) != NULL, "%s is not listed:%s", *names, listed);
    }
}

START_TEST(who_lists_all_clients)
{
    static const char *const three[] = {"guest1", "bob", "guest3", NULL};
    static const char *const many[] = {"bob", "guest1", "guest59", "guest2", NULL};
    struct daemon *daemon = daemon_start(NULL);
    struct client *room[60];

    client_join_room(daemon_address(daemon, 0), room, 3);
    client_send(room[1], "/nick bob\n");
    client_expect(room[0], "* guest2 is now bob");
    expect_who(room[0], 3, three);
    for (size_t at = 3; at < 60; at++)
        room[at] = client_join(daemon_address(daemon, 0));
    client_expect_later(room[0], "* guest59 joined");
    expect_who(room[0], 60, many);
    client_expect_later(room[1], "* guest59 joined");
    client_expect_silence(room[0], &room[1], 1);
    for (size_t at = 0; at < 60; at++)
        client_close(room[at]);
    daemon_stop(daemon);
}
END_TEST

START_TEST(help_names_every_command)
{
    static const char *const commands[] = {"/nick", "/who", "/help", "/quit"};
    struct daemon *daemon = daemon_start(NULL);
    struct client *two[2];
    unsigned seen = 0;
    const char *line;

    client_join_room(daemon_address(daemon, 0), two, 2);
    client_send(two[0], "/help\n/who\n");
    while (strncmp(line = client_expect_start(two[0], "* "), "* 2 here:", 9) != 0)
        for (unsigned at = 0; at < 4; at++)
            if (strstr(line, commands[at]) != NULL)
                seen |= 1u << at;
    ck_assert_uint_eq(seen, 15);
    client_expect_silence(two[0], &two[1], 1);
    client_close(two[0]);
    client_close(two[1]);
    daemon_stop(daemon);
}
END_TEST

START_TEST(the_room_is_told_why_a_client_leaves)
{
    struct daemon *daemon = daemon_start(NULL);
    struct client *room[4];

    client_join_room(daemon_address(daemon, 0), room, 4);
    client_send(room[1], "/quit so long, and thanks\n");
    client_expect(room[0], "* guest2 left (quit: so long, and thanks)");
    client_read_to_end(room[1]);
    ck_assert_int_eq(room[1]->error, 0);
    client_send(room[2], "/quit\n");
    client_expect(room[0], "* guest3 left (quit)");
    client_read_to_end(room[2]);
    ck_assert_int_eq(room[2]->error, 0);
    client_half_close(room[3]);
    client_expect(room[0], "* guest4 left");
    client_read_to_end(room[3]);
    ck_assert_int_eq(room[3]->error, 0);
    for (size_t at = 0; at < 4; at++)
        client_close(room[at]);
    daemon_stop(daemon);
}
END_TEST

START_TEST(a_guest_has_the_lowest_free_number)
{
    struct daemon *daemon = daemon_start(NULL);
    struct client *room[5], *next[3];

    client_join_room(daemon_address(daemon, 0), room, 5);
    client_send(room[2], "/nick carol\n");
    client_expect_later(room[0], "* guest3 is now carol");
    client_send(room[1], "/quit\n");
    client_expect(room[0], "* guest2 left (quit)");
    client_join_room(daemon_address(daemon, 0), next, 3);
    ck_assert_str_eq(next[0]->name, "guest2");
    ck_assert_str_eq(next[1]->name, "guest3");
    ck_assert_str_eq(next[2]->name, "guest6");
    for (size_t at = 0; at < 5; at++)
        client_close(room[at]);
    for (size_t at = 0; at < 3; at++)
        client_close(next[at]);
    daemon_stop(daemon);
}
END_TEST

/* Makes the text of the n-th message of a sender, which has a length and bytes of its own. */
static void compose(char *text, size_t size, unsigned sender, unsigned number)
{
    size_t length = (sender * 131 + number * 37) % 300, at;

    at = (size_t)snprintf(text, size, "%u %u ", sender, number);
    for (size_t left = length; left > 0; left--, at++)
        text[at] = (char)('!' + (at * 7 + sender * 31 + number) % 94);
    text[at] = '\0';
}

/* Returns whether every client but the speaker has received all lines. */
static bool all_arrived(struct client *const *room, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        size_t wanted = (at < SENDERS ? SENDERS - 1 : SENDERS) * MESSAGES, got = 0;

        for (size_t byte = room[at]->cursor; byte < room[at]->in.length; byte++)
            got += room[at]->in.data[byte] == '\n';
        if (got < wanted)
            return false;
    }
    return true;
}

/* Every message of every sender was received once, in order, with its text. */
static void check_content(const struct client *client)
{
    char text[512], expected[600], name[40];

    for (unsigned sender = 0; sender < SENDERS; sender++) {
        struct transcript *got = transcript_of(client, client->cursor);
        bool own;

        snprintf(name, sizeof(name), "guest%u", sender + 1);
        own = strcmp(client->name, name) == 0;
        transcript_keep_sender(got, name);
        ck_assert_uint_eq(got->count, own ? 0 : MESSAGES);
        for (unsigned number = 0; number < got->count; number++) {
            compose(text, sizeof(text), sender, number);
            snprintf(expected, sizeof(expected), "[%s] %s", name, text);
            ck_assert_str_eq(got->lines[number], expected);
        }
        transcript_free(got);
    }
}

/* Both received the same order, apart from their own messages, which are not sent back. */
static void check_order(const struct client *one, const struct client *other)
{
    struct transcript *first = transcript_of(one, one->cursor);
    struct transcript *second = transcript_of(other, other->cursor);

    transcript_drop_sender(first, other->name);
    transcript_drop_sender(second, one->name);
    transcript_expect_same(first, second);
    transcript_free(first);
    transcript_free(second);
}

START_TEST(twenty_clients_see_one_order)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "max-clients=20"));
    int64_t deadline = bounded_deadline(2 * BOUND_MS);
    struct client *room[CROWD];
    char text[512];

    client_join_room(daemon_address(daemon, 0), room, CROWD);
    for (unsigned number = 0; number < MESSAGES; number++) {
        for (unsigned sender = 0; sender < SENDERS; sender++) {
            compose(text, sizeof(text), sender, number);
            client_queue_text(room[sender], "%s\n", text);
        }
        client_turn(room, CROWD, bounded_now());
    }
    while (!all_arrived(room, CROWD))
        ck_assert_msg(client_turn(room, CROWD, deadline), "not every message arrives");
    for (size_t at = 0; at < CROWD; at++) {
        check_content(room[at]);
        for (size_t other = 0; other < at; other++)
            check_order(room[other], room[at]);
    }
    for (size_t at = 0; at < CROWD; at++)
        client_close(room[at]);
    daemon_stop(daemon);
}
END_TEST

/* Whether nc is that of OpenBSD, the only one with this meaning of -N. */
static bool has_nc(void)
{
    FILE *help = popen("nc -h 2>&1", "re");
    char line[200];
    bool found = false;

    if (help == NULL)
        return false;
    while (fgets(line, sizeof(line), help) != NULL)
        found |= strstr(line, "OpenBSD") != NULL;
    pclose(help);
    return found;
}

/* A client whose input and output are the pipes of an nc. */
static struct client *client_nc(const char *address, pid_t *pid)
{
    int to[2], from[2];
    char host[64];
    const char *port;

    ck_assert(address_split(address, host, sizeof(host), &port));
    ck_assert_int_eq(pipe2(to, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(from, O_CLOEXEC), 0);
    *pid = fork();
    ck_assert_int_ge(*pid, 0);
    if (*pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        execlp("nc", "nc", "-N", host, port, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    return client_adopt(from[0], to[1], "nc");
}

/* Waits for a child to end. Returns its exit code, or -1 if a signal ended it. */
static int exit_code(pid_t child)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    int status;

    while (waitpid(child, &status, WNOHANG) == 0)
        ck_assert_msg(bounded_turn(deadline), "nc does not end");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* `printf hi | nc -N HOST PORT`, as README has it. */
static void speak_once(const char *address)
{
    char command[200], host[64];
    const char *port;

    ck_assert(address_split(address, host, sizeof(host), &port));
    snprintf(command, sizeof(command), "printf hi | nc -N %s %s >/dev/null", host, port);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(three_clients_of_netcat_talk)
{
    struct daemon *daemon;
    struct client *two[2];
    pid_t pids[2];

    if (!has_nc()) {
        puts("skipped: there is no nc of OpenBSD here (netcat-openbsd)");
        return;
    }
    daemon = daemon_start(NULL);
    for (size_t at = 0; at < 2; at++) {
        two[at] = client_nc(daemon_address(daemon, 0), &pids[at]);
        client_expect_welcome(two[at]);
    }
    client_expect(two[0], "* guest2 joined");
    client_send(two[0], "is there anybody?\n");
    client_expect(two[1], "[guest1] is there anybody?");
    speak_once(daemon_address(daemon, 0));
    for (size_t at = 0; at < 2; at++) {
        client_expect(two[at], "* guest3 joined");
        client_expect(two[at], "[guest3] hi");
        client_expect(two[at], "* guest3 left");
    }
    client_send(two[1], "/quit bye\n");
    client_expect(two[0], "* guest2 left (quit: bye)");
    for (size_t at = 0; at < 2; at++) {
        client_half_close(two[at]);
        client_read_to_end(two[at]);
        ck_assert_int_eq(exit_code(pids[at]), 0);
        client_close(two[at]);
    }
    daemon_stop(daemon);
}
END_TEST

static Suite *talk_suite(void)
{
    Suite *suite = suite_create("system: talk");
    TCase *talk = tcase_create("talk");

    tcase_set_timeout(talk, BOUND_CASE_SECONDS);
    tcase_add_test(talk, a_message_reaches_the_other_client);
    tcase_add_test(talk, a_line_may_come_in_pieces);
    tcase_add_test(talk, two_slashes_send_one);
    tcase_add_test(talk, a_client_changes_its_name);
    tcase_add_test(talk, who_lists_all_clients);
    tcase_add_test(talk, help_names_every_command);
    tcase_add_test(talk, the_room_is_told_why_a_client_leaves);
    tcase_add_test(talk, a_guest_has_the_lowest_free_number);
    tcase_add_test(talk, twenty_clients_see_one_order);
    tcase_add_test(talk, three_clients_of_netcat_talk);
    suite_add_tcase(suite, talk);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(talk_suite)
