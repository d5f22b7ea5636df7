/* A fallback of the caller's: for bytes and for memory, beside a static pool, another pool, and one that is wrong. */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "explained.h"
#include "tierpool.h"

/* A heap that counts, and has no memory when it is told so. Its memory is aligned as asked, or, when it is told so, not. */
typedef struct {
    int live;
    bool empty, misaligned;
} heap;

static void *heap_alloc(void *context, size_t bytes, size_t align) {
    heap *from = context;
    CHECK(bytes > 0 && align > 0);
    if (from->empty) {
        return NULL;
    }
    from->live++;
    char *memory = aligned_alloc(align * 2, (bytes + 4 * align - 1) / (2 * align) * (2 * align));
    CHECK(memory != NULL);
    return from->misaligned ? memory + 1 : memory;
}

static void heap_free(void *context, void *memory, size_t bytes, size_t align) {
    heap *from = context;
    CHECK(memory != NULL && bytes > 0 && align > 0);
    from->live--;
    free((char *)memory - (from->misaligned ? 1 : 0));
}

static heap defers, at_once, internal;
static const tierpool_fallback heap_that_defers = {tierpool_fallback_link, heap_alloc, heap_free, &defers, false, NULL};
static const tierpool_fallback internal_ram = {tierpool_fallback_link, heap_alloc, heap_free, &internal, true, NULL};
static const tierpool_fallback psram = {tierpool_fallback_link, heap_alloc, heap_free, &at_once, true, &internal_ram};

static const tierpool_tier tiers[] = {{64, 2}};

static tierpool_pool *pool_over(const tierpool_fallback *fallback, const tierpool_memory *memory) {
    const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 1, .fallback = fallback};
    tierpool_pool *pool;
    CHECK(tierpool_init(&geometry, memory, &pool) == TIERPOOL_OK && tierpool_has_fallback(pool));
    return pool;
}

static void bytes_of_the_fallback(void) {
    TIERPOOL_MEMORY(memory, 1, 2, 2 * 64);
    tierpool_pool *pool = pool_over(&heap_that_defers, &memory);
    tierpool_bytes large, other;
    CHECK(tierpool_bytes_zeroed(pool, 100000, &large) == TIERPOOL_OK && large.len == 100000 && defers.live == 1);
    CHECK(!tierpool_owns(pool, large.data) && tierpool_slot_bytes(pool, large.data) == 0 && !tierpool_is_idle(pool));
    other = tierpool_bytes_retain(&large);
    uint8_t *data;
    CHECK(tierpool_bytes_make_mut(&other, NULL, &data) == TIERPOOL_OK && defers.live == 2 && data != large.data);
    data[99999] = 1;
    CHECK(large.data[99999] == 0);

    tierpool_stats stats;
    CHECK(tierpool_stats_read(pool, &stats) == TIERPOOL_OK);
    CHECK(stats.fallbacks == 2 && stats.fallback_live == 2 && stats.misses == 2 && stats.oversized == 2);
    char text[400];
    tierpool_stats_print(pool, text, sizeof text);
    CHECK(strcmp(text, "requests=2 hits=0 misses=2 fallbacks=2 hit_rate=0% 64=0/2") == 0);
    tierpool_stats_table(pool, text, sizeof text);
    CHECK(strstr(text, "oversized 2, fallbacks 2 (2 live)") != NULL);

    /* It does not free at once: the memory waits for a task. */
    tierpool_bytes_release(&large);
    tierpool_bytes_release(&other);
    CHECK(defers.live == 2 && tierpool_is_idle(pool));
    CHECK(tierpool_reclaim(pool) == 2 && defers.live == 0 && tierpool_reclaim(pool) == 0);
    CHECK(tierpool_reclaim(NULL) == 0 && !tierpool_has_fallback(NULL));

    /* A heap without memory leaves everything as it was. */
    CHECK(tierpool_bytes_copy(pool, (const uint8_t *)"kept", 4, &other) == TIERPOOL_OK);
    defers.empty = true;
    CHECK(tierpool_bytes_append(&other, NULL, (const uint8_t *)text, 100) == TIERPOOL_OVERSIZED);
    CHECK(other.len == 4 && memcmp(other.data, "kept", 4) == 0);
    CHECK(tierpool_bytes_zeroed(pool, 65, &large) == TIERPOOL_OVERSIZED && large.data == NULL);
    defers.empty = false;
    CHECK(tierpool_bytes_append(&other, NULL, (const uint8_t *)text, 100) == TIERPOOL_OK && other.len == 104);
    CHECK(memcmp(other.data, "kept", 4) == 0 && defers.live == 1);
    tierpool_bytes_release(&other);
    CHECK(tierpool_reclaim(pool) == 1 && defers.live == 0);
    defers.misaligned = true;
    CHECK(tierpool_bytes_zeroed(pool, 65, &large) == TIERPOOL_OVERSIZED && defers.live == 0);
    defers.misaligned = false;
}

