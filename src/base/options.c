/* SPDX-License-Identifier: ISC */
/*
 * options.c - reads the command line and the configuration file into struct options.
 *
 * Model:
 *  1. The command line is read first, because it names the file. Values that it sets (-o, -l, -d)
 *     are saved in order.
 *  2. Each key gets its default, then the file's values are set, then those of the command line.
 *     The first address from the file replaces the default list, and the first address from the
 *     command line replaces the list of the file.
 *  3. There is one way to set a value, `set`, for all sources: it finds the row, parses the value
 *     according to the row's kind and refuses a value outside the row's range.
 *  4. All errors are reported, not only the first. If there are none, the keys are checked against
 *     each other.
 *
 * The exit status is 2 for wrong usage, 78 for a wrong value or file, and 0 for help and version.
 */
#include "config.h"

#include "base/options.h"

#include "base/address.h"
#include "base/alloc.h"
#include "base/config_file.h"
#include "base/nearest.h"
#include "base/option_row.h"
#include "base/user_group.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where a value comes from, in order of precedence: a later one overrides an earlier one. */
enum source { SOURCE_DEFAULT, SOURCE_FILE, SOURCE_COMMAND_LINE };

/* The place of an error on the command line. */
#define COMMAND_LINE "command line"

/* A value set by the command line. */
struct assignment {
    size_t row;
    char *value;
};

struct option_reader {
    struct options *options;
    struct assignment *assignments;
    size_t assignment_count;
    enum source list_source; /* where the current list of addresses comes from */
    bool bad_usage;
    bool bad_configuration;
};

static void bad_configuration(struct option_reader *reader, const char *place, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

static void bad_configuration(
    struct option_reader *reader, const char *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "chatroomd: %s: ", place);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    reader->bad_configuration = true;
}

/* --- values */

static void clear_addresses(struct options *options)
{
    for (size_t i = 0; i < options->listen_count; i++)
        free(options->listen[i]);
    free(options->listen);
    options->listen = NULL;
    options->listen_count = 0;
}

static void add_address(
    struct option_reader *reader, enum source source, const char *text, const char *place)
{
    struct options *options = reader->options;
    struct sockaddr_storage address;
    socklen_t length;
    char quoted[256];
    char *complete = address_complete(text);
    const char *fault = address_parse(complete, &address, &length);
    if (fault != NULL) {
        const char *shown = log_quote(quoted, sizeof quoted, text);
        bad_configuration(reader, place, "listen: invalid address %s (%s)", shown, fault);
        free(complete);
        return;
    }
    if (reader->list_source != source)
        clear_addresses(options);
    reader->list_source = source;
    size_t count = options->listen_count + 1;
    options->listen = alloc_resize(options->listen, count, sizeof *options->listen);
    options->listen[options->listen_count++] = complete;
}

static void set(struct option_reader *reader, enum source source, size_t index, const char *value,
    const char *place)
{
    const struct option_row *row = &option_rows[index];
    if (row->kind == VALUE_ADDRESSES) {
        add_address(reader, source, value, place);
        return;
    }
    if (row->kind == VALUE_TEXT) {
        option_set_text(reader->options, row, value);
        return;
    }
    char quoted[128];
    const char *shown = log_quote(quoted, sizeof quoted, value);
    uint64_t number;
    if (!value_parse(row->kind, value, &number))
        bad_configuration(
            reader, place, "%s: %s is not %s", row->key, shown, value_kind_description(row->kind));
    else if (!option_in_range(row, number))
        bad_configuration(reader, place, "%s: %s is out of range (%s to %s)", row->key, shown,
            row->least, row->most);
    else
        option_store(reader->options, row, number);
    if (row->kind == VALUE_CORES)
        reader->options->couriers_auto = strcmp(value, "auto") == 0;
}

/* --- the command line */

