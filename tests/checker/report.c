/* SPDX-License-Identifier: ISC */
/* report.c - the faults of a run, in words. */
#include "config.h"

#include "tests/checker/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void report_fault(struct checker *checker, const char *format, ...)
{
    struct checker_report *report = checker->report;
    size_t length = strlen(report->text);
    va_list arguments;

    report->faults++;
    if (length + 300 > sizeof(report->text))
        return;
    va_start(arguments, format);
    vsnprintf(report->text + length, 298, format, arguments);
    va_end(arguments);
    strcat(report->text, "\n");
}
