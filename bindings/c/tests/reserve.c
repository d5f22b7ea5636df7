/* Reserved slots. With WITH_RESERVE for a library that has the feature; without, that it says so. */
#include <string.h>

#include "check.h"
#include "explained.h"
#include "tierpool.h"

static const tierpool_tier tiers[] = {{64, 2}, {128, 1}};
static const size_t reserved[] = {0, 2};
static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 2, .reserved = reserved};

TIERPOOL_MEMORY(memory, 2 + 1, 2 + 1 + 2, 2 * 64 + 3 * 128);

/* Null, and zeros, ask for no reserve: every library has that. Then the reserve's function is the plain one. */
static void no_reserve(void) {
    static const size_t zeros[] = {0, 0};
    TIERPOOL_MEMORY(plain, 2, 3, 2 * 64 + 128);
    const tierpool_geometry none = {.tiers = tiers, .tier_count = 2, .reserved = zeros};
    tierpool_pool *pool;
    CHECK(tierpool_init(&none, &plain, &pool) == TIERPOOL_OK);
    void *held[3], *more = pool;
    CHECK(tierpool_alloc_reserved(pool, 64, 1, &held[0]) == TIERPOOL_OK);
    CHECK(tierpool_alloc_reserved(pool, 0, 1, &held[1]) == TIERPOOL_OK);
    CHECK(tierpool_alloc_reserved(pool, 65, 64, &held[2]) == TIERPOOL_OK);
    CHECK(tierpool_alloc_reserved(pool, 64, 1, &more) == TIERPOOL_EXHAUSTED && more == NULL);
    CHECK(tierpool_alloc_reserved(pool, 129, 1, &more) == TIERPOOL_OVERSIZED);
    CHECK(tierpool_alloc_reserved(pool, 1, 3, &more) == TIERPOOL_ALIGN);
    CHECK(tierpool_alloc_reserved(NULL, 1, 1, &more) == TIERPOOL_NULL);
    CHECK(tierpool_alloc_reserved(pool, 1, 1, NULL) == TIERPOOL_NULL);
    for (int i = 0; i < 3; i++) {
        CHECK(tierpool_free(pool, held[i]) == TIERPOOL_OK);
    }
    tierpool_stats stats;
    CHECK(tierpool_is_idle(pool) && tierpool_stats_read(pool, &stats) == TIERPOOL_OK);
    CHECK(stats.requests == 5 && stats.exhausted == 1 && stats.oversized == 1 && stats.tiers[1].reserve_slots == 0);
}

#ifndef WITH_RESERVE

static void never(tierpool_pool *pool, size_t bytes) {
    (void)pool;
    (void)bytes;
    CHECK(false);
}

int main(void) {
    no_reserve();
    const char *why = "reserved slots or on_low, but the library is built without its feature `reserve`";
    explained(&geometry, &memory, TIERPOOL_WITHOUT_RESERVE, why);
    const tierpool_geometry hook = {.tiers = tiers, .tier_count = 2, .on_low = never};
    explained(&hook, &memory, TIERPOOL_WITHOUT_RESERVE, why);
    puts("reserve: none, as it should be");
    return 0;
}

#else

static size_t woken;

static void wake(tierpool_pool *pool) {
    CHECK(tierpool_free_slots(pool, 64) == 1);
    woken++;
}

static void *taken(tierpool_pool *pool, size_t bytes) {
    void *slot;
    CHECK(tierpool_alloc_reserved(pool, bytes, 1, &slot) == TIERPOOL_OK);
    return slot;
}

static void wrong_reserves(void) {
    static const size_t many[] = {0, 1023}, most[] = {0, SIZE_MAX};
    tierpool_geometry wrong = geometry;
    wrong.reserved = many;
    explained(&wrong, &memory, TIERPOOL_RESERVED, "tier 1 (1023 reserved slots): a reserve has at most 1022 slots");
    wrong.reserved = most;
    CHECK(tierpool_layout_of(&wrong, &(tierpool_layout){0}) == TIERPOOL_RESERVED);
}

/* The constant expressions of the header cover what the library asks for, at every number of reserves. */
static void memory_sizes(void) {
    tierpool_tier all[TIERPOOL_MAX_TIERS];
    size_t reserves[TIERPOOL_MAX_TIERS], slots = 0;
    for (size_t k = 0; k < TIERPOOL_MAX_TIERS; k++) {
        all[k] = (tierpool_tier){64, 3};
        reserves[k] = k + 1;
        slots += 3 + k + 1;
        const tierpool_geometry many = {.tiers = all, .tier_count = k + 1, .reserved = reserves};
        const size_t room = TIERPOOL_CONTROL_BYTES(2 * (k + 1), slots);
        tierpool_layout layout;
        CHECK(tierpool_layout_of(&many, &layout) == TIERPOOL_OK && layout.control_bytes <= room);
        CHECK(layout.payload_bytes == slots * 64);
        void *control = aligned_alloc(TIERPOOL_CONTROL_ALIGN, room / 128 * 128 + 128);
        void *payload = aligned_alloc(64, layout.payload_bytes);
        CHECK(control != NULL && payload != NULL);
        const tierpool_memory exact = {control, layout.control_bytes, payload, layout.payload_bytes, false};
        tierpool_pool *pool;
        CHECK(tierpool_init(&many, &exact, &pool) == TIERPOOL_OK);
        void *slot = taken(pool, 64);
        memset(slot, 1, 64);
        CHECK(tierpool_free(pool, slot) == TIERPOOL_OK && tierpool_is_idle(pool));
        free(control);
        free(payload);
    }
}

