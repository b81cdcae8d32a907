/* SPDX-License-Identifier: ISC */
/*
 * System test: addresses, the command line, the configuration, and exit codes with their messages.
 */
#include "config.h"

#include "tests/system/address.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/daemon.h"
#include "tests/system/folder.h"
#include "tests/system/modes.h"

#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_ROOM 160

/* Two clients talk over this address. */
static void talk(const char *address)
{
    struct client *two[2];

    client_join_room(address, two, 2);
    client_expect_silence(two[0], &two[1], 1);
    client_expect_silence(two[1], &two[0], 1);
    client_close(two[0]);
    client_close(two[1]);
}

START_TEST(a_client_connects_over_ipv4)
{
    struct daemon *daemon = daemon_start(OPTIONS("-l", "127.0.0.1:0"));

    ck_assert_ptr_nonnull(strstr(daemon_address(daemon, 0), "127.0.0.1:"));
    ck_assert_str_ne(daemon_address(daemon, 0), "127.0.0.1:0");
    talk(daemon_address(daemon, 0));
    daemon_stop(daemon);
}
END_TEST

START_TEST(a_client_connects_over_ipv6)
{
    struct daemon *daemon;

    if (!address_has_ipv6()) {
        puts("skipped: there is no IPv6 here");
        return;
    }
    daemon = daemon_start(OPTIONS("-l", "[::1]:0"));
    ck_assert_int_eq(strncmp(daemon_address(daemon, 0), "[::1]:", 6), 0);
    talk(daemon_address(daemon, 0));
    daemon_stop(daemon);
}
END_TEST

START_TEST(clients_of_several_addresses_share_a_room)
{
    char address[PATH_ROOM];
    struct daemon *daemon;
    struct client *three[3];

    folder_name(address, sizeof(address), "unix:", "socket");
    daemon = daemon_start(OPTIONS("-l", "127.0.0.1:0", "-l", address, "-l", "127.0.0.1:0"));
    ck_assert_str_eq(daemon_address(daemon, 1), address);
    ck_assert_str_ne(daemon_address(daemon, 0), daemon_address(daemon, 2));
    for (size_t at = 0; at < 3; at++)
        three[at] = client_join(daemon_address(daemon, at));
    client_expect(three[0], "* guest2 joined");
    client_expect(three[0], "* guest3 joined");
    client_expect(three[1], "* guest3 joined");
    for (size_t at = 0; at < 3; at++) {
        struct client *others[2] = {three[(at + 1) % 3], three[(at + 2) % 3]};

        client_expect_silence(three[at], others, 2);
    }
    for (size_t at = 0; at < 3; at++)
        client_close(three[at]);
    daemon_stop(daemon);
}
END_TEST

START_TEST(a_client_connects_over_a_unix_socket)
{
    char address[PATH_ROOM];
    struct daemon *daemon;
    struct stat status;

    folder_name(address, sizeof(address), "unix:", "socket");
    for (int times = 0; times < 2; times++) {
        daemon = daemon_start(OPTIONS("-l", address));
        ck_assert_str_eq(daemon_address(daemon, 0), address);
        ck_assert_int_eq(stat(address + 5, &status), 0);
        ck_assert(S_ISSOCK(status.st_mode));
        talk(address);
        daemon_stop(daemon);
    }
}
END_TEST

static const char *const bare_ports[] = {"0", ":0", "localhost:0"};

START_TEST(a_port_alone_is_an_address)
{
    struct daemon *daemon = daemon_start(OPTIONS("-l", bare_ports[_i]));

    ck_assert_int_eq(strncmp(daemon_address(daemon, 0), "127.0.0.1:", 10), 0);
    talk(daemon_address(daemon, 0));
    daemon_stop(daemon);
}
END_TEST

/* An IPv4 client of an IPv6 address is known by its IPv4 address. */
START_TEST(one_address_may_serve_both_families)
{
    char address[PATH_ROOM];
    struct daemon *daemon;
    struct client *client;

    if (!address_has_ipv6()) {
        puts("skipped: there is no IPv6 here");
        return;
    }
    daemon = daemon_start(OPTIONS("-l", "[::]:0"));
    snprintf(address, sizeof(address), "127.0.0.1%s", strrchr(daemon_address(daemon, 0), ':'));
    client = client_join(address);
    daemon_wait_log(daemon, "event=join", " address=127.0.0.1:", NULL);
    client_close(client);
    daemon_stop(daemon);
}
END_TEST

