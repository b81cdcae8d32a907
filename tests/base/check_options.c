/* SPDX-License-Identifier: ISC */
/*
 * check_options.c - tests of base/options and base/config_file: the values set by the command line
 * and the file, their precedence, and each error with its exit status and message.
 *
 * Each call is made in a child, whose output is read.
 */
#include "config.h"

#include "base/options.h"

#include "base/options_table.h"
#include "base/value.h"
#include "tests/check_main.h"

#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_RUN 99 /* options_read returned OPTIONS_RUN; not an exit status of the server */

struct result {
    int status;
    char output[16384]; /* stdout and stderr; after STATUS_RUN the output of -T */
};

static char folder[] = "/tmp/check_options.XXXXXX";
static char file[64];

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/conf", folder);
}

static void remove_file(void)
{
    unlink(file);
}

static void remove_folder(void)
{
    remove_file();
    rmdir(folder);
}

static void write_bytes(const char *bytes, size_t length)
{
    FILE *stream = fopen(file, "w");
    ck_assert_ptr_nonnull(stream);
    ck_assert_uint_eq(fwrite(bytes, 1, length, stream), length);
    ck_assert_int_eq(fclose(stream), 0);
}

static void write_file(const char *text)
{
    write_bytes(text, strlen(text));
}

static _Noreturn void read_in_child(int output, int count, char **arguments)
{
    struct options options;
    int status;
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    close(output);
    if (options_read(&options, count, arguments, &status) == OPTIONS_RUN) {
        status = STATUS_RUN;
        options_print(&options, stdout);
        printf("file=%s check=%d print=%d\n", options.file == NULL ? "" : options.file,
            options.check, options.print);
    }
    options_free(&options);
    exit(status);
}

static struct result run_arguments(int count, char **arguments)
{
    static struct result result;
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    fflush(stdout);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        read_in_child(ends[1], count, arguments);
    close(ends[1]);
    size_t length = 0;
    ssize_t got;
    while ((got = read(ends[0], result.output + length, sizeof result.output - 1 - length)) > 0)
        length += (size_t)got;
    result.output[length] = '\0';
    close(ends[0]);
    int state;
    ck_assert_int_eq(waitpid(child, &state, 0), child);
    ck_assert_msg(WIFEXITED(state), "%s", result.output);
    result.status = WEXITSTATUS(state);
    return result;
}

/* Runs `chatroomd ARGUMENTS`; the arguments end with NULL. */
static struct result run(const char *first, ...)
{
    char *arguments[16] = {(char[]){"chatroomd"}};
    int count = 1;
    va_list list;
    va_start(list, first);
    for (const char *argument = first; argument != NULL; argument = va_arg(list, const char *))
        arguments[count++] = strdup(argument);
    va_end(list);
    struct result result = run_arguments(count, arguments);
    while (count > 1)
        free(arguments[--count]);
    return result;
}

/* Runs `chatroomd -f FILE` with `text` as the content of the file. */
static struct result run_file(const char *text)
{
    write_file(text);
    return run("-f", file, NULL);
}

static void expect_output(const struct result *result, int status, const char *words)
{
    ck_assert_msg(result->status == status, "status %d: %s", result->status, result->output);
    ck_assert_msg(strstr(result->output, words) != NULL, "no %s in: %s", words, result->output);
}

static void expect_line(const struct result *result, const char *line)
{
    char whole[256];
    snprintf(whole, sizeof whole, "%s\n", line);
    expect_output(result, STATUS_RUN, whole);
}

/* --- values */

/* Returns a default as -T prints it: as in the table, except that `auto` is a number. */
static const char *in_force(enum value_kind kind, const char *normal)
{
    static char number[40];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (kind != VALUE_CORES)
        return normal;
    ck_assert_str_eq(normal, "auto");
    snprintf(number, sizeof number, "auto # %ld", cores < 64 ? cores : 64);
    return number;
}