static const struct option long_options[] = {
    {"file", required_argument, NULL, 'f'},
    {"listen", required_argument, NULL, 'l'},
    {"option", required_argument, NULL, 'o'},
    {"check", no_argument, NULL, 't'},
    {"print", no_argument, NULL, 'T'},
    {"debug", no_argument, NULL, 'd'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Returns the key that is most like the beginning of `text` up to an equal sign, or NULL. */
static const char *nearest_key(const char *text)
{
    const char *keys[OPTION_ROWS];
    for (size_t i = 0; i < OPTION_ROWS; i++)
        keys[i] = option_rows[i].key;
    return nearest_word(text, strcspn(text, "="), keys, OPTION_ROWS);
}

/* Reports a long option that does not exist; `word` is the argument with its dashes. */
static void report_long_option(const char *word)
{
    const char *names[sizeof long_options / sizeof *long_options];
    size_t count = 0, length = strcspn(word, "=");
    for (; long_options[count].name != NULL; count++)
        names[count] = long_options[count].name;
    char quoted[128], *shown = alloc_print("%.*s", (int)length, word);
    fprintf(stderr, "chatroomd: unrecognized option %s", log_quote(quoted, sizeof quoted, shown));
    free(shown);
    const char *option = nearest_word(word + 2, length - 2, names, count);
    const char *key = option == NULL ? nearest_key(word + 2) : NULL;
    if (option != NULL)
        fprintf(stderr, "; did you mean --%s?", option);
    else if (key != NULL)
        fprintf(stderr, "; did you mean -o %s=VALUE?", key);
    fputc('\n', stderr);
}

/* Reports the fault for which getopt_long(3) has just returned '?'. */
static void report_bad_option(struct option_reader *reader, char **argv)
{
    reader->bad_usage = true;
    if (optopt == 0)
        report_long_option(argv[optind - 1]);
    else if (strchr("flo", optopt) != NULL)
        fprintf(stderr, "chatroomd: option -%c requires an argument\n", optopt);
    else if (strchr("tTdVh", optopt) != NULL)
        fprintf(stderr, "chatroomd: option -%c takes no argument\n", optopt);
    else
        fprintf(stderr, "chatroomd: invalid option -%c\n", optopt);
}

static void save_assignment(struct option_reader *reader, size_t row, const char *value)
{
    size_t count = ++reader->assignment_count;
    reader->assignments = alloc_resize(reader->assignments, count, sizeof *reader->assignments);
    reader->assignments[count - 1] = (struct assignment){.row = row, .value = alloc_string(value)};
}

static void read_assignment(struct option_reader *reader, const char *text)
{
    char quoted[256];
    const char *shown = log_quote(quoted, sizeof quoted, text);
    const char *equal = strchr(text, '=');
    if (equal == NULL) {
        fprintf(stderr, "chatroomd: -o %s: expected KEY=VALUE\n", shown);
        reader->bad_usage = true;
        return;
    }
    size_t row = option_find(text, (size_t)(equal - text));
    if (row < OPTION_ROWS)
        save_assignment(reader, row, equal + 1);
    else if (nearest_key(text) != NULL)
        bad_configuration(
            reader, COMMAND_LINE, "-o %s: unknown key; did you mean %s?", shown, nearest_key(text));
    else
        bad_configuration(reader, COMMAND_LINE, "-o %s: unknown key; see chatroomd --help", shown);
}

static void read_option(struct option_reader *reader, int letter, const char *argument)
{
    struct options *options = reader->options;
    switch (letter) {
    case 'f':
        free(options->file);
        options->file = alloc_string(argument);
        break;
    case 'l':
        save_assignment(reader, OPTION_listen, argument);
        break;
    case 'o':
        read_assignment(reader, argument);
        break;
    case 't':
        options->check = true;
        break;
    case 'T':
        options->print = true;
        break;
    case 'd':
        save_assignment(reader, OPTION_log_level, "debug");
        break;
    }
}

/* Returns 'V' or 'h' if that option is present, else 0. */
static int read_command_line(struct option_reader *reader, int argc, char **argv)
{
    int letter;
    opterr = 0;
    optind = 0; /* reinitializes getopt(3), for repeated calls */
    while ((letter = getopt_long(argc, argv, "f:l:o:tTdVh", long_options, NULL)) != -1) {
        if (letter == 'V' || letter == 'h')
            return letter;
        if (letter == '?')
            report_bad_option(reader, argv);
        else
            read_option(reader, letter, optarg);
    }
    if (optind < argc) {
        char quoted[256];
        fprintf(stderr, "chatroomd: unexpected argument %s\n",
            log_quote(quoted, sizeof quoted, argv[optind]));
        reader->bad_usage = true;
    }
    return 0;
}

/* --- the file */

static void set_file_value(void *context, size_t key, const char *value, const char *place)
{
    set(context, SOURCE_FILE, key, value, place);
}

static void report_file_fault(void *context, const char *fault, const char *place)
{
    bad_configuration(context, place, "%s", fault);
}

static void read_file(struct option_reader *reader)
{
    struct options *options = reader->options;
    if (options->file == NULL) {
        if (access(DEFAULT_CONFIG_FILE, F_OK) != 0 && errno == ENOENT)
            return;
        options->file = alloc_string(DEFAULT_CONFIG_FILE);
    }
    struct config_key keys[OPTION_ROWS];
    for (size_t i = 0; i < OPTION_ROWS; i++)
        keys[i] = (struct config_key){option_rows[i].key, option_rows[i].kind == VALUE_ADDRESSES};
    const struct config_handler handler = {.keys = keys,
        .key_count = OPTION_ROWS,
        .context = reader,
        .value = set_file_value,
        .fault = report_file_fault};
    if (!config_file_read(options->file, &handler))
        bad_configuration(
            reader, options->file, "cannot read the configuration file: %s", strerror(errno));
}

/* --- both together */

/* The ring must hold this many messages of maximum length, with name and bookkeeping: in a smaller
 * ring, one client that is slightly late would block every sender. */
#define RING_LEAST_MESSAGES 64
#define MESSAGE_OVERHEAD    128

static size_t round_up(size_t size)
{
    return (size + OPTIONS_PAGE - 1) / OPTIONS_PAGE * OPTIONS_PAGE;
}

/* Looks up `user` and `group` and checks the range of uids of the workers. */
static void check_accounts(struct option_reader *reader)
{
    struct options *options = reader->options;
    struct user_group found = user_group_find(options->user, options->group);

    if (found.fault == NULL)
        user_group_check_uids(
            &found, options->worker_uid_base, options->max_clients + options->couriers);
    options->uid = found.uid;
    options->gid = found.gid;
    if (found.fault != NULL)
        bad_configuration(reader, found.key, "%s", found.fault);
    free(found.fault);
}

/* Reads `socket-mode` and `socket-group`. */
static void check_sockets(struct option_reader *reader)
{
    struct options *options = reader->options;
    const char *mode = options->socket_mode;
    char quoted[128];

    if (*mode != '\0' && strspn(mode, "01234567") == strlen(mode) && strlen(mode) <= 4 &&
        strtoul(mode, NULL, 8) <= 0777)
        options->socket_mode_bits = (mode_t)strtoul(mode, NULL, 8);
    else if (*mode != '\0')
        bad_configuration(reader, "socket-mode", "%s is not from 0 to 0777 in octal",
            log_quote(quoted, sizeof quoted, mode));
    if (*options->socket_group == '\0')
        return;
    char *fault = user_group_find_group(options->socket_group, &options->socket_gid);
    if (fault != NULL)
        bad_configuration(reader, "socket-group", "%s", fault);
    free(fault);
}

/* Reports that `key`, of `size` bytes, is smaller than max-message-size requires. */
static void report_too_small(
    struct option_reader *reader, const char *key, size_t size, size_t least)
{
    char shown[VALUE_TEXT_SIZE], message[VALUE_TEXT_SIZE], needed[VALUE_TEXT_SIZE];

    bad_configuration(reader, key, "%s is too small: max-message-size = %s requires at least %s",
        value_print(VALUE_SIZE, size, shown),
        value_print(VALUE_SIZE, reader->options->max_message_size, message),
        value_print(VALUE_SIZE, least, needed));
}

static void check_together(struct option_reader *reader)
{
    struct options *options = reader->options;
    size_t outbox_least = round_up(options->max_message_size);
    size_t ring_least =
        round_up(RING_LEAST_MESSAGES * (options->max_message_size + MESSAGE_OVERHEAD));

    check_accounts(reader);
    check_sockets(reader);
    options->ring_size = round_up(options->ring_size);
    options->outbox_size = round_up(options->outbox_size);
    if (options->outbox_size < outbox_least)
        report_too_small(reader, "outbox-size", options->outbox_size, outbox_least);
    if (options->ring_size < ring_least)
        report_too_small(reader, "ring-size", options->ring_size, ring_least);
}

static void read_all(struct option_reader *reader)
{
    for (size_t i = 0; i < OPTION_ROWS; i++)
        set(reader, SOURCE_DEFAULT, i, option_rows[i].normal, "default");
    read_file(reader);
    for (size_t i = 0; i < reader->assignment_count; i++) {
        const struct assignment *assignment = &reader->assignments[i];
        set(reader, SOURCE_COMMAND_LINE, assignment->row, assignment->value, COMMAND_LINE);
    }
    if (!reader->bad_configuration)
        check_together(reader);
}

static enum options_outcome finish(const struct option_reader *reader, int *exit_status)
{
    if (reader->bad_usage)
        fputs("chatroomd: see chatroomd --help\n", stderr);
    if (!reader->bad_usage && !reader->bad_configuration)
        return OPTIONS_RUN;
    *exit_status = reader->bad_usage ? OPTIONS_EXIT_USAGE : OPTIONS_EXIT_CONFIG;
    return OPTIONS_EXIT;
}

enum options_outcome options_read(struct options *options, int argc, char **argv, int *exit_status)
{
    *options = (struct options){0};
    struct option_reader reader = {.options = options};
    int letter = read_command_line(&reader, argc, argv);
    enum options_outcome outcome = OPTIONS_EXIT;
    if (letter == 0) {
        if (!reader.bad_usage)
            read_all(&reader);
        outcome = finish(&reader, exit_status);
    } else {
        if (letter == 'V')
            puts(PACKAGE_STRING);
        else
            options_print_help();
        *exit_status = EXIT_SUCCESS;
    }
    for (size_t i = 0; i < reader.assignment_count; i++)
        free(reader.assignments[i].value);
    free(reader.assignments);
    if (outcome == OPTIONS_EXIT)
        options_free(options);
    return outcome;
}

void options_free(struct options *options)
{
    clear_addresses(options);
    for (size_t i = 0; i < OPTION_ROWS; i++) {
        if (option_rows[i].kind != VALUE_TEXT)
            continue;
        free(*option_text(options, &option_rows[i]));
        *option_text(options, &option_rows[i]) = NULL;
    }
    free(options->file);
    options->file = NULL;
}