/* The program must exit with `code` and write one line with all these words to standard error. */
static void expect_words(const char *const *options, int code, const char *word, const char *other)
{
    struct daemon *daemon = daemon_launch(options);

    daemon_wait_log(daemon, word, other, NULL);
    daemon_expect_exit(daemon, code);
}

START_TEST(socket_mode_sets_who_may_use_a_unix_socket)
{
    char address[PATH_ROOM], group[100];
    const struct group *own = getgrgid(getegid());
    struct daemon *daemon;
    struct stat status;

    folder_name(address, sizeof(address), "unix:", "socket");
    snprintf(group, sizeof(group), "socket-group=%s", own == NULL ? "" : own->gr_name);
    daemon = daemon_start(OPTIONS("-l", address, "-o", "socket-mode=0624", "-o", group));
    ck_assert_int_eq(stat(address + 5, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0624);
    ck_assert_int_eq(status.st_gid, getegid());
    talk(address);
    daemon_stop(daemon);
    expect_words(
        OPTIONS("-o", "socket-mode=0888"), DAEMON_EXIT_CONFIGURATION, "socket-mode", "0888");
    expect_words(OPTIONS("-o", "socket-group=no such"), DAEMON_EXIT_CONFIGURATION, "socket-group",
        "no such");
}
END_TEST

START_TEST(a_group_of_others_is_refused)
{
    const struct group *other = getgrnam("nogroup");
    char address[PATH_ROOM];
    struct daemon *daemon;
    struct stat status;

    if (geteuid() != 0 || other == NULL) {
        puts("skipped: this needs root and a group nogroup");
        return;
    }
    folder_name(address, sizeof(address), "unix:", "socket");
    daemon = daemon_start(OPTIONS("-l", address, "-o", "socket-group=nogroup"));
    ck_assert_int_eq(stat(address + 5, &status), 0);
    ck_assert_int_eq(status.st_gid, other->gr_gid);
    daemon_stop(daemon);
}
END_TEST

START_TEST(a_path_with_blanks_is_quoted_in_the_log)
{
    char address[PATH_ROOM], quoted[PATH_ROOM + 20];
    struct daemon *daemon;

    folder_name(address, sizeof(address), "unix:", "a b");
    snprintf(quoted, sizeof(quoted), " listen=\"%s\"", address);
    daemon = daemon_start(OPTIONS("-l", address));
    daemon_wait_log(daemon, "event=ready", quoted, NULL);
    talk(address);
    daemon_stop(daemon);
}
END_TEST

/* As root's socket is to other users. */
START_TEST(a_lock_that_cannot_be_opened_is_named)
{
    char address[PATH_ROOM], lock[PATH_ROOM];

    folder_name(address, sizeof(address), "unix:", "socket");
    folder_name(lock, sizeof(lock), "", "socket.lock");
    ck_assert_int_eq(symlink("nowhere", lock), 0);
    expect_words(OPTIONS("-l", address), DAEMON_EXIT_FAILED, "cannot open the lock file", lock);
}
END_TEST

START_TEST(a_stale_unix_socket_is_replaced)
{
    char address[PATH_ROOM];
    struct daemon *daemon;

    folder_name(address, sizeof(address), "unix:", "socket");
    daemon = daemon_start(OPTIONS("-l", address));
    daemon_kill(daemon);
    daemon_release(daemon);
    ck_assert_int_eq(access(address + 5, F_OK), 0);
    daemon = daemon_start(OPTIONS("-l", address));
    talk(address);
    daemon_stop(daemon);
}
END_TEST

START_TEST(a_live_unix_socket_is_not_replaced)
{
    char address[PATH_ROOM];
    struct daemon *first;
    struct client *before;

    folder_name(address, sizeof(address), "unix:", "socket");
    first = daemon_start(OPTIONS("-l", address));
    before = client_join(address);
    for (int times = 0; times < 3; times++)
        expect_words(OPTIONS("-l", address), DAEMON_EXIT_FAILED, address + 5, "another server has");
    client_send(before, "/nick first\n");
    client_expect(before, "* guest1 is now first");
    client_close(client_join(address));
    client_expect(before, "* guest1 joined");
    client_expect(before, "* guest1 left");
    client_close(before);
    daemon_stop(first);
}
END_TEST

/* A server that a signal has stopped for a while is still alive. */
START_TEST(a_sleeping_server_s_unix_socket_is_not_replaced)
{
    char address[PATH_ROOM];
    struct daemon *first;

    folder_name(address, sizeof(address), "unix:", "socket");
    first = daemon_start(OPTIONS("-l", address));
    daemon_signal(first, SIGSTOP);
    expect_words(OPTIONS("-l", address), DAEMON_EXIT_FAILED, address + 5, "another server has");
    daemon_signal(first, SIGCONT);
    talk(address);
    daemon_stop(first);
}
END_TEST

START_TEST(an_ordinary_file_is_not_replaced)
{
    char path[PATH_ROOM], address[PATH_ROOM], text[16] = "";
    FILE *file;

    folder_write(path, sizeof(path), "file", "precious\n");
    folder_name(address, sizeof(address), "unix:", "file");
    expect_words(OPTIONS("-l", address), DAEMON_EXIT_FAILED, path, "socket");
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
    ck_assert_str_eq(text, "precious\n");
    fclose(file);
    folder_name(path, sizeof(path), "", "file.lock");
    ck_assert_msg(access(path, F_OK) != 0, "a start that was refused leaves %s", path);
}
END_TEST

START_TEST(a_taken_port_is_refused)
{
    char address[PATH_ROOM];
    struct daemon *first;
    struct client *before;

    snprintf(address, sizeof(address), "%s:0", address_own_loopback());
    first = daemon_start(OPTIONS("-l", address));
    snprintf(address, sizeof(address), "%s", daemon_address(first, 0));
    before = client_join(address);
    expect_words(OPTIONS("-l", address), DAEMON_EXIT_FAILED, address, "another server has");
    expect_words(OPTIONS("-l", "127.0.0.1:0", "-l", address), DAEMON_EXIT_FAILED, address,
        "another server has");
    client_close(client_join(address));
    client_expect(before, "* guest2 joined");
    client_expect(before, "* guest2 left");
    client_close(before);
    daemon_stop(first);
}
END_TEST

/* TEST-NET-1, which no machine has; and an address of one link. */
START_TEST(an_address_that_no_interface_has_yet)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "freebind=on", "-l", "192.0.2.1:0"));

    daemon_stop(daemon);
    expect_words(OPTIONS("-l", "192.0.2.1:0"), DAEMON_EXIT_FAILED, "192.0.2.1:0", "freebind = on");
    expect_words(OPTIONS("-l", "[fe80::1%nosuch0]:0"), DAEMON_EXIT_FAILED, "[fe80::1%nosuch0]:0",
        "no interface nosuch0");
    if (!address_has_ipv6()) {
        puts("skipped: there is no IPv6 here");
        return;
    }
    daemon = daemon_start(OPTIONS("-o", "freebind=on", "-l", "[fe80::1%lo]:0"));
    daemon_wait_log(daemon, "event=ready", " listen=[fe80::1%lo]:", NULL);
    daemon_stop(daemon);
}
END_TEST

