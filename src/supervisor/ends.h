/*
 * ends.h - every way in which a client can be ended: one row each.
 */
#ifndef CHATROOMD_SUPERVISOR_ENDS_H
#define CHATROOMD_SUPERVISOR_ENDS_H

/*
 * symbol, word in logs and counters, what the room is told after "NAME left" (NULL: it is not told)
 */
#define ENDS(END)                                                                                  \
    END(CLOSED, "closed", "")                                                                      \
    END(QUIT, "quit", " (quit)")                                                                   \
    END(CONNECTION_LOST, "connection-lost", " (connection lost)")                                  \
    END(STALLED, "stalled", " (too slow)")                                                         \
    END(WORKER_CRASH, "worker-crash", " (connection lost)")                                        \
    END(WORKER_FAULT, "worker-fault", " (connection lost)")                                        \
    END(COURIER_LOST, "courier-lost", " (connection lost)")                                        \
    END(NO_WORKER, "no-worker", NULL)                                                              \
    END(UNUSED, "unused", NULL)                                                                    \
    END(STOPPED, "stop", NULL)

enum end_reason {
    END_NONE,
#define END(symbol, word, told) END_##symbol,
    ENDS(END)
#undef END
        END_COUNT
};

static inline const char *end_word(enum end_reason reason)
{
    static const char *const words[END_COUNT] = {[END_NONE] = "none",
#define END(symbol, word, told) [END_##symbol] = word,
        ENDS(END)
#undef END
    };
    return words[reason];
}

static inline const char *end_told(enum end_reason reason)
{
    static const char *const told_texts[END_COUNT] = {
#define END(symbol, word, told) [END_##symbol] = told,
        ENDS(END)
#undef END
    };
    return told_texts[reason];
}

#endif
