/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target of the command line: any arguments, one a line, give options within their ranges or
 * one of the exit statuses. Arguments that name a file are left out; fuzz_config has those.
 */
#include "config.h"

#include "base/options.h"
#include "tests/fuzz/options_hold.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* "-f", or letters with an f among them that getopt takes as options, or "--file" shortened. */
static bool names_a_file(const char *argument)
{
    return argument[0] == '-' && strchr(argument, 'f') != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *arguments[ARGUMENTS_MAX + 5] = {
        (char[]){"chatroomd"}, (char[]){"-f"}, (char[]){"/dev/null"}};
    char *text = malloc(size + 1), *rest = text, *argument;
    struct options options;
    int count = 3, status = -1;

    assert(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    while ((argument = strsep(&rest, "\n")) != NULL && count < ARGUMENTS_MAX)
        if (!names_a_file(argument))
            arguments[count++] = argument;
    if (options_read(&options, count, arguments, &status) == OPTIONS_RUN) {
        options_hold(&options);
        options_free(&options);
    } else {
        assert(status == 0 || status == OPTIONS_EXIT_USAGE || status == OPTIONS_EXIT_CONFIG);
    }
    free(text);
    return 0;
}
