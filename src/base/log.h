/* SPDX-License-Identifier: ISC */
/*
 * The log: one line per event, key=value, to stderr, from a bounded buffer that never blocks
 * the caller. Only the supervisor logs. The model is in log.c.
 */
#ifndef CHATROOMD_BASE_LOG_H
#define CHATROOMD_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* Name, word in the log, and the priority of syslog(3) that the journal knows it by. */
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

/* Bytes that the log holds while stderr is not read; what comes then is counted, not kept. */
#define LOG_BUFFER_SIZE 65536

/* The longest line, newline included; a longer one is cut. */
#define LOG_LINE_SIZE 2048

/*
 * Begin to log events up to THRESHOLD to stderr. Looks at JOURNAL_STREAM (systemd.exec(5)) to
 * know whether stderr is the journal. May be called again, which empties the buffer unwritten.
 */
void log_open(enum log_level threshold);

/* The word of LEVEL, as it stands in the log and in the configuration. */
const char *log_level_word(enum log_level level);

/*
 * Log EVENT, a word, with FORMAT (or NULL) giving "key=value key=value". Values that may hold
 * blanks go through log_quote(). Writes at once what stderr takes without blocking; the
 * rest waits for log_flush(). Does not change errno.
 */
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * TEXT as a value in a log line: as it is where it is plain, in quotes with \" \\ and \xNN where it
 * has a blank, a quote, '=', a control byte or is empty. The result is TEXT or BUFFER; what does
 * not fit in SIZE bytes ends in "...\"" instead. SIZE is at least 8.
 */
const char *log_quote(char *buffer, size_t size, const char *text);

/* Write what stderr takes without blocking. True when nothing is pending. */
bool log_flush(void);

/* Whether anything waits to be written, so that the caller comes back with log_flush(). */
bool log_pending(void);

/* Write all that is pending, waiting at most one second for stderr to be read. */
void log_close(void);

#endif
