/* SPDX-License-Identifier: ISC */
/* Writing data for gnuplot; see picture.h. */
#include "config.h"

#include "picture.h"

#include "fail.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void picture_line(FILE *file, const struct result *result, unsigned number)
{
    const struct figure *figure = &figures[number];
    double median;

    fprintf(file, "%u", figure->receivers);
    if (figure->kind != FIGURE_RATE)
        fprintf(file, " %u", figure->receivers);
    else if (figure->size > 0)
        fprintf(file, " \"%u\\n%u\\n%zu B\"", figure->receivers, figure->in_flight, figure->size);
    else
        fprintf(file, " \"%u\\n%u\"", figure->receivers, figure->in_flight);
    for (enum arm_number arm = 0; arm < ARM_COUNT; arm++)
        if (result_median(result, number, arm, &median))
            fprintf(file, " %.6g", median / figure_kinds[figure->kind].scale);
        else
            fputs(" -", file);
    fputs("\n", file);
}

/* Two blank lines end a block, and its name begins it. */
void picture_write(const char *path, const struct result *result)
{
    FILE *file = fopen(path, "we");

    if (file == NULL)
        fail("%s cannot be written: %s", path, strerror(errno));
    for (enum figure_kind kind = 0; kind < FIGURE_KINDS; kind++) {
        fprintf(file, "# %s\nreceivers point", figure_kinds[kind].prefix);
        for (enum arm_number arm = 0; arm < ARM_COUNT; arm++)
            fprintf(file, " %s", arms[arm].name);
        fputs("\n", file);
        for (unsigned figure = 0; figure < figure_count; figure++)
            if (figures[figure].kind == kind)
                picture_line(file, result, figure);
        fputs("\n\n", file);
    }
    if (fclose(file) != 0)
        fail("%s cannot be written: %s", path, strerror(errno));
}
