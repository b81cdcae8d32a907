# SPDX-License-Identifier: ISC
# CHATROOMD_LIBC
# Fill what the C library may lack although the kernel has it: musl has no sys/queue.h (src/compat
# has one then), no MADV_POPULATE_* and no mallopt(3).
AC_DEFUN([CHATROOMD_LIBC],
[AC_CHECK_HEADER([sys/queue.h], [chatroomd_queue=yes], [chatroomd_queue=no])
AM_CONDITIONAL([HAVE_SYS_QUEUE_H], [test "$chatroomd_queue" = yes])
AC_CHECK_FUNCS([mallopt])
AC_CHECK_DECLS([MADV_POPULATE_READ, MADV_POPULATE_WRITE], [], [], [[#include <sys/mman.h>]])
AH_BOTTOM([/* From Linux 5.14 on, the same number on all architectures; an older kernel answers EINVAL. */
#if !HAVE_DECL_MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#if !HAVE_DECL_MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif])])
