# SPDX-License-Identifier: ISC
# CHATROOMD_SYSTEMD_UNIT_DIR
# Find the folder for the systemd unit: --with-systemdsystemunitdir names it, else systemd.pc
# does. That names a folder of the whole system, so with a prefix other than /usr or
# /usr/local the unit stays below the prefix: `make install' in a home must not need root.
AC_DEFUN([CHATROOMD_SYSTEMD_UNIT_DIR],
[AC_ARG_WITH([systemdsystemunitdir],
  [AS_HELP_STRING([--with-systemdsystemunitdir=DIR], [where the systemd unit goes (no: nowhere)])],
  [], [with_systemdsystemunitdir=auto])
AS_IF([test "$with_systemdsystemunitdir" = auto || test "$with_systemdsystemunitdir" = yes],
  [AS_IF([$PKG_CONFIG --exists systemd],
    [AS_CASE([$prefix],
      [NONE|/usr|/usr/local],
        [with_systemdsystemunitdir=`$PKG_CONFIG --variable=systemdsystemunitdir systemd`],
      [with_systemdsystemunitdir='${prefix}/lib/systemd/system'])],
    [AS_IF([test "$with_systemdsystemunitdir" = yes],
      [AC_MSG_ERROR([--with-systemdsystemunitdir: systemd.pc was not found; name the folder])])
    with_systemdsystemunitdir=no])])
AC_SUBST([systemdsystemunitdir], [$with_systemdsystemunitdir])
AM_CONDITIONAL([HAVE_SYSTEMD], [test "$with_systemdsystemunitdir" != no])])
