/* SPDX-License-Identifier: ISC */
/*
 * disconnect.c - looks up columns of the table of reasons.
 */
#include "config.h"

#include "chat/disconnect.h"

struct row {
    const char *word;
    const char *announcement;
    bool drains;
    const char *last_line;
};

static const struct row rows[DISCONNECT_COUNT] = {[DISCONNECT_NONE] = {"none", NULL, false, NULL},
#define REASON(symbol, word, announcement, drains, line)                                           \
    [DISCONNECT_##symbol] = {word, announcement, drains, line},
    DISCONNECT_REASONS(REASON)
#undef REASON
};

const char *disconnect_word(enum disconnect_reason reason)
{
    return rows[reason].word;
}

const char *disconnect_announcement(enum disconnect_reason reason)
{
    return rows[reason].announcement;
}

bool disconnect_drains(enum disconnect_reason reason)
{
    return rows[reason].drains;
}

const char *disconnect_last_line(enum disconnect_reason reason)
{
    return rows[reason].last_line;
}
