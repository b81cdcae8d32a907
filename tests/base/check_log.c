/* SPDX-License-Identifier: ISC */
/*
 * check_log.c - tests of base/log: the format of lines, the journal, quoted values, and that
 * a log which nobody reads never blocks: lines are lost then, counted and reported.
 *
 * Check forks for each case, so each has a stderr of its own.
 */
#include "config.h"

#include "base/log.h"

#include "tests/check_main.h"
#include "tests/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char output[1 << 20]; /* everything read from stderr so far */
static size_t output_length;
static int reading_end = -1;

static void make_stderr(int ends[2])
{
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    reading_end = ends[0];
    output_length = 0;
}

/* Makes a pipe stderr, and opens its other end for `read_output`. */
static void pipe_stderr(void)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    make_stderr(ends);
    unsetenv("JOURNAL_STREAM");
}

/* Reads what is available without waiting. Returns everything read since the start. */
static const char *read_output(void)
{
    struct pollfd stream = {.fd = reading_end, .events = POLLIN};
    while (poll(&stream, 1, 0) == 1 && (stream.revents & POLLIN) != 0) {
        ssize_t got = read(reading_end, output + output_length, sizeof output - 1 - output_length);
        ck_assert_int_gt(got, 0);
        output_length += (size_t)got;
    }
    output[output_length] = '\0';
    return output;
}

static void expect_match(const char *text, const char *pattern)
{
    regex_t expression;
    ck_assert_int_eq(regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB), 0);
    ck_assert_msg(regexec(&expression, text, 0, NULL, 0) == 0, "%s is not %s", text, pattern);
    regfree(&expression);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* --- lines */

START_TEST(a_line_has_time_level_event_and_values)
{
    pipe_stderr();
    log_open(LOG_LEVEL_INFO);
    log_event(LOG_LEVEL_INFO, "join", "name=%s slot=%d", "guest1", 7);
    log_event(LOG_LEVEL_NOTICE, "stopped", NULL);
    expect_match(read_output(), "^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]"
                                "\\.[0-9]{3}Z level=info event=join name=guest1 slot=7\n"
                                "[-0-9]{10}T[0-9:.]{12}Z level=notice event=stopped\n$");
    ck_assert(log_flush());
}
END_TEST

START_TEST(lines_above_the_threshold_are_not_written)
{
    pipe_stderr();
    log_open(LOG_LEVEL_WARNING);
    log_event(LOG_LEVEL_NOTICE, "no", NULL);
    log_event(LOG_LEVEL_DEBUG, "no", NULL);
    ck_assert_str_eq(read_output(), "");
    log_event(LOG_LEVEL_WARNING, "yes", NULL);
    log_event(LOG_LEVEL_ERROR, "yes", NULL);
    expect_match(read_output(), "level=warning event=yes\n.*level=error event=yes\n$");
}
END_TEST

START_TEST(a_line_that_is_too_long_is_cut_and_still_one_line)
{
    static char longest[3 * LOG_LINE_SIZE];
    memset(longest, 'x', sizeof longest - 1);
    pipe_stderr();
    log_open(LOG_LEVEL_INFO);
    log_event(LOG_LEVEL_INFO, "long", "text=%s", longest);
    log_event(LOG_LEVEL_INFO, "next", NULL);
    const char *line_end = strchr(read_output(), '\n');
    ck_assert_int_lt(line_end - output, LOG_LINE_SIZE);
    ck_assert_int_gt(line_end - output, LOG_LINE_SIZE - 8);
    expect_match(line_end + 1, "^[^ ]* level=info event=next\n$");
}
END_TEST

START_TEST(errno_is_left_alone)
{
    pipe_stderr();
    close(reading_end);
    signal(SIGPIPE, SIG_IGN);
    log_open(LOG_LEVEL_INFO);
    errno = ENOSPC;
    log_event(LOG_LEVEL_INFO, "join", NULL);
    ck_assert_int_eq(errno, ENOSPC);
}
END_TEST

