/* SPDX-License-Identifier: ISC */
/*
 * Mosquitto, an MQTT 3.1.1 broker: receivers SUBSCRIBE to one topic, senders PUBLISH to it, all
 * with quality of service 0, which has no acknowledgements.
 * https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/mqtt-v3.1.1.html
 *
 *     30 LENGTH 00 04 "room" text     a message; LENGTH, of what follows it, has seven bits a byte
 *     20 02 00 00                     CONNACK: connected
 *     90 03 00 01 00                  SUBACK: subscribed
 */
#include "config.h"

#include "configuration.h"
#include "crowd.h"
#include "peer.h"

#include <string.h>

/* Clean session, no keep-alive, and an empty name, for which the broker makes one. */
#define MQTT_CONNECT   "\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00"
#define MQTT_CONNACK   "\x20\x02\x00\x00"
#define MQTT_SUBSCRIBE "\x82\x09\x00\x01\x00\x04room\x00"
#define MQTT_SUBACK    "\x90\x03\x00\x01\x00"
#define MQTT_TOPIC     "\x00\x04room"

enum { MQTT_PUBLISH = 0x30 };

/* The literals above have zeros in them. */
#define LENGTH_OF(literal) (sizeof(literal) - 1)

static void mosquitto_envelopes(size_t size, struct envelope *sent, struct envelope *given)
{
    size_t left = LENGTH_OF(MQTT_TOPIC) + size;

    sent->head[sent->head_length++] = MQTT_PUBLISH;
    for (; left > 127; left >>= 7)
        sent->head[sent->head_length++] = (char)(left & 127) | (char)128;
    sent->head[sent->head_length++] = (char)left;
    memcpy(sent->head + sent->head_length, MQTT_TOPIC, LENGTH_OF(MQTT_TOPIC));
    sent->head_length += LENGTH_OF(MQTT_TOPIC);
    *given = *sent;
}

static size_t mosquitto_greet(const struct client *client, char *bytes)
{
    memcpy(bytes, MQTT_CONNECT, LENGTH_OF(MQTT_CONNECT));
    if (client->role == CLIENT_SENDER)
        return LENGTH_OF(MQTT_CONNECT);
    memcpy(bytes + LENGTH_OF(MQTT_CONNECT), MQTT_SUBSCRIBE, LENGTH_OF(MQTT_SUBSCRIBE));
    return LENGTH_OF(MQTT_CONNECT) + LENGTH_OF(MQTT_SUBSCRIBE);
}

/* The answers to the greeting, which come together or not. Returns the bytes used. */
static size_t mosquitto_greeted(
    struct crowd *crowd, struct client *client, const char *bytes, size_t length)
{
    static const char both[] = MQTT_CONNACK MQTT_SUBACK;
    size_t wanted = client->role == CLIENT_SENDER ? LENGTH_OF(MQTT_CONNACK) : LENGTH_OF(both);
    size_t compared = length < wanted ? length : wanted;

    if (memcmp(bytes, both, compared) != 0) {
        crowd_refuse(crowd, client, "(refused)", strlen("(refused)"));
        return length;
    }
    if (length < wanted)
        return 0;
    crowd_ready(crowd, client);
    return wanted;
}

static size_t mosquitto_receive(
    struct crowd *crowd, struct client *client, const char *bytes, size_t length)
{
    const struct envelope *given = &crowd->given;
    size_t frame = given->head_length + crowd->plan.size;
    size_t used = 0;

    if (client->state == CLIENT_GREETING)
        used = mosquitto_greeted(crowd, client, bytes, length);
    for (; client->state == CLIENT_READY && length - used >= frame; used += frame) {
        const char *at = bytes + used;

        if (memcmp(at, given->head, given->head_length) != 0)
            crowd_wrong(crowd, client, "not a message", at, frame);
        crowd_take(crowd, client, at + given->head_length);
    }
    return used;
}

/* With quality of service 0 a sender is told nothing. */
static size_t mosquitto_replies(
    struct crowd *crowd, struct client *client, const char *bytes, size_t length)
{
    if (client->state != CLIENT_GREETING)
        crowd_wrong(crowd, client, "an answer to a PUBLISH", bytes, length);
    return mosquitto_greeted(crowd, client, bytes, length);
}

const struct protocol protocol_mosquitto = {
    .name = "mosquitto",
    .greet = mosquitto_greet,
    .envelopes = mosquitto_envelopes,
    .receive = mosquitto_receive,
    .replies = mosquitto_replies,
};

static bool mosquitto_start(
    struct server *server, const struct peer_settings *settings, char *address)
{
    static const char *const arguments[] = {"mosquitto", "-c", CONFIGURATION_FILE, NULL};

    return configuration_start(server, arguments, "mosquitto", " running", settings, address);
}

const struct peer peer_mosquitto = {
    .name = "mosquitto",
    .protocol = &protocol_mosquitto,
    .program = "mosquitto",
    .start = mosquitto_start,
};
