/* SPDX-License-Identifier: ISC */
/*
 * jail_mode.h - the setting `jail`: what to do if child processes cannot be fully confined.
 */
#ifndef CHATROOMD_BASE_JAIL_MODE_H
#define CHATROOMD_BASE_JAIL_MODE_H

enum jail_mode {
    JAIL_REQUIRED,    /* the server does not start unless the self-test of the jail passes */
    JAIL_BEST_EFFORT, /* use what is available; log what is missing */
    JAIL_OFF,
    JAIL_MODE_COUNT
};

/* Returns the word in the configuration. */
static inline const char *jail_mode_word(enum jail_mode mode)
{
    static const char *const words[JAIL_MODE_COUNT] = {
        [JAIL_REQUIRED] = "required", [JAIL_BEST_EFFORT] = "best-effort", [JAIL_OFF] = "off"};

    return words[mode];
}

#endif