START_TEST(every_level_has_its_word)
{
    ck_assert_str_eq(log_level_word(LOG_LEVEL_ERROR), "error");
    ck_assert_str_eq(log_level_word(LOG_LEVEL_DEBUG), "debug");
    ck_assert_int_eq(LOG_LEVEL_COUNT, 5);
}
END_TEST

/* --- the journal */

static void set_journal(unsigned long more)
{
    struct stat status;
    char text[64];
    ck_assert_int_eq(fstat(STDERR_FILENO, &status), 0);
    snprintf(
        text, sizeof text, "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino + more);
    setenv("JOURNAL_STREAM", text, 1);
}

START_TEST(the_journal_gets_priorities_and_no_time)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    make_stderr(ends);
    set_journal(0);
    log_open(LOG_LEVEL_DEBUG);
    log_event(LOG_LEVEL_ERROR, "worker-crash", "signal=%d", 11);
    log_event(LOG_LEVEL_NOTICE, "ready", NULL);
    log_event(LOG_LEVEL_DEBUG, "frame", NULL);
    ck_assert_str_eq(read_output(), "<3>level=error event=worker-crash signal=11\n"
                                    "<5>level=notice event=ready\n<7>level=debug event=frame\n");
}
END_TEST

START_TEST(a_journal_that_is_not_stderr_is_not_meant)
{
    pipe_stderr();
    set_journal(1);
    log_open(LOG_LEVEL_INFO);
    log_event(LOG_LEVEL_INFO, "join", NULL);
    expect_match(read_output(), "^[0-9]{4}-");
}
END_TEST

/* --- a log that is not read */

/* Logs `count` lines of about 100 bytes, numbered from `first`. */
static void write_lines(int first, int count)
{
    for (int i = first; i < first + count; i++)
        log_event(LOG_LEVEL_INFO, "line", "number=%d text=%050d", i, 0);
}

/* Reads until the buffer of the log is empty. */
static const char *drain(void)
{
    while (!log_flush())
        read_output();
    return read_output();
}

/* Checks that the output consists of lines from `first` on, one report of lost lines, and the lines
 * after them. */
static void expect_lines_and_report(const char *text, int first, int last)
{
    int expected = first, reports = 0;
    while (*text != '\0') {
        int number, lost;
        const char *event = strstr(text, "event=");
        if (sscanf(event, "event=line number=%d", &number) == 1) {
            ck_assert_int_eq(number, expected);
            expected++;
        } else {
            ck_assert_msg(sscanf(event, "event=log-lost lines=%d", &lost) == 1, "%s", event);
            ck_assert_int_gt(lost, 0);
            expected += lost;
            reports++;
        }
        text = strchr(text, '\n') + 1;
    }
    ck_assert_int_eq(reports, 1);
    ck_assert_int_eq(expected, last);
}

static void check_overflow(void)
{
    double start = now();
    log_open(LOG_LEVEL_INFO);
    write_lines(0, 10000); /* 1 MB: more than all buffers together */
    ck_assert(!log_flush());
    ck_assert_msg(now() - start < 10, "logging has waited for the reader");
    drain();
    write_lines(10000, 10);
    expect_lines_and_report(drain(), 0, 10010);
}

START_TEST(a_full_pipe_loses_lines_counts_them_and_never_blocks)
{
    pipe_stderr();
    check_overflow();
}
END_TEST

START_TEST(a_full_socket_loses_lines_counts_them_and_never_blocks)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    make_stderr(ends);
    check_overflow();
}
END_TEST

#define CUT_AT 5050 /* within a line */

