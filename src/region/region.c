/* SPDX-License-Identifier: ISC */
/*
 * region.c - creates, maps and attaches the shared region.
 *
 * Model: the region is one POSIX shared-memory object, created with O_EXCL and mode 0600, opened a
 * second time with O_RDONLY, and unlinked at once, while it is still empty: a process that is
 * killed in between leaves a name but no memory. (O_TMPFILE would avoid the name, but opening the
 * file a second time would require /proc.) The read-write descriptor is used for the supervisor's
 * mapping, the outboxes of workers and the parts of couriers. The read-only descriptor is used for
 * everything else, because a mapping from it can never be made writable by mprotect(2).
 *
 * Overflow: sizes are computed in 64 bits. A size that does not fit in half the address space is
 * refused, so that a size_t can hold every size and offset of a header.
 */
#include "config.h"

#include "region/region.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BYTES_PER_INDEX_ENTRY 64 /* bytes of the ring per index entry */
#define SHM_NAME_ATTEMPTS     16

static uint64_t round_to_page(uint64_t size)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    return (size + page - 1) / page * page;
}

uint64_t region_layout(const struct region_geometry *geometry, struct region_header *header)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t places = (uint64_t)geometry->slot_count + geometry->courier_count;
    uint64_t ring_size = geometry->ring_size;
    uint64_t slots_size = round_to_page(places * sizeof(struct region_slot));

    if (ring_size > INT64_MAX / 8 || geometry->outbox_size > INT32_MAX)
        return 0;
    memset(header, 0, sizeof *header);
    header->slot_count = geometry->slot_count;
    header->ring_size = round_to_page(ring_size);
    header->outbox_size = round_to_page(geometry->outbox_size);
    header->index_count = header->ring_size / BYTES_PER_INDEX_ENTRY;
    header->slots_offset = page;
    header->index_offset = header->slots_offset + slots_size;
    header->ring_offset =
        header->index_offset + round_to_page(header->index_count * sizeof(struct record_entry));
    header->outboxes_offset = header->ring_offset + header->ring_size;
    header->outbox_stride = page + header->outbox_size;
    if (header->slot_count > (INT64_MAX - header->outboxes_offset) / header->outbox_stride)
        return 0;
    header->couriers_offset = header->outboxes_offset + header->slot_count * header->outbox_stride;
    header->courier_count = geometry->courier_count;
    header->courier_stride =
        page + round_to_page(header->slot_count * sizeof(struct delivery_state));
    if (header->courier_count > (INT64_MAX - header->couriers_offset) / header->courier_stride)
        return 0;
    header->total_size = header->couriers_offset + header->courier_count * header->courier_stride;
    return header->total_size <= PTRDIFF_MAX ? header->total_size : 0;
}

/* Creates an object, opens it twice and removes its name. */
static bool open_nameless(int *read_write_fd, int *read_only_fd)
{
    for (int attempt = 0; attempt < SHM_NAME_ATTEMPTS; attempt++) {
        uint64_t random = 0;
        char name[64];

        if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
            return false;
        snprintf(name, sizeof name, "/chatroomd.%ld.%016llx", (long)getpid(),
            (unsigned long long)random);
        *read_write_fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (*read_write_fd < 0 && errno == EEXIST)
            continue;
        if (*read_write_fd < 0)
            return false;
        *read_only_fd = shm_open(name, O_RDONLY | O_CLOEXEC, 0);
        int saved = errno;
        shm_unlink(name);
        if (*read_only_fd >= 0)
            return true;
        close(*read_write_fd);
        errno = saved;
        return false;
    }
    errno = EEXIST;
    return false;
}

