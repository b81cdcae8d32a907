/* SPDX-License-Identifier: ISC */
/*
 * folder.c - a folder of the test's own; see folder.h. It contains no folders.
 */
#include "config.h"

#include "tests/system/folder.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[100];
static pid_t owner;

static void remove_folder(void)
{
    DIR *folder;
    struct dirent *entry;

    if (owner != getpid() || (folder = opendir(path)) == NULL)
        return;
    while ((entry = readdir(folder)) != NULL)
        unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    rmdir(path);
}

const char *folder_path(void)
{
    const char *parent = getenv("TMPDIR");
    int length;

    if (owner == getpid())
        return path;
    /* The path of a socket has 107 bytes at most. */
    length = snprintf(path, sizeof(path), "%s/chatroomd-test-XXXXXX",
        parent == NULL || parent[0] == '\0' ? "/tmp" : parent);
    if (length > 80)
        snprintf(path, sizeof(path), "/tmp/chatroomd-test-XXXXXX");
    ck_assert_msg(mkdtemp(path) != NULL, "cannot make %s", path);
    owner = getpid();
    atexit(remove_folder);
    return path;
}

const char *folder_name(char *buffer, size_t size, const char *prefix, const char *name)
{
    snprintf(buffer, size, "%s%s/%s", prefix, folder_path(), name);
    return buffer;
}

const char *folder_write(char *buffer, size_t size, const char *name, const char *text)
{
    FILE *file;

    folder_name(buffer, size, "", name);
    file = fopen(buffer, "we");
    ck_assert_msg(file != NULL, "cannot write %s", buffer);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    return buffer;
}
