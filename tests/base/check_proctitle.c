/* SPDX-License-Identifier: ISC */
/*
 * check_proctitle.c - tests of base/proctitle: the command line of a process as the kernel shows
 * it.
 *
 * Each case is a process started by execve(2), so that its arguments and environment are known:
 * this program runs itself, with the titles as arguments, and prints its /proc/self/cmdline.
 */
#include "config.h"

#include "base/proctitle.h"

#include "tests/check_main.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define CHILD_MARK "title-child"

/* Prints the command line as ps does: up to the last byte other than NUL, with blanks for NULs. */
static void print_command_line(void)
{
    char bytes[8192];
    FILE *stream = fopen("/proc/self/cmdline", "r");
    size_t length = stream == NULL ? 0 : fread(bytes, 1, sizeof bytes, stream);
    if (stream != NULL)
        fclose(stream);
    while (length > 0 && bytes[length - 1] == '\0')
        length--;
    for (size_t i = 0; i < length; i++)
        putchar(bytes[i] == '\0' ? ' ' : bytes[i]);
    putchar('\n');
}

/* Runs in the child: sets and prints a title for each argument, then prints the environment. */
static int be_child(int argc, char **argv)
{
    char *titles[8];
    int count = argc - 1;
    for (int i = 0; i < count; i++)
        titles[i] = strdup(argv[i + 1]);
    proctitle_init(argc, argv);
    print_command_line();
    for (int i = 0; i < count; i++) {
        proctitle_set(titles[i], NULL);
        print_command_line();
        free(titles[i]);
    }
    const char *value = getenv("TITLE_VALUE");
    puts(value == NULL ? "(none)" : value);
    return 0;
}

/* Runs the child with titles and environment, and stores its output in `lines`. */
static void run_child(char **titles, char **variables, char *lines, size_t size)
{
    int ends[2];
    char *arguments[8] = {(char[]){CHILD_MARK}};
    for (int i = 0; titles[i] != NULL; i++)
        arguments[i + 1] = titles[i];
    ck_assert_int_eq(pipe(ends), 0);
    fflush(stdout);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execve("/proc/self/exe", arguments, variables);
        _exit(127);
    }
    close(ends[1]);
    FILE *stream = fdopen(ends[0], "r");
    lines[fread(lines, 1, size - 1, stream)] = '\0';
    fclose(stream);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

START_TEST(a_title_replaces_the_arguments)
{
    char lines[4096];
    char *titles[] = {(char[]){"chatroomd: worker guest1"}, (char[]){"short"},
        (char[]){"chatroomd: worker alice 127.0.0.1:4000"}, NULL};
    char *variables[] = {
        (char[]){"TITLE_VALUE=kept"}, (char[]){"TITLE_OTHER=room for titles"}, NULL};
    run_child(titles, variables, lines, sizeof lines);
    ck_assert_str_eq(lines, "title-child chatroomd: worker guest1 short "
                            "chatroomd: worker alice 127.0.0.1:4000\n"
                            "chatroomd: worker guest1\n"
                            "short\n"
                            "chatroomd: worker alice 127.0.0.1:4000\n"
                            "kept\n");
}
END_TEST

START_TEST(a_long_title_uses_the_room_of_the_environment)
{
    char lines[4096], value[512] = "TITLE_VALUE=", title[64];
    memset(value + strlen(value), 'v', 400);
    memset(title, 't', sizeof title - 1);
    title[sizeof title - 1] = '\0';
    char *titles[] = {title, NULL};
    char *variables[] = {value, NULL};
    run_child(titles, variables, lines, sizeof lines);
    char *second = strchr(lines, '\n') + 1;
    ck_assert_msg(strncmp(second, title, strlen(title)) == 0, "%s", lines);
    ck_assert_ptr_nonnull(strstr(second, value + strlen("TITLE_VALUE=")));
}
END_TEST

START_TEST(a_title_that_does_not_fit_is_cut)
{
    char title[256];
    char area[] = "0123456789\0environment";
    char *arguments[] = {area, NULL};
    char *no_variables[] = {NULL};
    char **saved = environ;
    environ = no_variables;
    proctitle_init(1, arguments);
    free(environ);
    environ = saved;
    memset(title, 't', sizeof title - 1);
    title[sizeof title - 1] = '\0';
    proctitle_set("tt", title, "u", NULL);
    ck_assert_str_eq(area, "tttttttttt");
    ck_assert_str_eq(area + 11, "environment");
    proctitle_set("a", NULL);
    ck_assert_mem_eq(area, "a\0\0\0\0\0\0\0\0\0\0e", 12);
}
END_TEST

START_TEST(parts_follow_one_another)
{
    char area[] = "0123456789";
    char *arguments[] = {area, NULL};

    proctitle_init(1, arguments);
    proctitle_set("a", "", "bc", " ", "d", NULL);
    ck_assert_mem_eq(area, "abc d\0\0\0\0\0", 11);
}
END_TEST

START_TEST(without_arguments_nothing_happens)
{
    char *arguments[] = {NULL};
    proctitle_init(0, arguments);
    proctitle_set("nothing", NULL);
}
END_TEST

static Suite *title_suite(void)
{
    Suite *suite = suite_create("base/title");
    TCase *titles = tcase_create("title");
    tcase_add_test(titles, a_title_replaces_the_arguments);
    tcase_add_test(titles, a_long_title_uses_the_room_of_the_environment);
    tcase_add_test(titles, a_title_that_does_not_fit_is_cut);
    tcase_add_test(titles, parts_follow_one_another);
    tcase_add_test(titles, without_arguments_nothing_happens);
    suite_add_tcase(suite, titles);
    return suite;
}

/* Not CHECK_MAIN, because this program is its own child. */
int main(int argc, char **argv)
{
    if (strcmp(argv[0], CHILD_MARK) == 0)
        return be_child(argc, argv);
    return check_run(title_suite());
}
