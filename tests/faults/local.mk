# SPDX-License-Identifier: ISC
# Faults injected into the built daemon. `make check-all' runs the short forms, `make check-long' the
# full ones (CHATROOMD_LONG=1), `make soak' 100 million checked deliveries.
if HAVE_CHECK
FAULTS_LIBS = tests/faults/libfaults.a tests/checker/libchecker.a $(SYSTEM_TESTS_LIBS)
check_LIBRARIES += tests/faults/libfaults.a
tests_faults_libfaults_a_SOURCES = \
	tests/faults/faults.c tests/faults/faults.h \
	tests/faults/trace.c tests/faults/trace.h
FAULTS_TESTS = \
	tests/faults/check_couriers \
	tests/faults/check_floods \
	tests/faults/check_hold \
	tests/faults/check_kills \
	tests/faults/check_limits \
	tests/faults/check_peers \
	tests/faults/check_restart \
	tests/faults/check_short_io \
	tests/faults/check_soak \
	tests/faults/check_stall \
	tests/faults/check_stop_load \
	tests/faults/check_syscalls
SLOW_BINARIES += $(FAULTS_TESTS)
tests_faults_check_couriers_SOURCES = tests/faults/check_couriers.c \
	tests/checker/workload.c tests/checker/workload.h
tests_faults_check_couriers_LDADD = $(FAULTS_LIBS)
tests_faults_check_floods_LDADD = $(FAULTS_LIBS)
tests_faults_check_hold_LDADD = $(FAULTS_LIBS)
tests_faults_check_kills_SOURCES = tests/faults/check_kills.c \
	tests/checker/workload.c tests/checker/workload.h
tests_faults_check_kills_LDADD = $(FAULTS_LIBS)
tests_faults_check_limits_LDADD = $(FAULTS_LIBS)
tests_faults_check_peers_LDADD = $(FAULTS_LIBS)
tests_faults_check_restart_LDADD = $(FAULTS_LIBS)
tests_faults_check_short_io_SOURCES = tests/faults/check_short_io.c \
	tests/checker/workload.c tests/checker/workload.h
tests_faults_check_short_io_LDADD = $(FAULTS_LIBS)
EXTRA_tests_faults_check_short_io_DEPENDENCIES = tests/faults/short_io.so
tests_faults_check_soak_LDADD = $(FAULTS_LIBS)
tests_faults_check_stall_LDADD = $(FAULTS_LIBS)
tests_faults_check_stop_load_LDADD = $(FAULTS_LIBS)
tests_faults_check_syscalls_LDADD = $(FAULTS_LIBS)

# Loaded into the daemon before the C library: without the flags of the daemon's own build.
tests/faults/short_io.so: tests/faults/short_io.c
	$(AM_V_CC)$(MKDIR_P) tests/faults && \
	$(CC) -D_GNU_SOURCE -O2 -fPIC -shared -o $@ $(srcdir)/tests/faults/short_io.c
CLEANFILES += tests/faults/short_io.so

check-long: all
	CHATROOMD_LONG=1 $(MAKE) $(AM_MAKEFLAGS) check TESTS='$(FAULTS_TESTS)'

soak: all
	CHATROOMD_SOAK=100000000 $(MAKE) $(AM_MAKEFLAGS) check TESTS=tests/faults/check_soak
	@grep deliveries tests/faults/check_soak.log
endif
EXTRA_DIST += tests/faults/short_io.c