/* A file that may not grow, or a full disk: the line that was cut ends before the report. */
START_TEST(a_full_file_loses_lines_and_counts_them)
{
    struct rlimit limit;
    FILE *file = tmpfile();
    size_t length;
    char *cut;

    ck_assert_ptr_nonnull(file);
    dup2(fileno(file), STDERR_FILENO);
    unsetenv("JOURNAL_STREAM");
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = CUT_AT;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    log_open(LOG_LEVEL_INFO);
    write_lines(0, 100);
    ck_assert(log_flush());
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    write_lines(100, 10);
    rewind(file);
    length = fread(output, 1, sizeof output - 1, file);
    output[length] = '\0';
    ck_assert_uint_gt(length, CUT_AT);
    ck_assert_int_eq(output[CUT_AT], '\n');
    /* The line that was cut counts as lost. */
    cut = memrchr(output, '\n', CUT_AT);
    memmove(cut, output + CUT_AT, length + 1 - CUT_AT);
    expect_lines_and_report(output, 0, 110);
}
END_TEST

/* A terminal that is stopped or not read: poll(2) may report space for a single byte. */
START_TEST(a_full_terminal_never_blocks)
{
    int slave;
    if (terminal_open(&slave) < 0)
        return;
    dup2(slave, STDERR_FILENO);
    double start = now();
    log_open(LOG_LEVEL_INFO);
    write_lines(0, 10000);
    ck_assert(!log_flush());
    ck_assert_msg(now() - start < 10, "logging has waited for the terminal");
    ck_assert_msg((fcntl(slave, F_GETFL) & O_NONBLOCK) == 0, "our flags show to others");
}
END_TEST

START_TEST(others_do_not_see_our_flags)
{
    pipe_stderr();
    int before = fcntl(STDERR_FILENO, F_GETFL);
    log_open(LOG_LEVEL_INFO);
    write_lines(0, 10000);
    ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL), before);
}
END_TEST

START_TEST(pending_lines_come_whole_and_in_order_however_they_are_read)
{
    pipe_stderr();
    log_open(LOG_LEVEL_INFO);
    int next = 0;
    while (log_flush())
        write_lines(next++, 1);
    for (int round = 0; round < 500; round++) {
        ssize_t got = read(reading_end, output + output_length, 997);
        ck_assert_int_gt(got, 0);
        output_length += (size_t)got;
        write_lines(next, 9);
        next += 9;
    }
    drain();
    int expected = 0;
    for (const char *text = output; *text != '\0'; text = strchr(text, '\n') + 1) {
        int number;
        ck_assert_int_eq(sscanf(strstr(text, "event="), "event=line number=%d", &number), 1);
        ck_assert_int_eq(number, expected);
        expected++;
    }
    ck_assert_int_eq(expected, next);
}
END_TEST

START_TEST(a_closed_stderr_loses_and_counts)
{
    pipe_stderr();
    signal(SIGPIPE, SIG_IGN);
    int writing_end = dup(STDERR_FILENO);
    log_open(LOG_LEVEL_INFO);
    close(STDERR_FILENO);
    write_lines(0, 300);
    ck_assert(log_flush());
    ck_assert_int_eq(dup2(writing_end, STDERR_FILENO), STDERR_FILENO);
    log_flush();
    write_lines(300, 10);
    expect_lines_and_report(drain(), 0, 310);
}
END_TEST

START_TEST(a_reader_that_went_away_does_not_stop_us)
{
    pipe_stderr();
    signal(SIGPIPE, SIG_IGN);
    log_open(LOG_LEVEL_INFO);
    write_lines(0, 1000);
    ck_assert(!log_flush());
    close(reading_end);
    write_lines(1000, 1000);
    ck_assert(log_flush());
    log_close();
}
END_TEST

START_TEST(closing_waits_for_a_reader_but_a_second_only)
{
    pipe_stderr();
    log_open(LOG_LEVEL_INFO);
    write_lines(0, 10000);
    double start = now();
    log_close();
    ck_assert(now() - start >= 0.9);
    ck_assert(now() - start < 10);
}
END_TEST

/* --- rate limits */

