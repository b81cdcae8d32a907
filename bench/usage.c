/* SPDX-License-Identifier: ISC */
/* Reading /proc; see usage.h. Whatever cannot be read ends the benchmark: half a sum is no figure.
 */
#include "config.h"

#include "usage.h"

#include "fail.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static FILE *usage_open(const char *path)
{
    FILE *file = fopen(path, "re");

    if (file == NULL)
        fail("%s cannot be read: %s", path, strerror(errno));
    return file;
}

static double usage_thread_cpu(const char *task)
{
    char path[300];
    double nanoseconds;

    snprintf(path, sizeof(path), "%s/schedstat", task);
    FILE *file = usage_open(path);
    if (fscanf(file, "%lf", &nanoseconds) != 1)
        fail("%s does not begin with a number", path);
    fclose(file);
    return nanoseconds;
}

static double usage_children_cpu(const char *task)
{
    char path[300];
    double nanoseconds = 0;
    int child;

    snprintf(path, sizeof(path), "%s/children", task);
    FILE *file = usage_open(path);
    while (fscanf(file, "%d", &child) == 1)
        nanoseconds += usage_tree_cpu(child);
    fclose(file);
    return nanoseconds;
}

double usage_tree_cpu(pid_t root)
{
    char path[32];
    double nanoseconds = 0;
    const struct dirent *entry;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)root);
    DIR *tasks = opendir(path);
    if (tasks == NULL)
        fail("%s cannot be read: %s", path, strerror(errno));
    while ((entry = readdir(tasks)) != NULL) {
        char task[sizeof(path) + sizeof(entry->d_name)];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(task, sizeof(task), "%s/%s", path, entry->d_name);
        nanoseconds += usage_thread_cpu(task) + usage_children_cpu(task);
    }
    closedir(tasks);
    return nanoseconds;
}

double usage_process_cpu(pid_t pid)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    return usage_thread_cpu(path);
}

unsigned usage_children(pid_t pid)
{
    char path[64];
    unsigned count = 0;
    int child;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = usage_open(path);
    while (fscanf(file, "%d", &child) == 1)
        count++;
    fclose(file);
    return count;
}

static double usage_timeval(struct timeval time)
{
    return (double)time.tv_sec * 1e9 + (double)time.tv_usec * 1e3;
}

double usage_own_cpu(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage_timeval(usage.ru_utime) + usage_timeval(usage.ru_stime);
}

double usage_machine_cpu(void)
{
    double user, nice, system, idle, wait, interrupts, soft_interrupts, stolen;
    FILE *file = usage_open("/proc/stat");

    if (fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &user, &nice, &system, &idle, &wait,
            &interrupts, &soft_interrupts, &stolen) != 8)
        fail("/proc/stat does not begin with the times of all processors");
    fclose(file);
    return (user + nice + system + interrupts + soft_interrupts + stolen) * 1e9 /
           (double)sysconf(_SC_CLK_TCK);
}

/* The line of PATH that begins with KEY, a number of kibibytes; in bytes. */
static double usage_field(const char *path, const char *key)
{
    char line[4096];
    double kibibytes = -1;
    FILE *file = usage_open(path);

    while (kibibytes < 0 && fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, key, strlen(key)) != 0 ||
            sscanf(line + strlen(key), "%lf", &kibibytes) != 1)
            kibibytes = -1;
    fclose(file);
    if (kibibytes < 0)
        fail("%s has no %s", path, key);
    return kibibytes * 1024;
}

/* Bytes on the processors' lists of free pages. */
static double usage_listed_memory(void)
{
    char line[256];
    double pages = 0, count;
    FILE *file = usage_open("/proc/zoneinfo");

    while (fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, " count: %lf", &count) == 1)
            pages += count;
    fclose(file);
    return pages * (double)sysconf(_SC_PAGESIZE);
}

double usage_available_memory(void)
{
    return usage_field("/proc/meminfo", "MemAvailable:") + usage_listed_memory();
}

double usage_anonymous_memory(pid_t pid)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    return usage_field(path, "RssAnon:");
}

double usage_own_memory(void)
{
    double total, resident;
    FILE *file = usage_open("/proc/self/statm");

    if (fscanf(file, "%lf %lf", &total, &resident) != 2)
        fail("/proc/self/statm does not begin with two numbers");
    fclose(file);
    return resident * (double)sysconf(_SC_PAGESIZE);
}
