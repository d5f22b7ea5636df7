/* Lanes: several free lists for each tier. With WITH_LANES for a library that has the feature; without, that it says so. */
#include <pthread.h>
#include <string.h>

#include "check.h"
#include "explained.h"
#include "tierpool.h"

static _Thread_local size_t lane;

static size_t current(void) {
    return lane;
}

static const tierpool_tier tiers[] = {{64, 4}, {128, 3}};
static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 2, .lanes = 2, .lane = current};

TIERPOOL_MEMORY(memory, 2 * 2, 4 + 3, 4 * 64 + 3 * 128);

/* None, or one, is what every library has. */
static void one_lane(void) {
    for (size_t lanes = 0; lanes <= 1; lanes++) {
        tierpool_geometry one = {.tiers = tiers, .tier_count = 2, .lanes = lanes};
        tierpool_layout layout;
        CHECK(tierpool_layout_of(&one, &layout) == TIERPOOL_OK);
        CHECK(layout.control_bytes <= TIERPOOL_CONTROL_BYTES(2, 7));
    }
}

#ifndef WITH_LANES

int main(void) {
    one_lane();
    explained(&geometry, &memory, TIERPOOL_WITHOUT_LANES, "several lanes, but the library is built without its feature `lanes`");
    puts("lanes: none, as it should be");
    return 0;
}

#else

static void *taken(tierpool_pool *pool, size_t from) {
    void *slot;
    lane = from;
    CHECK(tierpool_alloc(pool, 64, 1, &slot) == TIERPOOL_OK);
    return slot;
}

static tierpool_tier_stats stats_of(tierpool_pool *pool, size_t tier) {
    tierpool_stats stats;
    CHECK(tierpool_stats_read(pool, &stats) == TIERPOOL_OK && stats.tier_count == 2);
    return stats.tiers[tier];
}

static void wrong_lanes(void) {
    tierpool_geometry wrong = geometry;
    wrong.lanes = TIERPOOL_MAX_LANES + 1;
    explained(&wrong, &memory, TIERPOOL_LANES, "65 lanes: a tier has 1 to 64");
    wrong.lanes = SIZE_MAX;
    CHECK(tierpool_layout_of(&wrong, &(tierpool_layout){0}) == TIERPOOL_LANES);
    wrong.lanes = 4;
    explained(&wrong, &memory, TIERPOOL_SLOTS_PER_LANE, "tier 1 (3 slots): fewer than lanes; declare more slots, or fewer lanes");
    wrong = geometry;
    wrong.lane = NULL;
    explained(&wrong, &memory, TIERPOOL_NO_LANE_FUNCTION, "several lanes, but lane is null");
    /* Memory for one lane. */
    TIERPOOL_MEMORY(small, 8, 8 * 64, 8 * 64 * 64);
    tierpool_tier many[8];
    for (int i = 0; i < 8; i++) {
        many[i] = (tierpool_tier){64, 64};
    }
    wrong = (tierpool_geometry){.tiers = many, .tier_count = 8, .lanes = 64, .lane = current};
    tierpool_pool *pool;
    CHECK(tierpool_init(&wrong, &small, &pool) == TIERPOOL_CONTROL_TOO_SHORT && pool == NULL);
}

/* The constant expressions of the header cover what the library asks for, at every number of lists. */
static void memory_sizes(void) {
    tierpool_tier all[TIERPOOL_MAX_TIERS];
    for (size_t k = 0; k < TIERPOOL_MAX_TIERS; k++) {
        all[k] = (tierpool_tier){64, TIERPOOL_MAX_LANES};
        for (size_t lanes = 1; lanes <= TIERPOOL_MAX_LANES; lanes++) {
            tierpool_geometry many = {.tiers = all, .tier_count = k + 1, .lanes = lanes, .lane = current};
            const size_t slots = (k + 1) * TIERPOOL_MAX_LANES, room = TIERPOOL_CONTROL_BYTES((k + 1) * lanes, slots);
            tierpool_layout layout;
            CHECK(tierpool_layout_of(&many, &layout) == TIERPOOL_OK && layout.control_bytes <= room);
            if (lanes % 21 != 1) {
                continue;
            }
            void *control = aligned_alloc(TIERPOOL_CONTROL_ALIGN, room / 128 * 128 + 128);
            void *payload = aligned_alloc(64, layout.payload_bytes);
            CHECK(control != NULL && payload != NULL);
            tierpool_memory exact = {control, layout.control_bytes, payload, layout.payload_bytes, false};
            tierpool_pool *pool;
            CHECK(tierpool_init(&many, &exact, &pool) == TIERPOOL_OK);
            void *slot = taken(pool, lanes - 1);
            memset(slot, 1, 64);
            CHECK(tierpool_free(pool, slot) == TIERPOOL_OK && tierpool_is_idle(pool));
            free(control);
            free(payload);
        }
    }
}

