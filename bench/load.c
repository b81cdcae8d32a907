/*
 * The load generator of chatroomd: measures the figures of its README beside other servers, or
 * one point of one server. This file is its command line.
 */
#include "config.h"

#include "fail.h"
#include "figure.h"
#include "measure.h"
#include "peer.h"
#include "report.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { OPTIONS_MAX = 32, USAGE_STATUS = 2, DESCRIPTORS_SPARE = 64 };

/* What the command line says. */
struct command {
    struct figure_settings figures;
    const char *options[OPTIONS_MAX + 1];
    size_t option_count;

    bool single; /* one measurement, not the figures */
    const struct peer *peer;
    struct measure_plan plan;
};

enum option_name {
    OPTION_SERVER = 256,
    OPTION_ONLY,
    OPTION_RUNS,
    OPTION_SECONDS,
    OPTION_JSON,
    OPTION_CONNECT,
    OPTION_PROTOCOL,
    OPTION_RECEIVERS,
    OPTION_SENDERS,
    OPTION_STALLED,
    OPTION_IN_FLIGHT,
    OPTION_PACE,
    OPTION_SIZE,
    OPTION_PID,
    OPTION_HELP,
};

static const struct option long_options[] = {
    {"server", required_argument, NULL, OPTION_SERVER},
    {"only", required_argument, NULL, OPTION_ONLY},
    {"runs", required_argument, NULL, OPTION_RUNS},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"json", required_argument, NULL, OPTION_JSON},
    {"option", required_argument, NULL, 'o'},
    {"connect", required_argument, NULL, OPTION_CONNECT},
    {"protocol", required_argument, NULL, OPTION_PROTOCOL},
    {"receivers", required_argument, NULL, OPTION_RECEIVERS},
    {"senders", required_argument, NULL, OPTION_SENDERS},
    {"stalled", required_argument, NULL, OPTION_STALLED},
    {"in-flight", required_argument, NULL, OPTION_IN_FLIGHT},
    {"pace", required_argument, NULL, OPTION_PACE},
    {"size", required_argument, NULL, OPTION_SIZE},
    {"pid", required_argument, NULL, OPTION_PID},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "usage: load [--server PATH] [--only FIGURE] [--runs N] [--seconds S] [--json FILE]\n"
    "       load --protocol NAME [--connect HOST:PORT] [--receivers N] [--senders N] ...\n"
    "\n"
    "The figures:\n"
    "  --server PATH      the chatroomd to measure (./chatroomd)\n"
    "  --only FIGURE      one figure, by number or name: rate-4096, rate-256, cpu-slow, memory,\n"
    "                     storm, stalled, stalled-memory, jail-joins, jail-memory, jail-rate\n"
    "  --runs N           of which the median counts (3)\n"
    "  --seconds S        measured in each run, after a quarter of it to warm up (3)\n"
    "  --json FILE        where the results go too\n"
    "  -o, --option KEY=VALUE   given to the chatroomd that is started\n"
    "\n"
    "One measurement:\n"
    "  --protocol NAME    chatroomd, redis, nats, mosquitto, ngircd, loop or processes: what to "
    "speak and, without --connect, to start\n"
    "  --connect HOST:PORT   a server that runs already; --protocol is chatroomd unless given\n"
    "  --pid PID          of that server, so that the CPU time of its process tree is counted\n"
    "  --receivers N      (100)\n"
    "  --senders N        (4)\n"
    "  --stalled N        receivers that connect and never read (0)\n"
    "  --in-flight N      messages sent and not yet received by the slowest receiver (4096)\n"
    "  --pace N           instead: so many messages a second, whose latency is shown; with\n"
    "                     --in-flight behind it, after a flood that ends the stalled\n"
    "  --size N           bytes of a message's text, 32 to 4096 (64)\n";

static _Noreturn void usage_wrong(const char *what, const char *value)
{
    fprintf(stderr, "load: %s: %s; --help shows the usage\n", what, value);
    exit(USAGE_STATUS);
}

static unsigned parse_number(const char *text, unsigned low, unsigned high)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < low || value > high)
        usage_wrong("not a number in range", text);
    return (unsigned)value;
}

static double parse_seconds(const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (*end != '\0' || !(value >= 0.01 && value <= 3600))
        usage_wrong("not a number of seconds", text);
    return value;
}

static void parse_protocol(struct command *command, const char *name)
{
    command->single = true;
    command->peer = peer_find(name);
    if (command->peer == NULL)
        usage_wrong("no such protocol", name);
}

