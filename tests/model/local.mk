# SPDX-License-Identifier: ISC
# The models, explored with Spin; skipped where it is not there.
EXTRA_DIST += tests/model/check_models.sh tests/model/delivery.pml tests/model/wakeup.pml
