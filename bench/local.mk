# SPDX-License-Identifier: ISC
# The load generator: built and run by `make bench' only. See bench/README.
EXTRA_PROGRAMS += bench/load bench/bare

bench_load_SOURCES = \
	bench/arm.c bench/arm.h \
	bench/campaign.c bench/campaign.h \
	bench/clock.h \
	bench/client.c bench/client.h \
	bench/configuration.c bench/configuration.h \
	bench/crowd.c bench/crowd.h \
	bench/fail.c bench/fail.h \
	bench/figure.c bench/figure.h \
	bench/goal.c bench/goal.h \
	bench/json.c bench/json.h \
	bench/latency.c bench/latency.h \
	bench/load.c \
	bench/measure.c bench/measure.h \
	bench/message.c bench/message.h \
	bench/peer.c bench/peer.h \
	bench/peer_bare.c \
	bench/peer_chatroomd.c \
	bench/peer_mosquitto.c \
	bench/peer_nats.c \
	bench/peer_ngircd.c \
	bench/peer_redis.c \
	bench/picture.c bench/picture.h \
	bench/process.c bench/process.h \
	bench/protocol.h \
	bench/report.c bench/report.h \
	bench/result.c bench/result.h \
	bench/sender.c bench/sender.h \
	bench/trial.c bench/trial.h \
	bench/trial_joins.c bench/trial_room.c bench/trial_server.c bench/trial_stalled.c \
	bench/usage.c bench/usage.h
bench_load_CPPFLAGS = $(AM_CPPFLAGS) -DBENCH_SOURCE='"$(abs_srcdir)/bench"'
bench_load_LDADD = libchatroomd.a -lm

bench_bare_SOURCES = bench/bare.c bench/bare.h bench/bare_loop.c bench/bare_processes.c \
	bench/bare_socket.c
bench_bare_LDADD = libchatroomd.a

EXTRA_DIST += bench/draw bench/install-peers bench/picture.gp \
	bench/mosquitto.conf bench/nats.conf bench/ngircd.conf bench/redis.conf
CLEANFILES += bench/results.json bench/results.dat bench/results.svg bench/results.png

# BENCH_FLAGS='--only rate-100-256 --runs 5' and the like. The picture needs some of each kind.
bench: chatroomd$(EXEEXT) bench/load$(EXEEXT) bench/bare$(EXEEXT)
	@'$(srcdir)/bench/install-peers'
	@./bench/load$(EXEEXT) --server ./chatroomd$(EXEEXT) --json bench/results.json \
		--picture bench/results.dat $(BENCH_FLAGS); status=$$?; \
	'$(srcdir)/bench/draw' bench/results.dat; exit $$status
.PHONY: bench