/* Control blocks lie in internal RAM, and the last release frees both parts. */
static void control_blocks_elsewhere(void) {
    TIERPOOL_MEMORY(memory, 1, 2, 2 * 64);
    tierpool_pool *pool = pool_over(&psram, &memory);
    tierpool_bytes large;
    CHECK(tierpool_bytes_zeroed(pool, 65, &large) == TIERPOOL_OK && at_once.live == 1 && internal.live == 1);
    internal.empty = true;
    tierpool_bytes more;
    CHECK(tierpool_bytes_zeroed(pool, 65, &more) == TIERPOOL_OVERSIZED && at_once.live == 1);
    internal.empty = false;
    tierpool_bytes_release(&large);
    CHECK(at_once.live == 0 && internal.live == 0 && tierpool_is_idle(pool));
}

static void memory_of_the_fallback(void) {
    TIERPOOL_MEMORY(memory, 1, 2, 2 * 64);
    tierpool_pool *pool = pool_over(&heap_that_defers, &memory);
    void *slot[2], *large, *none;
    CHECK(tierpool_alloc_or_fallback(pool, 64, 8, &slot[0]) == TIERPOOL_OK && tierpool_owns(pool, slot[0]));
    CHECK(tierpool_alloc_or_fallback(pool, 0, 1, &slot[1]) == TIERPOOL_OK && defers.live == 0);
    CHECK(tierpool_alloc_or_fallback(pool, 0, 1, &none) == TIERPOOL_OK && defers.live == 1 && none != NULL);
    CHECK(tierpool_alloc_or_fallback(pool, 5000, 256, &large) == TIERPOOL_OK && (uintptr_t)large % 256 == 0);
    memset(large, 1, 5000);
    tierpool_stats stats;
    CHECK(tierpool_stats_read(pool, &stats) == TIERPOOL_OK && stats.fallbacks == 2 && stats.fallback_live == 0);
    CHECK(tierpool_free_or_fallback(pool, large, 5000, 256) == TIERPOOL_OK && defers.live == 1);
    CHECK(tierpool_free_or_fallback(pool, none, 0, 1) == TIERPOOL_OK && defers.live == 0);
    CHECK(tierpool_free_or_fallback(pool, slot[0], 64, 8) == TIERPOOL_OK);
    CHECK(tierpool_free_or_fallback(pool, slot[1], 0, 1) == TIERPOOL_OK && tierpool_is_idle(pool));
    CHECK(tierpool_free_or_fallback(pool, NULL, 0, 1) == TIERPOOL_OK);

    none = pool;
    defers.empty = true;
    CHECK(tierpool_alloc_or_fallback(pool, 65, 1, &none) == TIERPOOL_OVERSIZED && none == NULL);
    defers.empty = false;
    CHECK(tierpool_alloc_or_fallback(pool, SIZE_MAX, 1, &none) == TIERPOOL_OVERSIZED && none == NULL);
    CHECK(tierpool_alloc_or_fallback(pool, 65, 3, &none) == TIERPOOL_ALIGN);
    CHECK(tierpool_alloc_or_fallback(NULL, 65, 1, &none) == TIERPOOL_NULL);
    CHECK(tierpool_alloc_or_fallback(pool, 65, 1, NULL) == TIERPOOL_NULL);
    CHECK(tierpool_free_or_fallback(NULL, &none, 1, 1) == TIERPOOL_NULL);
    CHECK(tierpool_free_or_fallback(pool, &none, 1, 3) == TIERPOOL_ALIGN);
}

