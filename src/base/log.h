/* SPDX-License-Identifier: ISC */
/*
 * log.h - the log on stderr: one line of key=value pairs per event.
 *
 * Lines go through a bounded buffer, so that logging never blocks. Only the supervisor logs.
 */
#ifndef CHATROOMD_BASE_LOG_H
#define CHATROOMD_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* Name, word in the log, and priority of syslog(3) for the journal. */
#define LOG_LEVELS(LEVEL)                                                                          \
    LEVEL(LOG_LEVEL_ERROR, "error", 3)                                                             \
    LEVEL(LOG_LEVEL_WARNING, "warning", 4)                                                         \
    LEVEL(LOG_LEVEL_NOTICE, "notice", 5)                                                           \
    LEVEL(LOG_LEVEL_INFO, "info", 6)                                                               \
    LEVEL(LOG_LEVEL_DEBUG, "debug", 7)

enum log_level {
#define LOG_LEVEL_NAME(name, word, priority) name,
    LOG_LEVELS(LOG_LEVEL_NAME)
#undef LOG_LEVEL_NAME
};

#define LOG_LEVEL_COUNT (LOG_LEVEL_DEBUG + 1)

/* Size of the buffer for lines that stderr does not accept yet. Further lines are counted only. */
#define LOG_BUFFER_SIZE 65536

/* Maximum length of a line including the newline; a longer line is cut. */
#define LOG_LINE_SIZE 2048

/*
 * Starts to log events up to `threshold`. Uses JOURNAL_STREAM (systemd.exec(5)) to find out whether
 * stderr is the journal. If called again, discards the content of the buffer.
 */
void log_open(enum log_level threshold);

/* Returns the word for `level` in the log and in the configuration. */
const char *log_level_word(enum log_level level);

/*
 * Logs `event`, a word, followed by `format` (or NULL), which gives "key=value key=value". Values
 * that may contain blanks must go through `log_quote`. Writes as much as stderr accepts without
 * blocking; `log_flush` writes the rest. Preserves errno.
 */
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Returns `text` as a value for a log line. Text that is empty or contains a blank, a quote, '=' or
 * a control byte is quoted, with \" \\ and \xNN as escape sequences. The result is `text` itself or
 * in `buffer`, cut to `size` bytes with "...\"" at the end. `size` is at least 8.
 */
const char *log_quote(char *buffer, size_t size, const char *text);

/* The rate limit of one kind of line. Initially all zero; it must exist until `log_close`. */
struct log_limit {
    LIST_ENTRY(log_limit) link;
    uint64_t until;           /* time on CLOCK_MONOTONIC before which no line is written */
    unsigned long suppressed; /* lines since the last one that was written */
    enum log_level level;     /* of the last suppressed line */
    const char *event;        /* of the last suppressed line; must exist as long as the limit */
};

/*
 * Like `log_event`, for events that can occur very often: of those with the same `limit`, at most
 * one per second is logged. If lines were suppressed, `log_flush` logs `event=log-suppressed
 * lines=N of=EVENT` after that second.
 */
void log_event_limited(struct log_limit *limit, enum log_level level, const char *event,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Writes as much as stderr accepts without blocking. Returns false if bytes or the count of a limit
 * remain, so that it must be called again. */
bool log_flush(void);

/* Writes the whole buffer, waiting at most one second for stderr to accept it. */
void log_close(void);

#endif
