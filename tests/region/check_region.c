/* SPDX-License-Identifier: ISC */
/*
 * check_region.c - tests of region/region: the layout, that no part has a name, and that each
 * process attaches its own part only: a worker its outbox, a courier its part, and the common parts
 * read-only.
 */
#include "config.h"

#include "region/region.h"

#include "tests/check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOTS    3
#define COURIERS 2

static uint64_t page;
static struct region region;
static struct region_places places;
static const struct region_geometry geometry = {
    .slot_count = SLOTS, .courier_count = COURIERS, .ring_size = 300000, .outbox_size = 10000};

static void set_up(void)
{
    char error[512];

    page = (uint64_t)sysconf(_SC_PAGESIZE);
    ck_assert_msg(region_create(&region, &geometry, error, sizeof error), "%s", error);
    places = region_places_of(&region);
}

static void tear_down(void)
{
    region_destroy(&region);
}

static void expect_layout(const struct region_header *header, const struct region_geometry *wish)
{
    const uint64_t offsets[] = {header->slots_offset, header->index_offset, header->ring_offset,
        header->outboxes_offset, header->couriers_offset, header->total_size, header->ring_size,
        header->outbox_size, header->outbox_stride, header->courier_stride};

    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++)
        ck_assert_uint_eq(offsets[i] % page, 0);
    ck_assert_uint_eq(header->slot_count, wish->slot_count);
    ck_assert_uint_ge(header->ring_size, wish->ring_size);
    ck_assert_uint_lt(header->ring_size, wish->ring_size + page);
    ck_assert_uint_ge(header->outbox_size, wish->outbox_size);
    ck_assert_uint_lt(header->outbox_size, wish->outbox_size + page);
    ck_assert_uint_eq(header->index_count, header->ring_size / 64);
    ck_assert_uint_ge(header->slots_offset, sizeof *header);
    ck_assert_uint_eq(header->courier_count, wish->courier_count);
    ck_assert_uint_ge(header->index_offset - header->slots_offset,
        ((uint64_t)wish->slot_count + wish->courier_count) * sizeof(struct region_slot));
    ck_assert_uint_ge(header->ring_offset - header->index_offset,
        header->index_count * sizeof(struct record_entry));
    ck_assert_uint_eq(header->outboxes_offset - header->ring_offset, header->ring_size);
    ck_assert_uint_eq(header->outbox_stride, page + header->outbox_size);
    ck_assert_uint_eq(header->couriers_offset - header->outboxes_offset,
        wish->slot_count * header->outbox_stride);
    ck_assert_uint_ge(
        header->courier_stride, page + wish->slot_count * sizeof(struct delivery_state));
    ck_assert_uint_eq(
        header->total_size - header->couriers_offset, wish->courier_count * header->courier_stride);
}

START_TEST(parts_begin_on_pages_and_do_not_overlap)
{
    static const struct region_geometry wishes[] = {{1, 0, 262144, 4096},
        {1000, 1, 16777216, 16384}, {100000, 16, 16777216, 4096}, {64, 0, 262145, 4097},
        {64, 1, 262145, 4097}, {65, 2, 1, 1}, {63, 64, 4095, 12287}};
    struct region_header header;

    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        ck_assert_uint_eq(region_layout(&wishes[i], &header), header.total_size);
        expect_layout(&header, &wishes[i]);
    }
    expect_layout(region.header, &geometry);
}
END_TEST

START_TEST(sizes_beyond_any_memory_are_refused)
{
    static const struct region_geometry wishes[] = {{1, 0, SIZE_MAX, 4096}, {1, 0, INT64_MAX, 4096},
        {1, 0, 4096, SIZE_MAX}, {1, 0, 4096, INT64_MAX}, {UINT32_MAX, UINT32_MAX, 4096, 4096}};
    struct region_header header;
    struct region none;
    char error[512];

    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        ck_assert_uint_eq(region_layout(&wishes[i], &header), 0);
        error[0] = '\0';
        ck_assert(!region_create(&none, &wishes[i], error, sizeof error));
        ck_assert_ptr_nonnull(strstr(error, "ring-size"));
    }
}
END_TEST

