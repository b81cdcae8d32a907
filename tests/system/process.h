/* SPDX-License-Identifier: ISC */
/*
 * process.h - what /proc shows of a process, for the system tests.
 *
 * Every function looks at one moment. To wait for a condition, a test calls it in a bounded_turn
 * loop. A process that is gone is no error: it has no title, no fields and no descriptors.
 */
#ifndef CHATROOMD_TESTS_SYSTEM_PROCESS_H
#define CHATROOMD_TESTS_SYSTEM_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The longest path or line of /proc that is read. */
#define PROCESS_TEXT_MAX 4352

/* Fills `children` with the children of `parent` that are not zombies, in no order. Returns
 * their number; more than `room` are an error in the test and fail an assertion. */
size_t process_children(pid_t parent, pid_t *children, size_t room);

/* Returns how many zombies `parent` has not reaped. */
size_t process_zombies(pid_t parent);

/* Reads the process title as ps shows it, with blanks between arguments; "" if there is none. */
void process_title(pid_t process, char *title, size_t size);

/* Reads the value of a field of /proc/PID/status, such as "VmRSS" or "SigIgn", without blanks
 * around it; returns false if there is none. */
bool process_status(pid_t process, const char *field, char *value, size_t size);

/* Returns the resident memory in KiB, 0 if the process is gone. */
size_t process_resident_kib(pid_t process);

/* Returns a signal set of /proc/PID/status ("SigIgn", "SigBlk", "SigCgt"): bit N - 1 is signal
 * N. */
uint64_t process_signals(pid_t process, const char *field);

/* An open descriptor of a process, and its target ("socket:[123]", "/dev/null"). */
struct process_descriptor {
    int number;
    char target[PROCESS_TEXT_MAX];
};

/* Fills `found` with the open descriptors of a process. Returns their number. */
size_t process_descriptors(pid_t process, struct process_descriptor *found, size_t room);

/* One line of /proc/PID/maps. */
struct process_mapping {
    size_t length;
    size_t offset;
    char rights[8];
    unsigned long inode;
    char path[PROCESS_TEXT_MAX];
};

/* Fills `found` with the shared mappings of a process, the only kind that two processes can
 * share. Returns their number. */
size_t process_shared_mappings(pid_t process, struct process_mapping *found, size_t room);

/* Returns whether the process has ended; reaps it if it is a child of this process. */
bool process_gone(pid_t process);

/* Waits until all of them have ended; returns false if the deadline passes first. */
bool process_all_gone(const pid_t *processes, size_t count, int64_t deadline);

#endif