#ifdef TIERPOOL_HISTOGRAM /* built with lanes, too */
static size_t lane_0(void) {
    return 0;
}

/* All lanes of all tiers, and a reserve for each tier: the most lists that there are. */
static void most_lists(void) {
    tierpool_tier all[TIERPOOL_MAX_TIERS];
    size_t reserves[TIERPOOL_MAX_TIERS];
    for (size_t k = 0; k < TIERPOOL_MAX_TIERS; k++) {
        all[k] = (tierpool_tier){8, TIERPOOL_MAX_LANES};
        reserves[k] = 1;
    }
    const tierpool_geometry most = {.tiers = all,
                                    .tier_count = TIERPOOL_MAX_TIERS,
                                    .lanes = TIERPOOL_MAX_LANES,
                                    .lane = lane_0,
                                    .reserved = reserves};
    const size_t slots = TIERPOOL_MAX_TIERS * (TIERPOOL_MAX_LANES + 1);
    const size_t room = TIERPOOL_CONTROL_BYTES(TIERPOOL_MAX_TIERS * TIERPOOL_MAX_LANES + TIERPOOL_MAX_TIERS, slots);
    tierpool_layout layout;
    CHECK(tierpool_layout_of(&most, &layout) == TIERPOOL_OK && layout.control_bytes <= room);
    void *control = aligned_alloc(TIERPOOL_CONTROL_ALIGN, room / 128 * 128 + 128);
    void *payload = aligned_alloc(64, layout.payload_bytes);
    CHECK(control != NULL && payload != NULL);
    const tierpool_memory exact = {control, layout.control_bytes, payload, layout.payload_bytes, false};
    tierpool_pool *pool;
    CHECK(tierpool_init(&most, &exact, &pool) == TIERPOOL_OK);
    CHECK(tierpool_free(pool, taken(pool, 8)) == TIERPOOL_OK && tierpool_is_idle(pool));
    free(control);
    free(payload);
}
#else
static void most_lists(void) {}
#endif

/* Plain requests never get a reserved slot; a request for the reserve takes a plain one first. */
static void plain_first(tierpool_pool *pool) {
    void *none;
    unsigned char *slots = memory.payload;
    unsigned char *small[] = {taken(pool, 64), taken(pool, 10)}, *large = taken(pool, 128);
    CHECK(small[0] == slots && small[1] == slots + 64 && large == slots + 128);
    CHECK(tierpool_alloc(pool, 64, 1, &none) == TIERPOOL_EXHAUSTED);
    CHECK(tierpool_alloc(pool, 128, 1, &none) == TIERPOOL_EXHAUSTED);

    unsigned char *kept = taken(pool, 64);
    CHECK(kept == slots + 256 && tierpool_owns(pool, kept + 127));
    memset(kept, 1, 128);
    tierpool_stats stats;
    CHECK(tierpool_stats_read(pool, &stats) == TIERPOOL_OK && stats.tier_count == 2);
    CHECK(stats.tiers[0].reserve_slots == 0 && stats.tiers[1].slots == 1 && stats.tiers[1].in_use == 1);
    CHECK(stats.tiers[1].reserve_slots == 2 && stats.tiers[1].reserve_in_use == 1);
    CHECK(stats.tiers[1].reserve_peak == 1 && stats.tiers[1].reserve_served == 1);
    const char *line = "requests=6 hits=4 misses=2 hit_rate=66% 64=2/2 128=1/1+1/2";
    char text[400];
    CHECK(tierpool_stats_print(pool, text, sizeof text) == strlen(line) && strcmp(text, line) == 0);
    const char *table = " bytes   slots  in use    peak        served        missed\n"
                        "    64       2       2       2             2             2\n"
                        "   128       1       1       1             1             1\n"
                        "     +       2       1       1             1\n"
                        "requests 6, hits 4 (66.6 %), exhausted 2, oversized 0";
    CHECK(tierpool_stats_table(pool, text, sizeof text) == strlen(table) && strcmp(text, table) == 0);

    /* By each function that frees, it goes back to the reserve: no plain request gets it, and nobody who waits is told. */
    CHECK(tierpool_arm_free_notify(pool, 64));
    CHECK(tierpool_free_sized(pool, kept, 64, 1) == TIERPOOL_OK);
    kept = taken(pool, 128);
    CHECK(tierpool_free(pool, kept) == TIERPOOL_OK && tierpool_free(pool, kept) == TIERPOOL_NOT_ALLOCATED);
    kept = taken(pool, 128);
    tierpool_bytes bytes;
    CHECK(tierpool_bytes_from_raw(pool, kept, 100, &bytes) == TIERPOOL_OK && bytes.data == kept);
    CHECK(tierpool_bytes_footprint(&bytes) == 128);
    tierpool_bytes_release(&bytes);
    CHECK(woken == 0 && tierpool_alloc(pool, 128, 1, &none) == TIERPOOL_EXHAUSTED && !tierpool_is_idle(pool));

    /* Both, and then none is left. */
    unsigned char *both[] = {taken(pool, 1), taken(pool, 1)};
    CHECK(tierpool_alloc_reserved(pool, 1, 1, &none) == TIERPOOL_EXHAUSTED && none == NULL);
    CHECK(tierpool_alloc_reserved(pool, 129, 1, &none) == TIERPOOL_OVERSIZED);
    CHECK(tierpool_alloc_reserved(pool, 1, 256, &none) == TIERPOOL_OVERSIZED);
    CHECK(tierpool_stats_read(pool, &stats) == TIERPOOL_OK && stats.tiers[1].reserve_peak == 2);
    CHECK(tierpool_free(pool, small[0]) == TIERPOOL_OK && woken == 1);
    unsigned char *rest[] = {small[1], large, both[0], both[1]};
    for (int i = 0; i < 4; i++) {
        CHECK(tierpool_free(pool, rest[i]) == TIERPOOL_OK);
    }
    CHECK(tierpool_is_idle(pool));
    tierpool_reset_peak(pool);
    CHECK(tierpool_stats_read(pool, &stats) == TIERPOOL_OK && stats.tiers[1].reserve_peak == 0);
}

