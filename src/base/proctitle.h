/* SPDX-License-Identifier: ISC */
/*
 * proctitle.h - the process title as shown by ps(1), so that an operator can see which worker
 * serves which client.
 */
#ifndef CHATROOMD_BASE_PROCTITLE_H
#define CHATROOMD_BASE_PROCTITLE_H

/*
 * Copies the environment elsewhere, so that titles can use its memory. Must be called once, early
 * in main(), before anything keeps a pointer into environ. The strings of `argv` must not be used
 * after the first `proctitle_set`.
 */
void proctitle_init(int argc, char **argv);

/*
 * Sets the title of the calling process to the concatenation of its arguments up to a NULL, cut to
 * the available space. A child inherits the title of its parent.
 */
void proctitle_set(const char *part, ...) __attribute__((sentinel));

#endif
