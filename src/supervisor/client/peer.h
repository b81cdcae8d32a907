/* SPDX-License-Identifier: ISC */
/*
 * peer.h - keeps the connections of clients that do not read, but whose host is alive.
 */
#ifndef CHATROOMD_SUPERVISOR_CLIENT_PEER_H
#define CHATROOMD_SUPERVISOR_CLIENT_PEER_H

#include <stdbool.h>

struct supervisor;

/* To be called once there is an event loop. Returns false on failure. */
bool peers_open(struct supervisor *supervisor);

/* At the end of a turn: has the connections checked if there are new records. */
void peers_turn(struct supervisor *supervisor);

void peers_close(struct supervisor *supervisor);

#endif
