/* SPDX-License-Identifier: ISC */
/*
 * client.c - a line client of the server under test; see client.h for the model.
 *
 * Invariants: out.data[sent..length) is still to be sent; both are 0 if there is nothing to send.
 * cursor <= in.length. Once `ended` is set, the input is not read again.
 */
#include "config.h"

#include "tests/system/client.h"

#include "tests/system/address.h"
#include "tests/system/bounded.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX  1024
#define READ_AT_ONCE 65536
#define SHOWN_MAX    400

/* Makes room for `more` bytes and a NUL. */
static void bytes_reserve(struct client_bytes *bytes, size_t more)
{
    if (bytes->room - bytes->length > more)
        return;
    bytes->room = (bytes->length + more + 1) * 2;
    bytes->data = realloc(bytes->data, bytes->room);
    ck_assert_ptr_nonnull(bytes->data);
}

static void bytes_add(struct client_bytes *bytes, const void *added, size_t length)
{
    bytes_reserve(bytes, length);
    memcpy(bytes->data + bytes->length, added, length);
    bytes->length += length;
    bytes->data[bytes->length] = '\0';
}

/* How much of the unread input a failure shows. */
static const char *unseen(const struct client *client)
{
    static char shown[SHOWN_MAX];

    snprintf(shown, sizeof(shown), "%s",
        client->in.length > client->cursor ? client->in.data + client->cursor : "(nothing)");
    return shown;
}

struct client *client_adopt(int input, int output, const char *name)
{
    struct client *client = calloc(1, sizeof(*client));

    ck_assert_ptr_nonnull(client);
    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(fcntl(input, F_SETFL, fcntl(input, F_GETFL) | O_NONBLOCK), 0);
    ck_assert_int_eq(fcntl(output, F_SETFL, fcntl(output, F_GETFL) | O_NONBLOCK), 0);
    client->input = input;
    client->output = output;
    client->reads = true;
    snprintf(client->name, sizeof(client->name), "%s", name);
    return client;
}

struct client *client_open(const char *address, int receive_buffer)
{
    int descriptor = address_connect(address, receive_buffer);

    ck_assert_msg(descriptor >= 0, "cannot connect to %s: %s", address, strerror(errno));
    return client_adopt(descriptor, descriptor, "(newcomer)");
}

struct client *client_join(const char *address)
{
    return client_join_small(address, 0);
}

struct client *client_join_small(const char *address, int receive_buffer)
{
    struct client *client = client_open(address, receive_buffer);

    client_expect_welcome(client);
    return client;
}

unsigned client_expect_welcome(struct client *client)
{
    char name[CLIENT_NAME_MAX + 1] = "", expected[200];
    const char *line = client_line(client);
    unsigned here = 0;

    sscanf(line, "* Welcome to chatroomd; you are %32[^;]; %u here;", name, &here);
    snprintf(expected, sizeof(expected),
        "* Welcome to chatroomd; you are %s; %u here; /help lists the commands", name, here);
    ck_assert_msg(name[0] != '\0' && strcmp(line, expected) == 0,
        "a newcomer expected the welcome, and got: %s", line);
    memcpy(client->name, name, sizeof(name));
    return here;
}

void client_join_room(const char *address, struct client **clients, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        clients[at] = client_join(address);
        for (size_t earlier = 0; earlier < at; earlier++)
            client_expect(clients[earlier], "* %s joined", clients[at]->name);
    }
}

static void close_ends(struct client *client)
{
    if (client->input >= 0)
        close(client->input);
    if (client->output != client->input && client->output >= 0)
        close(client->output);
    client->input = client->output = -1;
}

void client_close(struct client *client)
{
    close_ends(client);
    free(client->in.data);
    free(client->out.data);
    free(client->line);
    free(client);
}

void client_break_off(struct client *client)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    setsockopt(client->input, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close_ends(client);
    client->ended = client->unheard = true;
}

void client_reset(struct client *client)
{
    client_break_off(client);
    client_close(client);
}

void client_half_close(struct client *client)
{
    if (client->output == client->input) {
        ck_assert_int_eq(shutdown(client->output, SHUT_WR), 0);
    } else {
        close(client->output);
        client->output = -1;
    }
}

void client_queue(struct client *client, const void *bytes, size_t length)
{
    bytes_add(&client->out, bytes, length);
}

static void queue_formatted(struct client *client, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void queue_formatted(struct client *client, const char *format, va_list arguments)
{
    char *text = NULL;
    int length = vasprintf(&text, format, arguments);

    ck_assert_int_ge(length, 0);
    client_queue(client, text, (size_t)length);
    free(text);
}

void client_queue_text(struct client *client, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    queue_formatted(client, format, arguments);
    va_end(arguments);
}

size_t client_unsent(const struct client *client)
{
    return client->unheard ? 0 : client->out.length - client->sent;
}

/* Waits until the kernel has taken all that is queued. */
static void flush(struct client *client)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    while (client_unsent(client) > 0)
        ck_assert_msg(client_turn(&client, 1, deadline), "%s cannot send: %zu bytes are left",
            client->name, client_unsent(client));
}

