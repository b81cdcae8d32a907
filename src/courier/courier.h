/* SPDX-License-Identifier: ISC */
/*
 * courier.h - the child kind "courier": it delivers to many clients and reads from none.
 */
#ifndef CHATROOMD_COURIER_COURIER_H
#define CHATROOMD_COURIER_COURIER_H

#include "process/kinds.h"

extern const struct filter_table courier_filter;

/* Delivers until the supervisor closes its relay. Returns an enum child_exit. */
int courier_run(struct heritage *heritage);

#endif