START_TEST(an_address_that_cannot_be_bound_is_refused)
{
    char folder[PATH_ROOM];

    /* TEST-NET-1, which no machine has. */
    expect_words(OPTIONS("-l", "192.0.2.1:0"), DAEMON_EXIT_FAILED, "192.0.2.1:0", "");
    folder_name(folder, sizeof(folder), "unix:", "nowhere/socket");
    expect_words(OPTIONS("-l", folder), DAEMON_EXIT_FAILED, folder + 5, "");
}
END_TEST

static const char *const wrong_addresses[] = {"", "nonsense", "127.0.0.1", "127.0.0.1:65536",
    "127.0.0.1:-1", "127.0.0.1:x", "[::1]", "[::1:5", "300.0.0.1:5", "unix:"};

START_TEST(a_text_that_is_no_address_is_refused)
{
    struct daemon *daemon = daemon_launch(OPTIONS("-l", wrong_addresses[_i]));

    daemon_wait_log(daemon, "listen", wrong_addresses[_i], NULL);
    daemon_expect_exit(daemon, DAEMON_EXIT_CONFIGURATION);
}
END_TEST

START_TEST(wrong_usage_is_refused)
{
    expect_words(OPTIONS("-x"), DAEMON_EXIT_USAGE, "x", "");
    expect_words(OPTIONS("--nonsense"), DAEMON_EXIT_USAGE, "nonsense", "");
    expect_words(OPTIONS("too", "many"), DAEMON_EXIT_USAGE, "too", "");
}
END_TEST

