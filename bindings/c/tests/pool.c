/* Geometry, memory, alloc and free, statistics: from C. */
#include <stdalign.h>
#include <limits.h>
#include <string.h>

#include "check.h"
#include "tierpool.h"

TIERPOOL_DEFAULT_MEMORY(memory);

static tierpool_pool *make(const tierpool_geometry *geometry, const tierpool_memory *with) {
    tierpool_pool *pool;
    CHECK(tierpool_init(geometry, with, &pool) == TIERPOOL_OK);
    CHECK(pool != NULL);
    return pool;
}

/* The constant expressions of the header cover what the library asks for, at every number of tiers. */
static void memory_sizes(void) {
    tierpool_tier tiers[TIERPOOL_MAX_TIERS];
    tierpool_geometry geometry = {.tiers = tiers};
    size_t slots = 0;
    for (size_t k = 0; k < TIERPOOL_MAX_TIERS; k++) {
        tiers[k] = (tierpool_tier){.bytes = 64 * (k + 1), .slots = k + 1};
        slots += k + 1;
        geometry.tier_count = k + 1;
        tierpool_layout layout;
        CHECK(tierpool_layout_of(&geometry, &layout) == TIERPOOL_OK);
        CHECK(layout.control_bytes <= TIERPOOL_CONTROL_BYTES(k + 1, slots));
        CHECK(layout.control_align == TIERPOOL_CONTROL_ALIGN && layout.payload_align == TIERPOOL_PAYLOAD_ALIGN);
        CHECK(layout.payload_bytes % layout.payload_align == 0);

        void *control = aligned_alloc(TIERPOOL_CONTROL_ALIGN, TIERPOOL_CONTROL_BYTES(k + 1, slots) / 128 * 128 + 128);
        void *payload = aligned_alloc(64, layout.payload_bytes);
        CHECK(control != NULL && payload != NULL);
        tierpool_memory exact = {control, layout.control_bytes, payload, layout.payload_bytes, false};
        tierpool_pool *pool = make(&geometry, &exact);
        void *slot;
        CHECK(tierpool_alloc(pool, tiers[k].bytes, 1, &slot) == TIERPOOL_OK);
        memset(slot, 1, tiers[k].bytes);
        CHECK(tierpool_free(pool, slot) == TIERPOOL_OK);
        CHECK(tierpool_is_idle(pool));
        /* A pool lives for ever; this one is not touched again. */
        free(control);
        free(payload);
    }
    tierpool_layout layout;
    CHECK(tierpool_layout_of(NULL, &layout) == TIERPOOL_OK);
    CHECK(layout.payload_bytes == 16 * (256 + 512 + 1024) && layout.control_bytes <= memory.control_bytes);
}

static tierpool_error geometry_error(const tierpool_tier *tiers, size_t count, size_t align) {
    tierpool_geometry geometry = {.tiers = tiers, .tier_count = count, .align = align};
    tierpool_layout layout = {1, 1, 1, 1};
    tierpool_error error = tierpool_layout_of(&geometry, &layout);
    CHECK((error == TIERPOOL_OK) == (layout.control_bytes > 0));
    tierpool_pool *pool = (tierpool_pool *)&geometry;
    if (error != TIERPOOL_OK) {
        CHECK(tierpool_init(&geometry, &memory, &pool) == error && pool == NULL);
        CHECK(tierpool_geometry_explain(&geometry, NULL, 0) > 0);
    }
    return error;
}

