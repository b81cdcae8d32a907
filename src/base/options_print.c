/* SPDX-License-Identifier: ISC */
/*
 * options_print.c - the text of --help, and the configuration in force as printed by -T, which
 * can be used as a configuration file.
 */
#include "config.h"

#include "base/option_row.h"

#include <stdio.h>
#include <string.h>

static const char usage_text[] =
    "Usage: chatroomd [-dhTtV] [-f FILE] [-l ADDRESS]... [-o KEY=VALUE]...\n"
    "A chat room server for nc and telnet. Runs in the foreground and logs to standard error.\n"
    "\n"
    "  -f, --file FILE          read FILE instead of " DEFAULT_CONFIG_FILE "\n"
    "  -l, --listen ADDRESS     listen on ADDRESS, same as -o listen=ADDRESS; can be repeated\n"
    "  -o, --option KEY=VALUE   set a key, overriding the configuration file; can be repeated\n"
    "  -t, --check              check the configuration and exit\n"
    "  -T, --print              print the configuration in force and exit\n"
    "  -d, --debug              log everything, same as -o log-level=debug\n"
    "  -V, --version            print the version and exit\n"
    "  -h, --help               print this help and exit\n"
    "\n"
    "Keys, with their defaults and ranges (see chatroomd.conf(5)):\n";

void options_print_help(void)
{
    fputs(usage_text, stdout);
    for (size_t i = 0; i < OPTION_ROWS; i++) {
        const struct option_row *row = &option_rows[i];
        printf("  %-20s %s\n", row->key, row->help);
        printf("  %-20s default %s", "", *row->normal == '\0' ? "none" : row->normal);
        if (*row->least != '\0' && row->kind != VALUE_LOG_LEVEL)
            printf(", range %s to %s", row->least, row->most);
        putchar('\n');
    }
}

static void print_quoted(FILE *stream, const char *text)
{
    putc('"', stream);
    for (; *text != '\0'; text++) {
        if (strchr("\"\\$", *text) != NULL)
            putc('\\', stream);
        putc(*text, stream);
    }
    putc('"', stream);
}

void options_print(const struct options *options, FILE *stream)
{
    for (size_t i = 0; i < OPTION_ROWS; i++) {
        const struct option_row *row = &option_rows[i];
        char buffer[VALUE_TEXT_SIZE];
        fprintf(stream, "%s = ", row->key);
        if (row->kind == VALUE_TEXT) {
            print_quoted(stream, *option_text(options, row));
            putc('\n', stream);
            continue;
        }
        if (row->kind != VALUE_ADDRESSES) {
            const char *text = value_print(row->kind, option_load(options, row), buffer);
            if (row->kind == VALUE_CORES && options->couriers_auto)
                fputs("auto # ", stream);
            fprintf(stream, strchr(text, ' ') != NULL ? "\"%s\"\n" : "%s\n", text);
            continue;
        }
        for (size_t j = 0; j < options->listen_count; j++) {
            fputs(j == 0 ? "{" : ", ", stream);
            print_quoted(stream, options->listen[j]);
        }
        fputs("}\n", stream);
    }
}
