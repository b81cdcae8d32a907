/* SPDX-License-Identifier: ISC */
/*
 * The load generator of chatroomd: measures the figures of its README beside other servers, or
 * one point of one server. This file is its command line.
 */
#include "config.h"

#include "campaign.h"
#include "fail.h"
#include "goal.h"
#include "measure.h"
#include "peer.h"
#include "report.h"
#include "usage.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    OPTIONS_MAX = 32,
    USAGE_STATUS = 2,
    SINGLE_SECONDS = 3,
    DESCRIPTORS = 65536, /* as 10,000 clients need, with several in the server for each */
};

/* What the command line says. */
struct command {
    struct campaign_settings campaign;
    const char *options[OPTIONS_MAX + 1];
    size_t option_count;

    bool single; /* one measurement, not the figures */
    const struct peer *peer;
    double seconds; /* measured; 0: as it comes */
    pid_t pid;      /* of the server, where it runs already */
    struct crowd_plan crowd;
    struct measure_plan plan;
};

enum option_name {
    OPTION_SERVER = 256,
    OPTION_ONLY,
    OPTION_RUNS,
    OPTION_SECONDS,
    OPTION_ARMS,
    OPTION_MINUTES,
    OPTION_JSON,
    OPTION_PICTURE,
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
    {"arms", required_argument, NULL, OPTION_ARMS},
    {"minutes", required_argument, NULL, OPTION_MINUTES},
    {"json", required_argument, NULL, OPTION_JSON},
    {"picture", required_argument, NULL, OPTION_PICTURE},
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
    "usage: load [--server PATH] [--only NAME] [--arms NAMES] [--runs N] [--seconds S] ...\n"
    "       load --protocol NAME [--connect HOST:PORT] [--receivers N] [--senders N] ...\n"
    "\n"
    "The figures:\n"
    "  --server PATH      the chatroomd to measure (./chatroomd)\n"
    "  --only NAME        one figure, kind of figures or goal; they are named below\n"
    "  --arms NAMES       only these of those named below, with commas between them\n"
    "  --runs N           of which the median counts (3)\n"
    "  --seconds S        measured in each run, after a quarter of it to warm up; at a slow pace,\n"
    "                     or with 1,000 receivers, twice as long (0.6)\n"
    "  --minutes M        after which nothing more is begun (13)\n"
    "  --json FILE        where the results go too\n"
    "  --picture FILE     where the data go that bench/picture.gp draws\n"
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

/* The options, and then all names there are. */
static void show_help(void)
{
    char name[FIGURE_NAME_SIZE];

    fputs(help, stdout);
    printf("\nArms:");
    for (enum arm_number arm = 0; arm < ARM_COUNT; arm++)
        printf(" %s", arms[arm].name);
    printf("\nFigures:");
    for (unsigned figure = 0; figure < figure_count; figure++)
        printf(" %s", figure_name(&figures[figure], name));
    printf("\nKinds of figures:");
    for (enum figure_kind kind = 0; kind < FIGURE_KINDS; kind++)
        printf(" %s", figure_kinds[kind].prefix);
    printf("\nGoals:");
    for (unsigned goal = 0; goal < goal_count; goal++)
        printf(" %s", goals[goal].name);
    puts("");
}

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
        usage_wrong("not a number of seconds or minutes", text);
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
    struct crowd_plan *crowd = &command->crowd;

    command->single = true;
    switch (name) {
    case OPTION_CONNECT:
        crowd->address = value;
        break;
    case OPTION_PROTOCOL:
        parse_protocol(command, value);
        break;
    case OPTION_RECEIVERS:
        crowd->receivers = parse_number(value, 1, 30000);
        break;
    case OPTION_SENDERS:
        crowd->senders = parse_number(value, 1, MESSAGE_WRITERS_MAX);
        break;
    case OPTION_STALLED:
        crowd->stalled = parse_number(value, 0, 30000);
        break;
    case OPTION_IN_FLIGHT:
        plan->in_flight = parse_number(value, 1, 10000000);
        break;
    case OPTION_PACE:
        plan->pace = parse_number(value, 1, 1000000);
        plan->in_flight = 0;
        break;
    case OPTION_SIZE:
        crowd->size = parse_number(value, MESSAGE_SIZE_MIN, MESSAGE_SIZE_MAX);
        break;
    case OPTION_PID:
        command->pid = (pid_t)parse_number(value, 1, 1U << 30);
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
            command->campaign.trial.chatroomd = optarg;
            break;
        case OPTION_ONLY:
            command->campaign.only = optarg;
            break;
        case OPTION_RUNS:
            command->campaign.runs = parse_number(optarg, 1, RUNS_MAX);
            break;
        case OPTION_SECONDS:
            command->seconds = parse_seconds(optarg);
            break;
        case OPTION_JSON:
            command->campaign.json = optarg;
            break;
        case OPTION_ARMS:
            command->campaign.arms = arms_named(optarg);
            break;
        case OPTION_MINUTES:
            command->campaign.minutes = parse_seconds(optarg);
            break;
        case OPTION_PICTURE:
            command->campaign.picture = optarg;
            break;
        case 'o':
            parse_server_option(command, optarg);
            break;
        case 'h':
        case OPTION_HELP:
            show_help();
            exit(EXIT_SUCCESS);
        default:
            parse_single(command, name, optarg);
        }
    }
    if (optind < argc)
        usage_wrong("nothing may stand alone", argv[optind]);
}