/* Returns whether the output has the default: bare, in quotes or as a list of one. */
static bool has_default(const char *output, const char *key, const char *normal)
{
    static const char *const forms[] = {"%s = %s\n", "%s = \"%s\"\n", "%s = {\"%s\"}\n"};
    bool found = false;
    char line[256];
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        snprintf(line, sizeof line, forms[i], key, normal);
        const char *place = output;
        while (!found && (place = strstr(place, line)) != NULL) {
            found = place == output || place[-1] == '\n';
            place++;
        }
    }
    return found;
}

START_TEST(without_anything_the_defaults_hold)
{
    struct result result = run_file("");
    ck_assert_int_eq(result.status, STATUS_RUN);
#define EXPECT_DEFAULT(field, key, kind, least, most, normal, help)                                \
    ck_assert_msg(                                                                                 \
        has_default(result.output, key, in_force(kind, normal)), "%s in %s", key, result.output);
    OPTIONS_TABLE(EXPECT_DEFAULT)
#undef EXPECT_DEFAULT
}
END_TEST

START_TEST(fields_have_their_values_in_bytes_and_milliseconds)
{
    struct options options;
    int status;
    write_file("listen = {\"[::1]:1\", \"unix:/run/x\"}\nmax-clients = 3\nmax-message-size = 64\n"
               "ring-size = 1MiB\noutbox-size = 5000\nstall-grace = 100ms\ndrain-timeout = 0\n"
               "log-level = error\n");
    char *arguments[] = {(char[]){"chatroomd"}, (char[]){"-tf"}, file};
    ck_assert_int_eq(options_read(&options, 3, arguments, &status), OPTIONS_RUN);
    ck_assert_uint_eq(options.listen_count, 2);
    ck_assert_str_eq(options.listen[0], "[::1]:1");
    ck_assert_str_eq(options.listen[1], "unix:/run/x");
    ck_assert_uint_eq(options.max_clients, 3);
    ck_assert_uint_eq(options.max_message_size, 64);
    ck_assert_uint_eq(options.ring_size, 1048576);
    ck_assert_uint_eq(options.outbox_size, 8192);
    ck_assert_uint_eq(options.stall_grace_ms, 100);
    ck_assert_uint_eq(options.drain_timeout_ms, 0);
    ck_assert_int_eq(options.log_level, LOG_LEVEL_ERROR);
    ck_assert_str_eq(options.file, file);
    ck_assert(options.check && !options.print);
    options_free(&options);
}
END_TEST

START_TEST(the_command_line_wins_over_the_file)
{
    write_file("max-clients = 3\nlog-level = error\nlisten = {\"1.1.1.1:1\"}\n");
    struct result result = run("-o", "max-clients=4", "-f", file, "-d", NULL);
    expect_line(&result, "max-clients = 4");
    expect_line(&result, "log-level = debug");
    expect_line(&result, "listen = {\"1.1.1.1:1\"}");
}
END_TEST

START_TEST(the_last_of_two_on_the_command_line_wins)
{
    write_file("");
    struct result result =
        run("-f", file, "-d", "-o", "log-level=notice", "-o", "stall-grace=1 min", NULL);
    expect_line(&result, "log-level = notice");
    expect_line(&result, "stall-grace = \"1 min\"");
}
END_TEST

START_TEST(addresses_on_the_command_line_replace_the_files)
{
    write_file("listen = {\"1.1.1.1:1\", \"2.2.2.2:2\"}\n");
    struct result result =
        run("-f", file, "-l", "3.3.3.3:3", "-o", "listen=[::4]:4", "--listen=unix:/5", NULL);
    expect_line(&result, "listen = {\"3.3.3.3:3\", \"[::4]:4\", \"unix:/5\"}");
}
END_TEST

START_TEST(long_forms_are_the_same)
{
    write_file("");
    struct result result =
        run("--file", file, "--option", "max-clients=9", "--check", "--print", "--debug", NULL);
    expect_line(&result, "max-clients = 9");
    expect_line(&result, "log-level = debug");
    expect_output(&result, STATUS_RUN, "check=1 print=1");
}
END_TEST

