/* SPDX-License-Identifier: ISC */
/*
 * jail.h - what a worker gives up before it is given its client.
 */
#ifndef CHATROOMD_PROCESS_JAIL_H
#define CHATROOMD_PROCESS_JAIL_H

#include "process/heritage.h"

/* Makes the filter of a kind of worker; to be called once, before there are any. False, with errno
 * set, where there can be none. */
bool jail_prepare(enum kind_number kind);

/*
 * Enters the jail, when all mappings and descriptors that the process will ever have are there but
 * for its client's socket (a courier's: its clients'). Returns JAIL_WHOLE, or the first step that
 * could not be done; the others are done all the same, so that with `jail = best-effort` there is
 * as much of it as can be had. With `jail = off` nothing is done. The supervisor's death is watched
 * in every case.
 */
enum jail_step jail_enter(const struct heritage *heritage);

#endif
