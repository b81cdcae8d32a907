# Everything but main() is in one library, which the tests and benches link with too.
noinst_LIBRARIES += libchatroomd.a
libchatroomd_a_SOURCES = \
	src/base/account.c src/base/account.h \
	src/base/address.c src/base/address.h \
	src/base/alloc.c src/base/alloc.h \
	src/base/config_file.c src/base/config_file.h \
	src/base/filter.c src/base/filter.h \
	src/base/footprint.c src/base/footprint.h \
	src/base/jail_mode.h \
	src/base/log.c src/base/log.h \
	src/base/option_row.c src/base/option_row.h \
	src/base/options.c src/base/options.h src/base/options_table.h \
	src/base/options_print.c \
	src/base/privilege.c src/base/privilege.h \
	src/base/text.c src/base/text.h \
	src/base/title.c src/base/title.h \
	src/base/value.c src/base/value.h \
	src/region/layout.h \
	src/region/outbox.c src/region/outbox.h \
	src/region/region.c src/region/region.h \
	src/region/ring.c src/region/ring.h \
	src/relay/ends.h \
	src/relay/frame.c src/relay/frame.h \
	src/relay/handover.c src/relay/handover.h \
	src/relay/heritage.h \
	src/relay/loop.c src/relay/loop.h \
	src/relay/relay.c src/relay/relay.h \
	src/chat/names.c src/chat/names.h \
	src/chat/room.c src/chat/room.h \
	src/protocol/line.c src/protocol/line.h \
	src/delivery/batch.c src/delivery/batch.h \
	src/delivery/delivery.c src/delivery/delivery.h \
	src/delivery/prefault.c src/delivery/prefault.h \
	src/supervisor/canaries.c src/supervisor/canaries.h \
	src/supervisor/confinement.c src/supervisor/confinement.h \
	src/supervisor/clock.c src/supervisor/clock.h \
	src/supervisor/courier.h \
	src/supervisor/courier_client.c \
	src/supervisor/courier_death.c \
	src/supervisor/courier_duty.c \
	src/supervisor/courier_process.c \
	src/supervisor/courier_tell.c \
	src/supervisor/couriers.c src/supervisor/couriers.h \
	src/supervisor/forker.c src/supervisor/forker.h \
	src/supervisor/listener.c src/supervisor/listener.h \
	src/supervisor/maker.c src/supervisor/maker.h \
	src/supervisor/newcomer.c src/supervisor/newcomer.h \
	src/supervisor/order.c src/supervisor/order.h \
	src/supervisor/penalty.c src/supervisor/penalty.h \
	src/supervisor/reader.c src/supervisor/reader.h \
	src/supervisor/record.c src/supervisor/record.h \
	src/supervisor/refusals.c src/supervisor/refusals.h \
	src/supervisor/resume.c src/supervisor/resume.h \
	src/supervisor/slot.c src/supervisor/slot.h \
	src/supervisor/space.c src/supervisor/space.h \
	src/supervisor/spare.c src/supervisor/spare.h \
	src/supervisor/state.h \
	src/supervisor/supervisor.c src/supervisor/supervisor.h \
	src/supervisor/tell.c src/supervisor/tell.h \
	src/worker/canary.c src/worker/canary.h \
	src/worker/closing.c src/worker/closing.h \
	src/worker/courier.c src/worker/courier.h \
	src/worker/deliverer.c src/worker/deliverer.h \
	src/worker/jail.c src/worker/jail.h \
	src/worker/jail_filter.c src/worker/jail_filter.h \
	src/worker/rest.c src/worker/rest.h \
	src/worker/session.c src/worker/session.h \
	src/worker/worker.c src/worker/worker.h

sbin_PROGRAMS += chatroomd
chatroomd_SOURCES = src/chatroomd.c
chatroomd_LDADD = $(DAEMON_LIBS)
