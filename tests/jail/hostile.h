/* SPDX-License-Identifier: ISC */
/*
 * hostile.h - the courier that takes the place of the real one in the hostile chatroomd.
 */
#ifndef CHATROOMD_TESTS_JAIL_HOSTILE_H
#define CHATROOMD_TESTS_JAIL_HOSTILE_H

#include "process/heritage.h"

#include <stdbool.h>

/* How a courier says what came of a CALL act: it succeeded, or errno is why not. */
#define HOSTILE_EXIT_SUCCEEDED 0
#define HOSTILE_EXIT_REFUSED   100 /* and more: errno */

/* Which courier is to be hostile: CHATROOMD_HOSTILE_COURIER holds its number, the name of its first
 * act and, it may be, `lawful` or `open`. False: none. */
bool hostile_courier_read_plan(void);

int hostile_courier_run(struct heritage *heritage);

#endif
