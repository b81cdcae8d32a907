/* SPDX-License-Identifier: ISC */
/*
 * leave.h - why and how a client left.
 */
#ifndef CHATROOMD_SUPERVISOR_CLIENT_LEAVE_H
#define CHATROOMD_SUPERVISOR_CLIENT_LEAVE_H

#include "chat/disconnect.h"
#include "relay/frame.h"

struct slot;

/* Why the client of a worker that has exited is disconnected, if there was no reason before. */
enum disconnect_reason leave_reason(const struct slot *slot);

/* How a courier disconnects the client of a worker that has exited: with the last line, if the
 * reason has one. */
enum frame_close leave_how(enum disconnect_reason reason);

/* Log that the worker broke the rule that `what` says, or that it crashed, if it did; and count that
 * against the address of its client. */
void leave_log_fault(const struct slot *slot, const char *what);
void leave_log_crash(const struct slot *slot);

/* Logs the end of a client's life. */
void leave_log(struct slot *slot);

#endif
