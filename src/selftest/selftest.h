/* SPDX-License-Identifier: ISC */
/*
 * selftest.h - a worker that tries at the start of the server what its jail is there to prevent.
 */
#ifndef CHATROOMD_SELFTEST_SELFTEST_H
#define CHATROOMD_SELFTEST_SELFTEST_H

#include "process/heritage.h"

/*
 * Sets itself up as a client worker does, enters the same jail, and tries heritage->act. Returns
 * CHILD_EXIT_SELFTEST_REFUSED, or _STEP and a step where the jail is not whole, if that was refused;
 * death by SIGSYS is a refusal too. Anything else is an escape.
 */
int selftest_run(struct heritage *heritage);

#endif