/* Options, and two words that the message must contain. */
struct wrong {
    const char *setting;
    const char *key;
    const char *value;
};

static const struct wrong wrong_settings[] = {
    {"nonsense=1", "nonsense", ""},
    {"max-clients=0", "max-clients", "0"},
    {"max-clients=many", "max-clients", "many"},
    {"max-clients=-5", "max-clients", "-5"},
    {"max-clients=", "max-clients", ""},
    {"max-message-size=99999999999999999999999", "max-message-size", "99999999999999999999999"},
    {"ring-size=3 apples", "ring-size", "3 apples"},
    {"log-level=loud", "log-level", "loud"},
};

START_TEST(a_wrong_setting_on_the_command_line_is_refused)
{
    const struct wrong *wrong = &wrong_settings[_i];
    const char *const *options = OPTIONS("-o", wrong->setting);

    expect_words(options, DAEMON_EXIT_CONFIGURATION, wrong->key, wrong->value);
    options = OPTIONS("-t", "-o", wrong->setting);
    expect_words(options, DAEMON_EXIT_CONFIGURATION, wrong->key, wrong->value);
}
END_TEST

static const char *const wrong_lines[] = {
    "nonsense = 1", "max-clients = 0", "max-clients = many", "log-level = loud", "max-clients ="};

START_TEST(a_wrong_line_in_the_file_is_refused)
{
    char text[200], path[PATH_ROOM], place[PATH_ROOM + 8];

    snprintf(text, sizeof(text), "# a comment\n\nmax-message-size = 100\n%s\n", wrong_lines[_i]);
    folder_write(path, sizeof(path), "conf", text);
    /* A missing value only shows at the next line. */
    snprintf(place, sizeof(place), "%s:%s", path, _i == 4 ? "" : "4:");
    expect_words(OPTIONS("-f", path), DAEMON_EXIT_CONFIGURATION, place, "");
    expect_words(OPTIONS("-t", "-f", path), DAEMON_EXIT_CONFIGURATION, place, "");
}
END_TEST

START_TEST(a_missing_file_is_named)
{
    char path[PATH_ROOM];

    folder_name(path, sizeof(path), "", "absent");
    expect_words(OPTIONS("-f", path), DAEMON_EXIT_CONFIGURATION, path, "No such file");
}
END_TEST

/* Waits for an exit with code 0 and copies what the program printed into the caller's buffer. */
static void expect_print(const char *const *options, char *printed, size_t size)
{
    struct daemon *daemon = daemon_launch(options);
    int64_t deadline = bounded_deadline(BOUND_MS);

    while (strchr(daemon_output(daemon), '\n') == NULL && bounded_turn(deadline) &&
           !daemon_ended(daemon))
        ;
    snprintf(printed, size, "%s", daemon_output(daemon));
    daemon_expect_exit(daemon, DAEMON_EXIT_STOPPED);
}

START_TEST(a_good_configuration_passes_the_check)
{
    char path[PATH_ROOM], address[PATH_ROOM];
    struct daemon *daemon;

    folder_write(path, sizeof(path), "conf", "max-clients = 7\nstall-grace = \"250 ms\"\n");
    folder_name(address, sizeof(address), "unix:", "socket");
    daemon = daemon_launch(OPTIONS("-t", "-f", path, "-l", address));
    daemon_expect_exit(daemon, DAEMON_EXIT_STOPPED);
    ck_assert_msg(access(address + 5, F_OK) != 0, "-t opens sockets");
}
END_TEST

START_TEST(the_configuration_in_force_is_printed)
{
    char path[PATH_ROOM], printed[8192];

    folder_write(path, sizeof(path), "conf", "max-clients = 7\nstall-grace = \"250 ms\"\n");
    expect_print(OPTIONS("-T", "-f", path, "-o", "max-clients=8"), printed, sizeof(printed));
    ck_assert_msg(strstr(printed, "stall-grace = \"250 ms\"") != NULL, "%s", printed);
    ck_assert_msg(strstr(printed, "max-clients = 8\n") != NULL, "%s", printed);
    ck_assert_msg(strstr(printed, "ring-size") != NULL, "%s", printed);
    ck_assert_msg(strstr(printed, "127.0.0.1:0") != NULL, "%s", printed);
    /* What it prints is a configuration again. */
    folder_write(path, sizeof(path), "again", printed);
    expect_print(OPTIONS("-T", "-f", path), printed, sizeof(printed));
    ck_assert_msg(strstr(printed, "max-clients = 8\n") != NULL, "%s", printed);
}
END_TEST

