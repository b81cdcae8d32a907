/* SPDX-License-Identifier: ISC */
/*
 * The options: command line and configuration file to one struct options.
 *
 * Model:
 *  1. The command line is read first, since it names the file. What it sets (-o, -l, -d) is put
 *     aside, in its order.
 *  2. Each key begins with its default, then the file's values are set, then the command line's.
 *     A list that the command line sets at all replaces the file's; one that the file sets replaces
 * the default.
 *  3. One way to set a value (`set`), whoever asks: it finds the row, reads the value by the row's
 *     kind and refuses what is out of the row's range. It knows where the value was written.
 *  4. Every fault is told, not the first only; then the keys are checked against each other, if
 * each is well.
 *
 * Wrong usage exits 2, a wrong value or file 78, and help and version exit 0.
 */
#include "config.h"

#include "base/options.h"

#include "base/address.h"
#include "base/alloc.h"
#include "base/config_file.h"
#include "base/option_row.h"
#include "base/user_group.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Who sets a value; each later one takes the place of the ones before it. */
enum source { SOURCE_DEFAULT, SOURCE_FILE, SOURCE_COMMAND_LINE };

/* Where a fault on the command line is. */
#define COMMAND_LINE "command line"

/* A value that the command line sets. */
struct assignment {
    size_t row;
    char *value;
};

struct reader {
    struct options *options;
    struct assignment *assignments;
    size_t assignment_count;
    enum source list_source; /* who has set the list of addresses */
    bool bad_usage;
    bool bad_configuration;
};

static void bad_configuration(struct reader *reader, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void bad_configuration(struct reader *reader, const char *place, const char *format, ...)
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
    struct reader *reader, enum source source, const char *text, const char *place)
{
    struct options *options = reader->options;
    struct sockaddr_storage address;
    socklen_t length;
    char quoted[256];
    const char *words = address_parse(text, &address, &length);
    if (words != NULL) {
        const char *shown = log_quote(quoted, sizeof quoted, text);
        bad_configuration(reader, place, "listen: the address %s %s", shown, words);
        return;
    }
    if (reader->list_source != source)
        clear_addresses(options);
    reader->list_source = source;
    size_t count = options->listen_count + 1;
    options->listen = alloc_resize(options->listen, count, sizeof *options->listen);
    options->listen[options->listen_count++] = alloc_string(text);
}

static void set(
    struct reader *reader, enum source source, size_t index, const char *value, const char *place)
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
            reader, place, "%s: %s is not %s", row->key, shown, value_kind_words(row->kind));
    else if (!option_in_range(row, number))
        bad_configuration(reader, place, "%s: %s is out of range; it goes from %s to %s", row->key,
            shown, row->least, row->most);
    else
        option_store(reader->options, row, number);
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

static void put_aside(struct reader *reader, size_t row, const char *value)
{
    size_t count = ++reader->assignment_count;
    reader->assignments = alloc_resize(reader->assignments, count, sizeof *reader->assignments);
    reader->assignments[count - 1] = (struct assignment){.row = row, .value = alloc_string(value)};
}

static void take_assignment(struct reader *reader, const char *text)
{
    char quoted[256];
    const char *shown = log_quote(quoted, sizeof quoted, text);
    const char *equal = strchr(text, '=');
    if (equal == NULL) {
        fprintf(stderr, "chatroomd: -o %s: there is no = in it; write -o KEY=VALUE\n", shown);
        reader->bad_usage = true;
        return;
    }
    size_t row = option_find(text, (size_t)(equal - text));
    if (row < OPTION_ROWS)
        put_aside(reader, row, equal + 1);
    else
        bad_configuration(reader, COMMAND_LINE,
            "-o %s: there is no such key; "
            "chatroomd --help lists them",
            shown);
}

static void take_option(struct reader *reader, int letter, const char *argument)
{
    struct options *options = reader->options;
    switch (letter) {
    case 'f':
        free(options->file);
        options->file = alloc_string(argument);
        break;
    case 'l':
        put_aside(reader, OPTION_listen, argument);
        break;
    case 'o':
        take_assignment(reader, argument);
        break;
    case 't':
        options->check = true;
        break;
    case 'T':
        options->print = true;
        break;
    case 'd':
        put_aside(reader, OPTION_log_level, "debug");
        break;
    default:
        reader->bad_usage = true;
    }
}

