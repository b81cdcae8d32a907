/* SPDX-License-Identifier: ISC */
/*
 * log.c - log lines for stderr in one bounded buffer. Only one process may log.
 *
 * Model:
 *  1. `log_event` appends whole lines to the buffer; only `log_flush` removes bytes, at its front.
 *  2. Nothing blocks. stderr is inherited, and O_NONBLOCK would affect everyone who shares its open
 *     file description, so it is not set. Instead poll(2) is called first, and then at most
 *     PIPE_BUF bytes are written, which a writable pipe accepts without blocking (pipe(7)). A
 *     socket is written with MSG_DONTWAIT. A terminal may be writable with space for one byte only,
 *     so it is opened again, non-blocking, with a file description of our own.
 *  3. Overflow: a line that does not fit is lost and counted, and so are all later lines until the
 *     buffer is empty. Then `event=log-lost lines=N` takes their place. Lines are never reordered.
 *  4. If stderr accepts nothing (EPIPE, EBADF, a terminal that hung up, ENOSPC, EFBIG), the
 *     buffered lines are lost and counted too. The next event tries to write again. If a line was
 *     written in part before, the log-lost line begins on a line of its own.
 *  5. A `struct log_limit` lets one line of its kind through per second. The others are counted,
 *     and `log_flush` writes the count when the second is over, as the one line of the next second.
 */
#include "config.h"

#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)

static struct {
    enum log_level threshold;
    int descriptor;
    bool is_socket;
    bool is_journal;
    size_t head, tail;       /* the pending bytes of buffer */
    unsigned long lost;      /* lines lost and not yet reported */
    unsigned long reporting; /* the number in the log-lost line in the buffer; 0: there is none */
    size_t report_end;       /* the end of that line in the buffer */
    bool within_line;        /* what was written last does not end in a line feed */
    LIST_HEAD(, log_limit) limits; /* those with suppressed lines */
    char buffer[LOG_BUFFER_SIZE];
} state = {.threshold = LOG_LEVEL_INFO, .descriptor = STDERR_FILENO};

static const char *const level_words[] = {
#define LOG_LEVEL_WORD(name, word, priority) [name] = word,
    LOG_LEVELS(LOG_LEVEL_WORD)
#undef LOG_LEVEL_WORD
};

static const int level_priorities[] = {
#define LOG_LEVEL_PRIORITY(name, word, priority) [name] = priority,
    LOG_LEVELS(LOG_LEVEL_PRIORITY)
#undef LOG_LEVEL_PRIORITY
};

const char *log_level_word(enum log_level level)
{
    return level_words[level];
}

/* --- stderr */

/* systemd.exec(5): JOURNAL_STREAM is the device and inode of the journal's socket. */
static bool stderr_is_journal(const struct stat *status)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char own[64];
    snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)status->st_dev, (uintmax_t)status->st_ino);
    return stream != NULL && strcmp(stream, own) == 0;
}

static int stderr_descriptor(void)
{
    if (!isatty(STDERR_FILENO))
        return STDERR_FILENO;
    int own = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return own >= 0 ? own : STDERR_FILENO;
}

void log_open(enum log_level threshold)
{
    if (state.descriptor != STDERR_FILENO)
        close(state.descriptor);
    state.threshold = threshold;
    state.descriptor = stderr_descriptor();
    state.head = state.tail = 0;
    state.lost = state.reporting = 0;
    LIST_INIT(&state.limits);
    struct stat status;
    bool known = fstat(STDERR_FILENO, &status) == 0;
    state.is_socket = known && S_ISSOCK(status.st_mode);
    state.is_journal = known && stderr_is_journal(&status);
}

/* --- the buffer */

static unsigned long count_lines(const char *bytes, size_t length)
{
    unsigned long lines = 0;
    for (size_t i = 0; i < length; i++)
        lines += bytes[i] == '\n';
    return lines;
}

