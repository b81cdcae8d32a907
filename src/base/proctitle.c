/* SPDX-License-Identifier: ISC */
/*
 * proctitle.c - sets the process title.
 *
 * The kernel reads a command line from the memory of the arguments at the time of the request. If
 * their last byte is not NUL, it continues into the memory of the environment behind them (proc(5),
 * /proc/PID/cmdline). So a title can use both, once the environment has been copied elsewhere:
 *
 *     argv[0] \0 argv[1] \0 ... \0 environ[0] \0 environ[1] \0 ...
 *     ^ start                                                      ^ start + space
 *
 * Each process writes to its own copy of these pages. Only bytes of an old title or argument are
 * cleared, so that a large environment does not become private memory of each worker. A title is
 * concatenated from parts, because printf(3) would touch six more pages per worker. A title that
 * does not fit is cut; the last byte is always NUL.
 */
#include "config.h"

#include "base/proctitle.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

static char *start;
static size_t space;
static size_t used; /* bytes from `start` that may differ from NUL */

/* Returns the end of `text` if it begins at `end`, as the kernel arranges strings; else `end`. */
static char *extend(char *end, const char *text)
{
    return text == end ? end + strlen(text) + 1 : end;
}

static void move_environment(void)
{
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    char **copy = alloc_zeroed(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = alloc_string(environ[i]);
    environ = copy;
}

void proctitle_init(int argc, char **argv)
{
    if (argc < 1)
        return;
    char *end = argv[0];
    for (int i = 0; i < argc; i++)
        end = extend(end, argv[i]);
    used = (size_t)(end - argv[0]);
    for (char **variable = environ; *variable != NULL; variable++)
        end = extend(end, *variable);
    start = argv[0];
    space = (size_t)(end - argv[0]);
    move_environment();
}

void proctitle_set(const char *part, ...)
{
    if (space == 0)
        return;
    va_list parts;
    size_t length = 0;
    memset(start, 0, used);
    va_start(parts, part);
    for (; part != NULL; part = va_arg(parts, const char *))
        while (*part != '\0' && length < space - 1)
            start[length++] = *part++;
    va_end(parts);
    if (length >= used)
        used = length + 1;
}
