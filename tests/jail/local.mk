# SPDX-License-Identifier: ISC
EXTRA_DIST += tests/jail/compare_calls

# The jail, and a daemon whose workers are taken over to try it.
if HAVE_CHECK
SLOW_BINARIES += tests/jail/check_hostile_courier tests/jail/check_hostile
tests_jail_check_hostile_SOURCES = tests/jail/check_hostile.c tests/jail/acts.h \
	tests/checker/workload.c tests/checker/workload.h
tests_jail_check_hostile_courier_SOURCES = tests/jail/check_hostile_courier.c tests/jail/acts.h \
	tests/jail/acts_courier.h tests/jail/hostile.h tests/checker/workload.c tests/checker/workload.h
tests_jail_check_hostile_courier_LDADD = tests/checker/libchecker.a $(SYSTEM_TESTS_LIBS)
EXTRA_tests_jail_check_hostile_courier_DEPENDENCIES = $(HOSTILE_BINARIES)
tests_jail_check_hostile_LDADD = tests/checker/libchecker.a $(SYSTEM_TESTS_LIBS)

# Not tests by themselves.
HOSTILE_BINARIES = tests/jail/hostile tests/jail/careless
HOSTILE_SOURCES = tests/jail/hostile.c tests/jail/hostile.h tests/jail/hostile_courier.c \
	tests/jail/acts.h tests/jail/acts_calls.c tests/jail/acts_frames.c tests/jail/acts_courier.h \
	tests/jail/acts_courier.c
EXTRA_PROGRAMS += $(HOSTILE_BINARIES) tests/jail/judge_calls
tests_jail_judge_calls_SOURCES = tests/jail/judge_calls.c
tests_jail_judge_calls_LDADD = $(DAEMON_LIBS)
tests_jail_hostile_SOURCES = $(HOSTILE_SOURCES)
tests_jail_hostile_LDADD = $(DAEMON_LIBS)
tests_jail_careless_SOURCES = $(HOSTILE_SOURCES) tests/jail/careless.c
tests_jail_careless_LDADD = $(DAEMON_LIBS)
EXTRA_tests_jail_check_hostile_DEPENDENCIES = $(HOSTILE_BINARIES)
endif