START_TEST(the_largest_sizes_do_not_wrap)
{
    static const struct region_geometry wishes[] = {{UINT32_MAX, 0, INT64_MAX / 8, INT32_MAX},
        {UINT32_MAX, 64, 4096, 4096}, {64, UINT32_MAX, 4096, 4096}};
    struct region_header header;

    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        uint64_t total = region_layout(&wishes[i], &header);
        if (total == 0)
            continue;
        ck_assert_uint_le(total, INT64_MAX);
        expect_layout(&header, &wishes[i]);
    }
}
END_TEST

START_TEST(a_fresh_region_is_whole_and_empty)
{
    const struct region_header *header = region.header;

    CHECK_QUICKLY(header->magic == REGION_MAGIC);
    CHECK_QUICKLY(atomic_load(&header->version) == REGION_VERSION);
    CHECK_QUICKLY(atomic_load(&header->next_sequence) == 1);
    CHECK_QUICKLY((char *)region.slots == (char *)header + header->slots_offset);
    CHECK_QUICKLY((char *)region.index == (char *)header + header->index_offset);
    CHECK_QUICKLY(region.ring == (char *)header + header->ring_offset);
    CHECK_QUICKLY(region.outboxes == (char *)header + header->outboxes_offset);
    CHECK_QUICKLY(region.couriers == (char *)header + header->couriers_offset);
    for (const char *byte = (const char *)region.slots;
         byte < (const char *)header + header->total_size; byte++)
        CHECK_QUICKLY(*byte == 0);
}
END_TEST

START_TEST(nothing_has_a_name)
{
    const int fds[] = {region.read_write_fd, region.read_only_fd};
    char path[64], target[256];
    struct stat status[2];

    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fds[i]);
        ssize_t length = readlink(path, target, sizeof target - 1);
        ck_assert_int_gt(length, 0);
        target[length] = '\0';
        ck_assert_ptr_nonnull(strstr(target, " (deleted)"));
        *strstr(target, " (deleted)") = '\0';
        ck_assert_int_eq(access(target, F_OK), -1);
        ck_assert_int_eq(fstat(fds[i], &status[i]), 0);
        ck_assert_uint_eq(status[i].st_nlink, 0);
    }
    ck_assert_uint_eq(status[0].st_ino, status[1].st_ino);
}
END_TEST

