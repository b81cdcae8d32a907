/* SPDX-License-Identifier: ISC */
/*
 * sys/queue.h - lists and tail queues of BSD, for a C library without them (musl).
 *
 * Only the macros that chatroomd uses, as queue(3) describes them. configure puts this folder into
 * the include path if the C library has no <sys/queue.h>.
 *
 * Model: an element has a pointer to the next one and the address of the pointer that points to
 * itself: in the previous element, or in the head. So it is removed without a search.
 */
#ifndef CHATROOMD_COMPAT_SYS_QUEUE_H
#define CHATROOMD_COMPAT_SYS_QUEUE_H

#define LIST_HEAD(name, type)                                                                      \
    struct name {                                                                                  \
        struct type *lh_first;                                                                     \
    }

#define LIST_ENTRY(type)                                                                           \
    struct {                                                                                       \
        struct type *le_next, **le_prev;                                                           \
    }

#define LIST_EMPTY(head)      ((head)->lh_first == NULL)
#define LIST_FIRST(head)      ((head)->lh_first)
#define LIST_NEXT(elm, field) ((elm)->field.le_next)

#define LIST_FOREACH(var, head, field)                                                             \
    for ((var) = LIST_FIRST(head); (var) != NULL; (var) = LIST_NEXT(var, field))

#define LIST_INIT(head)                                                                            \
    do {                                                                                           \
        (head)->lh_first = NULL;                                                                   \
    } while (0)

#define LIST_INSERT_HEAD(head, elm, field)                                                         \
    do {                                                                                           \
        (elm)->field.le_next = (head)->lh_first;                                                   \
        if ((elm)->field.le_next != NULL)                                                          \
            (head)->lh_first->field.le_prev = &(elm)->field.le_next;                               \
        (head)->lh_first = (elm);                                                                  \
        (elm)->field.le_prev = &(head)->lh_first;                                                  \
    } while (0)

#define LIST_REMOVE(elm, field)                                                                    \
    do {                                                                                           \
        if ((elm)->field.le_next != NULL)                                                          \
            (elm)->field.le_next->field.le_prev = (elm)->field.le_prev;                            \
        *(elm)->field.le_prev = (elm)->field.le_next;                                              \
    } while (0)

#define TAILQ_HEAD(name, type)                                                                     \
    struct name {                                                                                  \
        struct type *tqh_first, **tqh_last;                                                        \
    }

#define TAILQ_ENTRY(type)                                                                          \
    struct {                                                                                       \
        struct type *tqe_next, **tqe_prev;                                                         \
    }

#define TAILQ_EMPTY(head)      ((head)->tqh_first == NULL)
#define TAILQ_FIRST(head)      ((head)->tqh_first)
#define TAILQ_NEXT(elm, field) ((elm)->field.tqe_next)

#define TAILQ_FOREACH(var, head, field)                                                            \
    for ((var) = TAILQ_FIRST(head); (var) != NULL; (var) = TAILQ_NEXT(var, field))

#define TAILQ_INIT(head)                                                                           \
    do {                                                                                           \
        (head)->tqh_first = NULL;                                                                  \
        (head)->tqh_last = &(head)->tqh_first;                                                     \
    } while (0)

#define TAILQ_INSERT_HEAD(head, elm, field)                                                        \
    do {                                                                                           \
        (elm)->field.tqe_next = (head)->tqh_first;                                                 \
        if ((elm)->field.tqe_next != NULL)                                                         \
            (head)->tqh_first->field.tqe_prev = &(elm)->field.tqe_next;                            \
        else                                                                                       \
            (head)->tqh_last = &(elm)->field.tqe_next;                                             \
        (head)->tqh_first = (elm);                                                                 \
        (elm)->field.tqe_prev = &(head)->tqh_first;                                                \
    } while (0)

#define TAILQ_INSERT_TAIL(head, elm, field)                                                        \
    do {                                                                                           \
        (elm)->field.tqe_next = NULL;                                                              \
        (elm)->field.tqe_prev = (head)->tqh_last;                                                  \
        *(head)->tqh_last = (elm);                                                                 \
        (head)->tqh_last = &(elm)->field.tqe_next;                                                 \
    } while (0)

#define TAILQ_REMOVE(head, elm, field)                                                             \
    do {                                                                                           \
        if ((elm)->field.tqe_next != NULL)                                                         \
            (elm)->field.tqe_next->field.tqe_prev = (elm)->field.tqe_prev;                         \
        else                                                                                       \
            (head)->tqh_last = (elm)->field.tqe_prev;                                              \
        *(elm)->field.tqe_prev = (elm)->field.tqe_next;                                            \
    } while (0)

#endif