/* Calls `log_flush` until nothing is pending. */
static const char *flush_all(void)
{
    double deadline = now() + 10;

    while (!log_flush()) {
        ck_assert_msg(now() < deadline, "something is still pending after ten seconds");
        read_output();
    }
    return read_output();
}

/* Returns the number of events that the output accounts for: lines of `event` and suppressed ones.
 * Counts the lines in `lines`. */
static unsigned long count_events(const char *text, const char *event, unsigned *lines)
{
    unsigned long count = 0, suppressed;
    char word[64], of[64];

    *lines = 0;
    for (; *text != '\0'; text = strchr(text, '\n') + 1) {
        ck_assert_int_eq(sscanf(strstr(text, "event="), "event=%63s", word), 1);
        if (sscanf(strstr(text, "event="), "event=log-suppressed lines=%lu of=%63s", &suppressed,
                of) != 2) {
            strcpy(of, word);
            suppressed = 1;
        }
        if (strcmp(of, event) != 0)
            continue;
        count += suppressed;
        ++*lines;
    }
    return count;
}

START_TEST(one_line_a_second_and_every_event_counted)
{
    static struct log_limit limit;
    double start = now();
    unsigned long count = 0;
    unsigned lines;

    pipe_stderr();
    log_open(LOG_LEVEL_INFO);
    while (now() - start < 2.5) {
        log_event_limited(&limit, LOG_LEVEL_INFO, "flood", "number=%lu", count++);
        log_flush();
    }
    ck_assert_uint_eq(count_events(flush_all(), "flood", &lines), count);
    ck_assert_uint_ge(lines, 3);
    ck_assert_uint_le(lines, 1 + (unsigned)(now() - start));
}
END_TEST

START_TEST(a_single_event_is_one_line_at_once)
{
    static struct log_limit limit;

    pipe_stderr();
    log_open(LOG_LEVEL_INFO);
    log_event_limited(&limit, LOG_LEVEL_INFO, "once", "number=%d", 1);
    ck_assert(log_flush());
    expect_match(read_output(), "^[^ ]* level=info event=once number=1\n$");
}
END_TEST

START_TEST(limits_are_separate)
{
    static struct log_limit first, second;
    unsigned lines;

    pipe_stderr();
    log_open(LOG_LEVEL_INFO);
    for (int i = 0; i < 5; i++) {
        log_event_limited(&first, LOG_LEVEL_INFO, "first", NULL);
        log_event_limited(&second, LOG_LEVEL_ERROR, "second", NULL);
    }
    log_event(LOG_LEVEL_INFO, "unlimited", NULL);
    ck_assert_uint_eq(count_events(read_output(), "second", &lines), 1);
    ck_assert(!log_flush());
    ck_assert_uint_eq(count_events(flush_all(), "first", &lines), 5);
    ck_assert_uint_eq(lines, 2);
    ck_assert_uint_eq(count_events(output, "second", &lines), 5);
    ck_assert_ptr_nonnull(strstr(output, "level=error event=log-suppressed lines=4 of=second\n"));
}
END_TEST

START_TEST(closing_writes_the_count_at_once)
{
    static struct log_limit limit;

    pipe_stderr();
    log_open(LOG_LEVEL_INFO);
    for (int i = 0; i < 5; i++)
        log_event_limited(&limit, LOG_LEVEL_INFO, "flood", NULL);
    log_close();
    expect_match(read_output(), " event=log-suppressed lines=4 of=flood\n$");
}
END_TEST

START_TEST(a_limit_below_the_threshold_counts_nothing)
{
    static struct log_limit limit;

    pipe_stderr();
    log_open(LOG_LEVEL_WARNING);
    for (int i = 0; i < 5; i++)
        log_event_limited(&limit, LOG_LEVEL_INFO, "flood", NULL);
    log_close();
    ck_assert_str_eq(read_output(), "");
}
END_TEST

/* --- values */

