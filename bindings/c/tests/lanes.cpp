// tierpool::allocator and tierpool::bytes on a pool with two lanes, in two threads.
#include <cstdio>
#include <thread>
#include <vector>

#include "check.h"
#include "tierpool.hpp"

using tierpool::bytes;

static thread_local std::size_t lane = 0;

static const tierpool_tier tiers[] = {{64, 4}, {256, 4}};
static const std::size_t slots = 4 + 4;
TIERPOOL_MEMORY(memory, 2 * 2, slots, 4 * 64 + 4 * 256);

static tierpool_pool *make() {
    tierpool_geometry geometry = {};
    geometry.tiers = tiers;
    geometry.tier_count = 2;
    geometry.lanes = 2;
    geometry.lane = [] { return lane; };
    tierpool_pool *pool = nullptr;
    CHECK(tierpool_init(&geometry, &memory, &pool) == TIERPOOL_OK);
    return pool;
}

static tierpool_stats stats_of(tierpool_pool *pool) {
    tierpool_stats stats;
    CHECK(tierpool_stats_read(pool, &stats) == TIERPOOL_OK);
    return stats;
}

static void one_thread_gets_the_slots_of_both(tierpool_pool *pool) {
    for (std::size_t from : {0, 1, 7}) {
        lane = from;
        std::vector<bytes> all;
        while (std::optional<bytes> one = bytes::zeroed(pool, 60)) {
            all.push_back(std::move(*one));
        }
        CHECK(all.size() == 4 && stats_of(pool).tiers[0].in_use == 4);
        // A copy of one that is shared has no slot left; one that is not is written in place.
        const bytes shared = all[0];
        CHECK(all[0].make_mut() == nullptr && all[1].make_mut() == all[1].data());
    }
}

// A container's blocks come from the own lane, from the other, and then from operator new.
static void containers(tierpool_pool *pool) {
    tierpool::allocator<char> from_pool(pool);
    std::vector<std::vector<char, tierpool::allocator<char>>> all;
    for (int i = 0; i < 5; i++) {
        all.emplace_back(200, 'x', from_pool);
        CHECK(tierpool_owns(pool, all.back().data()) == (i < 4));
    }
    CHECK(stats_of(pool).tiers[1].in_use == 4);
}

static void two_threads(tierpool_pool *pool) {
    const std::uint64_t before = stats_of(pool).requests;
    constexpr int rounds = 20000;
    auto work = [pool](std::size_t own) {
        lane = own;
        for (int i = 0; i < rounds; i++) {
            // Two are what the own lane has; the third is the other thread's, or there is none.
            std::optional<bytes> held[3];
            for (std::optional<bytes> &one : held) {
                one = bytes::copy_of(pool, own == 0 ? "lane 0" : "lane 1");
            }
            for (const std::optional<bytes> &one : held) {
                CHECK(!one || *one == (own == 0 ? "lane 0" : "lane 1"));
            }
        }
    };
    std::thread other(work, 1);
    work(0);
    other.join();
    const tierpool_stats after = stats_of(pool);
    CHECK(after.requests - before == 2 * 3 * rounds && after.hits + after.misses == after.requests);
    CHECK(after.tiers[0].exact && after.tiers[0].in_use == 0);
}

int main() {
    tierpool_pool *pool = make();
    using test = void (*)(tierpool_pool *);
    const test tests[] = {one_thread_gets_the_slots_of_both, containers, two_threads};
    for (test run : tests) {
        run(pool);
        CHECK(tierpool_is_idle(pool));
    }
    std::puts("lanes: ok");
}