void client_send_bytes(struct client *client, const void *bytes, size_t length)
{
    client_queue(client, bytes, length);
    flush(client);
}

void client_send(struct client *client, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    queue_formatted(client, format, arguments);
    va_end(arguments);
    flush(client);
}

/* Reads what has arrived, and records the end or an error for the test. */
static void read_some(struct client *client)
{
    ssize_t got;

    bytes_reserve(&client->in, READ_AT_ONCE);
    got = read(client->input, client->in.data + client->in.length, READ_AT_ONCE);
    if (got > 0) {
        client->in.length += (size_t)got;
        client->in.data[client->in.length] = '\0';
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        client->ended = true;
        client->error = got == 0 ? 0 : errno;
    }
}

static void write_some(struct client *client)
{
    ssize_t put =
        write(client->output, client->out.data + client->sent, client->out.length - client->sent);

    if (put < 0 && errno != EAGAIN && errno != EINTR)
        client->unheard = true;
    if (put > 0)
        client->sent += (size_t)put;
    if (client->unheard || client->sent == client->out.length)
        client->out.length = client->sent = 0;
}

bool client_turn(struct client *const *clients, size_t count, int64_t deadline)
{
    static struct pollfd set[2 * CLIENTS_MAX];

    ck_assert_uint_le(count, CLIENTS_MAX);
    for (size_t at = 0; at < count; at++) {
        const struct client *client = clients[at];

        set[2 * at] = (struct pollfd){
            .fd = client->reads && !client->ended ? client->input : -1, .events = POLLIN};
        set[2 * at + 1] = (struct pollfd){
            .fd = client_unsent(client) > 0 ? client->output : -1, .events = POLLOUT};
    }
    if (bounded_poll(set, 2 * count, deadline) == 0)
        return false;
    for (size_t at = 0; at < count; at++) {
        if (set[2 * at].revents != 0)
            read_some(clients[at]);
        if (set[2 * at + 1].revents != 0)
            write_some(clients[at]);
    }
    return true;
}

const char *client_take(struct client *client)
{
    const char *start = client->in.data + client->cursor, *end;

    if (client->in.length == client->cursor)
        return NULL;
    end = memchr(start, '\n', client->in.length - client->cursor);
    if (end == NULL)
        return NULL;
    free(client->line);
    client->line = strndup(start, (size_t)(end - start));
    client->cursor += (size_t)(end - start) + 1;
    return client->line;
}

const char *client_line(struct client *client)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    const char *line;

    while ((line = client_take(client)) == NULL) {
        ck_assert_msg(!client->ended, "%s waits for a line, but its connection ended (%s): %s",
            client->name, strerror(client->error), unseen(client));
        ck_assert_msg(client_turn(&client, 1, deadline), "%s waits for a line, and none comes: %s",
            client->name, unseen(client));
    }
    return line;
}

void client_expect(struct client *client, const char *format, ...)
{
    char *expected = NULL;
    const char *line;
    va_list arguments;

    va_start(arguments, format);
    ck_assert_int_ge(vasprintf(&expected, format, arguments), 0);
    va_end(arguments);
    line = client_line(client);
    ck_assert_msg(strcmp(line, expected) == 0, "%s expected \"%.300s\", and got \"%.300s\"",
        client->name, expected, line);
    free(expected);
}

const char *client_expect_start(struct client *client, const char *start)
{
    const char *line = client_line(client);

    ck_assert_msg(strncmp(line, start, strlen(start)) == 0,
        "%s expected \"%.300s...\", and got \"%.300s\"", client->name, start, line);
    return line;
}

void client_expect_later(struct client *client, const char *format, ...)
{
    char *expected = NULL;
    va_list arguments;

    va_start(arguments, format);
    ck_assert_int_ge(vasprintf(&expected, format, arguments), 0);
    va_end(arguments);
    while (strcmp(client_line(client), expected) != 0)
        ;
    free(expected);
}

void client_read_to_end(struct client *client)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    client->reads = true;
    while (!client->ended)
        ck_assert_msg(client_turn(&client, 1, deadline),
            "%s waits for the end of its connection, which does not come: %s", client->name,
            unseen(client));
}

void client_expect_end(struct client *client)
{
    client_read_to_end(client);
    ck_assert_msg(client->cursor == client->in.length && client->error == 0,
        "%s expected an orderly end (%s), and got \"%s\"", client->name, strerror(client->error),
        unseen(client));
}

void client_expect_silence(struct client *speaker, struct client *const *listeners, size_t count)
{
    static unsigned number;

    client_send(speaker, "fence %u\n", ++number);
    for (size_t at = 0; at < count; at++)
        client_expect(listeners[at], "[%s] fence %u", speaker->name, number);
}