static const struct {
    const char *text, *quoted;
} values[] = {
    {"plain", "plain"},
    {"127.0.0.1:8888", "127.0.0.1:8888"},
    {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
    {"", "\"\""},
    {"two words", "\"two words\""},
    {"a=b", "\"a=b\""},
    {"a\"b\\c", "\"a\\\"b\\\\c\""},
    {"line\nbreak\x7f", "\"line\\x0abreak\\x7f\""},
    {"\x1b[2J", "\"\\x1b[2J\""},
    {"latin\xfc", "\"latin\\xfc\""},
    {"c1\xc2\x9b", "\"c1\\xc2\\x9b\""},
    {"\xc3\xbc ", "\"\xc3\xbc \""},
};

START_TEST(values_are_quoted_where_they_must_be)
{
    char buffer[64];
    ck_assert_str_eq(log_quote(buffer, sizeof buffer, values[_i].text), values[_i].quoted);
}
END_TEST

START_TEST(values_that_do_not_fit_are_cut_between_characters)
{
    char buffer[16];
    ck_assert_str_eq(log_quote(buffer, 16, "a 345678901234567"), "\"a 34567890...\"");
    ck_assert_str_eq(log_quote(buffer, 16, "a 345678\n"), "\"a 345678...\"");
    ck_assert_str_eq(log_quote(buffer, 16, "a 3456789\xc3\xbc\xc3\xbc"), "\"a 3456789...\"");
    ck_assert_str_eq(log_quote(buffer, 8, "a b c d"), "\"a ...\"");
}
END_TEST

static Suite *log_suite(void)
{
    Suite *suite = suite_create("base/log");
    TCase *lines = tcase_create("lines");
    tcase_add_test(lines, a_line_has_time_level_event_and_values);
    tcase_add_test(lines, lines_above_the_threshold_are_not_written);
    tcase_add_test(lines, a_line_that_is_too_long_is_cut_and_still_one_line);
    tcase_add_test(lines, errno_is_left_alone);
    tcase_add_test(lines, every_level_has_its_word);
    tcase_add_test(lines, the_journal_gets_priorities_and_no_time);
    tcase_add_test(lines, a_journal_that_is_not_stderr_is_not_meant);
    suite_add_tcase(suite, lines);

    TCase *overflow = tcase_create("overflow");
    tcase_set_timeout(overflow, 30);
    tcase_add_test(overflow, a_full_pipe_loses_lines_counts_them_and_never_blocks);
    tcase_add_test(overflow, a_full_socket_loses_lines_counts_them_and_never_blocks);
    tcase_add_test(overflow, a_full_file_loses_lines_and_counts_them);
    tcase_add_test(overflow, a_full_terminal_never_blocks);
    tcase_add_test(overflow, others_do_not_see_our_flags);
    tcase_add_test(overflow, pending_lines_come_whole_and_in_order_however_they_are_read);
    tcase_add_test(overflow, a_closed_stderr_loses_and_counts);
    tcase_add_test(overflow, a_reader_that_went_away_does_not_stop_us);
    tcase_add_test(overflow, closing_waits_for_a_reader_but_a_second_only);
    suite_add_tcase(suite, overflow);

    TCase *limits = tcase_create("rate limits");
    tcase_set_timeout(limits, 30);
    tcase_add_test(limits, one_line_a_second_and_every_event_counted);
    tcase_add_test(limits, a_single_event_is_one_line_at_once);
    tcase_add_test(limits, limits_are_separate);
    tcase_add_test(limits, closing_writes_the_count_at_once);
    tcase_add_test(limits, a_limit_below_the_threshold_counts_nothing);
    suite_add_tcase(suite, limits);

    TCase *quoting = tcase_create("values");
    tcase_add_loop_test(
        quoting, values_are_quoted_where_they_must_be, 0, sizeof values / sizeof *values);
    tcase_add_test(quoting, values_that_do_not_fit_are_cut_between_characters);
    suite_add_tcase(suite, quoting);
    return suite;
}

CHECK_MAIN(log_suite)