START_TEST(the_descriptors_are_what_they_should_be)
{
    struct stat status;

    ck_assert_int_eq(fcntl(region.read_only_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    ck_assert_int_eq(fcntl(region.read_write_fd, F_GETFL) & O_ACCMODE, O_RDWR);
    ck_assert(fcntl(region.read_only_fd, F_GETFD) & FD_CLOEXEC);
    ck_assert(fcntl(region.read_write_fd, F_GETFD) & FD_CLOEXEC);
    ck_assert_int_eq(fstat(region.read_only_fd, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
    ck_assert_uint_eq((uint64_t)status.st_size, region.header->total_size);
    ck_assert_uint_ge((uint64_t)status.st_blocks * 512, region.header->total_size); /* reserved */
}
END_TEST

START_TEST(too_little_space_is_said_in_words)
{
    struct region_geometry wish = geometry;
    struct statvfs space;
    struct region none;
    char error[512];

    ck_assert_int_eq(fstatvfs(region.read_only_fd, &space), 0);
    if (space.f_blocks == 0) {
        puts("skipped: the shared memory has no limit here");
        return;
    }
    wish.ring_size = (size_t)space.f_blocks * space.f_frsize * 2;
    int before = dup(0);
    ck_assert(!region_create(&none, &wish, error, sizeof error));
    ck_assert_msg(strstr(error, " KiB free and ") != NULL, "%s", error);
    ck_assert_ptr_nonnull(strstr(error, " KiB are needed"));
    ck_assert_ptr_nonnull(strstr(error, "ring-size"));
    int after = dup(0); /* no descriptor is left open */
    ck_assert_int_eq(after, before + 1);
    close(before);
    close(after);
}
END_TEST

/* --- crossing the fork */

static void expect_child(int (*child)(void))
{
    int status;
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(child());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %#x",
        (unsigned)status);
}

struct mapping {
    uint64_t begin, end, offset;
    char mode[8];
};

/* Lists the mappings of the region's file in this process, at most `most`. */
static int list_mappings(struct mapping *mappings, int most)
{
    struct stat status;
    FILE *file = fopen("/proc/self/maps", "re");
    char line[512];
    int count = 0;

    if (file == NULL || fstat(region.read_only_fd, &status) != 0)
        return -1;
    while (fgets(line, sizeof line, file) != NULL && count < most) {
        struct mapping *mapping = &mappings[count];
        unsigned long inode;
        if (sscanf(line, "%lx-%lx %7s %lx %*s %lu", &mapping->begin, &mapping->end, mapping->mode,
                &mapping->offset, &inode) == 5 &&
            inode == status.st_ino)
            count++;
    }
    fclose(file);
    return count;
}

static int child_without_mapping(void)
{
    struct mapping mappings[4];

    return list_mappings(mappings, 4);
}

START_TEST(the_mapping_does_not_cross_a_fork)
{
    struct mapping mappings[4];

    ck_assert_int_ge(list_mappings(mappings, 4), 1);
    expect_child(child_without_mapping);
}
END_TEST

#define CHILD_EXPECTS(what)                                                                        \
    do                                                                                             \
        if (!(what))                                                                               \
            return __LINE__ % 100 + 1;                                                             \
    while (0)

/* Checks that this part is the only mapping of the region in this process. */
static int expect_only(const void *at, const char *mode, uint64_t offset, uint64_t length)
{
    struct mapping mappings[4];

    CHILD_EXPECTS(list_mappings(mappings, 4) == 1);
    CHILD_EXPECTS(mappings[0].begin == (uint64_t)(uintptr_t)at);
    CHILD_EXPECTS(strcmp(mappings[0].mode, mode) == 0);
    CHILD_EXPECTS(mappings[0].offset == offset);
    CHILD_EXPECTS(mappings[0].end - mappings[0].begin == length);
    return 0;
}

static struct region_header header; /* a copy, from before the fork */

static int child_with_view(void)
{
    struct region_view view;

    CHILD_EXPECTS(region_attach_view(&view, region.read_only_fd));
    return expect_only(view.header, "r--s", 0, header.outboxes_offset);
}

static int child_with_outbox(void)
{
    struct outbox outbox;

    CHILD_EXPECTS(region_attach_outbox(&outbox, &places, region.read_write_fd, 1));
    CHILD_EXPECTS((char *)outbox.state + page == outbox.bytes);
    CHILD_EXPECTS(outbox.size == header.outbox_size);
    return expect_only(
        outbox.state, "rw-s", header.outboxes_offset + header.outbox_stride, header.outbox_stride);
}

static int child_with_courier_part(void)
{
    struct courier_part part;

    CHILD_EXPECTS(region_attach_courier(&part, &places, region.read_write_fd, 1));
    CHILD_EXPECTS((char *)part.state + page == (char *)part.deliveries);
    return expect_only(
        part.state, "rw-s", header.couriers_offset + header.courier_stride, header.courier_stride);
}

START_TEST(who_attaches_a_part_maps_that_and_nothing_else)
{
    memcpy(&header, region.header, sizeof header);
    expect_child(child_with_view);
    expect_child(child_with_outbox);
    expect_child(child_with_courier_part);
}
END_TEST

/* --- attaching */

static struct region_view view;
static struct outbox outbox;

static struct courier_part part;

static bool attach_outbox(uint32_t slot)
{
    return region_attach_outbox(&outbox, &places, region.read_write_fd, slot);
}

static bool attach_courier(uint32_t number)
{
    return region_attach_courier(&part, &places, region.read_write_fd, number);
}

START_TEST(what_is_attached_cannot_be_made_writable)
{
    ck_assert(region_attach_view(&view, region.read_only_fd));
    for (uint64_t offset = 0; offset < region.header->outboxes_offset; offset += page) {
        char *at = (char *)(uintptr_t)view.header + offset;
        ck_assert_int_eq(mprotect(at, page, PROT_READ | PROT_WRITE), -1);
        ck_assert_int_eq(errno, EACCES);
    }
}
END_TEST

START_TEST(an_outbox_is_shared_with_the_supervisor_alone)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        CHECK_QUICKLY(attach_outbox(slot));
        memset(outbox.bytes, 'a' + (int)slot, outbox.size);
        atomic_store(&outbox.state->delivery.marks[1].position, slot + 100);
    }
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        struct outbox seen = region_outbox(&region, slot);
        CHECK_QUICKLY(seen.size == region.header->outbox_size);
        CHECK_QUICKLY(atomic_load(&seen.state->delivery.marks[1].position) == slot + 100);
        for (size_t i = 0; i < seen.size; i++)
            CHECK_QUICKLY(seen.bytes[i] == 'a' + (int)slot);
        for (uint64_t i = sizeof *seen.state; i < page; i++)
            CHECK_QUICKLY(((char *)seen.state)[i] == 0);
    }
    struct outbox last = region_outbox(&region, SLOTS - 1);
    CHECK_QUICKLY(last.bytes + last.size == region.couriers);
}
END_TEST