static void wrong_geometries(void) {
    static const tierpool_tier good[] = {{64, 2}, {64, 2}}, falling[] = {{512, 16}, {256, 16}}, empty[] = {{0, 1}},
                               none[] = {{8, 0}}, large[] = {{65537, 1}}, many[] = {{8, 1023}};
    static const tierpool_tier seventeen[17] = {{8, 1}};
    CHECK(geometry_error(good, 2, 0) == TIERPOOL_OK);
    CHECK(geometry_error(good, 2, 4096) == TIERPOOL_OK);
    CHECK(geometry_error(falling, 2, 0) == TIERPOOL_DESCENDING);
    CHECK(geometry_error(empty, 1, 0) == TIERPOOL_SIZE);
    CHECK(geometry_error(large, 1, 0) == TIERPOOL_SIZE);
    CHECK(geometry_error(none, 1, 0) == TIERPOOL_SLOTS);
    CHECK(geometry_error(many, 1, 0) == TIERPOOL_SLOTS);
    CHECK(geometry_error(good, 2, 3) == TIERPOOL_ALIGN);
    CHECK(geometry_error(good, 2, 8192) == TIERPOOL_ALIGN);
    CHECK(geometry_error(good, 0, 0) == TIERPOOL_TIERS);
    CHECK(geometry_error(seventeen, 17, 0) == TIERPOOL_TIERS);
    CHECK(geometry_error(good, SIZE_MAX, 0) == TIERPOOL_TIERS);
    CHECK(geometry_error(NULL, 2, 0) == TIERPOOL_NULL);
    CHECK(geometry_error(NULL, 0, 0) == TIERPOOL_TIERS);

    tierpool_geometry geometry = {.tiers = falling, .tier_count = 2};
    const char *expected = "tier 1 (256 bytes): smaller than the tier before it; list the tiers by rising size";
    char text[100];
    CHECK(tierpool_geometry_explain(&geometry, text, sizeof text) == strlen(expected) && strcmp(text, expected) == 0);
    CHECK(tierpool_geometry_explain(NULL, text, sizeof text) == 0 && text[0] == 0);
}

static void wrong_memory(void) {
    tierpool_pool *pool;
    tierpool_memory wrong = memory;
    wrong.control_bytes = 48 * TIERPOOL_SLOT_BYTES;
    CHECK(tierpool_init(NULL, &wrong, &pool) == TIERPOOL_CONTROL_TOO_SHORT && pool == NULL);
    wrong = memory;
    wrong.control = (char *)memory.control + 1;
    CHECK(tierpool_init(NULL, &wrong, &pool) == TIERPOOL_CONTROL_MISALIGNED);
    wrong = memory;
    wrong.payload_bytes -= 1;
    CHECK(tierpool_init(NULL, &wrong, &pool) == TIERPOOL_PAYLOAD_TOO_SHORT);
    wrong = memory;
    wrong.payload = (char *)memory.payload + 16;
    CHECK(tierpool_init(NULL, &wrong, &pool) == TIERPOOL_PAYLOAD_MISALIGNED);
    wrong.payload = NULL;
    CHECK(tierpool_init(NULL, &wrong, &pool) == TIERPOOL_NULL);
    CHECK(tierpool_init(NULL, NULL, &pool) == TIERPOOL_NULL);
    CHECK(tierpool_init(NULL, &memory, NULL) == TIERPOOL_NULL);
    CHECK(tierpool_layout_of(NULL, NULL) == TIERPOOL_NULL);
}

/* A pool is never ended: a second one in its memory would hand out slots that are held. */
static void memory_of_a_pool(void) {
    TIERPOOL_MEMORY(once, 1, 1, 64);
    static const tierpool_tier one[] = {{64, 1}}, other[] = {{8, 1}};
    tierpool_geometry geometry = {.tiers = one, .tier_count = 1};
    tierpool_pool *pool = make(&geometry, &once), *second = pool;
    void *held, *none;
    CHECK(tierpool_alloc(pool, 64, 1, &held) == TIERPOOL_OK);
    CHECK(tierpool_init(&geometry, &once, &second) == TIERPOOL_IN_USE && second == NULL);
    geometry.tiers = other;
    CHECK(tierpool_init(&geometry, &once, &second) == TIERPOOL_IN_USE);
    CHECK(tierpool_alloc(pool, 64, 1, &none) == TIERPOOL_EXHAUSTED);
    CHECK(tierpool_free(pool, held) == TIERPOOL_OK && tierpool_is_idle(pool));

    /* Memory that does not say that it was zero at first may hold anything. */
    tierpool_memory reused = once;
    reused.zeroed = false;
    CHECK(tierpool_init(&geometry, &reused, &second) == TIERPOOL_OK);
}

