/* SPDX-License-Identifier: ISC */
/*
 * options.h - the command line and the configuration file together, validated.
 *
 * The keys are the rows of options_table.h; struct options has a member for each.
 */
#ifndef CHATROOMD_BASE_OPTIONS_H
#define CHATROOMD_BASE_OPTIONS_H

#include "base/jail_mode.h"
#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* Exit statuses; 78 is EX_CONFIG of sysexits(3). */
enum options_exit {
    OPTIONS_EXIT_USAGE = 2,
    OPTIONS_EXIT_CONFIG = 78,
};

enum options_outcome {
    OPTIONS_RUN,  /* continue: serve, or check or print if `check` or `print` is set */
    OPTIONS_EXIT, /* everything is printed; exit with the status given */
};

struct options {
    char **listen;       /* addresses in the order given, their syntax checked */
    size_t listen_count; /* at least 1 */
    unsigned ipv6_only;  /* 0 or 1 */
    unsigned freebind;   /* 0 or 1 */
    char *socket_mode;   /* "": the umask decides */
    char *socket_group;  /* "": the group of the server */
    unsigned max_clients;
    size_t max_message_size; /* bytes of a message's text */
    size_t ring_size;        /* bytes, a multiple of OPTIONS_PAGE */
    size_t outbox_size;      /* bytes, a multiple of OPTIONS_PAGE */
    unsigned stall_grace_ms;
    unsigned drain_timeout_ms;
    unsigned peer_timeout_ms;
    bool couriers_auto;           /* the number follows from the machine */
    unsigned couriers;            /* processes that send to clients; 0: each worker sends */
    unsigned clients_per_courier; /* a courier has so many before the next one is used */
    unsigned spare_workers;       /* idle workers that are kept ready */
    char *user;                   /* "": keep the identity of the caller */
    char *group;
    unsigned worker_uid_base; /* 0: workers have the server's uid */
    enum jail_mode jail;
    enum log_level log_level;

    mode_t socket_mode_bits; /* of `socket_mode`, if it is set */
    gid_t socket_gid;        /* of `socket_group`, if it is set */

    uid_t uid; /* of `user`; valid if `user` is set */
    gid_t gid; /* of `group`, or else of `user`; valid if `user` is set */

    char *file; /* the configuration file that was read, or NULL */
    bool check; /* -t: validate and exit */
    bool print; /* -T: print the configuration in force and exit */
};

/* ring_size and outbox_size are rounded up to a multiple of this many bytes. */
#define OPTIONS_PAGE 4096

/*
 * Reads the command line and the configuration file into `options`. Prints each error as one line
 * on stderr. On OPTIONS_RUN the caller later frees `options` by `options_free`; on OPTIONS_EXIT
 * `*exit_status` is set, `options` owns nothing, and stdout is not flushed.
 */
enum options_outcome options_read(struct options *options, int argc, char **argv, int *exit_status);

/* Frees everything that `options` owns. */
void options_free(struct options *options);

/* Prints every key with its value in force, in the syntax of the configuration file. */
void options_print(const struct options *options, FILE *stream);

#endif
