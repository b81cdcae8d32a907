/* SPDX-License-Identifier: ISC */
/*
 * heritage.c - a new child maps its part of the region.
 */
#include "config.h"

#include "process/heritage.h"

#include "process/kinds.h"

#include <unistd.h>

static bool maps_view(const struct heritage *heritage)
{
    return (heritage->kind->maps & MAP_VIEW) != 0 ||
           ((heritage->kind->maps & MAP_VIEW_TO_DELIVER) != 0 && heritage->delivers);
}

size_t heritage_mapped(const struct heritage *heritage)
{
    unsigned maps = heritage->kind->maps;

    return (maps_view(heritage) ? heritage->places.view_size : 0) +
           ((maps & MAP_OUTBOX) != 0 ? heritage->places.outbox_stride : 0) +
           ((maps & MAP_PART) != 0 ? heritage->places.courier_stride : 0);
}

bool heritage_attach(const struct heritage *heritage, struct heritage_maps *maps)
{
    unsigned wanted = heritage->kind->maps;
    int ours = heritage->region_read_write_fd, all = heritage->region_read_only_fd;
    bool attached;

    *maps = (struct heritage_maps){.outbox.size = 0};
    attached = (!maps_view(heritage) || region_attach_view(&maps->view, all)) &&
               ((wanted & MAP_OUTBOX) == 0 ||
                   region_attach_outbox(&maps->outbox, &heritage->places, ours, heritage->slot)) &&
               ((wanted & MAP_PART) == 0 ||
                   region_attach_courier(&maps->part, &heritage->places, ours, heritage->slot));
    close(all);
    close(ours);
    return attached;
}