static void parse_server_option(struct command *command, const char *option)
{
    if (command->option_count == OPTIONS_MAX)
        usage_wrong("too many options", option);
    command->options[command->option_count++] = option;
}

/* The options of a single measurement. */
static void parse_single(struct command *command, int name, const char *value)
{
    struct measure_plan *plan = &command->plan;

    command->single = true;
    switch (name) {
    case OPTION_CONNECT:
        plan->crowd.address = value;
        break;
    case OPTION_PROTOCOL:
        parse_protocol(command, value);
        break;
    case OPTION_RECEIVERS:
        plan->crowd.receivers = parse_number(value, 1, 30000);
        break;
    case OPTION_SENDERS:
        plan->crowd.senders = parse_number(value, 1, MESSAGE_WRITERS_MAX);
        break;
    case OPTION_STALLED:
        plan->crowd.stalled = parse_number(value, 0, 30000);
        break;
    case OPTION_IN_FLIGHT:
        plan->in_flight = parse_number(value, 1, 10000000);
        break;
    case OPTION_PACE:
        plan->pace = parse_number(value, 1, 1000000);
        plan->in_flight = 0;
        break;
    case OPTION_SIZE:
        plan->crowd.size = parse_number(value, MESSAGE_SIZE_MIN, MESSAGE_SIZE_MAX);
        break;
    case OPTION_PID:
        plan->server = (pid_t)parse_number(value, 1, 1U << 30);
        break;
    default:
        exit(USAGE_STATUS); /* getopt has said why */
    }
}

static void parse(struct command *command, int argc, char **argv)
{
    int name;

    while ((name = getopt_long(argc, argv, "o:h", long_options, NULL)) != -1) {
        switch (name) {
        case OPTION_SERVER:
            command->figures.chatroomd = optarg;
            break;
        case OPTION_ONLY:
            command->figures.only = optarg;
            break;
        case OPTION_RUNS:
            command->figures.runs = parse_number(optarg, 1, FIGURE_RUNS_MAX);
            break;
        case OPTION_SECONDS:
            command->figures.seconds = parse_seconds(optarg);
            break;
        case OPTION_JSON:
            command->figures.json = optarg;
            break;
        case 'o':
            parse_server_option(command, optarg);
            break;
        case 'h':
        case OPTION_HELP:
            fputs(help, stdout);
            exit(EXIT_SUCCESS);
        default:
            parse_single(command, name, optarg);
        }
    }
    if (optind < argc)
        usage_wrong("nothing may stand alone", argv[optind]);
}

/* The servers inherit this limit. */
static void raise_descriptor_limit(rlim_t wanted)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    if (limit.rlim_max < wanted)
        limit.rlim_cur = limit.rlim_max = wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        fail("%llu descriptors are needed; raise the limit (ulimit -Hn): %s",
            (unsigned long long)wanted, strerror(errno));
}

static void measure_single(struct command *command)
{
    struct measure_plan *plan = &command->plan;
    unsigned clients = plan->crowd.receivers + plan->crowd.senders + plan->crowd.stalled;
    const struct peer_settings settings = {
        .chatroomd = command->figures.chatroomd, .options = command->options, .clients = clients};
    bool start = plan->crowd.address == NULL;
    struct measure_result result;
    char address[PEER_ADDRESS_SIZE];
    struct server server;

    plan->crowd.protocol = command->peer->protocol;
    plan->seconds = command->figures.seconds;
    plan->warm_up = plan->seconds / 4;
    raise_descriptor_limit(clients + DESCRIPTORS_SPARE);
    if (start) {
        if (!command->peer->start(&server, &settings, address))
            fail("%s is not installed", command->peer->name);
        plan->crowd.address = address;
        plan->server = server.pid;
    }
    measure_run(plan, &result);
    report_measure(plan, &result);
    if (start)
        server_stop(&server, command->peer->strict);
}

int main(int argc, char **argv)
{
    static struct command command = {
        .figures = {.chatroomd = "./chatroomd", .runs = 3, .seconds = 3},
        .peer = &peer_chatroomd,
        .plan = {.crowd = {.receivers = 100, .senders = 4, .size = 64}, .in_flight = 4096},
    };

    command.figures.options = command.options;
    signal(SIGPIPE, SIG_IGN);
    parse(&command, argc, argv);
    if (command.single) {
        measure_single(&command);
    } else {
        raise_descriptor_limit(2000 + DESCRIPTORS_SPARE);
        figures_run(&command.figures);
    }
    return EXIT_SUCCESS;
}
