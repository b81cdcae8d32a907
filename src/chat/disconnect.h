/* SPDX-License-Identifier: ISC */
/*
 * disconnect.h - the reasons for which a client is disconnected, one row each.
 */
#ifndef CHATROOMD_CHAT_DISCONNECT_H
#define CHATROOMD_CHAT_DISCONNECT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * symbol; word in logs and counters; text that the room receives after "NAME left" (NULL: the room
 * receives nothing); whether the client first receives everything that is pending for it (1), or is
 * already gone or is disconnected at once (0); the last line that the client itself receives, if
 * its deliverer is alive and the connection accepts the line after a complete one (NULL: none).
 */
#define LAST_LINE(why) "! You are disconnected: " why "\n"
#define DISCONNECT_REASONS(REASON)                                                                 \
    REASON(CLOSED, "closed", "", 1, NULL)                                                          \
    REASON(QUIT, "quit", " (quit)", 1, NULL)                                                       \
    REASON(CONNECTION_LOST, "connection-lost", " (connection lost)", 0, NULL)                      \
    REASON(STALLED, "stalled", " (too slow)", 0, LAST_LINE("too slow to read its messages"))       \
    REASON(WORKER_CRASH, "worker-crash", " (connection lost)", 0,                                  \
        LAST_LINE("internal error (the process for this connection crashed)"))                     \
    REASON(WORKER_FAULT, "worker-fault", " (connection lost)", 0,                                  \
        LAST_LINE("internal error (the process for this connection was faulty)"))                  \
    REASON(COURIER_LOST, "courier-lost", " (connection lost)", 0, NULL)                            \
    REASON(NO_WORKER, "no-worker", NULL, 0, NULL)                                                  \
    REASON(UNUSED, "unused", NULL, 0, NULL)                                                        \
    REASON(STOPPED, "stop", NULL, 1, NULL)

enum disconnect_reason {
    DISCONNECT_NONE,
#define REASON(symbol, word, announcement, drains, line) DISCONNECT_##symbol,
    DISCONNECT_REASONS(REASON)
#undef REASON
        DISCONNECT_COUNT
};

/* Returns the word in logs and counters. */
const char *disconnect_word(enum disconnect_reason reason);

/* Returns the text that the room receives after "NAME left", or NULL. */
const char *disconnect_announcement(enum disconnect_reason reason);

/* Returns whether the client first receives everything that is pending for it. */
bool disconnect_drains(enum disconnect_reason reason);

/* Returns the last line that the client itself receives, or NULL. */
const char *disconnect_last_line(enum disconnect_reason reason);

#endif
