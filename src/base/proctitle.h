/* SPDX-License-Identifier: ISC */
/*
 * The process title: what `ps` shows, so that an operator sees which worker serves whom.
 * The model is in title.c.
 */
#ifndef CHATROOMD_BASE_PROCTITLE_H
#define CHATROOMD_BASE_PROCTITLE_H

/*
 * Make space for titles: copies the environment away, so that its place behind the arguments
 * can be used too. Call it once, early in main(), before anything keeps a pointer into
 * environ. ARGV keeps its strings until the first proctitle_set(), and is not to be read after it.
 */
void proctitle_init(int argc, char **argv);

/*
 * Set the title to PART and those that follow it, up to a NULL, one behind the other; cut where the
 * space ends. In the process that calls it only; a child starts with its parent's.
 */
void proctitle_set(const char *part, ...) __attribute__((sentinel));

#endif
