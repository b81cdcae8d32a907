EXTRA_DIST += tests/check_main.h
EXTRA_DIST += tests/fuzz/fuzz_text.c tests/fuzz/fuzz_line.c tests/fuzz/corpus/text tests/fuzz/corpus/line

# A program whose source is not named is made of the .c file of its name.
if HAVE_CHECK
dist_check_SCRIPTS += tests/check_includes
check_PROGRAMS += \
	tests/base/check_address \
	tests/base/check_alloc \
	tests/base/check_log \
	tests/base/check_options \
	tests/base/check_text \
	tests/base/check_title \
	tests/base/check_value \
	tests/protocol/check_line \
	tests/chat/check_names \
	tests/chat/check_room
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

TESTS += $(check_PROGRAMS) $(dist_check_SCRIPTS)

# Where the tests find the daemon, and the files of the source that they read.
AM_TESTS_ENVIRONMENT = \
	CHATROOMD_BINARY='$(abs_top_builddir)/chatroomd'; export CHATROOMD_BINARY; \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir;