START_TEST(what_is_printed_can_be_read_back)
{
    write_file("listen = {\"[::1]:1\", \"unix:/a \\\\ \\\"b\\\" \\${HOME}\"}\nring-size = 16MiB\n"
               "stall-grace = 1500ms\n");
    struct result first = run("-f", file, NULL);
    ck_assert_int_eq(first.status, STATUS_RUN);
    *strstr(first.output, "file=") = '\0';
    write_file(first.output);
    struct result second = run("-f", file, NULL);
    ck_assert_int_eq(second.status, STATUS_RUN);
    *strstr(second.output, "file=") = '\0';
    ck_assert_str_eq(second.output, first.output);
}
END_TEST

START_TEST(comments_and_lists_may_be_laid_out_freely)
{
    struct result result = run_file("# one\n//two\n/* three\n * four */ max-clients = 7 # five\n#\n"
                                    "listen = { # six\n  \"1.1.1.1:1\", // seven\n"
                                    "  'unix:/a#b//c'\n}\nlisten += {\"unix:/d\"}\n"
                                    "ring-size = '1 MiB' /* eight */\n##");
    expect_line(&result, "max-clients = 7");
    expect_line(&result, "listen = {\"1.1.1.1:1\", \"unix:/a#b//c\", \"unix:/d\"}");
    expect_line(&result, "ring-size = \"1 MiB\"");
}
END_TEST

START_TEST(sizes_are_rounded_up_to_pages)
{
    struct result result = run_file("outbox-size = 4097\nring-size = 1048577\n");
    expect_line(&result, "outbox-size = \"8 KiB\"");
    expect_line(&result, "ring-size = \"1028 KiB\"");
}
END_TEST

START_TEST(short_units_and_bare_seconds_are_accepted_at_the_limits)
{
    struct result result = run_file("ring-size = 16G\noutbox-size = 1M\nmax-message-size = 64K\n"
                                    "stall-grace = 1\ndrain-timeout = 3600\n");
    expect_line(&result, "ring-size = \"16 GiB\"");
    expect_line(&result, "outbox-size = \"1 MiB\"");
    expect_line(&result, "max-message-size = \"64 KiB\"");
    expect_line(&result, "stall-grace = \"1 s\"");
    expect_line(&result, "drain-timeout = \"1 h\"");
    result =
        run_file("ring-size = 256K\noutbox-size = 4K\nmax-message-size = 64B\ndrain-timeout = 0\n");
    expect_line(&result, "ring-size = \"256 KiB\"");
    expect_line(&result, "outbox-size = \"4 KiB\"");
    expect_line(&result, "drain-timeout = \"0 s\"");
}
END_TEST

/* --- errors in the file: status 78 and "FILE:LINE: MESSAGE" */

