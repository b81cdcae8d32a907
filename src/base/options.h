/* SPDX-License-Identifier: ISC */
/*
 * What the operator asked for: the command line and the configuration file together, checked.
 * The keys are the rows of options_table.h; this struct has a field for each.
 */
#ifndef CHATROOMD_BASE_OPTIONS_H
#define CHATROOMD_BASE_OPTIONS_H

#include "base/jail_mode.h"
#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* Exit codes; 78 is EX_CONFIG of sysexits(3). */
enum options_exit {
    OPTIONS_EXIT_USAGE = 2,
    OPTIONS_EXIT_CONFIG = 78,
};

enum options_outcome {
    OPTIONS_RUN,  /* go on: serve, or with check or print do that */
    OPTIONS_EXIT, /* all is said and done; exit with the status given */
};

struct options {
    char **listen;       /* addresses in the order given, their syntax checked */
    size_t listen_count; /* at least 1 */
    unsigned max_clients;
    size_t max_message_size; /* bytes of a message's text */
    size_t ring_size;        /* bytes, a multiple of OPTIONS_PAGE */
    size_t outbox_size;      /* bytes, a multiple of OPTIONS_PAGE */
    unsigned stall_grace_ms;
    unsigned drain_timeout_ms;
    unsigned couriers; /* processes that deliver; 0: each worker does, to its own client */
    unsigned clients_per_courier; /* one has so many before the next is used */
    unsigned spare_workers;       /* made ahead */
    char *user;                   /* "": stay who we are */
    char *group;
    unsigned worker_uid_base; /* 0: workers have the server's uid */
    enum jail_mode jail;
    enum log_level log_level;

    uid_t uid; /* what `user` and `group` are, where they are given */
    gid_t gid;

    char *file; /* the configuration file that was read, or NULL */
    bool check; /* -t: say whether all is well, and exit */
    bool print; /* -T: print what is in force, and exit */
};

/* ring_size and outbox_size are rounded up to this many bytes. */
#define OPTIONS_PAGE 4096

/*
 * Read the command line and the configuration file into OPTIONS. What is wrong is told on stderr,
 * one line per fault. With OPTIONS_RUN the caller calls options_free() in the end; with
 * OPTIONS_EXIT, *EXIT_STATUS is set and OPTIONS owns nothing.
 */
enum options_outcome options_read(struct options *options, int argc, char **argv, int *exit_status);

/* Free what OPTIONS owns. */
void options_free(struct options *options);

/* Print every key with its value in force, in the syntax of the configuration file. */
void options_print(const struct options *options, FILE *stream);

#endif
