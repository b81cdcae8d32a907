/* SPDX-License-Identifier: ISC */
/*
 * What a server costs, as the kernel tells it: CPU time of a whole process tree, memory of the
 * whole machine, and the generator's own share of both.
 */
#ifndef CHATROOMD_BENCH_USAGE_H
#define CHATROOMD_BENCH_USAGE_H

#include <sys/types.h>

/*
 * CPU time (ns) that ROOT, its threads and all its living descendants have used: the first field
 * of /proc/PID/task/TID/schedstat, exact to the last switch. The difference of two readings counts
 * what ran between them as long as no process of the tree has ended. Fails where the kernel does
 * not tell (CONFIG_SCHED_INFO, CONFIG_PROC_CHILDREN).
 */
double usage_tree_cpu(pid_t root);

/* CPU time (ns) that process PID alone has used, which has one thread. */
double usage_process_cpu(pid_t pid);

/* Children that process PID has at the moment, those included that it has not yet waited for. */
unsigned usage_children(pid_t pid);

/*
 * Memory (bytes) that process PID has of its own, resident, and may share with what it has forked:
 * RssAnon of /proc/PID/status. What processes share by intent, files or a mapping, is not in it.
 */
double usage_anonymous_memory(pid_t pid);

/* CPU time (ns) this process has used. */
double usage_own_cpu(void);

/* CPU time (ns, in steps of a clock tick) that everything on this machine has used, or has lost to
 * other machines on the same hardware. */
double usage_machine_cpu(void);

/*
 * Memory (bytes) of the machine that could still be had: MemAvailable of /proc/meminfo, and the
 * free pages that each processor keeps for itself, which are in no sum there. Linux moves hundreds
 * of MiB to these lists and back, a second or more after processes have ended: they would hide 100
 * clients.
 */
double usage_available_memory(void);

/* Memory (bytes) of this process that is resident. */
double usage_own_memory(void);

#endif
