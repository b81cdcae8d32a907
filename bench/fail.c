/* SPDX-License-Identifier: ISC */
/* The loud end of a benchmark; see fail.h. */
#include "config.h"

#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail_report = -1;

void fail_report_to(int report)
{
    fail_report = report;
}

void fail(const char *format, ...)
{
    char words[1024] = {FAIL_MARK};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(words + 1, sizeof(words) - 1, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n*** bench: FAULT: %s\n", words + 1);
    if (fail_report >= 0 && write(fail_report, words, strlen(words)) < 0)
        fputs("(nobody reads this any more)\n", stderr);
    exit(EXIT_FAILURE);
}
