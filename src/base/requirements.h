/* SPDX-License-Identifier: ISC */
/*
 * requirements.h - checks that the kernel or the container provides what the server needs.
 */
#ifndef CHATROOMD_BASE_REQUIREMENTS_H
#define CHATROOMD_BASE_REQUIREMENTS_H

#include "base/jail_mode.h"

/* Returns NULL, or a message that names the first system call or file that is refused and says what
 * to allow; the caller frees it. A weaker `jail` needs less. */
char *requirements_missing(enum jail_mode jail);

#endif
