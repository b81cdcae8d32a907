/* SPDX-License-Identifier: ISC */
/*
 * The log: lines for stderr in one bounded buffer, for the one process that logs.
 *
 * Model:
 *  1. log_event() puts whole lines behind the others in the buffer; log_flush() takes bytes from
 *     its front, in order, and nothing else does.
 *  2. Nothing blocks. stderr is inherited, and O_NONBLOCK would be set for everyone who shares its
 *     open file description, so it stays as it is: poll(2) is asked first, then at most PIPE_BUF
 * bytes are written, which a pipe that polls writable has space for (pipe(7)). A socket is asked
 * with MSG_DONTWAIT. A terminal may poll writable with space for one byte, so it is opened once
 * more, non-blocking, as a description of our own.
 *  3. Overflow: a line that does not fit is lost and counted, and so are all after it until the
 *     buffer is empty; then `event=log-lost lines=N` stands in their place. Lines are lost, never
 *     reordered.
 *  4. A stderr that takes nothing (EPIPE, EBADF, a terminal that hung up, ENOSPC, EFBIG) loses what
 *     is in the buffer, counted likewise. The next event tries again. If a line was written in part
 *     before, the log-lost line begins on a line of its own.
 */
#include "config.h"

#include "base/log.h"

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

static struct {
    enum log_level threshold;
    int descriptor;
    bool is_socket;
    bool is_journal;
    size_t head, tail;     /* the pending bytes of buffer */
    unsigned long lost;    /* lines lost and not yet told of */
    unsigned long telling; /* what the log-lost line in the buffer says, 0 without one */
    size_t telling_end;    /* where that line ends in the buffer */
    bool within_line;      /* what was written last does not end in a line feed */
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
    state.lost = state.telling = 0;
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
        state.telling_end -= state.telling > 0 ? state.head : 0;
        state.head = 0;
        state.tail = pending;
    }
    memcpy(state.buffer + state.tail, line, length);
    state.tail += length;
    return true;
}

/* The log-lost line counts for the lines that it would have told of, not for itself, nor does the
 * line feed in front of it. */
static void drop_pending(void)
{
    state.lost += count_lines(state.buffer + state.head, state.tail - state.head);
    if (state.telling > 0)
        state.lost += state.telling - 1 - (state.head == 0 && state.buffer[0] == '\n');
    state.telling = 0;
    state.head = state.tail = 0;
}

/* Writes what fits at once, at most PIPE_BUF bytes. Returns as write(2) does. */
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

/* Returns false when stderr takes no more for now. */
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
        if (state.head >= state.telling_end)
            state.telling = 0;
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

static void tell_lost(void)
{
    char line[256] = "\n";
    size_t length = state.within_line ? 1 : 0;
    length += begin_line(line + length, sizeof line - length, LOG_LEVEL_WARNING, "log-lost");
    length += (size_t)snprintf(line + length, sizeof line - length, " lines=%lu\n", state.lost);
    assert(state.head == state.tail && length < sizeof line);
    append(line, length);
    state.telling = state.lost;
    state.telling_end = state.tail;
    state.lost = 0;
}

bool log_flush(void)
{
    if (!write_pending())
        return false;
    if (state.lost == 0)
        return true;
    tell_lost();
    return write_pending();
}

bool log_pending(void)
{
    return state.head < state.tail;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    if (level > state.threshold)
        return;
    int saved_errno = errno;
    char line[LOG_LINE_SIZE];
    size_t limit = sizeof line - 1; /* the newline's place */
    size_t length = begin_line(line, limit, level, event);
    if (format != NULL) {
        line[length++] = ' ';
        va_list arguments;
        va_start(arguments, format);
        int wanted = vsnprintf(line + length, limit - length, format, arguments);
        va_end(arguments);
        assert(wanted >= 0);
        length += (size_t)wanted < limit - length ? (size_t)wanted : limit - length - 1;
    }
    line[length++] = '\n';
    log_flush();
    if (state.lost > 0 || !append(line, length))
        state.lost++;
    write_pending();
    errno = saved_errno;
}

void log_close(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t end = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000 + 1000;
    while (!log_flush()) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        int64_t left = end - (now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000);
        if (left <= 0)
            return;
        struct pollfd stream = {.fd = state.descriptor, .events = POLLOUT};
        poll(&stream, 1, (int)left);
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

/* Puts BYTE as it stands between quotes into PIECE, and returns its length there. */
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

/* How many bytes before REST begin a character that goes on in REST. */
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
