/* SPDX-License-Identifier: ISC */
/* The order of the trials, and their progress; see campaign.h. */
#include "config.h"

#include "campaign.h"

#include "clock.h"
#include "fail.h"
#include "goal.h"
#include "json.h"
#include "picture.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { CAMPAIGN_DESCRIPTORS_OTHER = 512 };

struct campaign {
    const struct campaign_settings *settings;
    struct result *result;
    uint64_t began;
    unsigned count, done; /* of trials */
    unsigned clients_max; /* more have no room in the limit of open files */
    bool whole;           /* all of chatroomd's could be done */
};

/* Is FIGURE called ONLY, or is its kind? */
static bool campaign_names(const char *only, unsigned figure)
{
    char name[FIGURE_NAME_SIZE];

    return strcmp(figure_name(&figures[figure], name), only) == 0 ||
           strcmp(figure_kinds[figures[figure].kind].prefix, only) == 0;
}

static bool campaign_goal(const char *only, unsigned goal)
{
    char number[16];

    snprintf(number, sizeof(number), "%u", goal + 1);
    return strcmp(only, number) == 0 || strcmp(only, goals[goal].name) == 0;
}

/* Mark what is wanted: all, or what ONLY names. */
static void campaign_want(struct campaign *campaign)
{
    const char *only = campaign->settings->only;
    bool found = only == NULL;

    for (unsigned figure = 0; figure < figure_count; figure++)
        if (only == NULL || campaign_names(only, figure)) {
            found = true;
            for (enum arm_number arm = 0; arm < ARM_COUNT; arm++)
                campaign->result->series[figure][arm].wanted = figures[figure].arms & ARM_BIT(arm);
        }
    for (unsigned goal = 0; only != NULL && goal < goal_count; goal++)
        if (campaign_goal(only, goal)) {
            found = true;
            goal_want(&goals[goal], campaign->result);
        }
    if (!found)
        fail("there is no figure or goal %s; --help names them", only);
}

/* ARM is not measured, or not everywhere. */
static void campaign_leave_out(struct campaign *campaign, enum arm_number arm, const char *reason)
{
    char *left_out = campaign->result->left_out[arm];

    if (left_out[0] == '\0')
        snprintf(left_out, ARM_REASON_SIZE, "%s", reason);
    fprintf(stderr, "%s is left out: %s\n", arms[arm].name, reason);
}

static void campaign_forget(struct campaign *campaign, enum arm_number arm)
{
    for (unsigned figure = 0; figure < figure_count; figure++)
        campaign->result->series[figure][arm].wanted = false;
}

/* Leave out the arms that were not asked for, and those that there are not here. */
static void campaign_choose_arms(struct campaign *campaign)
{
    for (enum arm_number arm = 0; arm < ARM_COUNT; arm++) {
        bool wanted = false;
        const char *missing;

        if (!(campaign->settings->arms & ARM_BIT(arm)))
            campaign_forget(campaign, arm);
        for (unsigned figure = 0; figure < figure_count; figure++)
            wanted = wanted || campaign->result->series[figure][arm].wanted;
        if (!wanted)
            continue;
        missing = arm_missing(&arms[arm], campaign->settings->trial.chatroomd);
        if (missing != NULL) {
            campaign_leave_out(campaign, arm, missing);
            campaign_forget(campaign, arm);
        }
    }
}

/* Fill in the trial of ARM for the figures from FIRST to END. False: none of them is wanted. */
static bool campaign_trial(const struct campaign *campaign, struct trial *trial,
    enum arm_number arm, unsigned first, unsigned end)
{
    bool any = false;

    *trial = (struct trial){
        .settings = &campaign->settings->trial,
        .arm = arm,
        .first = first,
        .end = end,
        .receivers = campaign->clients_max < figures[first].receivers ? campaign->clients_max
                                                                      : figures[first].receivers,
    };
    for (unsigned figure = first; figure < end; figure++) {
        trial->wanted[figure] = campaign->result->series[figure][arm].wanted;
        any = any || trial->wanted[figure];
    }
    return any;
}

static void campaign_progress(
    const struct campaign *campaign, const struct trial *trial, unsigned run)
{
    unsigned spent = (unsigned)((clock_now() - campaign->began) / CLOCK_SECOND);

    fprintf(stderr, "%3u %% %2u:%02u  run %u of %u, %5u clients, %-10s",
        100 * campaign->done / campaign->count, spent / 60, spent % 60, run + 1,
        campaign->settings->runs, trial->receivers, arms[trial->arm].name);
}

