/* SPDX-License-Identifier: ISC */
/*
 * jail_mode.h - how much the operator insists on the jail of workers.
 */
#ifndef CHATROOMD_BASE_JAIL_MODE_H
#define CHATROOMD_BASE_JAIL_MODE_H

enum jail_mode {
    JAIL_REQUIRED,    /* whole, and tried at the start, or the server does not serve */
    JAIL_BEST_EFFORT, /* as much of it as there is; what there is not is logged */
    JAIL_OFF,
    JAIL_MODE_COUNT
};

/* As it stands in the configuration. */
static inline const char *jail_mode_word(enum jail_mode mode)
{
    static const char *const words[JAIL_MODE_COUNT] = {
        [JAIL_REQUIRED] = "required", [JAIL_BEST_EFFORT] = "best-effort", [JAIL_OFF] = "off"};

    return words[mode];
}

#endif