START_TEST(a_courier_s_part_is_shared_with_the_supervisor_alone)
{
    uint64_t stride = region.header->courier_stride;

    for (uint32_t number = 0; number < COURIERS; number++) {
        CHECK_QUICKLY(attach_courier(number));
        atomic_store(&part.state->oldest_needed, number + 100);
        for (uint32_t slot = 0; slot < SLOTS; slot++)
            atomic_store(&part.deliveries[slot].generation, 10 * number + slot + 1);
    }
    for (uint32_t number = 0; number < COURIERS; number++) {
        struct courier_part seen = region_courier(&region, number);
        CHECK_QUICKLY((char *)seen.state == region.couriers + number * stride);
        CHECK_QUICKLY((char *)seen.deliveries == (char *)seen.state + page);
        CHECK_QUICKLY(atomic_load(&seen.state->oldest_needed) == number + 100);
        for (uint32_t slot = 0; slot < SLOTS; slot++)
            CHECK_QUICKLY(atomic_load(&seen.deliveries[slot].generation) == 10 * number + slot + 1);
    }
    CHECK_QUICKLY(
        region.couriers + COURIERS * stride == (char *)region.header + region.header->total_size);
}
END_TEST

START_TEST(clearing_a_courier_s_part_clears_that_and_no_other)
{
    uint64_t stride = region.header->courier_stride;

    memset(region.couriers, 1, COURIERS * stride);
    memset(region.outboxes, 1, (size_t)(region.couriers - region.outboxes));
    region_clear_courier(&region, 1);
    CHECK_QUICKLY(region.couriers[-1] == 1);
    for (uint64_t i = 0; i < stride; i++) {
        CHECK_QUICKLY(region.couriers[i] == 1);
        CHECK_QUICKLY(region.couriers[stride + i] == 0);
    }
}
END_TEST

/* Each slot, and after them each courier, has a word for the position to wait for. */
START_TEST(couriers_have_places_after_the_slots)
{
    ck_assert(region_attach_view(&view, region.read_only_fd));
    ck_assert_uint_le(
        (uint64_t)((const char *)&view.slots[SLOTS + COURIERS] - (const char *)view.slots),
        region.header->index_offset - region.header->slots_offset);
    atomic_store(&region.slots[SLOTS + COURIERS - 1].wanted, 9);
    ck_assert_uint_eq(atomic_load(&view.slots[SLOTS + COURIERS - 1].wanted), 9);
}
END_TEST

START_TEST(the_mark_that_counts_is_the_version_s)
{
    struct delivery_state state = {.marks = {{.position = 1}, {.position = 2}}};

    for (uint32_t version = 0; version < 4; version++) {
        atomic_store(&state.version, version);
        ck_assert_ptr_eq(region_mark(&state), &state.marks[version % 2]);
    }
    atomic_store(&state.version, UINT32_MAX);
    ck_assert_ptr_eq(region_mark(&state), &state.marks[1]);
}
END_TEST