static void campaign_tell(const struct trial *trial, const struct sample *samples)
{
    char name[FIGURE_NAME_SIZE];

    for (unsigned figure = trial->first; figure < trial->end; figure++) {
        const struct figure_kind_words *kind = &figure_kinds[figures[figure].kind];

        if (trial->wanted[figure] && samples[figure].there)
            fprintf(stderr, " %s %.*f", figure_name(&figures[figure], name), kind->decimals,
                samples[figure].value / kind->scale);
    }
    fputs("\n", stderr);
}

static void campaign_try(struct campaign *campaign, const struct trial *trial, unsigned run)
{
    static struct sample samples[FIGURE_COUNT_MAX];
    char reason[ARM_REASON_SIZE], place[ARM_REASON_SIZE + 64];

    campaign_progress(campaign, trial, run);
    campaign->done++;
    if (!trial_run(trial, samples, reason)) {
        snprintf(place, sizeof(place), "with %u clients: %s", trial->receivers, reason);
        campaign_leave_out(campaign, trial->arm, place);
        if (arms[trial->arm].peer == &peer_chatroomd)
            campaign->whole = false;
        /* What has failed once is not tried again: the time is for the others. */
        for (unsigned figure = trial->first; figure < trial->end; figure++)
            campaign->result->series[figure][trial->arm].wanted = false;
        return;
    }
    campaign_tell(trial, samples);
    for (unsigned figure = trial->first; figure < trial->end; figure++)
        if (trial->wanted[figure])
            series_add(&campaign->result->series[figure][trial->arm], &samples[figure]);
}

/* A server may need two descriptors for a client. */
static unsigned campaign_clients_max(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    return (unsigned)(limit.rlim_max - CAMPAIGN_DESCRIPTORS_OTHER) / 2;
}

/* Is there time for one more? */
static bool campaign_time(const struct campaign *campaign)
{
    double spent = (double)(clock_now() - campaign->began) / (double)CLOCK_SECOND;

    return spent < campaign->settings->minutes * 60;
}

/* A run of all trials; or only count them. What is compared to a few percent, with the jail and
 * without, is measured one right after the other: a machine's speed drifts. */
static void campaign_pass(struct campaign *campaign, unsigned run, bool count)
{
    static const enum arm_number order[ARM_COUNT] = {
        ARM_CHATROOMD,
        ARM_JAIL_OFF,
        ARM_WORKERS,
        ARM_WORKERS_JAIL_OFF,
        ARM_REDIS,
        ARM_NATS,
        ARM_MOSQUITTO,
        ARM_NGIRCD,
        ARM_LOOP,
        ARM_PROCESSES,
        ARM_STALLED,
        ARM_NONE_STALLED,
    };
    struct trial trial;

    for (unsigned first = 0, end; first < figure_count; first = end) {
        end = trial_end(first);
        for (unsigned place = 0; place < ARM_COUNT; place++) {
            if (!campaign_trial(campaign, &trial, order[place], first, end))
                continue;
            if (count)
                campaign->count++;
            else if (campaign_time(campaign))
                campaign_try(campaign, &trial, run);
        }
    }
}

bool campaign_run(const struct campaign_settings *settings)
{
    static struct result result;
    struct campaign campaign = {
        .settings = settings,
        .result = &result,
        .began = clock_now(),
        .clients_max = campaign_clients_max(),
        .whole = true,
    };

    campaign_want(&campaign);
    campaign_choose_arms(&campaign);
    for (unsigned run = 0; run < settings->runs; run++)
        campaign_pass(&campaign, run, true);
    for (unsigned run = 0; run < settings->runs; run++)
        campaign_pass(&campaign, run, false);
    if (!campaign_time(&campaign))
        fprintf(stderr,
            "%g minutes were up before the last run was done: it counts as far as it "
            "went\n",
            settings->minutes);
    result_close(&result);
    report_result(&result, settings->only == NULL);
    if (settings->json != NULL)
        json_write(settings, &result);
    if (settings->picture != NULL)
        picture_write(settings->picture, &result);
    return campaign.whole;
}
