/*
 * jail.h - what a worker gives up before it reads the first byte of its client.
 */
#ifndef CHATROOMD_WORKER_JAIL_H
#define CHATROOMD_WORKER_JAIL_H

#include "relay/heritage.h"

/* Makes the filter of client workers; to be called once, before the workers are made. False, with
 * errno set, where there can be none. */
bool jail_prepare(void);

/*
 * Enters the jail. To be called when all mappings and descriptors that the worker will ever have
 * are there. Returns JAIL_WHOLE, or the first step that could not be done; the others are done all
 * the same, so that with `jail = best-effort` there is as much of it as can be had. With
 * `jail = off` nothing is done. The supervisor's death is watched in every case.
 */
enum jail_step jail_enter(const struct heritage *heritage);

#endif
