/* SPDX-License-Identifier: ISC */
/*
 * process.c - what /proc shows of a process; see process.h.
 *
 * A file of /proc is read whole with one open, so that it describes one moment as far as the kernel
 * allows. /proc/PID/stat is parsed from its last ')', since a title may contain any character.
 */
#include "config.h"

#include "tests/system/process.h"

#include "tests/system/bounded.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Reads the start of /proc/PID/NAME and adds a NUL. Returns its length, 0 if there is nothing. */
static size_t read_file(pid_t process, const char *name, char *text, size_t size)
{
    char path[64];
    size_t length = 0;
    ssize_t got;
    int descriptor;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)process, name);
    descriptor = open(path, O_RDONLY | O_CLOEXEC);
    text[0] = '\0';
    if (descriptor < 0)
        return 0;
    while (length < size - 1 && (got = read(descriptor, text + length, size - 1 - length)) > 0)
        length += (size_t)got;
    close(descriptor);
    text[length] = '\0';
    return length;
}

/* Reads the parent and the state letter of a process; returns false if it is gone. */
static bool read_parent(pid_t process, pid_t *parent, char *state)
{
    char text[PROCESS_TEXT_MAX];
    int number;
    const char *rest;

    if (read_file(process, "stat", text, sizeof(text)) == 0)
        return false;
    rest = strrchr(text, ')');
    if (rest == NULL || sscanf(rest, ") %c %d", state, &number) != 2)
        return false;
    *parent = number;
    return true;
}

/* Visits all processes. If `children` is NULL, only zombies are counted. */
static size_t scan_children(pid_t parent, pid_t *children, size_t room, size_t *zombies)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    size_t count = 0;

    assert(folder != NULL);
    *zombies = 0;
    while ((entry = readdir(folder)) != NULL) {
        pid_t process = atoi(entry->d_name), its_parent;
        char state;

        if (process <= 0 || !read_parent(process, &its_parent, &state) || its_parent != parent)
            continue;
        if (state == 'Z' || state == 'X') {
            ++*zombies;
        } else if (children != NULL) {
            assert(count < room);
            children[count++] = process;
        }
    }
    closedir(folder);
    return count;
}

size_t process_children(pid_t parent, pid_t *children, size_t room)
{
    size_t zombies;

    return scan_children(parent, children, room, &zombies);
}

size_t process_zombies(pid_t parent)
{
    size_t zombies;

    scan_children(parent, NULL, 0, &zombies);
    return zombies;
}

void process_title(pid_t process, char *title, size_t size)
{
    size_t length = read_file(process, "cmdline", title, size);

    while (length > 0 && (title[length - 1] == '\0' || title[length - 1] == ' '))
        title[--length] = '\0';
    for (size_t at = 0; at < length; at++)
        if (title[at] == '\0')
            title[at] = ' ';
}

bool process_status(pid_t process, const char *field, char *value, size_t size)
{
    char text[8192], *line, *rest = text;
    size_t length = strlen(field);

    read_file(process, "status", text, sizeof(text));
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (strncmp(line, field, length) != 0 || line[length] != ':')
            continue;
        line += length + 1;
        line += strspn(line, " \t");
        snprintf(value, size, "%s", line);
        return true;
    }
    return false;
}

size_t process_resident_kib(pid_t process)
{
    char value[64];

    return process_status(process, "VmRSS", value, sizeof(value)) ? strtoul(value, NULL, 10) : 0;
}

uint64_t process_signals(pid_t process, const char *field)
{
    char value[64];

    return process_status(process, field, value, sizeof(value)) ? strtoull(value, NULL, 16) : 0;
}

size_t process_descriptors(pid_t process, struct process_descriptor *found, size_t room)
{
    char path[64];
    size_t count = 0;
    struct dirent *entry;
    DIR *folder;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)process);
    folder = opendir(path);
    if (folder == NULL)
        return 0;
    while ((entry = readdir(folder)) != NULL) {
        ssize_t length;

        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        assert(count < room);
        found[count].number = atoi(entry->d_name);
        length = readlinkat(
            dirfd(folder), entry->d_name, found[count].target, sizeof(found[count].target) - 1);
        found[count].target[length > 0 ? length : 0] = '\0';
        count++;
    }
    closedir(folder);
    return count;
}

/* Parses a line of /proc/PID/maps; returns false if it is not a shared mapping. */
static bool parse_mapping(const char *line, struct process_mapping *mapping)
{
    unsigned long start, end, offset;
    int path_at = 0;

    if (sscanf(line, "%lx-%lx %7s %lx %*s %lu %n", &start, &end, mapping->rights, &offset,
            &mapping->inode, &path_at) < 5)
        return false;
    mapping->length = end - start;
    mapping->offset = offset;
    snprintf(mapping->path, sizeof(mapping->path), "%s", line + path_at);
    mapping->path[strcspn(mapping->path, "\n")] = '\0';
    return mapping->rights[3] == 's';
}

size_t process_shared_mappings(pid_t process, struct process_mapping *found, size_t room)
{
    char path[64], line[PROCESS_TEXT_MAX];
    size_t count = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/maps", (int)process);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        struct process_mapping mapping;

        if (!parse_mapping(line, &mapping))
            continue;
        assert(count < room);
        found[count++] = mapping;
    }
    fclose(file);
    return count;
}

bool process_gone(pid_t process)
{
    pid_t parent;
    char state;

    if (waitpid(process, NULL, WNOHANG) == process)
        return true;
    return !read_parent(process, &parent, &state) || state == 'Z' || state == 'X';
}

bool process_all_gone(const pid_t *processes, size_t count, int64_t deadline)
{
    size_t at = 0;

    for (;;) {
        while (at < count && process_gone(processes[at]))
            at++;
        if (at == count)
            return true;
        if (!bounded_turn(deadline))
            return false;
    }
}