static void alloc_and_free(tierpool_pool *pool) {
    void *a, *b;
    CHECK(tierpool_alloc(pool, 100, 1, &a) == TIERPOOL_OK);
    CHECK(tierpool_alloc(pool, 300, 64, &b) == TIERPOOL_OK);
    CHECK((uintptr_t)b % 64 == 0);
    memset(a, 0xaa, 256);
    memset(b, 0xbb, 512);
    CHECK(tierpool_owns(pool, a) && tierpool_owns(pool, (char *)b + 511));
    CHECK(!tierpool_owns(pool, &a) && !tierpool_owns(pool, NULL) && !tierpool_owns(NULL, a));
    CHECK(((unsigned char *)a)[255] == 0xaa && !tierpool_is_idle(pool));

    CHECK(tierpool_free(pool, (char *)a + 1) == TIERPOOL_INTERIOR);
    CHECK(tierpool_free(pool, &a) == TIERPOOL_FOREIGN);
    CHECK(tierpool_free(NULL, a) == TIERPOOL_NULL);
    CHECK(tierpool_free(pool, NULL) == TIERPOOL_OK);
    CHECK(tierpool_free(pool, a) == TIERPOOL_OK);
    CHECK(tierpool_free(pool, a) == TIERPOOL_NOT_ALLOCATED);
    CHECK(tierpool_free_sized(pool, b, 300, 3) == TIERPOOL_ALIGN);
    CHECK(tierpool_free_sized(NULL, b, 300, 64) == TIERPOOL_NULL);
    CHECK(tierpool_free_sized(pool, NULL, 300, 64) == TIERPOOL_OK);
    CHECK(tierpool_free_sized(pool, b, 300, 64) == TIERPOOL_OK);
    CHECK(tierpool_free(pool, b) == TIERPOOL_NOT_ALLOCATED);
    CHECK(tierpool_is_idle(pool) && !tierpool_is_idle(NULL));
}

static void requests_that_fail(tierpool_pool *pool) {
    void *memory = pool;
    CHECK(tierpool_alloc(pool, 1025, 1, &memory) == TIERPOOL_OVERSIZED && memory == NULL);
    CHECK(tierpool_alloc(pool, 1, 128, &memory) == TIERPOOL_OVERSIZED);
    tierpool_stats before, after;
    CHECK(tierpool_stats_read(pool, &before) == TIERPOOL_OK);
    CHECK(tierpool_alloc(pool, SIZE_MAX, 1, &memory) == TIERPOOL_OVERSIZED);
    CHECK(tierpool_alloc(pool, SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 1, &memory) == TIERPOOL_OVERSIZED && memory == NULL);
    CHECK(tierpool_stats_read(pool, &after) == TIERPOOL_OK && after.oversized == before.oversized + 2);
    CHECK(tierpool_alloc(pool, 1, 0, &memory) == TIERPOOL_ALIGN);
    CHECK(tierpool_alloc(pool, 1, 3, &memory) == TIERPOOL_ALIGN);
    CHECK(tierpool_alloc(NULL, 1, 1, &memory) == TIERPOOL_NULL);
    CHECK(tierpool_alloc(pool, 1, 1, NULL) == TIERPOOL_NULL);

    void *all[16];
    for (int i = 0; i < 16; i++) {
        CHECK(tierpool_alloc(pool, 0, 1, &all[i]) == TIERPOOL_OK);
    }
    CHECK(tierpool_alloc(pool, 0, 1, &memory) == TIERPOOL_EXHAUSTED && memory == NULL);
    for (int i = 0; i < 16; i++) {
        CHECK(tierpool_free_sized(pool, all[i], 0, 1) == TIERPOOL_OK);
    }
}