/* Another pool behind this one. Its slots hold the control blocks, too. */
static void *of_pool(void *context, size_t bytes, size_t align) {
    void *memory;
    return tierpool_alloc(*(tierpool_pool **)context, bytes, align, &memory) == TIERPOOL_OK ? memory : NULL;
}

static void to_pool(void *context, void *memory, size_t bytes, size_t align) {
    CHECK(tierpool_free_sized(*(tierpool_pool **)context, memory, bytes, align) == TIERPOOL_OK);
}

static void a_pool_behind_a_pool(void) {
    static tierpool_pool *behind;
    static const tierpool_fallback chained = {tierpool_fallback_link, of_pool, to_pool, &behind, true, NULL};
    TIERPOOL_DEFAULT_MEMORY(second);
    CHECK(tierpool_init(NULL, &second, &behind) == TIERPOOL_OK && !tierpool_has_fallback(behind));
    TIERPOOL_MEMORY(first, 1, 2, 2 * 64);
    tierpool_pool *pool = pool_over(&chained, &first);
    tierpool_bytes large;
    CHECK(tierpool_bytes_zeroed(pool, 400, &large) == TIERPOOL_OK && tierpool_slot_bytes(behind, large.data) == 512);
    CHECK(tierpool_bytes_zeroed(pool, 1025, &large) == TIERPOOL_OVERSIZED);
    CHECK(tierpool_bytes_zeroed(pool, 400, &large) == TIERPOOL_OK);
    CHECK(!tierpool_is_idle(behind));
    tierpool_bytes_release(&large);
}

/* A static pool has one, too. */
static tierpool_pool *early(void) {
    static tierpool_pool *made;
    TIERPOOL_MEMORY(memory, 1, 2, 2 * 64);
    static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 1, .fallback = &psram};
    return tierpool_static(&made, &geometry, &memory);
}

static void static_pools(void) {
    tierpool_bytes large;
    CHECK(early() == early() && tierpool_has_fallback(early()));
    CHECK(tierpool_bytes_zeroed(early(), 1000, &large) == TIERPOOL_OK && at_once.live == 1);
    tierpool_bytes_release(&large);
    CHECK(at_once.live == 0 && internal.live == 0 && tierpool_is_idle(early()));
}

static void wrong_ones(void) {
    TIERPOOL_MEMORY(memory, 1, 2, 2 * 64);
    static const tierpool_fallback wrong[] = {
        {NULL, heap_alloc, heap_free, &defers, false, NULL},
        {tierpool_fallback_link, NULL, heap_free, &defers, false, NULL},
        {tierpool_fallback_link, heap_alloc, NULL, &defers, false, NULL},
        {tierpool_fallback_link, heap_alloc, heap_free, &defers, false, &wrong[2]},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 1, .fallback = &wrong[i]};
        explained(&geometry, &memory, TIERPOOL_FALLBACK, "fallback without link, allocate or deallocate");
    }
}

int main(void) {
    bytes_of_the_fallback();
    control_blocks_elsewhere();
    memory_of_the_fallback();
    a_pool_behind_a_pool();
    static_pools();
    wrong_ones();
    puts("fallback: ok");
    return 0;
}
