/* Shared handles that are narrowed to no bytes by hand: what lies beside them in their slot is there until the call has read it, and
 * a call that fails has let go of nothing. Alone, and while another thread gives up the other handle and takes the slot. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "check.h"
#include "tierpool.h"

static tierpool_pool *make(const tierpool_tier *tier, const tierpool_memory *with) {
    const tierpool_geometry geometry = {.tiers = tier, .tier_count = 1};
    tierpool_pool *pool;
    CHECK(tierpool_init(&geometry, with, &pool) == TIERPOOL_OK);
    return pool;
}

static void a_failed_append_lets_go_of_nothing(void) {
    TIERPOOL_MEMORY(memory, 1, 1, 64);
    tierpool_pool *pool = make(&(tierpool_tier){64, 1}, &memory);
    tierpool_bytes a;
    CHECK(tierpool_bytes_copy(pool, (const uint8_t *)"hello", 5, &a) == TIERPOOL_OK);
    tierpool_bytes b = tierpool_bytes_retain(&a);
    a.len = 0;
    const tierpool_bytes before = a;
    CHECK(tierpool_bytes_append(&a, NULL, (const uint8_t *)"!", 1) == TIERPOOL_EXHAUSTED);
    CHECK(memcmp(&a, &before, sizeof a) == 0 && tierpool_bytes_footprint(&a) == 64 && !tierpool_bytes_is_unique(&b));
    CHECK(tierpool_bytes_append(&a, NULL, b.data, 65) == TIERPOOL_OVERSIZED && memcmp(&a, &before, sizeof a) == 0);
    tierpool_bytes_release(&b);
    CHECK(tierpool_bytes_append(&a, NULL, a.data + 1, 4) == TIERPOOL_OK && a.len == 4 && memcmp(a.data, "ello", 4) == 0);
    tierpool_bytes_release(&a);
    CHECK(tierpool_is_idle(pool));
}

static void no_bytes_are_written_where_they_are(void) {
    TIERPOOL_MEMORY(memory, 1, 1, 64);
    tierpool_pool *pool = make(&(tierpool_tier){64, 1}, &memory);
    tierpool_bytes a, none = {0};
    uint8_t *data;
    CHECK(tierpool_bytes_copy(pool, (const uint8_t *)"hello", 5, &a) == TIERPOOL_OK);
    tierpool_bytes b = tierpool_bytes_retain(&a);
    a.len = 0;
    a.data += 2;
    const tierpool_bytes before = a;
    CHECK(tierpool_bytes_make_mut(&a, NULL, &data) == TIERPOOL_OK && data == before.data);
    CHECK(memcmp(&a, &before, sizeof a) == 0 && tierpool_bytes_footprint(&a) == 64 && !tierpool_bytes_is_unique(&b));
    CHECK(tierpool_bytes_make_mut(&none, NULL, &data) == TIERPOOL_OK && data == NULL && none.data == NULL);
    tierpool_bytes_release(&a);
    tierpool_bytes_release(&b);
    CHECK(tierpool_is_idle(pool));
}

/* What a function makes goes where it is told after all has been read, so it may go into what is read. */
static void results_are_written_last(void) {
    TIERPOOL_MEMORY(memory, 1, 2, 2 * 64);
    tierpool_pool *pool = make(&(tierpool_tier){64, 2}, &memory);
    tierpool_bytes copy = {(const uint8_t *)"words", 5, {0}};
    const tierpool_bytes words = copy;
    CHECK(tierpool_bytes_copy(pool, (const uint8_t *)&copy, sizeof copy, &copy) == TIERPOOL_OK);
    CHECK(copy.len == sizeof words && memcmp(copy.data, &words, sizeof words) == 0);
    tierpool_bytes_release(&copy);
    CHECK(tierpool_is_idle(pool));
}

/* The other handle of a round, on its way to the other thread. */
static struct {
    tierpool_pool *pool;
    size_t len;
    tierpool_bytes handle;
    atomic_int state;
} other;

enum { EMPTY, SENT, STOP };

static int state(void) {
    sched_yield();
    return atomic_load(&other.state);
}

/* Gives up what comes, and takes a slot that is then free: that one, if it was the last to have it. */
static void *release_and_take(void *unused) {
    static uint8_t mine[60000];
    memset(mine, 0xbb, sizeof mine);
    for (int now = state(); now != STOP; now = state()) {
        if (now == SENT) {
            tierpool_bytes taken;
            tierpool_bytes_release(&other.handle);
            (void)tierpool_bytes_copy(other.pool, mine, other.len, &taken);
            tierpool_bytes_release(&taken);
            atomic_store(&other.state, EMPTY);
        }
    }
    return unused;
}

static void against_another_thread(tierpool_pool *pool, size_t len, int rounds) {
    static uint8_t ours[60000];
    memset(ours, 0xaa, sizeof ours);
    other.pool = pool;
    other.len = len;
    atomic_store(&other.state, EMPTY);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, release_and_take, NULL) == 0);
    for (int round = 0; round < rounds; round++) {
        tierpool_bytes a;
        while (tierpool_bytes_copy(pool, ours, len, &a) != TIERPOOL_OK) {
            sched_yield();
        }
        other.handle = tierpool_bytes_retain(&a);
        atomic_store(&other.state, SENT);
        /* At no moment are these bytes shared and all other slots taken, so there is a way at every moment. */
        const uint8_t *beside = a.data;
        a.len = 0;
        CHECK(tierpool_bytes_append(&a, NULL, beside, len) == TIERPOOL_OK && a.len == len);
        CHECK(memcmp(a.data, ours, len) == 0);
        tierpool_bytes_release(&a);
        while (state() != EMPTY) {
        }
    }
    atomic_store(&other.state, STOP);
    CHECK(pthread_join(thread, NULL) == 0 && tierpool_is_idle(pool));
}

int main(void) {
    a_failed_append_lets_go_of_nothing();
    no_bytes_are_written_where_they_are();
    results_are_written_last();

    TIERPOOL_MEMORY(large, 1, 8, 8 * 65536);
    against_another_thread(make(&(tierpool_tier){65536, 8}, &large), 60000, 2000);
    TIERPOOL_MEMORY(two, 1, 2, 2 * 64);
    against_another_thread(make(&(tierpool_tier){64, 2}, &two), 60, 20000);
    puts("beside: ok");
    return 0;
}
