/* SPDX-License-Identifier: ISC */
/*
 * courier.h - a worker kind that delivers to many clients and reads from none.
 */
#ifndef CHATROOMD_COURIER_COURIER_H
#define CHATROOMD_COURIER_COURIER_H

#include "process/heritage.h"

/* A row of the table of worker kinds. Returns an enum child_exit. */
int courier_run(struct heritage *heritage);

#endif
