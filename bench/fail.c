/* The loud end of a benchmark; see fail.h. */
#include "config.h"

#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void fail(const char *format, ...)
{
    va_list arguments;

    fputs("\n*** bench: FAULT: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("\n", stderr);
    exit(EXIT_FAILURE);
}