START_TEST(a_view_sees_what_the_supervisor_writes)
{
    struct region_view own = region_view_of(&region);

    ck_assert(region_attach_view(&view, region.read_only_fd));
    ck_assert_ptr_ne(view.header, region.header);
    ck_assert_ptr_eq(own.header, region.header);
    ck_assert_uint_eq(view.index_count, region.header->index_count);
    ck_assert_uint_eq(view.ring_size, region.header->ring_size);
    ck_assert_uint_eq(view.slot_count, SLOTS);
    region.ring[view.ring_size - 1] = 'z';
    ck_assert_int_eq(view.ring[view.ring_size - 1], 'z');
    region.index[7].sequence = 7;
    ck_assert_uint_eq(region_entry(&view, 7 + view.index_count)->sequence, 7);
    atomic_store(&region.slots[SLOTS - 1].wanted, 9);
    ck_assert_uint_eq(atomic_load(&view.slots[SLOTS - 1].wanted), 9);
}
END_TEST

/* One case per function that attaches. */
static void expect_no_region(void)
{
    errno = 0;
    ck_assert(!region_attach_view(&view, region.read_only_fd));
    ck_assert_int_eq(errno, EPROTO);
}

START_TEST(what_is_no_whole_region_is_refused)
{
    static const uint32_t versions[] = {0, REGION_VERSION + 1, UINT32_MAX};

    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        atomic_store(&region.header->version, versions[i]);
        expect_no_region();
    }
    atomic_store(&region.header->version, REGION_VERSION);
    ck_assert(region_attach_view(&view, region.read_only_fd));
    region.header->magic ^= 1;
    expect_no_region();
}
END_TEST

START_TEST(a_read_only_descriptor_gives_no_part_to_write)
{
    struct mapping before[8], after[8];
    int count = list_mappings(before, 8);

    ck_assert(!region_attach_outbox(&outbox, &places, region.read_only_fd, 0));
    ck_assert_int_eq(errno, EACCES);
    ck_assert(!region_attach_courier(&part, &places, region.read_only_fd, 0));
    ck_assert_int_eq(errno, EACCES);
    ck_assert_int_eq(list_mappings(after, 8), count); /* nothing remains mapped */
    ck_assert(!region_attach_view(&view, -1));
    ck_assert_int_eq(errno, EBADF);
}
END_TEST

static Suite *region_suite(void)
{
    Suite *suite = suite_create("region");
    TCase *making = tcase_create("making");
    TCase *attaching = tcase_create("attaching");

    tcase_set_timeout(making, 60);
    tcase_add_checked_fixture(making, set_up, tear_down);
    tcase_add_test(making, parts_begin_on_pages_and_do_not_overlap);
    tcase_add_test(making, sizes_beyond_any_memory_are_refused);
    tcase_add_test(making, the_largest_sizes_do_not_wrap);
    tcase_add_test(making, a_fresh_region_is_whole_and_empty);
    tcase_add_test(making, nothing_has_a_name);
    tcase_add_test(making, the_descriptors_are_what_they_should_be);
    tcase_add_test(making, too_little_space_is_said_in_words);
    suite_add_tcase(suite, making);
    tcase_set_timeout(attaching, 60);
    tcase_add_checked_fixture(attaching, set_up, tear_down);
    tcase_add_test(attaching, the_mapping_does_not_cross_a_fork);
    tcase_add_test(attaching, who_attaches_a_part_maps_that_and_nothing_else);
    tcase_add_test(attaching, what_is_attached_cannot_be_made_writable);
    tcase_add_test(attaching, an_outbox_is_shared_with_the_supervisor_alone);
    tcase_add_test(attaching, a_courier_s_part_is_shared_with_the_supervisor_alone);
    tcase_add_test(attaching, clearing_a_courier_s_part_clears_that_and_no_other);
    tcase_add_test(attaching, couriers_have_places_after_the_slots);
    tcase_add_test(attaching, the_mark_that_counts_is_the_version_s);
    tcase_add_test(attaching, a_view_sees_what_the_supervisor_writes);
    tcase_add_test(attaching, what_is_no_whole_region_is_refused);
    tcase_add_test(attaching, a_read_only_descriptor_gives_no_part_to_write);
    suite_add_tcase(suite, attaching);
    return suite;
}

CHECK_MAIN(region_suite)