/* Debian has servers where PATH does not lead a user to. */
static void find_programs(void)
{
    const char *path = getenv("PATH");
    char more[4096];

    snprintf(more, sizeof(more), "%s:/usr/sbin:/sbin", path != NULL ? path : "/usr/bin:/bin");
    setenv("PATH", more, 1);
}

/* The servers inherit this limit. Where it cannot be raised so far, what needs it is left out. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit, wanted = {DESCRIPTORS, DESCRIPTORS};

    getrlimit(RLIMIT_NOFILE, &limit);
    if (wanted.rlim_max < limit.rlim_max)
        wanted.rlim_max = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    fprintf(stderr,
        "no more than %llu files may be open here (ulimit -Hn), so that there can be some %llu "
        "clients at most\n",
        (unsigned long long)limit.rlim_max, (unsigned long long)limit.rlim_max / 2);
}

/* Measure SERVER once. */
static void measure_server(struct command *command, struct server *server)
{
    struct measure_plan *plan = &command->plan;
    struct crowd_plan *crowd = &command->crowd;
    struct measure_result result;
    bool flood = plan->in_flight > 0 && plan->pace > 0;

    plan->size = crowd->size;
    plan->seconds = command->seconds > 0 ? command->seconds : SINGLE_SECONDS;
    plan->warm_up = plan->seconds / 4;
    struct measure *measure = measure_new(crowd, server->pid);
    measure_admit(measure, crowd->receivers + crowd->senders + crowd->stalled);
    if (flood)
        measure_flood(measure, plan->in_flight, plan->size, command->peer, server);
    if (plan->pace > 0)
        plan->in_flight = 0;
    measure_take(measure, plan, &result);
    report_measure(crowd, plan, &result);
    if (crowd->stalled > 0)
        printf("stalled      %u of %u ended by the server\n", measure_stalled_ended(measure),
            crowd->stalled);
    measure_free(measure);
}

static void measure_single(struct command *command)
{
    struct crowd_plan *crowd = &command->crowd;
    const struct peer_settings settings = {
        .chatroomd = command->campaign.trial.chatroomd,
        .options = command->options,
        .clients = crowd->receivers + crowd->senders + crowd->stalled,
    };
    char address[PEER_ADDRESS_SIZE];
    struct server server;

    if (command->plan.in_flight > 0 && command->plan.pace > 0 &&
        (crowd->address != NULL || command->peer->clients == NULL))
        usage_wrong("--in-flight and --pace are together for a server that is started here and "
                    "counts its clients",
            "--pace");
    crowd->protocol = command->peer->protocol;
    if (crowd->address != NULL) {
        server.pid = command->pid;
        measure_server(command, &server);
        return;
    }
    if (!command->peer->start(&server, &settings, address))
        fail("%s is not installed", command->peer->name);
    crowd->address = address;
    measure_server(command, &server);
    server_stop(&server, command->peer->strict);
}

int main(int argc, char **argv)
{
    static struct command command = {
        .campaign = {.trial = {.chatroomd = "./chatroomd", .seconds = 0.6},
            .arms = ~0U,
            .runs = 3,
            .minutes = 13},
        .peer = &peer_chatroomd,
        .crowd = {.receivers = 100, .senders = 4, .size = FIGURE_SIZE},
        .plan = {.in_flight = 4096},
    };
    bool whole = true;

    command.campaign.trial.options = command.options;
    signal(SIGPIPE, SIG_IGN);
    find_programs();
    parse(&command, argc, argv);
    raise_descriptor_limit();
    if (command.seconds > 0)
        command.campaign.trial.seconds = command.seconds;
    if (command.single)
        measure_single(&command);
    else
        whole = campaign_run(&command.campaign);
    return whole ? EXIT_SUCCESS : EXIT_FAILURE;
}
