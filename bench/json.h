/* SPDX-License-Identifier: ISC */
/* The results for programs. */
#ifndef CHATROOMD_BENCH_JSON_H
#define CHATROOMD_BENCH_JSON_H

#include "campaign.h"

/* Write RESULT to the file that SETTINGS names, in base units: deliveries a second, nanoseconds,
 * bytes, clients. */
void json_write(const struct campaign_settings *settings, const struct result *result);

#endif