static const struct {
    const char *text;
    int line; /* 0: no line is named */
    const char *words;
} bad_files[] = {
    {"max-clients = 0\n", 1, "max-clients: 0 is out of range (1 to 100000)"},
    {"\n\nmax-clients = 100001\n", 3, "max-clients: 100001 is out of range"},
    {"# a comment\nmax-clients = many\n", 2, "max-clients: many is not a whole number"},
    {"max-message-size = 63\n", 1, "max-message-size: 63 is out of range (64 B to 64 KiB)"},
    {"max-message-size = 65KiB\n", 1, "max-message-size: 65KiB is out of range"},
    {"couriers = 65\n", 1, "couriers: 65 is out of range (0 to 64)"},
    {"couriers = all\n", 1, "couriers: all is not a whole number or auto"},
    {"clients-per-courier = 0\n", 1, "clients-per-courier: 0 is out of range (1 to 100000)"},
    {"spare-workers = 65\n", 1, "spare-workers: 65 is out of range (0 to 64)"},
    {"ring-size = 16MB\n", 1, "ring-size: 16MB is not a size"},
    {"ring-size = 255K\n", 1, "ring-size: 255K is out of range"},
    {"ring-size = 17G\n", 1, "ring-size: 17G is out of range (256 KiB to 16 GiB)"},
    {"ring-size = 255KiB\n", 1, "ring-size: 255KiB is out of range"},
    {"ring-size = \"17 GiB\"\n", 1, "ring-size: \"17 GiB\" is out of range"},
    {"ring-size = 16 MiB\n", 1, "unknown key MiB"},
    {"outbox-size = 4095\n", 1, "outbox-size: 4095 is out of range"},
    {"outbox-size = 2MiB\n", 1, "outbox-size: 2MiB is out of range"},
    {"stall-grace = 99ms\n", 1, "stall-grace: 99ms is out of range (100 ms to 1 h)"},
    {"stall-grace = soon\n", 1, "stall-grace: soon is not a time"},
    {"stall-grace = 0\n", 1, "stall-grace: 0 is out of range (100 ms to 1 h)"},
    {"stall-grace = 3601\n", 1, "stall-grace: 3601 is out of range"},
    {"drain-timeout = 61min\n", 1, "drain-timeout: 61min is out of range"},
    {"log-level = loud\n", 1, "log-level: loud is not error, warning"},
    {"listen = {\"1.1.1.1:1\",\n\n\"nowhere\"}\n", 3,
        "listen: invalid address nowhere (no port from"},
    {"listen = \"unix:\"\n", 1, "listen: invalid address unix: (no path"},
    {"listen = {}\n", 0, "listen: the list is empty"},
    {"/* c\n */ max-clients = 1\n# c\nmax-clients = 2\n", 4,
        "max-clients is already set in line 2"},
    {"listen = {\"1.1.1.1:1\"}\nlisten = {\"1.1.1.1:2\"}\n", 2, "listen is already set in line 1"},
    {"# c\n# c\n  max-client = 3\n", 3, "unknown key max-client; did you mean max-clients?"},
    {"\x1b[2J = 3\n", 1, "unknown key \"\\x1b[2J\";"},
    {"max-clients 3\n", 1, "expected = and a value after max-clients"},
    {"max-clients += 3\n", 1, "max-clients is not a list"},
    {"max-clients = {3}\n", 1, "unexpected {; expected KEY = VALUE"},
    {"listen = 1.1.1.1:1, 2.2.2.2:2\n", 1, "unexpected ,; expected KEY = VALUE"},
    {"\njail = *//\n", 2,
        "unexpected * outside of comments"}, /* the end of a comment for libConfuse */
    {"listen = unix:/a*b\n", 1, "unexpected * outside of comments"},
    {"\n}\n", 2, "unexpected } without a {"},
    {"listen = {\"1.1.1.1:1\"\n", 2, "the file ends within"},
    {"listen = \"1.1.1.1:1\n", 2, "the file ends within"},
    {"listen = '1.1.1.1:1\n", 2, "the file ends within"},
    {"listen = \"\\777\"\n", 1, "invalid escape sequence"},
    {"max_clients = 3\n", 1, "unknown key max_clients; did you mean max-clients?"},
    {"RING-SIZE = 1M\n", 1, "unknown key RING-SIZE; did you mean ring-size?"},
    {"\"max-clients = 50\"\n", 1,
        "unknown key \"max-clients \"; did you mean max-clients = VALUE, with quotes around "
        "the "
        "value only?"},
    {"max-message = 64\n", 1,
        "unknown key max-message; did you mean max-message-size?"}, /* an old name */
    {"courier-clients = 3\n", 1, "unknown key courier-clients;"},
    {"include(\"/etc/passwd\")\n", 1, "unknown key include"},
    {"\"\" = 3\n", 1, "the name of the key is missing"},
    {"jail|mode = off\n", 1, "unknown key jail;"},
    /* A quotation mark within ${} does not begin a string, so it does not hide a comment. */
    {"jail = ${'}\nring-size =\n#\nlarge\n", 4, "ring-size: large is not a size"},
};

START_TEST(faults_in_the_file_are_told_with_file_and_line)
{
    char place[128], line[16] = "";
    struct result result = run_file(bad_files[_i].text);
    if (bad_files[_i].line > 0)
        snprintf(line, sizeof line, ":%d", bad_files[_i].line);
    snprintf(place, sizeof place, "chatroomd: %s%s: ", file, line);
    expect_output(&result, OPTIONS_EXIT_CONFIG, place);
    expect_output(&result, OPTIONS_EXIT_CONFIG, bad_files[_i].words);
}
END_TEST