static bool append(const char *line, size_t length)
{
    if (state.tail + length > LOG_BUFFER_SIZE) {
        size_t pending = state.tail - state.head;
        if (pending + length > LOG_BUFFER_SIZE)
            return false;
        memmove(state.buffer, state.buffer + state.head, pending);
        state.report_end -= state.reporting > 0 ? state.head : 0;
        state.head = 0;
        state.tail = pending;
    }
    memcpy(state.buffer + state.tail, line, length);
    state.tail += length;
    return true;
}

/* If the log-lost line is dropped, the lines that it reports are counted again, but not itself, nor
 * the line feed in front of it. */
static void drop_pending(void)
{
    state.lost += count_lines(state.buffer + state.head, state.tail - state.head);
    if (state.reporting > 0)
        state.lost += state.reporting - 1 - (state.head == 0 && state.buffer[0] == '\n');
    state.reporting = 0;
    state.head = state.tail = 0;
}

/* Writes as much as can be written at once, at most PIPE_BUF bytes. Returns as write(2) does. */
static ssize_t write_some(void)
{
    const char *bytes = state.buffer + state.head;
    size_t length = state.tail - state.head;
    if (length > PIPE_BUF)
        length = PIPE_BUF;
    if (state.is_socket)
        return send(state.descriptor, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    struct pollfd stream = {.fd = state.descriptor, .events = POLLOUT};
    if (poll(&stream, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return write(state.descriptor, bytes, length);
}

/* Returns false if stderr accepts no more for now. */
static bool write_pending(void)
{
    while (state.head < state.tail) {
        ssize_t written = write_some();
        if (written > 0) {
            state.head += (size_t)written;
            state.within_line = state.buffer[state.head - 1] != '\n';
        } else if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return false;
        } else if (written < 0 && errno != EINTR) {
            drop_pending();
        }
        if (state.head >= state.report_end)
            state.reporting = 0;
    }
    state.head = state.tail = 0;
    return true;
}

/* --- lines */

static size_t begin_line(char *line, size_t size, enum log_level level, const char *event)
{
    char when[64];
    struct timespec now;
    struct tm calendar;
    clock_gettime(CLOCK_REALTIME, &now);
    if (state.is_journal) {
        snprintf(when, sizeof when, "<%d>", level_priorities[level]);
    } else {
        gmtime_r(&now.tv_sec, &calendar);
        size_t length = strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &calendar);
        snprintf(when + length, sizeof when - length, ".%03ldZ ", now.tv_nsec / 1000000);
    }
    int length = snprintf(line, size, "%slevel=%s event=%s", when, level_words[level], event);
    assert(length > 0 && (size_t)length < size);
    return (size_t)length;
}

static void report_lost(void)
{
    char line[256] = "\n";
    size_t length = state.within_line ? 1 : 0;
    length += begin_line(line + length, sizeof line - length, LOG_LEVEL_WARNING, "log-lost");
    length += (size_t)snprintf(line + length, sizeof line - length, " lines=%lu\n", state.lost);
    assert(state.head == state.tail && length < sizeof line);
    append(line, length);
    state.reporting = state.lost;
    state.report_end = state.tail;
    state.lost = 0;
}

static bool flush_buffer(void)
{
    if (!write_pending())
        return false;
    if (state.lost == 0)
        return true;
    report_lost();
    return write_pending();
}

static void write_event(
    enum log_level level, const char *event, const char *format, va_list arguments)
{
    int saved_errno = errno;
    char line[LOG_LINE_SIZE];
    size_t limit = sizeof line - 1; /* one byte for the newline */
    size_t length = begin_line(line, limit, level, event);
    if (format != NULL) {
        line[length++] = ' ';
        int wanted = vsnprintf(line + length, limit - length, format, arguments);
        assert(wanted >= 0);
        length += (size_t)wanted < limit - length ? (size_t)wanted : limit - length - 1;
    }
    line[length++] = '\n';
    flush_buffer();
    if (state.lost > 0 || !append(line, length))
        state.lost++;
    write_pending();
    errno = saved_errno;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    va_list arguments;
    if (level > state.threshold)
        return;
    va_start(arguments, format);
    write_event(level, event, format, arguments);
    va_end(arguments);
}

/* --- rate limits */

void log_event_limited(
    struct log_limit *limit, enum log_level level, const char *event, const char *format, ...)
{
    va_list arguments;
    if (level > state.threshold)
        return;
    uint64_t now = clock_monotonic_ns();
    if (limit->suppressed > 0 || now < limit->until) {
        if (limit->suppressed++ == 0)
            LIST_INSERT_HEAD(&state.limits, limit, link);
        limit->level = level;
        limit->event = event;
        return;
    }
    limit->until = now + SECOND_NS;
    va_start(arguments, format);
    write_event(level, event, format, arguments);
    va_end(arguments);
}

/* Writes how many lines were suppressed, for each limit whose second is over, or for `all`. */
static void write_suppressed(bool all)
{
    uint64_t now = LIST_EMPTY(&state.limits) ? 0 : clock_monotonic_ns();
    struct log_limit *limit, *next;
    for (limit = LIST_FIRST(&state.limits); limit != NULL; limit = next) {
        next = LIST_NEXT(limit, link);
        if (!all && now < limit->until)
            continue;
        LIST_REMOVE(limit, link);
        log_event(
            limit->level, "log-suppressed", "lines=%lu of=%s", limit->suppressed, limit->event);
        limit->suppressed = 0;
        limit->until = now + SECOND_NS;
    }
}

bool log_flush(void)
{
    write_suppressed(false);
    return flush_buffer() && LIST_EMPTY(&state.limits);
}

void log_close(void)
{
    uint64_t end = clock_monotonic_ns() + SECOND_NS, now;
    write_suppressed(true);
    while (!flush_buffer()) {
        now = clock_monotonic_ns();
        if (now >= end)
            return;
        struct pollfd stream = {.fd = state.descriptor, .events = POLLOUT};
        poll(&stream, 1, (int)((end - now) / 1000000 + 1));
    }
}

/* --- values */

static bool is_plain(const char *text, bool well_formed)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte <= ' ' || byte == 0x7f || strchr("\"\\=", byte) != NULL)
            return false;
        if (byte >= 0x80 && !well_formed)
            return false;
    }
    return true;
}

