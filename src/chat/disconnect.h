/* SPDX-License-Identifier: ISC */
/*
 * disconnect.h - the reasons for which a client is disconnected, one row each.
 */
#ifndef CHATROOMD_CHAT_DISCONNECT_H
#define CHATROOMD_CHAT_DISCONNECT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * symbol; word in logs and counters; what the room is told after "NAME left" (NULL: the room is not
 * told); whether the client first receives everything that is pending for it (1), or is already
 * gone or is cut off (0); the last line that the client itself receives, if the process that writes
 * to it is alive and the line fits after a complete line (NULL: none).
 */
#define LAST_LINE(why) "! You are disconnected: " why "\n"
#define DISCONNECT_REASONS(REASON)                                                                 \
    REASON(CLOSED, "closed", "", 1, NULL)                                                          \
    REASON(QUIT, "quit", " (quit)", 1, NULL)                                                       \
    REASON(CONNECTION_LOST, "connection-lost", " (connection lost)", 0, NULL)                      \
    REASON(STALLED, "stalled", " (too slow)", 0,                                                   \
        LAST_LINE("this connection takes its messages too slowly"))                                \
    REASON(WORKER_CRASH, "worker-crash", " (connection lost)", 0,                                  \
        LAST_LINE("the process that read this connection has died"))                               \
    REASON(WORKER_FAULT, "worker-fault", " (connection lost)", 0,                                  \
        LAST_LINE("the process that read this connection was at fault"))                           \
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

/* The word in logs and counters. */
const char *disconnect_word(enum disconnect_reason reason);

/* What the room is told after "NAME left"; NULL: the room is not told. */
const char *disconnect_announcement(enum disconnect_reason reason);

/* Whether the client first receives everything that is pending for it. */
bool disconnect_drains(enum disconnect_reason reason);

/* The last line that the client itself receives; NULL: none. */
const char *disconnect_last_line(enum disconnect_reason reason);

#endif
