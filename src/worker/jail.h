/*
 * jail.h - what a worker gives up before it reads the first byte of its client.
 */
#ifndef CHATROOMD_WORKER_JAIL_H
#define CHATROOMD_WORKER_JAIL_H

#include "relay/heritage.h"

/* Makes the filter of a kind of worker; to be called once, before there are any. False, with errno
 * set, where there can be none. */
bool jail_prepare(enum worker_kind_number kind);

/*
 * Enters the jail, in two parts: all steps that leave a worker the means to take the descriptors
 * that it is still to get; and, when all mappings and descriptors that it will ever have are there
 * (a courier's clients come later, by its handover socket), the rest. Each returns JAIL_WHOLE, or
 * the first step that could not be done; the others are done all the same, so that with `jail =
 * best-effort` there is as much of it as can be had. With `jail = off` nothing is done. The
 * supervisor's death is watched in every case.
 */
enum jail_step jail_approach(const struct heritage *heritage);
enum jail_step jail_shut(const struct heritage *heritage);

/* Both. */
enum jail_step jail_enter(const struct heritage *heritage);

#endif
