/* SPDX-License-Identifier: ISC */
/*
 * options_table.h - the table of configuration keys, one row each.
 *
 * The parser, -o, -T, --help, the example etc/chatroomd.conf and chatroomd.conf(5) all follow this
 * table; tests/base/check_options.c verifies that the last two do.
 *
 *     ROW(field, key, kind, least, most, default, help)
 *
 * `field` is a member of struct options. `least`, `most` and `default` are written as in the
 * configuration file and parsed by the same code; they are empty for kinds without an order.
 * `help` is the description in --help.
 */
#ifndef CHATROOMD_BASE_OPTIONS_TABLE_H
#define CHATROOMD_BASE_OPTIONS_TABLE_H

/* A build without seccomp cannot have the whole jail, so it cannot require it either. */
#ifdef HAVE_SECCOMP
#define OPTIONS_JAIL_DEFAULT "required"
#else
#define OPTIONS_JAIL_DEFAULT "best-effort"
#endif

/* clang-format off */
#define OPTIONS_TABLE(ROW)                                                                         \
    ROW(listen, "listen", VALUE_ADDRESSES, "", "", "127.0.0.1:8888",                               \
        "addresses to listen on: IPv4:PORT, [IPv6]:PORT or unix:PATH")                             \
    ROW(ipv6_only, "ipv6-only", VALUE_SWITCH, "", "", "off",                                       \
        "accept no IPv4 on an IPv6 address such as [::]:8888")                                     \
    ROW(freebind, "freebind", VALUE_SWITCH, "", "", "off",                                         \
        "listen also on an address that no interface has yet")                                     \
    ROW(socket_mode, "socket-mode", VALUE_TEXT, "", "", "",                                        \
        "permissions of local sockets, such as 0660, in place of the umask's")                     \
    ROW(socket_group, "socket-group", VALUE_TEXT, "", "", "",                                      \
        "group of local sockets, in place of the server's own")                                    \
    ROW(max_clients, "max-clients", VALUE_COUNT, "1", "100000", "1000",                            \
        "maximum number of clients; others are refused with a message")                            \
    ROW(max_message_size, "max-message-size", VALUE_SIZE, "64 B", "64 KiB", "4 KiB",               \
        "maximum length of a message, without the nickname")                                       \
    ROW(ring_size, "ring-size", VALUE_SIZE, "256 KiB", "16 GiB", "16 MiB",                         \
        "shared memory for messages that are not yet delivered to everyone")                       \
    ROW(outbox_size, "outbox-size", VALUE_SIZE, "4 KiB", "1 MiB", "16 KiB",                        \
        "shared memory per client for messages that are not yet accepted")                         \
    ROW(stall_grace_ms, "stall-grace", VALUE_DURATION, "100 ms", "1 h", "5 s",                     \
        "how long a slow client may block others before it is disconnected")                       \
    ROW(drain_timeout_ms, "drain-timeout", VALUE_DURATION, "0 s", "1 h", "5 s",                    \
        "how long a leaving client has to read its pending messages")                              \
    ROW(peer_timeout_ms, "peer-timeout", VALUE_DURATION, "5 s", "1 h", "2 min",                    \
        "how long until a client whose host has vanished is disconnected")                         \
    ROW(couriers, "couriers", VALUE_CORES, "0", "64", "auto",                                      \
        "processes that send to clients (auto: one per core; 0: workers send)")                    \
    ROW(clients_per_courier, "clients-per-courier", VALUE_COUNT, "1", "100000", "500",             \
        "clients that a courier serves before the next one is started")                            \
    ROW(spare_workers, "spare-workers", VALUE_COUNT, "0", "64", "8",                               \
        "idle workers that are kept ready for new clients")                                        \
    ROW(user, "user", VALUE_TEXT, "", "", "",                                                      \
        "user to run as once the addresses are bound; requires root")                              \
    ROW(group, "group", VALUE_TEXT, "", "", "",                                                    \
        "group to run as instead of the user's own group")                                         \
    ROW(worker_uid_base, "worker-uid-base", VALUE_COUNT, "0", "4000000000", "0",                   \
        "first of a range of uids, one per process (0: all run as the user)")                      \
    ROW(jail, "jail", VALUE_JAIL, "", "", OPTIONS_JAIL_DEFAULT,                                    \
        "confine child processes: required, best-effort or off")                                   \
    ROW(log_level, "log-level", VALUE_LOG_LEVEL, "error", "debug", "info",                         \
        "lowest level that is logged: error, warning, notice, info or debug")
/* clang-format on */

#endif
