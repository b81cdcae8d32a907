/* SPDX-License-Identifier: ISC */
/*
 * alloc.c - allocation that cannot fail, on top of malloc(3). Any process may call it.
 */
#include "config.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Exits by _exit(2), because a child must not run the exit handlers of its parent. */
static _Noreturn void out_of_memory(size_t count, size_t size)
{
    fprintf(stderr, "chatroomd: out of memory (%zu * %zu bytes)\n", count, size);
    _exit(EXIT_FAILURE);
}

void *alloc_zeroed(size_t count, size_t size)
{
    assert(count > 0 && size > 0);
    void *memory = calloc(count, size);
    if (memory == NULL)
        out_of_memory(count, size);
    return memory;
}

void *alloc_resize(void *memory, size_t count, size_t size)
{
    assert(count > 0 && size > 0);
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        out_of_memory(count, size);
    void *resized = realloc(memory, total);
    if (resized == NULL)
        out_of_memory(count, size);
    return resized;
}

char *alloc_string(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(alloc_zeroed(size, 1), text, size);
}

char *alloc_print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text;
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        out_of_memory(1, strlen(format));
    return text;
}
