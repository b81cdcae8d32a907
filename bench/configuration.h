/* SPDX-License-Identifier: ISC */
/*
 * The configuration a peer is started with: bench/NAME.conf, in which @PORT@ and @CLIENTS@ stand
 * for what the measurement needs. It is filled in to a file of its own, which is there only while
 * the server starts.
 */
#ifndef CHATROOMD_BENCH_CONFIGURATION_H
#define CHATROOMD_BENCH_CONFIGURATION_H

#include "peer.h"

#define CONFIGURATION_FILE "@FILE@" /* in the arguments below: the path of the file */

/*
 * Start ARGUMENTS with the configuration NAME on a free port of 127.0.0.1, as server_start() does
 * with READY, and tell ADDRESS. False: it is not installed.
 */
bool configuration_start(struct server *server, const char *const arguments[], const char *name,
    const char *ready, const struct peer_settings *settings, char *address);

#endif