static tierpool_pool *dry_pool;
static size_t dry_calls, dry_bytes;

/* A hook may use the pool. */
static void low(tierpool_pool *pool, size_t bytes) {
    CHECK(pool == dry_pool && tierpool_free_slots(pool, bytes) == 0);
    dry_calls++;
    dry_bytes = bytes;
}

/* Once for a tier that is dry, and again only when it has served a request in between. */
static void low_hook(void) {
    TIERPOOL_MEMORY(own, 2 + 1, 2 + 1 + 2, 2 * 64 + 3 * 128);
    tierpool_geometry telling = geometry;
    telling.spill = 1;
    telling.on_low = low;
    CHECK(tierpool_init(&telling, &own, &dry_pool) == TIERPOOL_OK);
    void *small[2], *large, *kept, *none;
    CHECK(tierpool_alloc(dry_pool, 64, 1, &small[0]) == TIERPOOL_OK);
    CHECK(tierpool_alloc(dry_pool, 64, 1, &small[1]) == TIERPOOL_OK && dry_calls == 0);
    CHECK(tierpool_alloc(dry_pool, 64, 1, &large) == TIERPOOL_OK && dry_calls == 1 && dry_bytes == 64);
    CHECK(tierpool_alloc(dry_pool, 64, 1, &none) == TIERPOOL_EXHAUSTED && dry_calls == 2 && dry_bytes == 128);
    CHECK(tierpool_alloc(dry_pool, 64, 1, &none) == TIERPOOL_EXHAUSTED && dry_calls == 2);
    CHECK(tierpool_alloc(dry_pool, 128, 1, &none) == TIERPOOL_EXHAUSTED && dry_calls == 2);
    CHECK(tierpool_alloc_reserved(dry_pool, 128, 1, &kept) == TIERPOOL_OK && dry_calls == 2);

    CHECK(tierpool_free(dry_pool, small[0]) == TIERPOOL_OK);
    CHECK(tierpool_alloc(dry_pool, 64, 1, &small[0]) == TIERPOOL_OK);
    CHECK(tierpool_alloc(dry_pool, 64, 1, &none) == TIERPOOL_EXHAUSTED && dry_calls == 3 && dry_bytes == 64);
    void *all[] = {small[0], small[1], large, kept};
    for (int i = 0; i < 4; i++) {
        CHECK(tierpool_free(dry_pool, all[i]) == TIERPOOL_OK);
    }
    CHECK(tierpool_is_idle(dry_pool));
}

int main(void) {
    no_reserve();
    wrong_reserves();
    low_hook();
    memory_sizes();
    most_lists();
    tierpool_geometry waking = geometry;
    waking.on_free = wake;
    tierpool_pool *pool;
    CHECK(tierpool_init(&waking, &memory, &pool) == TIERPOOL_OK);
    plain_first(pool);
    puts("reserve: ok");
    return 0;
}

#endif