/* Reserves all pages. If there are not enough, the error names the available size. */
static bool reserve(int fd, size_t size, char *error, size_t error_size)
{
    struct statvfs space;
    int failure;

    do
        failure = posix_fallocate(fd, 0, (off_t)size);
    while (failure == EINTR);
    if (failure == 0)
        return true;
    if (failure == EFBIG) {
        snprintf(error, error_size,
            "%llu KiB of shared memory are more than the limit on the size of a file; raise it "
            "(ulimit -f, LimitFSIZE=)",
            (unsigned long long)size / 1024);
    } else if (failure == ENOSPC && fstatvfs(fd, &space) == 0) {
        /* Frees the pages of the failed reservation, to report the size before it. */
        if (ftruncate(fd, 0) == 0)
            fstatvfs(fd, &space);
        snprintf(error, error_size,
            "the shared memory (/dev/shm) has %llu KiB free and %llu KiB are needed; enlarge it, "
            "or "
            "reduce ring-size, outbox-size or max-clients",
            (unsigned long long)space.f_bavail * space.f_bsize / 1024,
            (unsigned long long)size / 1024);
    } else {
        snprintf(error, error_size, "cannot reserve %llu KiB of shared memory: %s",
            (unsigned long long)size / 1024, strerror(failure));
    }
    return false;
}

/*
 * Makes every page present and zero. A page that is only reserved causes a fault in each process
 * that reads it; pages that have been written are mapped sixteen at a time.
 */
static bool fill(char *base, size_t size)
{
    if (madvise(base, size, MADV_POPULATE_WRITE) == 0)
        return true;
    if (errno != EINVAL)
        return false;
    memset(base, 0, size); /* Linux before 5.14 */
    return true;
}

static void point_into(struct region *region, char *base)
{
    region->header = (struct region_header *)(void *)base;
    region->slots = (struct region_slot *)(void *)(base + (size_t)region->header->slots_offset);
    region->index = (struct record_entry *)(void *)(base + (size_t)region->header->index_offset);
    region->ring = base + (size_t)region->header->ring_offset;
    region->outboxes = base + (size_t)region->header->outboxes_offset;
    region->couriers = base + (size_t)region->header->couriers_offset;
}

/* Writes the header; its version last. */
static void write_header(struct region *region, char *base, const struct region_header *layout)
{
    struct region_header *header = (struct region_header *)(void *)base;

    memcpy(header, layout, sizeof *header);
    header->magic = REGION_MAGIC;
    atomic_store_explicit(&header->next_sequence, 1, memory_order_relaxed);
    point_into(region, base);
    atomic_store_explicit(&header->version, REGION_VERSION, memory_order_release);
}

bool region_create(
    struct region *region, const struct region_geometry *geometry, char *error, size_t error_size)
{
    struct region_header layout;
    size_t size = (size_t)region_layout(geometry, &layout);
    char *base = MAP_FAILED;

    if (size == 0) {
        snprintf(error, error_size, "ring-size or outbox-size is too large");
        return false;
    }
    if (!open_nameless(&region->read_write_fd, &region->read_only_fd)) {
        snprintf(error, error_size, "cannot create shared memory (shm_open): %s", strerror(errno));
        return false;
    }
    if (!reserve(region->read_write_fd, size, error, error_size))
        goto fail;
    base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, region->read_write_fd, 0);
    if (base == MAP_FAILED || madvise(base, size, MADV_DONTFORK) != 0 || !fill(base, size)) {
        snprintf(error, error_size, "cannot map %llu KiB of shared memory: %s",
            (unsigned long long)size / 1024, strerror(errno));
        goto fail;
    }
    write_header(region, base, &layout);
    return true;
fail:
    if (base != MAP_FAILED)
        munmap(base, size);
    close(region->read_write_fd);
    close(region->read_only_fd);
    return false;
}

void region_destroy(struct region *region)
{
    munmap(region->header, (size_t)region->header->total_size);
    close(region->read_write_fd);
    close(region->read_only_fd);
}

struct outbox region_outbox(const struct region *region, uint32_t slot)
{
    size_t stride = (size_t)region->header->outbox_stride;
    size_t size = (size_t)region->header->outbox_size;
    char *base = region->outboxes + slot * stride;

