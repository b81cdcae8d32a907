/* SPDX-License-Identifier: ISC */
/*
 * stop.h - stopping the server.
 */
#ifndef CHATROOMD_SUPERVISOR_STOP_H
#define CHATROOMD_SUPERVISOR_STOP_H

#include "supervisor/run.h"

#include <event2/util.h>

/* Begins the orderly stop for `cause`, one word for the log. */
void begin_stop(struct run *run, const char *cause);

/* Disconnects all clients after the stop notice was recorded, or when there was no space for it
 * within drain-timeout. */
void end_all(struct supervisor *supervisor);

/* Kills all workers and couriers and abandons the orderly stop. */
void kill_all(struct run *run);

/* A libevent callback for SIGTERM and SIGINT: begins the stop. If the server is stopping already, it
 * asks for kill_all(), unless the signal repeats the first one within a second. */
void on_stop_signal(evutil_socket_t number, short what, void *argument);

/* A libevent callback for SIGQUIT: asks for kill_all(). */
void on_quit(evutil_socket_t number, short what, void *argument);

#endif