static void options(void) {
    TIERPOOL_MEMORY(two, 2, 3, 2 * 64 + 128);
    static const tierpool_tier tiers[] = {{40, 2}, {128, 1}};
    static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 2, .align = 32, .spill = 1, .zero_on_free = true};
    tierpool_pool *pool = make(&geometry, &two);
    void *held[3], *none;
    for (int i = 0; i < 3; i++) {
        CHECK(tierpool_alloc(pool, 60, 32, &held[i]) == TIERPOOL_OK); /* the third spills */
        memset(held[i], 0xff, 60);
    }
    CHECK(tierpool_alloc(pool, 60, 32, &none) == TIERPOOL_EXHAUSTED);
    for (int i = 0; i < 3; i++) {
        CHECK(tierpool_free_sized(pool, held[i], 60, 32) == TIERPOOL_OK);
    }
    CHECK(tierpool_alloc(pool, 128, 32, &held[0]) == TIERPOOL_OK);
    for (int i = 0; i < 60; i++) {
        CHECK(((unsigned char *)held[0])[i] == 0);
    }
    CHECK(tierpool_free(pool, held[0]) == TIERPOOL_OK);
    CHECK(tierpool_is_idle(pool));
}

static void statistics(void) {
    TIERPOOL_MEMORY(small, 2, 3, 2 * 256 + 512);
    static const tierpool_tier tiers[] = {{256, 2}, {512, 1}};
    static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 2, .spill = 1};
    tierpool_pool *pool = make(&geometry, &small);
    void *held[3], *none;
    for (int i = 0; i < 3; i++) {
        CHECK(tierpool_alloc(pool, 200, 1, &held[i]) == TIERPOOL_OK);
    }
    CHECK(tierpool_alloc(pool, 200, 1, &none) == TIERPOOL_EXHAUSTED);
    CHECK(tierpool_alloc(pool, 5000, 1, &none) == TIERPOOL_OVERSIZED);
    CHECK(tierpool_free(pool, held[2]) == TIERPOOL_OK);

    tierpool_stats stats;
    CHECK(tierpool_stats_read(pool, &stats) == TIERPOOL_OK);
    CHECK(stats.requests == 5 && stats.hits == 3 && stats.misses == 2 && stats.exhausted == 1 && stats.oversized == 1);
    CHECK(stats.tier_count == 2 && stats.tiers[0].bytes == 256 && stats.tiers[0].slots == 2 && stats.tiers[0].in_use == 2);
    CHECK(stats.tiers[0].peak == 2 && stats.tiers[0].served == 2 && stats.tiers[0].missed == 2 && stats.tiers[0].exact);
    CHECK(stats.tiers[1].bytes == 512 && stats.tiers[1].in_use == 0 && stats.tiers[1].peak == 1 && stats.tiers[1].missed == 1);
    CHECK(stats.tiers[2].bytes == 0);
    CHECK(tierpool_stats_read(NULL, &stats) == TIERPOOL_NULL && tierpool_stats_read(pool, NULL) == TIERPOOL_NULL);

    /* As snprintf: the whole length whatever fits, never a byte beyond, always closed. */
    const char *line = "requests=5 hits=3 misses=2 hit_rate=60% 256=2/2 512=0/1";
    char text[400];
    for (size_t room = 0; room < sizeof text; room++) {
        memset(text, '#', sizeof text);
        CHECK(tierpool_stats_print(pool, text, room) == strlen(line));
        size_t fits = room == 0 ? 0 : room - 1 < strlen(line) ? room - 1 : strlen(line);
        CHECK(memcmp(text, line, fits) == 0);
        CHECK(room == 0 || text[fits] == 0);
        CHECK(text[room == 0 ? 0 : fits + 1 < sizeof text ? fits + 1 : 0] == '#' || fits + 1 == sizeof text);
    }
    CHECK(tierpool_stats_print(pool, NULL, 100) == strlen(line));
    CHECK(tierpool_stats_print(NULL, text, sizeof text) == 0 && text[0] == 0);
    const char *table = " bytes   slots  in use    peak        served        missed\n"
                        "   256       2       2       2             2             2\n"
                        "   512       1       0       1             1             1\n"
                        "requests 5, hits 3 (60.0 %), exhausted 1, oversized 1";
    CHECK(tierpool_stats_table(pool, text, sizeof text) == strlen(table) && strcmp(text, table) == 0);
}

