/* SPDX-License-Identifier: ISC */
/*
 * jail.h - what a child gives up before it handles anything that a client sent.
 */
#ifndef CHATROOMD_PROCESS_JAIL_H
#define CHATROOMD_PROCESS_JAIL_H

#include "process/kinds.h"

/* Makes the filters of all kinds, in order; a kind whose filter cannot be made has one of length 0.
 * Returns false, with errno set, if there is such a kind. */
bool jail_make_filters(const struct process_kinds *kinds, struct filter filters[KINDS_MAX]);

/*
 * Enters the jail. The process must have all mappings and descriptors that it will ever have, except
 * the sockets that it receives. Returns JAIL_WHOLE, or the first step that failed; the other steps
 * are taken nevertheless, so that `jail = best-effort` gives as much as possible. With `jail = off`
 * only the supervisor's death is watched.
 */
enum jail_step jail_enter(const struct heritage *heritage);

/* Kills this process when `supervisor`, its parent, dies; exits if that is dead already. Returns
 * false if the kernel refuses. A change of uid cancels it. */
bool jail_follow(pid_t supervisor);

/* Adds 500 of 1000 to the score by which the kernel chooses a process to kill when memory runs out;
 * children inherit that. Returns false, with errno set, if that is refused; a higher score that is
 * there already counts as success. */
bool jail_offer_to_oom(void);

/* Sets a resource limit, hard and soft. Returns false with errno set. */
bool jail_limit(int resource, rlim_t most);

/* The lowest number that is free for a descriptor. */
rlim_t jail_next_descriptor(void);

#endif
