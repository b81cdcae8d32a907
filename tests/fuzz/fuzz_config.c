/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target of the configuration file: any bytes give options within their ranges, or errors.
 */
#include "config.h"

#include "base/options.h"
#include "tests/fuzz/options_hold.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int file = memfd_create("configuration", MFD_CLOEXEC);
    char path[64];
    char *arguments[] = {(char[]){"chatroomd"}, (char[]){"-f"}, path, NULL};
    struct options options;
    int status = -1;

    assert(file >= 0 && write(file, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (options_read(&options, 3, arguments, &status) == OPTIONS_RUN) {
        options_hold(&options);
        options_free(&options);
    } else {
        assert(status == OPTIONS_EXIT_CONFIG);
    }
    close(file);
    return 0;
}
