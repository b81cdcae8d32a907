# SPDX-License-Identifier: ISC
# Fuzzing, with clang: `make fuzz' for 40 s with all targets at once, `make fuzz-long' for ten million runs each.
EXTRA_DIST += tests/fuzz/run tests/fuzz/corpus

# `make check' compiles the targets, so that they keep up with the code.
if HAVE_CHECK
check_LIBRARIES += tests/fuzz/libtargets.a
tests_fuzz_libtargets_a_SOURCES = tests/fuzz/fuzz_command_line.c tests/fuzz/fuzz_config.c \
	tests/fuzz/fuzz_frame.c tests/fuzz/fuzz_line.c tests/fuzz/fuzz_text.c tests/fuzz/options_hold.h
endif

fuzz:
	$(srcdir)/tests/fuzz/run '$(abs_srcdir)' '$(abs_builddir)/build-fuzz' -max_total_time=40
fuzz-long:
	$(srcdir)/tests/fuzz/run '$(abs_srcdir)' '$(abs_builddir)/build-fuzz' -runs=10000000
.PHONY: fuzz fuzz-long
