/* SPDX-License-Identifier: ISC */
/* What the picture is drawn from: data for bench/picture.gp. */
#ifndef CHATROOMD_BENCH_PICTURE_H
#define CHATROOMD_BENCH_PICTURE_H

#include "result.h"

/* Write the medians of RESULT to the file PATH: a block for each kind of figures, a line for each
 * figure in it, a column for each arm. */
void picture_write(const char *path, const struct result *result);

#endif
