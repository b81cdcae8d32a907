# SPDX-License-Identifier: ISC
# The system tests run the built daemon and have none of its code; LIBSYSTEM is their harness.
if HAVE_CHECK
SYSTEM_TESTS_LIBS = tests/system/libsystem.a $(CHECK_LIBS)
check_LIBRARIES += tests/system/libsystem.a
tests_system_libsystem_a_SOURCES = \
	tests/system/address.c tests/system/address.h \
	tests/system/bounded.c tests/system/bounded.h \
	tests/system/client.c tests/system/client.h \
	tests/system/crowd.c tests/system/crowd.h \
	tests/system/daemon.c tests/system/daemon.h \
	tests/system/folder.c tests/system/folder.h \
	tests/system/modes.h \
	tests/system/process.c tests/system/process.h \
	tests/system/refuse.c tests/system/refuse.h \
	tests/system/stream.c tests/system/stream.h \
	tests/system/transcript.c tests/system/transcript.h \
	tests/system/workers.c tests/system/workers.h
check_PROGRAMS += \
	tests/system/check_bad_input \
	tests/system/check_crash \
	tests/system/check_ends \
	tests/system/check_jail \
	tests/system/check_listen \
	tests/system/check_noise \
	tests/system/check_output \
	tests/system/check_process \
	tests/system/check_secret \
	tests/system/check_refused \
	tests/system/check_stop \
	tests/system/check_talk
tests_system_check_bad_input_LDADD = $(SYSTEM_TESTS_LIBS)
tests_system_check_crash_LDADD = $(SYSTEM_TESTS_LIBS)
tests_system_check_ends_LDADD = $(SYSTEM_TESTS_LIBS)
tests_system_check_jail_LDADD = $(SYSTEM_TESTS_LIBS)
tests_system_check_listen_LDADD = $(SYSTEM_TESTS_LIBS)
tests_system_check_noise_SOURCES = tests/system/check_noise.c \
	tests/checker/workload.c tests/checker/workload.h
tests_system_check_noise_LDADD = tests/checker/libchecker.a $(SYSTEM_TESTS_LIBS)
tests_system_check_output_LDADD = $(SYSTEM_TESTS_LIBS)
tests_system_check_process_LDADD = $(SYSTEM_TESTS_LIBS)
tests_system_check_secret_LDADD = $(SYSTEM_TESTS_LIBS)
tests_system_check_refused_LDADD = $(SYSTEM_TESTS_LIBS)
tests_system_check_stop_LDADD = $(SYSTEM_TESTS_LIBS)
tests_system_check_talk_LDADD = $(SYSTEM_TESTS_LIBS)
endif