START_TEST(all_wrong_values_are_told_at_once)
{
    struct result result = run_file("max-clients = 0\nring-size = 1\n");
    expect_output(&result, OPTIONS_EXIT_CONFIG, ":1: max-clients");
    expect_output(&result, OPTIONS_EXIT_CONFIG, ":2: ring-size");
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_a_fault)
{
    struct result result = run("-f", file, NULL);
    expect_output(&result, OPTIONS_EXIT_CONFIG, file);
    expect_output(&result, OPTIONS_EXIT_CONFIG, "No such file");
    result = run("-f", folder, NULL);
    expect_output(&result, OPTIONS_EXIT_CONFIG, "Is a directory");
    result = run("-f", "/dev/zero", NULL);
    expect_output(&result, OPTIONS_EXIT_CONFIG, "too large");
}
END_TEST

START_TEST(a_file_without_permission_is_a_fault)
{
    write_file("");
    chmod(file, 0);
    if (access(file, R_OK) == 0) {
        printf("skipped: this user may read everything\n");
        return;
    }
    struct result result = run("-f", file, NULL);
    expect_output(&result, OPTIONS_EXIT_CONFIG, "Permission denied");
}
END_TEST

START_TEST(a_nul_byte_is_a_fault)
{
    static const char bytes[] = "max-clients = 3\nlog\0level";
    write_bytes(bytes, sizeof bytes - 1);
    struct result result = run("-f", file, NULL);
    expect_output(&result, OPTIONS_EXIT_CONFIG, ":2: NUL byte");
}
END_TEST

START_TEST(keys_must_go_together)
{
    struct result result = run_file("max-message-size = 64KiB\n");
    expect_output(&result, OPTIONS_EXIT_CONFIG,
        "outbox-size: 16 KiB is too small: max-message-size = 64 KiB requires at least 64 KiB");
    result = run_file("max-message-size = 64KiB\noutbox-size = 64KiB\nring-size = 4MiB\n");
    expect_output(
        &result, OPTIONS_EXIT_CONFIG, "ring-size: 4 MiB is too small: max-message-size = 64 KiB");
    result = run_file("max-message-size = 64KiB\noutbox-size = 64KiB\nring-size = 5MiB\n");
    ck_assert_int_eq(result.status, STATUS_RUN);
}
END_TEST

START_TEST(the_uids_of_workers_must_not_contain_the_users)
{
    static const struct {
        unsigned before; /* how far below the user's uid the range begins */
        const char *words;
    } cases[] = {{2, "contains the uid of user"}, {0, "contains the uid of user"}, {3, NULL}};
    const struct passwd *nobody = getpwnam("nobody");
    char base[64];
    if (nobody == NULL || nobody->pw_uid < 3) {
        printf("skipped: there is no user nobody\n");
        return;
    }
    write_file("user = nobody\nmax-clients = 2\ncouriers = 1\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(base, sizeof base, "worker-uid-base=%u", nobody->pw_uid - cases[i].before);
        struct result result = run("-f", file, "-o", base, NULL);
        if (cases[i].words == NULL)
            ck_assert_msg(result.status == STATUS_RUN, "%s", result.output);
        else
            expect_output(&result, OPTIONS_EXIT_CONFIG, cases[i].words);
    }
}
END_TEST

/* --- errors on the command line */

