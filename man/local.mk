# SPDX-License-Identifier: ISC
dist_man_MANS = man/chatroomd.8 man/chatroomd.conf.5
