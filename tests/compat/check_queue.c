/* SPDX-License-Identifier: ISC */
/*
 * compat/sys/queue: lists and queues keep their order; at random steps as an array does.
 */
#include "config.h"

#include "compat/sys/queue.h"

#include "tests/check_main.h"

#include <stddef.h>
#include <string.h>

#define ITEMS 6
#define STEPS 5000

struct item {
    TAILQ_ENTRY(item) link;
    LIST_ENTRY(item) list_link;
};

TAILQ_HEAD(queue, item);
LIST_HEAD(list, item);

static void expect_order(const struct queue *queue, struct item *const *order, size_t count)
{
    const struct item *item;
    size_t at = 0;

    CHECK_QUICKLY(TAILQ_EMPTY(queue) == (count == 0));
    TAILQ_FOREACH (item, queue, link) {
        CHECK_QUICKLY(at < count && item == order[at]);
        at++;
    }
    CHECK_QUICKLY(at == count);
}

START_TEST(it_keeps_the_order)
{
    static struct item items[ITEMS];
    struct item *order[ITEMS];
    size_t count = 0;
    struct queue queue;

    srand(1);
    TAILQ_INIT(&queue);
    for (int step = 0; step < STEPS; step++) {
        struct item *item = &items[rand() % ITEMS];
        size_t at = 0;

        while (at < count && order[at] != item)
            at++;
        if (at < count) {
            TAILQ_REMOVE(&queue, item, link);
            memmove(&order[at], &order[at + 1], (--count - at) * sizeof order[0]);
        } else if (rand() % 2 == 0) {
            TAILQ_INSERT_TAIL(&queue, item, link);
            order[count++] = item;
        } else {
            TAILQ_INSERT_HEAD(&queue, item, link);
            memmove(&order[1], &order[0], count++ * sizeof order[0]);
            order[0] = item;
        }
        expect_order(&queue, order, count);
    }
}
END_TEST

START_TEST(a_list_keeps_the_order)
{
    static struct item items[ITEMS];
    const struct item *item;
    struct list list;
    size_t at = ITEMS - 1;

    LIST_INIT(&list);
    ck_assert(LIST_EMPTY(&list));
    for (size_t i = 0; i < ITEMS; i++)
        LIST_INSERT_HEAD(&list, &items[i], list_link);
    LIST_REMOVE(&items[ITEMS - 1], list_link); /* the first, one between, and the last */
    LIST_REMOVE(&items[2], list_link);
    LIST_REMOVE(&items[0], list_link);
    LIST_FOREACH (item, &list, list_link) {
        at -= at - 1 == 2 ? 2 : 1;
        ck_assert_ptr_eq(item, &items[at]);
    }
    ck_assert_uint_eq(at, 1);
}
END_TEST

static Suite *queue_suite(void)
{
    Suite *suite = suite_create("compat/queue");
    TCase *queue = tcase_create("queue");

    tcase_add_test(queue, it_keeps_the_order);
    tcase_add_test(queue, a_list_keeps_the_order);
    suite_add_tcase(suite, queue);
    return suite;
}

CHECK_MAIN(queue_suite)