START_TEST(wrong_usage_is_2)
{
    static const char *const wrong[][3] = {
        {"-x", NULL, "chatroomd: invalid option -x\n"},
        {"--frob", NULL, "chatroomd: unrecognized option --frob\n"},
        {"--lisen=1", NULL, "chatroomd: unrecognized option --lisen; did you mean --listen?\n"},
        {"--max_clients=9", NULL,
            "unrecognized option --max_clients; did you mean -o max-clients=VALUE?\n"},
        {"--debug=1", NULL, "chatroomd: option -d takes no argument\n"},
        {"--file", NULL, "chatroomd: option -f requires an argument\n"},
        {"-o", NULL, "chatroomd: option -o requires an argument\n"},
        {"-o", "max-clients", "expected KEY=VALUE"},
        {"-t", "room", "unexpected argument room"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct result result = run(wrong[i][0], wrong[i][1], NULL);
        expect_output(&result, OPTIONS_EXIT_USAGE, wrong[i][2]);
        expect_output(&result, OPTIONS_EXIT_USAGE, "--help");
    }
}
END_TEST

START_TEST(wrong_values_on_the_command_line_are_78)
{
    static const char *const wrong[][3] = {
        {"-o", "frob=1", "-o \"frob=1\": unknown key"},
        {"-o", "=1", "unknown key"},
        {"-o", "max_clients=1", "-o \"max_clients=1\": unknown key; did you mean max-clients?"},
        {"-o", "max-clients=0", "command line: max-clients: 0 is out of range"},
        {"-o", "max-clients=", "command line: max-clients: \"\" is not a whole number"},
        {"-l", "example.org:8888",
            "command line: listen: invalid address example.org:8888 (expected"},
        {"-o", "listen=127.0.0.1", "listen: invalid address 127.0.0.1 (no port from"},
    };
    write_file("");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct result result = run("-f", file, wrong[i][0], wrong[i][1], NULL);
        expect_output(&result, OPTIONS_EXIT_CONFIG, wrong[i][2]);
    }
}
END_TEST

/* --- help, version, and documents that follow the table */

START_TEST(help_and_version_are_0)
{
    struct result result = run("--version", NULL);
    ck_assert_int_eq(result.status, 0);
    ck_assert_str_eq(result.output, "chatroomd " PACKAGE_VERSION "\n");
    result = run("-h", NULL);
    expect_output(&result, 0, "Usage: chatroomd ");
#define EXPECT_HELP(field, key, kind, least, most, normal, help)                                   \
    expect_output(&result, 0, key);                                                                \
    expect_output(&result, 0, help);                                                               \
    expect_output(&result, 0, "default " normal);
    OPTIONS_TABLE(EXPECT_HELP)
#undef EXPECT_HELP
}
END_TEST

/* Reads the file `path` of the source, with each line end and '"' replaced by a blank. */
static char *read_source(const char *path)
{
    static char text[65536];
    char whole[PATH_MAX];
    const char *top = getenv("top_srcdir");
    snprintf(whole, sizeof whole, "%s/%s", top == NULL ? "." : top, path);
    FILE *stream = fopen(whole, "r");
    ck_assert_msg(stream != NULL, "cannot read %s: run me by make check, or at the top", whole);
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    fclose(stream);
    for (char *byte = text; *byte != '\0'; byte++)
        *byte = *byte == '\n' || *byte == '"' ? ' ' : *byte;
    return text;
}

/* The documents have the default of `jail` of a build with seccomp. */
static bool is_documented_build(void)
{
    if (strcmp(OPTIONS_JAIL_DEFAULT, "required") == 0)
        return true;
    printf("skipped: built without libseccomp\n");
    return false;
}

START_TEST(the_example_file_has_every_key_with_its_default)
{
    if (!is_documented_build())
        return;
    const char *text = read_source("etc/chatroomd.conf");
#define EXPECT_EXAMPLE(field, key, kind, least, most, normal, help)                                \
    {                                                                                              \
        const char *lines[] = {                                                                    \
            " #" key " = " normal " ", " #" key " =  " normal " ", " #" key " = { " normal " }"};  \
        ck_assert_msg(strstr(text, lines[0]) != NULL || strstr(text, lines[1]) != NULL ||          \
                          strstr(text, lines[2]) != NULL,                                          \
            "no line \"%s\"", lines[0]);                                                           \
        ck_assert_msg(strstr(text, least) != NULL && strstr(text, most) != NULL,                   \
            "the range of %s is missing", key);                                                    \
    }
    OPTIONS_TABLE(EXPECT_EXAMPLE)
#undef EXPECT_EXAMPLE
}
END_TEST

