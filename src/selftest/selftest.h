/* SPDX-License-Identifier: ISC */
/*
 * selftest.h - the child kind "selftest": at the start of the server it tries what the jail of
 * workers must prevent.
 */
#ifndef CHATROOMD_SELFTEST_SELFTEST_H
#define CHATROOMD_SELFTEST_SELFTEST_H

#include "process/kinds.h"

/*
 * Sets itself up as a worker does, enters the same jail, and tries heritage->act. If that is refused
 * it returns CHILD_EXIT_SELFTEST_REFUSED, or CHILD_EXIT_SELFTEST_STEP plus the step of the jail that
 * failed; death by SIGSYS is a refusal as well. Any other exit means that the attempt succeeded.
 */
int selftest_run(struct heritage *heritage);

#endif
