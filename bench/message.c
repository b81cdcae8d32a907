/* SPDX-License-Identifier: ISC */
/* Writing the text of a benchmark message; see message.h. */
#include "config.h"

#include "message.h"

#include <assert.h>

const struct message_number message_first = {{'0', '0', '0', '0', '0', '0', '0', '1'}};

void message_write(char *text, size_t size, unsigned writer)
{
    assert(size >= MESSAGE_SIZE_MIN && size <= MESSAGE_SIZE_MAX && writer < MESSAGE_WRITERS_MAX);

    memset(text, ' ', size);
    text[0] = (char)('0' + writer / 10);
    text[1] = (char)('0' + writer % 10);
    memcpy(text + MESSAGE_NUMBER, message_first.digits, MESSAGE_NUMBER_LENGTH);
    message_stamp(text, 0);
    for (size_t i = MESSAGE_FILL; i < size; i++)
        text[i] = (char)('a' + (i - MESSAGE_FILL) % 26);
}

void message_stamp(char *text, uint64_t now)
{
    for (int i = MESSAGE_TIME_LENGTH - 1; i >= 0; i--) {
        text[MESSAGE_TIME + i] = (char)('0' + now % 10);
        now /= 10;
    }
}

uint64_t message_time(const char *text)
{
    uint64_t time = 0;

    for (int i = 0; i < MESSAGE_TIME_LENGTH; i++)
        time = time * 10 + (uint64_t)(text[MESSAGE_TIME + i] - '0');
    return time;
}
