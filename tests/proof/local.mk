# SPDX-License-Identifier: ISC
# Proof with Frama-C that no bytes of a worker make the code that judges them go wrong.
EXTRA_DIST += tests/proof/prove tests/proof/prove_frame.c tests/proof/prove_text.c

prove:
	$(srcdir)/tests/proof/prove '$(abs_srcdir)'
.PHONY: prove
