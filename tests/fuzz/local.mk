# SPDX-License-Identifier: ISC
# Fuzzing, with clang: `make fuzz' for 20 s each, `make fuzz-long' for ten million runs each.
EXTRA_DIST += tests/fuzz/run tests/fuzz/corpus tests/fuzz/options_hold.h tests/fuzz/fuzz_text.c \
	tests/fuzz/fuzz_line.c tests/fuzz/fuzz_frame.c tests/fuzz/fuzz_config.c \
	tests/fuzz/fuzz_command_line.c

fuzz:
	$(srcdir)/tests/fuzz/run '$(abs_srcdir)' '$(abs_builddir)/build-fuzz' -max_total_time=20
fuzz-long:
	$(srcdir)/tests/fuzz/run '$(abs_srcdir)' '$(abs_builddir)/build-fuzz' -runs=10000000
.PHONY: fuzz fuzz-long
