# SPDX-License-Identifier: ISC
# The delivery checker, its own tests, and seeded runs on the built daemon.
if HAVE_CHECK
check_LIBRARIES += tests/checker/libchecker.a
tests_checker_libchecker_a_SOURCES = \
	tests/checker/checker.c tests/checker/checker.h \
	tests/checker/lines.c tests/checker/lines.h \
	tests/checker/lives.c tests/checker/lives.h \
	tests/checker/message.c tests/checker/message.h \
	tests/checker/order.c \
	tests/checker/random.h \
	tests/checker/report.c tests/checker/state.h
check_PROGRAMS += \
	tests/checker/check_checker \
	tests/checker/check_workload
tests_checker_check_checker_SOURCES = tests/checker/check_checker.c \
	tests/checker/edit.c tests/checker/edit.h \
	tests/checker/mutants.c tests/checker/mutants.h \
	tests/checker/simulation.c tests/checker/simulation.h
tests_checker_check_checker_LDADD = tests/checker/libchecker.a $(CHECK_LIBS)
tests_checker_check_workload_SOURCES = tests/checker/check_workload.c \
	tests/checker/workload.c tests/checker/workload.h
tests_checker_check_workload_LDADD = tests/checker/libchecker.a $(SYSTEM_TESTS_LIBS)
endif
