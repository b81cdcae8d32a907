/*
 * ends.h - every way in which a client can be ended: one row each.
 */
#ifndef CHATROOMD_CHAT_DISCONNECT_H
#define CHATROOMD_CHAT_DISCONNECT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * symbol, word in logs and counters, what the room is told after "NAME left" (NULL: it is not
 * told), whether the client is given all that it is owed first (1) or is gone already or has to go
 * (0), the last line that it is given itself, where whoever writes to it lives and the line fits
 * behind the last one (NULL: none)
 */
#define ENDS(END)                                                                                  \
    END(CLOSED, "closed", "", 1, NULL)                                                             \
    END(QUIT, "quit", " (quit)", 1, NULL)                                                          \
    END(CONNECTION_LOST, "connection-lost", " (connection lost)", 0, NULL)                         \
    END(STALLED, "stalled", " (too slow)", 0,                                                      \
        END_LINE("this connection takes its messages too slowly"))                                 \
    END(WORKER_CRASH, "worker-crash", " (connection lost)", 0,                                     \
        END_LINE("the process that read this connection has died"))                                \
    END(WORKER_FAULT, "worker-fault", " (connection lost)", 0,                                     \
        END_LINE("the process that read this connection was at fault"))                            \
    END(COURIER_LOST, "courier-lost", " (connection lost)", 0, NULL)                               \
    END(NO_WORKER, "no-worker", NULL, 0, NULL)                                                     \
    END(UNUSED, "unused", NULL, 0, NULL)                                                           \
    END(STOPPED, "stop", NULL, 1, NULL)

#define END_LINE(why) "! You are disconnected: " why "\n"

enum end_reason {
    END_NONE,
#define END(symbol, word, told, drains, line) END_##symbol,
    ENDS(END)
#undef END
        END_COUNT
};

static inline const char *end_word(enum end_reason reason)
{
    static const char *const words[END_COUNT] = {[END_NONE] = "none",
#define END(symbol, word, told, drains, line) [END_##symbol] = word,
        ENDS(END)
#undef END
    };
    return words[reason];
}

static inline const char *end_told(enum end_reason reason)
{
    static const char *const told_texts[END_COUNT] = {
#define END(symbol, word, told, drains, line) [END_##symbol] = told,
        ENDS(END)
#undef END
    };
    return told_texts[reason];
}

static inline bool end_drains(enum end_reason reason)
{
    static const bool drains_at[END_COUNT] = {
#define END(symbol, word, told, drains, line) [END_##symbol] = drains,
        ENDS(END)
#undef END
    };
    return drains_at[reason];
}

static inline const char *end_line(enum end_reason reason)
{
    static const char *const lines[END_COUNT] = {
#define END(symbol, word, told, drains, line) [END_##symbol] = line,
        ENDS(END)
#undef END
    };
    return lines[reason];
}

#endif