static tierpool_pool *told;
static size_t calls;

/* The slot is free already. */
static void wake(tierpool_pool *pool) {
    void *slot;
    CHECK(tierpool_alloc(pool, 64, 1, &slot) == TIERPOOL_OK && tierpool_free(pool, slot) == TIERPOOL_OK);
    told = pool;
    calls++;
}

static void waiting(void) {
    TIERPOOL_MEMORY(one, 1, 1, 64);
    TIERPOOL_MEMORY(silent, 1, 1, 64);
    static const tierpool_tier tiers[] = {{64, 1}};
    tierpool_geometry geometry = {.tiers = tiers, .tier_count = 1};
    tierpool_pool *without = make(&geometry, &silent);
    geometry.on_free = wake;
    tierpool_pool *pool = make(&geometry, &one);

    CHECK(!tierpool_arm_free_notify(pool, 64)); /* free: try again */
    void *held, *none;
    CHECK(tierpool_alloc(pool, 64, 1, &held) == TIERPOOL_OK && tierpool_alloc(pool, 64, 1, &none) == TIERPOOL_EXHAUSTED);
    CHECK(!tierpool_arm_free_notify(pool, 65) && !tierpool_arm_free_notify(NULL, 64)); /* nothing to wait for */
    CHECK(tierpool_arm_free_notify(pool, 64) && calls == 0);
    CHECK(tierpool_free(pool, held) == TIERPOOL_OK && calls == 1 && told == pool);
    CHECK(tierpool_alloc(pool, 64, 1, &held) == TIERPOOL_OK);
    CHECK(tierpool_free_sized(pool, held, 64, 1) == TIERPOOL_OK && calls == 1); /* nobody waits */
    tierpool_bytes bytes;
    CHECK(tierpool_bytes_zeroed(pool, 10, &bytes) == TIERPOOL_OK && tierpool_arm_free_notify(pool, 1));
    tierpool_bytes_release(&bytes);
    CHECK(calls == 2 && tierpool_is_idle(pool));

    CHECK(tierpool_alloc(without, 64, 1, &held) == TIERPOOL_OK && !tierpool_arm_free_notify(without, 64));
    CHECK(tierpool_free(without, held) == TIERPOOL_OK && calls == 2);
}

static tierpool_stats stats_of(tierpool_pool *pool) {
    tierpool_stats stats;
    CHECK(tierpool_stats_read(pool, &stats) == TIERPOOL_OK);
    return stats;
}

