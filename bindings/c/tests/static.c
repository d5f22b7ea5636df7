/* Pools without an init call: before main, by several threads at once, and by one who is late. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "tierpool.h"

TIERPOOL_STATIC_POOL(rx, (256, 16), (512, 16), (1024, 16));
TIERPOOL_STATIC_POOL(odd, (10, 3), (24, 5), (24, 1022), (65536, 1));
TIERPOOL_STATIC_POOL(sixteen, (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 1), (8, 1), (9, 1), (10, 1), (11, 1), (12, 1),
                     (13, 1), (14, 1), (15, 1), (16, 1));
TIERPOOL_STATIC_POOL(falling, (512, 4), (256, 4));

static void *held_before_main;

__attribute__((constructor)) static void before_main(void) {
    CHECK(tierpool_alloc(rx(), 300, 1, &held_before_main) == TIERPOOL_OK);
    memset(held_before_main, 7, 300);
}

static void same_as_made_by_init(void) {
    TIERPOOL_DEFAULT_MEMORY(memory);
    tierpool_pool *other;
    CHECK(tierpool_init(NULL, &memory, &other) == TIERPOOL_OK);
    void *slot;
    CHECK(tierpool_alloc(other, 300, 1, &slot) == TIERPOOL_OK);
    char expected[1024], line[1024];
    tierpool_stats_table(other, expected, sizeof expected);
    tierpool_stats_table(rx(), line, sizeof line);
    CHECK(strcmp(line, expected) == 0);
}

/* A context that was interrupted before it built: the pool has been in use meanwhile. */
static void who_is_late_resets_nothing(void) {
    tierpool_bytes packet;
    CHECK(tierpool_bytes_copy(rx(), (const uint8_t *)"hops", 4, &packet) == TIERPOOL_OK);
    char before[1024], after[1024];
    tierpool_stats_table(rx(), before, sizeof before);
    tierpool_pool *late = NULL;
    CHECK(tierpool_static(&late, &rx_geometry, &rx_memory) == rx() && late == rx());
    tierpool_stats_table(rx(), after, sizeof after);
    CHECK(strcmp(before, after) == 0 && memcmp(packet.data, "hops", 4) == 0);
    tierpool_bytes_release(&packet);
    CHECK(tierpool_free(rx(), held_before_main) == TIERPOOL_OK);
    CHECK(tierpool_is_idle(rx()));
}

static void all_slots_are_there(tierpool_pool *pool) {
    static void *held[2000];
    tierpool_stats stats;
    CHECK(tierpool_stats_read(pool, &stats) == TIERPOOL_OK);
    for (size_t k = 0; k < stats.tier_count; k++) {
        for (size_t i = 0; k + 1 == stats.tier_count && i < stats.tiers[k].slots; i++) {
            CHECK(tierpool_alloc(pool, stats.tiers[k].bytes, 1, &held[i]) == TIERPOOL_OK);
            memset(held[i], (int)i, stats.tiers[k].bytes);
        }
    }
    for (size_t i = 0; i < stats.tiers[stats.tier_count - 1].slots; i++) {
        CHECK(tierpool_free(pool, held[i]) == TIERPOOL_OK);
    }
    CHECK(tierpool_is_idle(pool));
}

static void what_is_wrong_is_no_pool(void) {
    void *slot;
    CHECK(falling() == NULL && tierpool_alloc(falling(), 10, 1, &slot) == TIERPOOL_NULL);
    tierpool_pool *made = NULL;
    const tierpool_memory none = {NULL, 0, NULL, 0, true};
    CHECK(tierpool_static(&made, NULL, &none) == NULL && made == NULL);
    CHECK(tierpool_static(&made, NULL, NULL) == NULL && tierpool_static(NULL, NULL, &rx_memory) == NULL);
    tierpool_memory shorter = rx_memory;
    shorter.payload_bytes -= 64;
    CHECK(tierpool_static(&made, NULL, &shorter) == NULL);
    shorter = rx_memory;
    shorter.control_bytes = 16;
    CHECK(tierpool_static(&made, NULL, &shorter) == NULL);
}

/* With options, by a geometry. */
static void spills(void) {
    TIERPOOL_MEMORY(memory, 2, 2, 128);
    static const tierpool_tier tiers[] = {{64, 1}, {64, 1}};
    static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 2, .spill = 1, .zero_on_free = true};
    static tierpool_pool *made;
    void *slots[3];
    for (int i = 0; i < 3; i++) {
        tierpool_error error = tierpool_alloc(tierpool_static(&made, &geometry, &memory), 64, 1, &slots[i]);
        CHECK(error == (i < 2 ? TIERPOOL_OK : TIERPOOL_EXHAUSTED));
    }
}

#ifdef TIERPOOL_RESERVE
static tierpool_pool *ran_dry;
static void low(tierpool_pool *pool, size_t bytes) {
    CHECK(bytes == 64);
    ran_dry = pool;
}

static void calls_its_hooks(void) {
    TIERPOOL_MEMORY(memory, 1, 1, 64);
    static const tierpool_tier tiers[] = {{64, 1}};
    static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 1, .on_low = low};
    static tierpool_pool *made;
    void *slot;
    CHECK(tierpool_alloc(tierpool_static(&made, &geometry, &memory), 64, 1, &slot) == TIERPOOL_OK && ran_dry == NULL);
    CHECK(tierpool_alloc(tierpool_static(&made, &geometry, &memory), 64, 1, &slot) == TIERPOOL_EXHAUSTED && ran_dry == made);
}
#endif

/* ---- by several threads at once */

#define ROUNDS 400
#define THREADS 4

TIERPOOL_ALIGNAS(TIERPOOL_CONTROL_ALIGN) static unsigned char control[ROUNDS][(TIERPOOL_CONTROL_BYTES(2, 8) + 127) / 128 * 128];
TIERPOOL_ALIGNAS(TIERPOOL_PAYLOAD_ALIGN) static unsigned char payload[ROUNDS][8 * 64];
static tierpool_pool *made[ROUNDS];
static pthread_barrier_t barrier;

static void *race(void *number) {
    static const tierpool_tier tiers[] = {{64, 4}, {64, 4}};
    static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 2, .spill = 1};
    for (size_t round = 0; round < ROUNDS; round++) {
        const tierpool_memory memory = {control[round], sizeof control[round], payload[round], sizeof payload[round], true};
        uint64_t *slots[2];
        pthread_barrier_wait(&barrier);
        for (size_t k = 0; k < 2; k++) {
            void *slot;
            CHECK(tierpool_alloc(tierpool_static(&made[round], &geometry, &memory), 64, 8, &slot) == TIERPOOL_OK);
            slots[k] = slot;
            *slots[k] = (uintptr_t)number * 2 + k;
        }
        pthread_barrier_wait(&barrier); /* now all eight are out */
        for (size_t k = 0; k < 2; k++) {
            CHECK(*slots[k] == (uintptr_t)number * 2 + k);
            CHECK(tierpool_free(made[round], slots[k]) == TIERPOOL_OK);
        }
        pthread_barrier_wait(&barrier);
        CHECK(tierpool_is_idle(made[round]));
    }
    return NULL;
}

int main(void) {
    same_as_made_by_init();
    who_is_late_resets_nothing();
    all_slots_are_there(odd());
    all_slots_are_there(sixteen());
    what_is_wrong_is_no_pool();
    spills();
#ifdef TIERPOOL_RESERVE
    calls_its_hooks();
#endif
    pthread_t threads[THREADS];
    CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
    for (uintptr_t i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, race, (void *)i) == 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    puts("static: ok");
    return 0;
}
