# SPDX-License-Identifier: ISC
# Compiler and linker flags, asked for one by one: a flag that the tool does not know, or
# only warns about, is left out, so that one configure.ac serves old and new gcc and clang.

# CHATROOMD_COMPILER_FLAG(VARIABLE, FLAG)
# Append FLAG to VARIABLE if the C compiler takes it, after what is there, without a complaint.
AC_DEFUN([CHATROOMD_COMPILER_FLAG],
[AS_VAR_PUSHDEF([cache], [chatroomd_cv_cc_$2])
AC_CACHE_CHECK([whether $CC takes $2], [cache],
  [chatroomd_save_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS $[$1] -Werror $2"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
  CFLAGS=$chatroomd_save_CFLAGS])
AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([$1], [" $2"])])
AS_VAR_POPDEF([cache])])

# CHATROOMD_LINKER_FLAG(VARIABLE, FLAG, [FLAGS-TO-TEST-WITH])
# Append FLAG to VARIABLE if a program links with it without a complaint.
AC_DEFUN([CHATROOMD_LINKER_FLAG],
[AS_VAR_PUSHDEF([cache], [chatroomd_cv_ld_$2])
AC_CACHE_CHECK([whether $CC links with $2], [cache],
  [chatroomd_save_CFLAGS=$CFLAGS
  chatroomd_save_LDFLAGS=$LDFLAGS
  CFLAGS="$CFLAGS -Werror $3"
  LDFLAGS="$LDFLAGS $2"
  AC_LINK_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
  CFLAGS=$chatroomd_save_CFLAGS
  LDFLAGS=$chatroomd_save_LDFLAGS])
AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([$1], [" $2"])])
AS_VAR_POPDEF([cache])])

# CHATROOMD_CHECK_FORTIFY
# Define CHATROOMD_FORTIFY to the highest level of _FORTIFY_SOURCE that compiles without a
# warning. config.h turns it into _FORTIFY_SOURCE only in files that are optimised: without
# optimisation the C library warns, and `make CFLAGS=-O0` is decided after configure has run.
AC_DEFUN([CHATROOMD_CHECK_FORTIFY],
[AC_CACHE_CHECK([for the highest _FORTIFY_SOURCE], [chatroomd_cv_fortify],
  [chatroomd_save_CFLAGS=$CFLAGS
  chatroomd_cv_fortify=0
  for chatroomd_level in 3 2; do
    CFLAGS="$chatroomd_save_CFLAGS -O2 -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$chatroomd_level"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]])],
      [chatroomd_cv_fortify=$chatroomd_level; break])
  done
  CFLAGS=$chatroomd_save_CFLAGS])
AS_IF([test "$chatroomd_cv_fortify" != 0],
  [AC_DEFINE_UNQUOTED([CHATROOMD_FORTIFY], [$chatroomd_cv_fortify],
    [The level of _FORTIFY_SOURCE for optimised files, if any.])])
AH_BOTTOM([/* Not on the command line: a file compiled without optimisation must do without. */
#if defined CHATROOMD_FORTIFY && defined __OPTIMIZE__ && !defined _FORTIFY_SOURCE
#define _FORTIFY_SOURCE CHATROOMD_FORTIFY
#endif])])
