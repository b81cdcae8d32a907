/* SPDX-License-Identifier: ISC */
/*
 * The configuration keys, one row each. Parser, -o, -T, --help, the example etc/chatroomd.conf and
 * chatroomd.conf(5) follow this table; tests/base/check_options.c sees that the last two do.
 *
 *     ROW(field, key, kind, least, most, default, help)
 *
 * FIELD is the one of struct options. LEAST, MOST and DEFAULT are written as in the
 * configuration file and read by the same code; kinds without an order have none. HELP
 * completes "KEY: ..." in a line.
 */
#ifndef CHATROOMD_BASE_OPTIONS_TABLE_H
#define CHATROOMD_BASE_OPTIONS_TABLE_H

/* A jail that was not built in cannot be required. */
#ifdef HAVE_SECCOMP
#define OPTIONS_JAIL_DEFAULT "required"
#else
#define OPTIONS_JAIL_DEFAULT "best-effort"
#endif

/* clang-format off */
#define OPTIONS_TABLE(ROW)                                                                         \
    ROW(listen, "listen", VALUE_ADDRESSES, "", "", "127.0.0.1:8888",                               \
        "addresses to listen on: IPv4:PORT, [IPv6]:PORT or unix:PATH")                             \
    ROW(max_clients, "max-clients", VALUE_COUNT, "1", "100000", "1000",                            \
        "clients at a time; further ones are told so and closed")                                  \
    ROW(max_message_size, "max-message-size", VALUE_SIZE, "64 B", "64 KiB", "4 KiB",               \
        "text of the longest message, without the name")                                           \
    ROW(ring_size, "ring-size", VALUE_SIZE, "256 KiB", "16 GiB", "16 MiB",                         \
        "shared memory for accepted messages that someone still has to get")                       \
    ROW(outbox_size, "outbox-size", VALUE_SIZE, "4 KiB", "1 MiB", "16 KiB",                        \
        "shared memory per client for what it sends until it is accepted")                         \
    ROW(stall_grace_ms, "stall-grace", VALUE_DURATION, "100 ms", "1 h", "5 s",                     \
        "how long a client may hold the others up before it is ended")                             \
    ROW(drain_timeout_ms, "drain-timeout", VALUE_DURATION, "0 s", "1 h", "5 s",                    \
        "how long a client that ends may take to read what it is owed")                            \
    ROW(couriers, "couriers", VALUE_CORES, "0", "64", "auto",                                      \
        "processes that deliver, to many clients each (auto: one per core); 0: each worker does")  \
    ROW(clients_per_courier, "clients-per-courier", VALUE_COUNT, "1", "100000", "500",             \
        "clients that a courier has before the next one is used")                                  \
    ROW(spare_workers, "spare-workers", VALUE_COUNT, "0", "64", "8",                               \
        "workers made ahead of the clients that will need them")                                   \
    ROW(user, "user", VALUE_TEXT, "", "", "",                                                      \
        "user to become once the addresses are bound; needs root")                                 \
    ROW(group, "group", VALUE_TEXT, "", "", "",                                                    \
        "group to become, in place of the user's own")                                             \
    ROW(worker_uid_base, "worker-uid-base", VALUE_COUNT, "0", "4000000000", "0",                   \
        "uid of the first slot's worker, each slot having its own; 0: the user's")                 \
    ROW(jail, "jail", VALUE_JAIL, "", "", OPTIONS_JAIL_DEFAULT,                                    \
        "whether workers must be jailed: required, best-effort or off")                            \
    ROW(log_level, "log-level", VALUE_LOG_LEVEL, "error", "debug", "info",                         \
        "what is logged: error, warning, notice, info or debug")
/* clang-format on */

#endif