/* Returns 'V' or 'h' where that was asked for, else 0. */
static int read_command_line(struct reader *reader, int argc, char **argv)
{
    int letter;
    optind = 0; /* from the start, also the second time (getopt(3)) */
    while ((letter = getopt_long(argc, argv, "f:l:o:tTdVh", long_options, NULL)) != -1) {
        if (letter == 'V' || letter == 'h')
            return letter;
        take_option(reader, letter, optarg);
    }
    if (optind < argc) {
        char quoted[256];
        fprintf(stderr, "chatroomd: there is no use for the argument %s\n",
            log_quote(quoted, sizeof quoted, argv[optind]));
        reader->bad_usage = true;
    }
    return 0;
}

/* --- the file */

static void take_file_value(void *context, size_t key, const char *value, const char *place)
{
    set(context, SOURCE_FILE, key, value, place);
}

static void take_file_fault(void *context, const char *words, const char *place)
{
    bad_configuration(context, place, "%s", words);
}

static void read_file(struct reader *reader)
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
        .value = take_file_value,
        .fault = take_file_fault};
    if (!config_file_read(options->file, &handler))
        bad_configuration(
            reader, options->file, "this configuration file cannot be read: %s", strerror(errno));
}

/* --- both together */

/* How many of the longest messages, with name and bookkeeping, the ring must hold: with fewer, one
 * reader that is a little late would stop every sender. */
#define RING_LEAST_MESSAGES 64
#define MESSAGE_OVERHEAD    128

static size_t round_up(size_t size)
{
    return (size + OPTIONS_PAGE - 1) / OPTIONS_PAGE * OPTIONS_PAGE;
}

/* Who `user`, `group` and the workers are. */
static void check_accounts(struct reader *reader)
{
    struct options *options = reader->options;
    const char *key;
    char *fault;
    if (user_group_find(
            options->user, options->group, &options->uid, &options->gid, &key, &fault) &&
        user_group_base_fits(options->user, options->uid, options->worker_uid_base,
            options->max_clients + options->couriers, &key, &fault))
        return;
    bad_configuration(reader, key, "%s", fault);
    free(fault);
}

static void check_together(struct reader *reader)
{
    struct options *options = reader->options;
    check_accounts(reader);
    options->ring_size = round_up(options->ring_size);
    options->outbox_size = round_up(options->outbox_size);
    size_t ring_least =
        round_up(RING_LEAST_MESSAGES * (options->max_message_size + MESSAGE_OVERHEAD));
    char is[VALUE_TEXT_SIZE], message[VALUE_TEXT_SIZE], least[VALUE_TEXT_SIZE];
    value_print(VALUE_SIZE, options->max_message_size, message);
    if (options->outbox_size < options->max_message_size)
        bad_configuration(reader, "outbox-size",
            "%s has no room for a message of max-message-size, %s; it takes at least %s",
            value_print(VALUE_SIZE, options->outbox_size, is), message,
            value_print(VALUE_SIZE, round_up(options->max_message_size), least));
    if (options->ring_size < ring_least)
        bad_configuration(reader, "ring-size",
            "%s is too little for messages of max-message-size, %s; it takes at least %s",
            value_print(VALUE_SIZE, options->ring_size, is), message,
            value_print(VALUE_SIZE, ring_least, least));
}

static void read_all(struct reader *reader)
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

static enum options_outcome finish(const struct reader *reader, int *exit_status)
{
    if (reader->bad_usage)
        fputs("chatroomd: chatroomd --help tells how to use it\n", stderr);
    if (!reader->bad_usage && !reader->bad_configuration)
        return OPTIONS_RUN;
    *exit_status = reader->bad_usage ? OPTIONS_EXIT_USAGE : OPTIONS_EXIT_CONFIG;
    return OPTIONS_EXIT;
}

enum options_outcome options_read(struct options *options, int argc, char **argv, int *exit_status)
{
    *options = (struct options){0};
    struct reader reader = {.options = options};
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
        *exit_status = fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
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
