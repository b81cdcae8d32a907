/* SPDX-License-Identifier: ISC */
/*
 * message.c - the messages of a checked run; see message.h.
 */
#include "config.h"

#include "tests/checker/message.h"

#include <assert.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CRC_POLYNOMIAL UINT32_C(0xedb88320)

/* CRC-32 of IEEE 802.3, continued from the value of an earlier part (0 for none). */
static uint32_t crc32_add(uint32_t crc, const char *bytes, size_t length)
{
    crc = ~crc;
    for (size_t at = 0; at < length; at++) {
        crc ^= (unsigned char)bytes[at];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (CRC_POLYNOMIAL & (0 - (crc & 1)));
    }
    return ~crc;
}

static uint32_t checksum(
    unsigned writer, unsigned long number, const char *payload, size_t payload_length)
{
    char head[48];
    int length = snprintf(head, sizeof(head), "w%u n%lu ", writer, number);

    return crc32_add(crc32_add(0, head, (size_t)length), payload, payload_length);
}

size_t message_compose(char *text, unsigned writer, unsigned long number, const char *payload)
{
    size_t payload_length = strlen(payload);
    int length;

    assert(payload_length <= MESSAGE_PAYLOAD_MAX);
    length = snprintf(text, MESSAGE_ROOM, "w%u n%lu c%08" PRIx32 " %s", writer, number,
        checksum(writer, number, payload, payload_length), payload);
    assert(length > 0 && length < MESSAGE_ROOM);
    return (size_t)length;
}

bool message_parse(const char *text, size_t length, unsigned *writer, unsigned long *number)
{
    char head[64], again[64];
    size_t head_length = length < sizeof(head) - 1 ? length : sizeof(head) - 1;
    uint32_t crc;
    int end = 0;

    memcpy(head, text, head_length);
    head[head_length] = '\0';
    if (sscanf(head, "w%u n%lu c%8" SCNx32 "%n", writer, number, &crc, &end) < 3 ||
        (size_t)end >= length)
        return false;
    /* Composed again it must be the same: sscanf accepts leading zeros and signs. */
    snprintf(again, sizeof(again), "w%u n%lu c%08" PRIx32 " ", *writer, *number, crc);
    if ((size_t)end + 1 != strlen(again) || strncmp(again, text, (size_t)end + 1) != 0)
        return false;
    return crc == checksum(*writer, *number, text + end + 1, length - (size_t)end - 1);
}
