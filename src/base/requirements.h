/* SPDX-License-Identifier: ISC */
/*
 * requirements.h - what the kernel, or the container, must give the server.
 */
#ifndef CHATROOMD_BASE_REQUIREMENTS_H
#define CHATROOMD_BASE_REQUIREMENTS_H

#include "base/jail_mode.h"

/* Returns NULL, or a sentence that names the first system call or file that is refused and says
 * what to allow; the caller frees it. JAIL: with less of it, less is needed. */
char *requirements_missing(enum jail_mode jail);

#endif
