EXTRA_DIST += tests/check_main.h
include tests/fuzz/local.mk
include tests/proof/local.mk

# A program whose source is not named is made of the .c file of its name.
if HAVE_CHECK
dist_check_SCRIPTS += tests/check_includes
check_PROGRAMS += \
	tests/base/check_address \
	tests/base/check_alloc \
	tests/base/check_footprint \
	tests/base/check_log \
	tests/base/check_options \
	tests/base/check_text \
	tests/base/check_title \
	tests/base/check_value \
	tests/protocol/check_line \
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
	tests/supervisor/check_duty \
	tests/supervisor/check_hang \
	tests/supervisor/check_hold \
	tests/supervisor/check_listener \
	tests/supervisor/check_maker \
	tests/supervisor/check_refusals \
	tests/supervisor/check_resume \
	tests/supervisor/check_slot \
	tests/supervisor/check_space \
	tests/supervisor/check_spare \
	tests/worker/check_rest
tests_delivery_check_batch_SOURCES = tests/delivery/check_batch.c \
	tests/delivery/records.c tests/delivery/records.h
tests_delivery_check_delivery_SOURCES = tests/delivery/check_delivery.c \
	tests/delivery/records.c tests/delivery/records.h
tests_delivery_check_marks_SOURCES = tests/delivery/check_marks.c \
	tests/delivery/records.c tests/delivery/records.h
tests_delivery_check_progress_SOURCES = tests/delivery/check_progress.c \
	tests/delivery/records.c tests/delivery/records.h
tests_supervisor_check_duty_SOURCES = tests/supervisor/check_duty.c \
	tests/supervisor/stage.c tests/supervisor/stage.h
tests_supervisor_check_hang_SOURCES = tests/supervisor/check_hang.c \
	tests/supervisor/stage.c tests/supervisor/stage.h
tests_supervisor_check_hold_SOURCES = tests/supervisor/check_hold.c \
	tests/supervisor/stage.c tests/supervisor/stage.h
tests_supervisor_check_listener_SOURCES = tests/supervisor/check_listener.c \
	tests/system/bounded.c tests/system/bounded.h
tests_supervisor_check_maker_SOURCES = tests/supervisor/check_maker.c \
	tests/supervisor/stage.c tests/supervisor/stage.h \
	tests/system/bounded.c tests/system/bounded.h
tests_supervisor_check_resume_SOURCES = tests/supervisor/check_resume.c \
	tests/supervisor/stage.c tests/supervisor/stage.h
tests_supervisor_check_slot_SOURCES = tests/supervisor/check_slot.c \
	tests/supervisor/stage.c tests/supervisor/stage.h
tests_supervisor_check_space_SOURCES = tests/supervisor/check_space.c \
	tests/supervisor/stage.c tests/supervisor/stage.h
tests_supervisor_check_spare_SOURCES = tests/supervisor/check_spare.c \
	tests/supervisor/stage.c tests/supervisor/stage.h
tests_base_check_text_SOURCES = tests/base/check_text.c
tests_protocol_check_line_SOURCES = tests/protocol/check_line.c \
	tests/protocol/line_record.c tests/protocol/line_record.h
tests_chat_check_names_SOURCES = tests/chat/check_names.c
tests_chat_check_room_SOURCES = tests/chat/check_room.c
else
check-local:
	@echo 'The tests need the library "check", 0.15 or later: ./bootstrap --install-deps installs'
	@echo 'it; then run configure again.'
	@exit 1
endif

check_LIBRARIES =
include tests/system/local.mk
include tests/jail/local.mk
include tests/checker/local.mk
include tests/faults/local.mk
include tests/model/local.mk

TESTS += $(check_PROGRAMS) $(dist_check_SCRIPTS)

# Where the tests find the daemon, and the files of the source that they read.
AM_TESTS_ENVIRONMENT = \
	CHATROOMD_BINARY='$(abs_top_builddir)/chatroomd'; export CHATROOMD_BINARY; \
	CHATROOMD_HOSTILE='$(abs_top_builddir)/tests/jail/hostile'; export CHATROOMD_HOSTILE; \
	CHATROOMD_CARELESS='$(abs_top_builddir)/tests/jail/careless'; export CHATROOMD_CARELESS; \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir;
