/* The ways a figure is made; see README for what each of them counts. */
#ifndef CHATROOMD_BENCH_SAMPLE_H
#define CHATROOMD_BENCH_SAMPLE_H

#include "figure.h"

figure_sample sample_rate;    /* deliveries a second */
figure_sample sample_cpu;     /* ns of the server's CPU time per delivery */
figure_sample sample_memory;  /* bytes of the machine's memory per idle client */
figure_sample sample_latency; /* ns, the 99th of 100; also: growth of the server by the flood */
figure_sample sample_joins;   /* clients let in a second */
figure_sample sample_storm;   /* clients served, of those that connect at once */

#endif