START_TEST(the_example_file_is_taken_also_uncommented)
{
    if (!is_documented_build())
        return;
    char path[PATH_MAX];
    const char *top = getenv("top_srcdir");
    snprintf(path, sizeof path, "%s/etc/chatroomd.conf", top == NULL ? "." : top);
    struct result as_it_is = run("-f", path, NULL);
    ck_assert_msg(as_it_is.status == STATUS_RUN, "%s", as_it_is.output);

    FILE *stream = fopen(path, "r");
    FILE *uncommented = fopen(file, "w");
    ck_assert(stream != NULL && uncommented != NULL);
    char line[512];
    while (fgets(line, sizeof line, stream) != NULL)
        fputs(line[0] == '#' && line[1] != ' ' && line[1] != '\n' ? line + 1 : line, uncommented);
    fclose(stream);
    fclose(uncommented);
    struct result bare = run("-f", file, NULL);
    ck_assert_msg(bare.status == STATUS_RUN, "%s", bare.output);
    *strstr(bare.output, "file=") = '\0';
    *strstr(as_it_is.output, "file=") = '\0';
    ck_assert_str_eq(bare.output, as_it_is.output);
}
END_TEST

/* In the manual, the paragraph of a key begins with `.It Cm KEY` and ends at the next .It. */
START_TEST(the_manual_has_every_key_with_its_default)
{
    if (!is_documented_build())
        return;
#define EXPECT_MANUAL(field, key, kind, least, most, normal, help)                                 \
    {                                                                                              \
        char *start = strstr(read_source("man/chatroomd.conf.5"), " .It Cm " key " ");             \
        ck_assert_msg(start != NULL, "no .It for %s", key);                                        \
        char *end = strstr(start + 1, " .It ");                                                    \
        if (end != NULL)                                                                           \
            *end = '\0';                                                                           \
        const char *place = strstr(start, " The default is ");                                     \
        ck_assert_msg(                                                                             \
            place != NULL && strstr(place, normal) != NULL, "the default of %s is missing", key);  \
        ck_assert_msg(strstr(start, least) != NULL && strstr(start, most) != NULL,                 \
            "the range of %s is missing", key);                                                    \
    }
    OPTIONS_TABLE(EXPECT_MANUAL)
#undef EXPECT_MANUAL
}
END_TEST

static Suite *options_suite(void)
{
    Suite *suite = suite_create("base/options");
    TCase *options = tcase_create("options");
    /* Unchecked, so that the folder is removed even if a case fails. */
    tcase_add_unchecked_fixture(options, make_folder, remove_folder);
    tcase_add_checked_fixture(options, remove_file, NULL);
    tcase_add_test(options, without_anything_the_defaults_hold);
    tcase_add_test(options, fields_have_their_values_in_bytes_and_milliseconds);
    tcase_add_test(options, the_command_line_wins_over_the_file);
    tcase_add_test(options, the_last_of_two_on_the_command_line_wins);
    tcase_add_test(options, addresses_on_the_command_line_replace_the_files);
    tcase_add_test(options, long_forms_are_the_same);
    tcase_add_test(options, what_is_printed_can_be_read_back);
    tcase_add_test(options, comments_and_lists_may_be_laid_out_freely);
    tcase_add_test(options, sizes_are_rounded_up_to_pages);
    tcase_add_test(options, short_units_and_bare_seconds_are_accepted_at_the_limits);
    tcase_add_loop_test(options, faults_in_the_file_are_told_with_file_and_line, 0,
        sizeof bad_files / sizeof *bad_files);
    tcase_add_test(options, all_wrong_values_are_told_at_once);
    tcase_add_test(options, a_file_that_cannot_be_read_is_a_fault);
    tcase_add_test(options, a_file_without_permission_is_a_fault);
    tcase_add_test(options, a_nul_byte_is_a_fault);
    tcase_add_test(options, keys_must_go_together);
    tcase_add_test(options, the_uids_of_workers_must_not_contain_the_users);
    tcase_add_test(options, wrong_usage_is_2);
    tcase_add_test(options, wrong_values_on_the_command_line_are_78);
    tcase_add_test(options, help_and_version_are_0);
    tcase_add_test(options, the_example_file_has_every_key_with_its_default);
    tcase_add_test(options, the_example_file_is_taken_also_uncommented);
    tcase_add_test(options, the_manual_has_every_key_with_its_default);
    suite_add_tcase(suite, options);
    return suite;
}

CHECK_MAIN(options_suite)
