/* SPDX-License-Identifier: ISC */
/*
 * supervisor/child/child: children whose relays have ended, while one of them makes the supervisor
 * forget another.
 */
#include "config.h"

#include "supervisor/courier/courier_state.h"
#include "supervisor/courier/couriers.h"
#include "supervisor/order/notify.h"
#include "supervisor/order/order.h"
#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"

#include <event2/event.h>

/* A courier and the worker of its client exit, and the worker's exit is seen first. The client has
 * been disconnected before, so its slot becomes free as soon as its courier is gone. */
START_TEST(a_worker_that_its_courier_frees_is_gone_once)
{
    struct fixture *fixture = fixture_open_with_forker(1);
    struct supervisor *supervisor = &fixture->supervisor;
    struct courier *courier = &supervisor->couriers[0];
    struct slot *client, *other;

    fixture_make_couriers(fixture);
    client = fixture_join(fixture);
    other = fixture_join(fixture);
    ck_assert_ptr_eq(client->link.courier, courier);
    slot_end(client, DISCONNECT_CONNECTION_LOST, FRAME_CLOSE_DROP);
    fixture_turn(fixture);
    ck_assert(!client->left_due);

    fixture_end_courier(fixture, 0);
    while (courier->child.relay != NULL)
        ck_assert_int_eq(event_base_loop(supervisor->base, EVLOOP_ONCE), 0);
    fixture_end_relay(fixture, client);
    ck_assert_ptr_eq(TAILQ_NEXT(&courier->child, closing_link), &client->child);
    courier->child.state = CHILD_ASKED; /* its process ID comes later */
    children_reap(supervisor);
    ck_assert_int_eq(client->state, SLOT_GONE);
    courier->child.state = CHILD_RUNNING;
    children_reap(supervisor);
    ck_assert_int_eq(client->state, SLOT_FREE);
    ck_assert_int_eq(other->state, SLOT_PRESENT);
    ck_assert_uint_eq(supervisor->used, 1);
    ck_assert(TAILQ_EMPTY(&supervisor->children.closing));
    fixture_close(fixture);
}
END_TEST

static Suite *child_suite(void)
{
    Suite *suite = suite_create("supervisor: child");
    TCase *gone = tcase_create("gone");

    tcase_add_test(gone, a_worker_that_its_courier_frees_is_gone_once);
    suite_add_tcase(suite, gone);
    return suite;
}

CHECK_MAIN(child_suite)