START_TEST(the_command_line_overrides_the_file)
{
    char path[PATH_ROOM];
    struct daemon *daemon;
    struct client *two[2];

    folder_write(path, sizeof(path), "conf", "max-clients = 1\nmax-message-size = 64\n");
    daemon = daemon_start(OPTIONS("-f", path, "-o", "max-clients=2"));
    client_join_room(daemon_address(daemon, 0), two, 2);
    client_send(two[0], "%065d\n", 1);
    client_expect_start(two[0], "! ");
    client_expect_silence(two[0], &two[1], 1);
    client_close(two[0]);
    client_close(two[1]);
    daemon_stop(daemon);
}
END_TEST

START_TEST(version_and_help_are_printed)
{
    char printed[8192];

    expect_print(OPTIONS("-V"), printed, sizeof(printed));
    ck_assert_msg(strstr(printed, "chatroomd") != NULL && strstr(printed, PACKAGE_VERSION) != NULL,
        "%s", printed);
    expect_print(OPTIONS("--version"), printed, sizeof(printed));
    ck_assert_ptr_nonnull(strstr(printed, PACKAGE_VERSION));
    expect_print(OPTIONS("-h"), printed, sizeof(printed));
    ck_assert_msg(strstr(printed, "max-clients") != NULL, "%s", printed);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *listen_suite(void)
{
    Suite *suite = suite_create("system: listen");
    TCase *addresses = tcase_create("addresses"), *words = tcase_create("words");

    tcase_set_timeout(addresses, BOUND_CASE_SECONDS);
    tcase_add_test(addresses, a_client_connects_over_ipv4);
    tcase_add_test(addresses, a_client_connects_over_ipv6);
    tcase_add_loop_test(addresses, a_port_alone_is_an_address, 0, COUNT(bare_ports));
    tcase_add_test(addresses, one_address_may_serve_both_families);
    tcase_add_test(addresses, an_address_that_no_interface_has_yet);
    tcase_add_test(addresses, clients_of_several_addresses_share_a_room);
    tcase_add_test(addresses, a_client_connects_over_a_unix_socket);
    tcase_add_test(addresses, socket_mode_sets_who_may_use_a_unix_socket);
    tcase_add_test(addresses, a_group_of_others_is_refused);
    tcase_add_test(addresses, a_path_with_blanks_is_quoted_in_the_log);
    tcase_add_test(addresses, a_lock_that_cannot_be_opened_is_named);
    tcase_add_test(addresses, a_stale_unix_socket_is_replaced);
    tcase_add_test(addresses, a_live_unix_socket_is_not_replaced);
    tcase_add_test(addresses, a_sleeping_server_s_unix_socket_is_not_replaced);
    tcase_add_test(addresses, an_ordinary_file_is_not_replaced);
    tcase_add_test(addresses, a_taken_port_is_refused);
    tcase_add_test(addresses, an_address_that_cannot_be_bound_is_refused);
    suite_add_tcase(suite, addresses);
    tcase_set_timeout(words, BOUND_CASE_SECONDS);
    tcase_add_loop_test(words, a_text_that_is_no_address_is_refused, 0, COUNT(wrong_addresses));
    tcase_add_test(words, wrong_usage_is_refused);
    tcase_add_loop_test(
        words, a_wrong_setting_on_the_command_line_is_refused, 0, COUNT(wrong_settings));
    tcase_add_loop_test(words, a_wrong_line_in_the_file_is_refused, 0, COUNT(wrong_lines));
    tcase_add_test(words, a_missing_file_is_named);
    tcase_add_test(words, a_good_configuration_passes_the_check);
    tcase_add_test(words, the_configuration_in_force_is_printed);
    tcase_add_test(words, the_command_line_overrides_the_file);
    tcase_add_test(words, version_and_help_are_printed);
    suite_add_tcase(suite, words);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(listen_suite)
