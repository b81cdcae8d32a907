/* SPDX-License-Identifier: ISC */
/*
 * stop.h - stopping the server.
 */
#ifndef CHATROOMD_SUPERVISOR_STOP_H
#define CHATROOMD_SUPERVISOR_STOP_H

#include "supervisor/run.h"

#include <event2/util.h>

/* Begins the orderly stop for `cause`, one word for the log. */
void stop_begin(struct run *run, const char *cause);

/* Disconnects all clients after the stop notice was recorded, or when there was no space for it
 * within drain-timeout. */
void stop_disconnect_all(struct supervisor *supervisor);

/* To be called at each tick while the server is stopping: enforces drain-timeout, and kills all
 * children that are left some time after it. */
void stop_tick(struct run *run);

/* Kills all workers and couriers and abandons the orderly stop. */
void stop_kill_all(struct run *run);

/* A libevent callback for SIGTERM and SIGINT: begins the stop. If the server is stopping already, it
 * asks for stop_kill_all(), unless the signal repeats the first one within a second. */
void on_stop_signal(evutil_socket_t number, short what, void *argument);

/* A libevent callback for SIGQUIT: asks for stop_kill_all(). */
void on_quit(evutil_socket_t number, short what, void *argument);

#endif
