# SPDX-License-Identifier: ISC
# Everything but main() is in one library, which the tests and benches link with too.
noinst_LIBRARIES += libchatroomd.a
libchatroomd_a_SOURCES = \
	src/base/address.c src/base/address.h \
	src/base/alloc.c src/base/alloc.h \
	src/base/clock.h \
	src/base/config_file.c src/base/config_file.h \
	src/base/descriptors.c src/base/descriptors.h \
	src/base/filter.c src/base/filter.h \
	src/base/jail_mode.h \
	src/base/kind.h \
	src/base/log.c src/base/log.h \
	src/base/nearest.c src/base/nearest.h \
	src/base/option_row.c src/base/option_row.h \
	src/base/options.c src/base/options.h \
	src/base/options_print.c \
	src/base/options_table.h \
	src/base/privilege.c src/base/privilege.h \
	src/base/proctitle.c src/base/proctitle.h \
	src/base/requirements.c src/base/requirements.h \
	src/base/text.c src/base/text.h \
	src/base/user_group.c src/base/user_group.h \
	src/base/value.c src/base/value.h \
	src/compat/sys/queue.h \
	src/region/layout.h \
	src/region/outbox.c src/region/outbox.h \
	src/region/region.c src/region/region.h \
	src/region/ring.c src/region/ring.h \
	src/relay/frame.c src/relay/frame.h \
	src/relay/handover.c src/relay/handover.h \
	src/relay/loop.c src/relay/loop.h \
	src/relay/relay.c src/relay/relay.h \
	src/process/forker.c src/process/forker.h \
	src/process/filter_rules.h \
	src/process/heritage.c src/process/heritage.h \
	src/process/jail.c src/process/jail.h \
	src/process/kinds.c src/process/kinds.h \
	src/chat/disconnect.c src/chat/disconnect.h \
	src/chat/names.c src/chat/names.h \
	src/chat/room.c src/chat/room.h \
	src/protocol/line/line_parse.c src/protocol/line/line_parse.h \
	src/delivery/batch.c src/delivery/batch.h \
	src/delivery/delivery.c src/delivery/delivery.h \
	src/delivery/graceful_close.c src/delivery/graceful_close.h \
	src/delivery/prefault.c src/delivery/prefault.h \
	src/worker/own_delivery.c src/worker/own_delivery.h \
	src/worker/session.c src/worker/session.h \
	src/worker/worker.c src/worker/worker.h \
	src/worker/worker_filter.c \
	src/courier/courier.c src/courier/courier.h \
	src/courier/courier_filter.c \
	src/courier/courier_kind.c \
	src/courier/hold_off.c src/courier/hold_off.h \
	src/courier/pass.c src/courier/pass.h \
	src/courier/served.c src/courier/served.h \
	src/selftest/selftest.c src/selftest/selftest.h \
	src/supervisor/clock.c src/supervisor/clock.h \
	src/supervisor/counters.c src/supervisor/counters.h \
	src/supervisor/events.c src/supervisor/events.h \
	src/supervisor/run.h \
	src/supervisor/start.c src/supervisor/start.h \
	src/supervisor/state.h \
	src/supervisor/stop.c src/supervisor/stop.h \
	src/supervisor/supervisor.c src/supervisor/supervisor.h \
	src/supervisor/supervisor_jail.c src/supervisor/supervisor_jail.h \
	src/supervisor/accept/acceptor.c src/supervisor/accept/acceptor.h \
	src/supervisor/accept/listener.c src/supervisor/accept/listener.h \
	src/supervisor/child/orphans.c src/supervisor/child/orphans.h \
	src/supervisor/child/selftests.c src/supervisor/child/selftests.h \
	src/supervisor/child/spawner.c src/supervisor/child/spawner.h \
	src/supervisor/client/delivery_ops.h \
	src/supervisor/client/leave.c src/supervisor/client/leave.h \
	src/supervisor/client/worker_delivery.c \
	src/supervisor/child/child.c src/supervisor/child/child.h \
	src/supervisor/client/peer.c src/supervisor/client/peer.h \
	src/supervisor/client/penalty.c src/supervisor/client/penalty.h \
	src/supervisor/client/slot.c src/supervisor/client/slot.h \
	src/supervisor/client/spare.c src/supervisor/client/spare.h \
	src/supervisor/client/stall.c src/supervisor/client/stall.h \
	src/supervisor/courier/courier_client.c \
	src/supervisor/courier/courier_link.h \
	src/supervisor/courier/courier_notify.c \
	src/supervisor/courier/courier_process.c \
	src/supervisor/courier/courier_recovery.c \
	src/supervisor/courier/courier_state.h \
	src/supervisor/courier/couriers.c src/supervisor/courier/couriers.h \
	src/supervisor/courier/resume.c src/supervisor/courier/resume.h \
	src/supervisor/order/order.c src/supervisor/order/order.h \
	src/supervisor/order/record.c src/supervisor/order/record.h \
	src/supervisor/order/requests.c src/supervisor/order/requests.h \
	src/supervisor/order/notify.c src/supervisor/order/notify.h \
	src/supervisor/ring/cursor.c src/supervisor/ring/cursor.h \
	src/supervisor/ring/space.c src/supervisor/ring/space.h \
	src/supervisor/ring/turn.c src/supervisor/ring/turn.h

sbin_PROGRAMS += chatroomd
chatroomd_SOURCES = src/chatroomd.c
chatroomd_LDADD = $(DAEMON_LIBS)
