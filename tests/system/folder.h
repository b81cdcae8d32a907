/* SPDX-License-Identifier: ISC */
/*
 * folder.h - a folder of the test's own for sockets and files. It is removed with everything in it
 * when the test has passed. A test that fails leaves it.
 */
#ifndef CHATROOMD_TESTS_SYSTEM_FOLDER_H
#define CHATROOMD_TESTS_SYSTEM_FOLDER_H

#include <stddef.h>

/* Creates the folder under TMPDIR or /tmp, once in a test process, and returns its path. It is
 * removed when the process that created it exits. */
const char *folder_path(void);

/* Writes "PREFIXfolder/NAME" to the caller's buffer: folder_name(b, n, "unix:", "socket"). */
const char *folder_name(char *buffer, size_t size, const char *prefix, const char *name);

/* Writes a file there. Returns its path, which the next call with that buffer overwrites. */
const char *folder_write(char *buffer, size_t size, const char *name, const char *text);

#endif