    return (struct outbox){
        .state = (struct outbox_state *)(void *)base,
        .bytes = base + (stride - size),
        .size = size,
    };
}

static struct courier_part part_at(char *base)
{
    char *deliveries = base + sysconf(_SC_PAGESIZE);

    return (struct courier_part){
        .state = (struct courier_state *)(void *)base,
        .deliveries = (struct delivery_state *)(void *)deliveries,
    };
}

struct courier_part region_courier(const struct region *region, uint32_t number)
{
    return part_at(region->couriers + number * (size_t)region->header->courier_stride);
}

void region_clear_courier(const struct region *region, uint32_t number)
{
    size_t stride = (size_t)region->header->courier_stride;

    memset(region->couriers + number * stride, 0, stride);
}

static struct region_view view_at(const char *base)
{
    const struct region_header *header = (const struct region_header *)(const void *)base;
    struct region_view view = {
        .header = header,
        .slots = (const struct region_slot *)(const void *)(base + (size_t)header->slots_offset),
        .index = (const struct record_entry *)(const void *)(base + (size_t)header->index_offset),
        .ring = base + (size_t)header->ring_offset,
        .index_count = header->index_count,
        .ring_size = header->ring_size,
        .slot_count = header->slot_count,
    };
    return view;
}

struct region_view region_view_of(const struct region *region)
{
    return view_at((const char *)region->header);
}

struct region_places region_places_of(const struct region *region)
{
    const struct region_header *header = region->header;

    return (struct region_places){
        .view_size = (size_t)header->outboxes_offset,
        .outbox_stride = (size_t)header->outbox_stride,
        .outbox_size = (size_t)header->outbox_size,
        .couriers_offset = (size_t)header->couriers_offset,
        .courier_stride = (size_t)header->courier_stride,
    };
}

/* Reads the header to find out how much to map. */
static bool read_header(int fd, struct region_header *copy)
{
    /* Twice: the version is stored last, so the second copy is complete. */
    for (int i = 0; i < 2; i++) {
        ssize_t length = pread(fd, copy, sizeof *copy, 0);

        if (length < 0)
            return false;
        if (length < (ssize_t)sizeof *copy || copy->magic != REGION_MAGIC ||
            atomic_load_explicit(&copy->version, memory_order_acquire) != REGION_VERSION) {
            errno = EPROTO;
            return false;
        }
        atomic_thread_fence(memory_order_acquire);
    }
    return true;
}

bool region_attach_view(struct region_view *view, int read_only_fd)
{
    struct region_header header;
    char *base;

    if (!read_header(read_only_fd, &header))
        return false;
    base = mmap(NULL, (size_t)header.outboxes_offset, PROT_READ, MAP_SHARED, read_only_fd, 0);
    if (base == MAP_FAILED)
        return false;
    *view = view_at(base);
    return true;
}

bool region_attach_outbox(
    struct outbox *outbox, const struct region_places *places, int read_write_fd, uint32_t slot)
{
    char *base = mmap(NULL, places->outbox_stride, PROT_READ | PROT_WRITE, MAP_SHARED,
        read_write_fd, (off_t)(places->view_size + slot * places->outbox_stride));

    if (base == MAP_FAILED)
        return false;
    outbox->state = (struct outbox_state *)(void *)base;
    outbox->bytes = base + (places->outbox_stride - places->outbox_size);
    outbox->size = places->outbox_size;
    return true;
}

bool region_attach_courier(struct courier_part *part, const struct region_places *places,
    int read_write_fd, uint32_t number)
{
    char *base = mmap(NULL, places->courier_stride, PROT_READ | PROT_WRITE, MAP_SHARED,
        read_write_fd, (off_t)(places->couriers_offset + number * places->courier_stride));

    if (base == MAP_FAILED)
        return false;
    *part = part_at(base);
    return true;
}