/* Writes `byte` to `piece` as it appears in a quoted value. Returns the length. */
static size_t quote_byte(char piece[8], unsigned char byte, bool well_formed)
{
    if (byte < ' ' || byte == 0x7f || (byte >= 0x80 && !well_formed))
        return (size_t)snprintf(piece, 8, "\\x%02x", byte);
    size_t length = 0;
    if (byte == '"' || byte == '\\')
        piece[length++] = '\\';
    piece[length++] = (char)byte;
    return length;
}

/* Returns how many bytes before `rest` belong to a character that continues in `rest`. */
static size_t cut_character(const char *rest, bool well_formed)
{
    size_t length = 0;
    while (well_formed && ((unsigned char)rest[-(ptrdiff_t)length] & 0xc0) == 0x80)
        length++;
    return length;
}

const char *log_quote(char *buffer, size_t size, const char *text)
{
    static const char cut[] = "...\"";
    assert(size >= 8);
    bool well_formed = text_check(text, strlen(text)) == TEXT_OK;
    if (is_plain(text, well_formed))
        return text;
    size_t length = 0;
    buffer[length++] = '"';
    for (; *text != '\0'; text++) {
        char piece[8];
        size_t piece_length = quote_byte(piece, (unsigned char)*text, well_formed);
        if (length + piece_length + sizeof cut > size) {
            length -= cut_character(text, well_formed);
            memcpy(buffer + length, cut, sizeof cut);
            return buffer;
        }
        memcpy(buffer + length, piece, piece_length);
        length += piece_length;
    }
    memcpy(buffer + length, "\"", 2);
    return buffer;
}