/* Statistics of a device that runs for months. */
static void months(void) {
    TIERPOOL_MEMORY(small, 2, 4, 3 * 256 + 512);
    static const tierpool_tier tiers[] = {{256, 3}, {512, 1}};
    static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 2};
    tierpool_pool *pool = make(&geometry, &small);
    void *held[3], *none;
    for (int i = 0; i < 3; i++) {
        CHECK(tierpool_free_slots(pool, 200) == (size_t)(3 - i));
        CHECK(tierpool_alloc(pool, 200, 1, &held[i]) == TIERPOOL_OK);
    }
    CHECK(tierpool_free_slots(pool, 257) == 1 && tierpool_free_slots(pool, 513) == 0 && tierpool_free_slots(NULL, 1) == 0);
    CHECK(tierpool_alloc(pool, 200, 1, &none) == TIERPOOL_EXHAUSTED);
    CHECK(tierpool_alloc(pool, 600, 1, &none) == TIERPOOL_OVERSIZED);
    CHECK(tierpool_free(pool, held[1]) == TIERPOOL_OK && tierpool_free(pool, held[2]) == TIERPOOL_OK);

    const tierpool_stats noon = stats_of(pool);
    CHECK(noon.tiers[0].peak == 3 && noon.tiers[0].served == 3);
    tierpool_reset_peak(pool);
    tierpool_reset_peak(NULL);
    CHECK(stats_of(pool).tiers[0].peak == 1);
    CHECK(tierpool_alloc(pool, 200, 1, &held[1]) == TIERPOOL_OK && tierpool_free(pool, held[1]) == TIERPOOL_OK);
    CHECK(tierpool_alloc(pool, 600, 1, &none) == TIERPOOL_OVERSIZED);
    tierpool_stats since = stats_of(pool);
    CHECK(since.requests == 7 && tierpool_stats_since(&since, &noon) == TIERPOOL_OK);
    CHECK(since.requests == 2 && since.hits == 1 && since.misses == 1 && since.exhausted == 0 && since.oversized == 1);
    CHECK(since.tier_count == 2 && since.tiers[0].served == 1 && since.tiers[0].missed == 0);
    CHECK(since.tiers[0].bytes == 256 && since.tiers[0].in_use == 1 && since.tiers[0].peak == 2);
    /* The wrong way round: nothing, and not nearly 2^64. */
    tierpool_stats confused = noon;
    const tierpool_stats now = stats_of(pool);
    CHECK(tierpool_stats_since(&confused, &now) == TIERPOOL_OK);
    CHECK(confused.requests == 0 && confused.misses == 0 && confused.tiers[0].served == 0);
    CHECK(tierpool_stats_since(NULL, &noon) == TIERPOOL_NULL && tierpool_stats_since(&since, NULL) == TIERPOOL_NULL);
    CHECK(tierpool_free(pool, held[0]) == TIERPOOL_OK);
}

/* Only a library with the feature has sizes to print. */
static void histogram(tierpool_pool *pool) {
    static char sizes[2500];
    size_t length = tierpool_histogram_print(pool, sizes, sizeof sizes);
#ifdef TIERPOOL_HISTOGRAM
    CHECK(length == strlen(sizes) && strncmp(sizes, "tierpool histogram 1\ntier 256 16 ", 33) == 0);
    CHECK(strstr(sizes, "\nsize ") != NULL && strstr(sizes, "\nlarger ") != NULL);
    CHECK(tierpool_histogram_print(pool, sizes, 10) == length && strcmp(sizes, "tierpool ") == 0);
#else
    CHECK(length == 0 && sizes[0] == 0);
#endif
    CHECK(tierpool_histogram_print(NULL, sizes, sizeof sizes) == 0);
}

static void texts(void) {
    CHECK(strcmp(tierpool_error_text(TIERPOOL_OK), "done") == 0);
    const char *unknown = tierpool_error_text(TIERPOOL_UNKNOWN);
    for (unsigned error = 0; error <= TIERPOOL_WITHOUT_RESERVE; error++) {
        CHECK(strcmp(tierpool_error_text(error), unknown) != 0);
        for (unsigned other = 0; other < error; other++) {
            CHECK(strcmp(tierpool_error_text(error), tierpool_error_text(other)) != 0);
        }
    }
    CHECK(strcmp(tierpool_error_text(UINT_MAX), unknown) == 0);
    CHECK(strcmp(tierpool_error_text(TIERPOOL_WRONG_SIZE + 1), unknown) == 0);
}

int main(void) {
    memory_sizes();
    wrong_geometries();
    wrong_memory();
    memory_of_a_pool();
    tierpool_pool *pool = make(NULL, &memory);
    alloc_and_free(pool);
    requests_that_fail(pool);
    CHECK(tierpool_is_idle(pool));
    options();
    statistics();
    waiting();
    months();
    histogram(pool);
    texts();
    puts("pool: ok");
    return 0;
}
