# SPDX-License-Identifier: ISC
EXTRA_DIST += tests/check_main.h tests/terminal.h
check_LIBRARIES =
include tests/fuzz/local.mk
include tests/proof/local.mk

# A program whose source is not named is made of the .c file of its name.
if HAVE_CHECK
include tests/checker/local.mk
include tests/system/local.mk
dist_check_SCRIPTS += tests/check_includes tests/check_calls
check_PROGRAMS += \
	tests/base/check_address \
	tests/base/check_alloc \
	tests/base/check_descriptors \
	tests/process/check_extra_kind \
	tests/process/check_oom \
	tests/base/check_filter \
	tests/base/check_log \
	tests/base/check_nearest \
	tests/base/check_options \
	tests/base/check_text \
	tests/base/check_proctitle \
	tests/base/check_value \
	tests/compat/check_queue \
	tests/protocol/line/check_line_parse \
	tests/chat/check_names \
	tests/chat/check_room \
	tests/region/check_outbox \
	tests/region/check_region \
	tests/region/check_ring \
	tests/relay/check_frame \
	tests/relay/check_handover \
	tests/relay/check_relay \
	tests/delivery/check_batch \
	tests/delivery/check_delivery \
	tests/delivery/check_marks \
	tests/delivery/check_progress \
	tests/supervisor/check_clock \
	tests/supervisor/courier/check_courier_progress \
	tests/supervisor/courier/check_hang \
	tests/supervisor/client/check_hold \
	tests/supervisor/client/check_penalty \
	tests/supervisor/accept/check_listener \
	tests/supervisor/child/check_child \
	tests/supervisor/child/check_spawner \
	tests/supervisor/accept/check_unannounced \
	tests/supervisor/courier/check_resume \
	tests/supervisor/client/check_slot \
	tests/supervisor/order/check_order \
	tests/supervisor/order/check_record \
	tests/supervisor/ring/check_space \
	tests/supervisor/ring/check_turn \
	tests/supervisor/client/check_spare \
	tests/supervisor/client/check_stall \
	tests/courier/check_hold_off \
	tests/courier/check_pass
tests_courier_check_pass_SOURCES = tests/courier/check_pass.c \
	tests/delivery/records.c tests/delivery/records.h
tests_delivery_check_batch_SOURCES = tests/delivery/check_batch.c \
	tests/delivery/records.c tests/delivery/records.h
tests_delivery_check_delivery_SOURCES = tests/delivery/check_delivery.c \
	tests/delivery/records.c tests/delivery/records.h
tests_delivery_check_marks_SOURCES = tests/delivery/check_marks.c \
	tests/delivery/records.c tests/delivery/records.h
tests_delivery_check_progress_SOURCES = tests/delivery/check_progress.c \
	tests/delivery/records.c tests/delivery/records.h
tests_supervisor_courier_check_courier_progress_SOURCES = tests/supervisor/courier/check_courier_progress.c \
	tests/supervisor/fixture.c tests/supervisor/fixture.h
tests_supervisor_courier_check_hang_SOURCES = tests/supervisor/courier/check_hang.c \
	tests/supervisor/fixture.c tests/supervisor/fixture.h
tests_supervisor_client_check_hold_SOURCES = tests/supervisor/client/check_hold.c \
	tests/supervisor/fixture.c tests/supervisor/fixture.h
tests_supervisor_accept_check_listener_SOURCES = tests/supervisor/accept/check_listener.c \
	tests/system/address.c tests/system/address.h \
	tests/system/bounded.c tests/system/bounded.h
tests_supervisor_accept_check_unannounced_SOURCES = tests/supervisor/accept/check_unannounced.c \
	tests/supervisor/fixture.c tests/supervisor/fixture.h
tests_supervisor_child_check_child_SOURCES = tests/supervisor/child/check_child.c \
	tests/supervisor/fixture.c tests/supervisor/fixture.h
tests_supervisor_child_check_spawner_SOURCES = tests/supervisor/child/check_spawner.c \
	tests/supervisor/fixture.c tests/supervisor/fixture.h \
	tests/system/bounded.c tests/system/bounded.h
tests_supervisor_courier_check_resume_SOURCES = tests/supervisor/courier/check_resume.c \
	tests/supervisor/fixture.c tests/supervisor/fixture.h
tests_supervisor_client_check_slot_SOURCES = tests/supervisor/client/check_slot.c \
	tests/supervisor/fixture.c tests/supervisor/fixture.h
tests_supervisor_ring_check_space_SOURCES = tests/supervisor/ring/check_space.c \
	tests/supervisor/fixture.c tests/supervisor/fixture.h
tests_supervisor_client_check_spare_SOURCES = tests/supervisor/client/check_spare.c \
	tests/supervisor/fixture.c tests/supervisor/fixture.h
tests_base_check_descriptors_SOURCES = tests/base/check_descriptors.c \
	tests/system/refuse.c tests/system/refuse.h
tests_process_check_extra_kind_SOURCES = tests/process/check_extra_kind.c \
	tests/system/bounded.c tests/system/bounded.h
tests_supervisor_client_check_stall_SOURCES = tests/supervisor/client/check_stall.c \
	tests/supervisor/fixture.c tests/supervisor/fixture.h
tests_supervisor_order_check_order_SOURCES = tests/supervisor/order/check_order.c \
	tests/supervisor/fixture.c tests/supervisor/fixture.h
tests_supervisor_order_check_record_SOURCES = tests/supervisor/order/check_record.c \
	tests/supervisor/fixture.c tests/supervisor/fixture.h
tests_base_check_text_SOURCES = tests/base/check_text.c
tests_protocol_line_check_line_parse_SOURCES = tests/protocol/line/check_line_parse.c \
	tests/protocol/line/line_record.c tests/protocol/line/line_record.h
tests_chat_check_names_SOURCES = tests/chat/check_names.c
tests_chat_check_room_SOURCES = tests/chat/check_room.c
else
check-local:
	@echo 'The tests need the library "check", 0.15 or later: ./bootstrap --install-deps installs'
	@echo 'it; then run configure again.'
	@exit 1
endif

include tests/faults/local.mk
include tests/jail/local.mk
include tests/model/local.mk

# `make check' runs the quick tests, and compiles all. `make check-all' runs the slow ones too: the
# models, injected faults, and workers and couriers that have been taken over. Automake writes the
# rules of a test that is in TESTS under any condition.
SLOW_TESTS = tests/model/check_models.sh $(SLOW_BINARIES)
EXTRA_PROGRAMS += $(SLOW_BINARIES)
check_DATA = $(SLOW_BINARIES)
TESTS += $(check_PROGRAMS) $(dist_check_SCRIPTS)
if CHECK_RUNS_SLOW_TESTS
TESTS += $(SLOW_TESTS)
endif
check-all: all
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(SLOW_TESTS) $(TESTS)'
.PHONY: check-all

# Where the tests find the daemon, the files of the source that they read, and the compiler.
AM_TESTS_ENVIRONMENT = \
	CHATROOMD_BINARY='$(abs_top_builddir)/chatroomd'; export CHATROOMD_BINARY; \
	CHATROOMD_HOSTILE='$(abs_top_builddir)/tests/jail/hostile'; export CHATROOMD_HOSTILE; \
	CHATROOMD_CARELESS='$(abs_top_builddir)/tests/jail/careless'; export CHATROOMD_CARELESS; \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	CC='$(CC)'; export CC; AR='$(AR)'; export AR;