/* A request begins in its lane, goes on to the other one, and a slot goes home to its own. */
static void two_lanes(tierpool_pool *pool) {
    unsigned char *slots = memory.payload;
    unsigned char *a = taken(pool, 0), *c = taken(pool, 1), *b = taken(pool, 2), *d = taken(pool, SIZE_MAX);
    CHECK(a == slots && b == slots + 64 && c == slots + 128 && d == slots + 192);
    lane = 1;
    CHECK(tierpool_free(pool, a) == TIERPOOL_OK);
    CHECK(taken(pool, 1) == a); /* the own lane is empty, the tier is not: no miss */
    void *none;
    for (lane = 0; lane < 2; lane++) {
        CHECK(tierpool_alloc(pool, 64, 1, &none) == TIERPOOL_EXHAUSTED);
    }
    tierpool_tier_stats small = stats_of(pool, 0);
    CHECK(small.slots == 4 && small.in_use == 4 && small.peak == 4 && small.exact && small.served == 5 && small.missed == 2);
    CHECK(stats_of(pool, 1).served == 0 && stats_of(pool, 1).slots == 3);

    lane = 0;
    CHECK(tierpool_free_sized(pool, c, 64, 1) == TIERPOOL_OK && tierpool_free(pool, b) == TIERPOOL_OK);
    CHECK(tierpool_free(pool, b) == TIERPOOL_NOT_ALLOCATED && tierpool_free(pool, b + 1) == TIERPOOL_INTERIOR);
    CHECK(taken(pool, 1) == c && taken(pool, 0) == b);
    CHECK(tierpool_owns(pool, d + 63) && !tierpool_owns(pool, slots - 1));

    const char *line = "requests=9 hits=7 misses=2 hit_rate=77% 64=4/4 128=0/3";
    char text[400];
    CHECK(tierpool_stats_print(pool, text, sizeof text) == strlen(line) && strcmp(text, line) == 0);
    const char *table = " bytes   slots  in use    peak        served        missed\n"
                        "    64       4       4 <=    4             7             2\n"
                        "   128       3       0 <=    0             0             0\n"
                        "requests 9, hits 7 (77.7 %), exhausted 2, oversized 0";
    CHECK(tierpool_stats_table(pool, text, sizeof text) == strlen(table) && strcmp(text, table) == 0);

    CHECK(!tierpool_is_idle(pool));
    unsigned char *all[] = {a, b, c, d};
    for (int i = 0; i < 4; i++) {
        CHECK(tierpool_free(pool, all[i]) == TIERPOOL_OK);
    }
    CHECK(tierpool_is_idle(pool) && tierpool_init(&geometry, &memory, &pool) == TIERPOOL_IN_USE);
}

enum { ROUNDS = 20000 };

/* Takes three, one more than its lane has, and what it is given is its own. */
static void *work(void *pool) {
    for (int round = 0; round < ROUNDS; round++) {
        tierpool_bytes held[3] = {0};
        const unsigned char mark[] = {(unsigned char)lane, (unsigned char)round};
        for (int i = 0; i < 3; i++) {
            tierpool_error error = tierpool_bytes_copy(pool, mark, sizeof mark, &held[i]);
            CHECK(error == TIERPOOL_OK || error == TIERPOOL_EXHAUSTED);
        }
        for (int i = 0; i < 3; i++) {
            CHECK(held[i].data == NULL || memcmp(held[i].data, mark, sizeof mark) == 0);
            tierpool_bytes_release(&held[i]);
        }
    }
    return NULL;
}

static void *in_lane_1(void *pool) {
    lane = 1;
    return work(pool);
}

static void two_threads(tierpool_pool *pool) {
    tierpool_stats before, after;
    CHECK(tierpool_stats_read(pool, &before) == TIERPOOL_OK);
    pthread_t other;
    CHECK(pthread_create(&other, NULL, in_lane_1, pool) == 0);
    lane = 0;
    work(pool);
    CHECK(pthread_join(other, NULL) == 0);
    CHECK(tierpool_is_idle(pool) && tierpool_stats_read(pool, &after) == TIERPOOL_OK);
    CHECK(after.requests - before.requests == 2 * 3 * ROUNDS);
    CHECK(after.hits - before.hits == after.tiers[0].served - before.tiers[0].served);
    CHECK(after.hits + after.misses == after.requests && after.hits - before.hits >= 2 * 2 * ROUNDS);
}

int main(void) {
    one_lane();
    wrong_lanes();
    memory_sizes();
    tierpool_pool *pool;
    CHECK(tierpool_init(&geometry, &memory, &pool) == TIERPOOL_OK);
    two_lanes(pool);
    two_threads(pool);
    puts("lanes: ok");
    return 0;
}

#endif
