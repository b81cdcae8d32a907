# SPDX-License-Identifier: ISC
# Proves with Frama-C that no bytes of a worker cause an error in the code that checks them.
EXTRA_DIST += tests/proof/prove tests/proof/prove_frame.c tests/proof/prove_text.c

prove:
	$(srcdir)/tests/proof/prove '$(abs_srcdir)'
.PHONY: prove
