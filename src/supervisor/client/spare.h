/* SPDX-License-Identifier: ISC */
/*
 * spare.h - client workers made ahead, so that a newcomer need not wait for a fork.
 */
#ifndef CHATROOMD_SUPERVISOR_CLIENT_SPARE_H
#define CHATROOMD_SUPERVISOR_CLIENT_SPARE_H

#include "supervisor/state.h"

/* Asks for the worker of a slot just taken. Returns NULL, or, with errno set, what could not be
 * done. */
const char *spare_make(struct slot *slot);

/* A slot whose worker waits for a client, or will as soon as it is made; NULL where there is none.
 * It is none of the spares any more. */
struct slot *spare_take(struct supervisor *supervisor);

/* A spare worker has died, or could not be made: the next one comes later. */
void spare_failed(struct supervisor *supervisor);

/* At the end of a turn: makes as many as are missing, or says in how many milliseconds that is due
 * (0: it is not). Returns whether a later try is due by the clock. */
bool spares_turn(struct supervisor *supervisor, unsigned *rest_due);

#endif
