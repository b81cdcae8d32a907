/* SPDX-License-Identifier: ISC */
/*
 * The one way out for anything that makes a benchmark worthless: a message lost, doubled or
 * changed, a server that does not start, a limit too low. There is no figure worth printing after
 * that, so the first fault ends the program.
 */
#ifndef CHATROOMD_BENCH_FAIL_H
#define CHATROOMD_BENCH_FAIL_H

#define FAIL_MARK 'F'

/* From here on the words go to the pipe REPORT too, behind FAIL_MARK: this process measures for
 * another one. */
void fail_report_to(int report);

/* Says what is wrong on stderr, loudly, and exits with status 1 (atexit handlers end the servers).
 */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
