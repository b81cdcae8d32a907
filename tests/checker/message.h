/* SPDX-License-Identifier: ISC */
/*
 * message.h - the messages of a checked run. Each contains its writer, its number, and a checksum
 * of itself, so that what a client has received can be checked by itself.
 *
 *     w7 n1024 c89abcdef any text
 *     |  |     |         '- payload: up to MESSAGE_PAYLOAD_MAX bytes, may be empty
 *     |  |     '- CRC-32 of "w7 n1024 any text", 8 hexadecimal digits
 *     |  '- number: 1 for the writer's first message, one more for each
 *     '- writer: from 1
 *
 * Pure functions of their arguments.
 */
#ifndef CHATROOMD_TESTS_CHECKER_MESSAGE_H
#define CHATROOMD_TESTS_CHECKER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#define MESSAGE_PAYLOAD_MAX 1500
/* The size of a buffer for any message and its NUL. */
#define MESSAGE_ROOM (MESSAGE_PAYLOAD_MAX + 64)

/* Writes the message, without a line feed, to `text` of MESSAGE_ROOM bytes. Returns its length. */
size_t message_compose(char *text, unsigned writer, unsigned long number, const char *payload);

/* Reads a message and verifies its checksum; returns false if it is not a message, or damaged. */
bool message_parse(const char *text, size_t length, unsigned *writer, unsigned long *number);

#endif
